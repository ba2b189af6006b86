"""Keys that are rotated: who is rotated may do the same for as long, and the other ends soon."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from longdoc.errors import ConfigError
from longdoc.storage.api_keys import GRACE, ApiKeys, NewKey, Scope
from longdoc.storage.database import Database

_START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("lasts", [None, timedelta(days=90)])
def test_a_key_may_be_rotated_again_before_it_has_ended(database: str, lasts: timedelta | None) -> None:
    now = [_START]

    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            keys = ApiKeys(opened, now=lambda: now[0])
            first, _ = await keys.create(NewKey("a", "acme", frozenset({Scope.READ}), 7, lasts))
            for _ in range(3):
                made, secret = await keys.rotate(first.id)
                assert made.expires_at == (None if lasts is None else now[0] + lasts)
                assert (made.scopes, made.per_minute, made.lasts) == (first.scopes, 7, lasts)
                assert secret.startswith("lda_")
                assert {key.id: key for key in await keys.list()}[first.id].expires_at == _START + GRACE
                now[0] += timedelta(hours=1)
            now[0] += GRACE
            with pytest.raises(ConfigError):
                await keys.rotate(first.id)
            assert len(await keys.list()) == 4

    asyncio.run(work())
