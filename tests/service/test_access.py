"""Keys: how they are kept, what they may be used for, how often, and when none is needed."""

import asyncio
import hashlib
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from longdoc.app.bootstrap import open_records
from longdoc.app.service.access import KEY_SECONDS, Gate, is_loopback
from longdoc.app.service.rate_limit import RateLimit
from longdoc.app.service.request_log import LOGGER, JsonLines
from longdoc.app.service.server import check_binding
from longdoc.client import calls
from longdoc.errors import ConfigError, NotFoundError, ServiceError
from longdoc.storage.api_keys import ApiKey, NewKey, Scope
from longdoc.storage.profile_types import Tenant
from tests.e2e.command import Lda
from tests.service.running import ALL, make_key, running, settings_for


@pytest.fixture
def lda(tmp_path: Path) -> Lda:
    return Lda(tmp_path, {"LDA_ENGINE": "scripted"})


def test_a_key_is_shown_once_and_only_its_checksum_is_kept(lda: Lda) -> None:
    made = lda.json("keys", "create", "shop", "--tenant", "acme", "--scope", "read", "--per-minute", "9", "--days", "2")
    secret = made["secret"]
    assert secret.startswith("lda_")
    assert len(secret) == len("lda_") + 43  # 256 bits
    assert lda.query("select sha256 from api_keys") == [(hashlib.sha256(secret.encode()).hexdigest(),)]
    assert not any(secret.encode() in file.read_bytes() for file in lda.home.iterdir() if file.is_file())
    listed = lda.run("keys", "list").stdout
    assert "acme" in listed
    assert secret not in listed


def test_a_rotated_key_lasts_for_a_while_and_a_revoked_one_does_not(lda: Lda) -> None:
    old = lda.json("keys", "create", "shop")["key"]["id"]
    new = lda.json("keys", "rotate", old, "--grace-hours", "1")["key"]
    keys = {key["id"]: key for key in lda.json("keys", "list")["keys"]}
    ends = datetime.fromisoformat(keys[old]["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=58) < ends < timedelta(minutes=61)
    assert keys[old]["state"] == keys[new["id"]]["state"] == "valid"
    assert new["scopes"] == keys[old]["scopes"] == ["personalize", "read", "write"]
    lda.json("keys", "revoke", old)
    assert {key["id"]: key["state"] for key in lda.json("keys", "list")["keys"]} == {old: "revoked", new["id"]: "valid"}
    assert lda.run("keys", "rotate", old).returncode == 2
    assert "there is no key" in lda.run("keys", "revoke", "key_x").stderr
    assert "no scope 'all'" in lda.run("keys", "create", "x", "--scope", "all").stderr


def test_wider_than_this_computer_is_only_served_with_a_key(lda: Lda) -> None:
    refused = lda.run("serve", "--host", "0.0.0.0", "--port", "0", timeout=60)
    assert refused.returncode == 2
    assert "needs a key" in refused.stderr
    assert "needs a key" in lda.run("serve", "--require-keys", "--port", "0").stderr
    settings = settings_for(lda.database)
    id_ = make_key(lda.database, "acme")[0]
    assert asyncio.run(check_binding(settings, "0.0.0.0", require_keys=False)) is False
    lda.json("keys", "revoke", id_)
    with pytest.raises(ConfigError, match="there is none"):
        asyncio.run(check_binding(settings, "0.0.0.0", require_keys=False))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("", False), ("example.org", False)],
)
def test_loopback_is_told_from_other_addresses(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_key_that_was_ever_made_closes_a_service_that_was_open(tmp_path: Path) -> None:
    async def work() -> None:
        async with open_records(settings_for(tmp_path / "a.db")) as records:
            now = [0.0]
            local = await records.profiles.tenant("local")
            gate = Gate(records.api_keys, local, keyless=True, clock=lambda: now[0])
            assert (await gate.admit(_headers())).tenant == local
            key, secret = await records.api_keys.create(NewKey("a", "acme", ALL))
            now[0] += KEY_SECONDS + 1
            with pytest.raises(ServiceError, match="a key is needed"):
                await gate.admit(_headers())
            assert (await gate.admit(_headers(secret))).key == key.id
            await records.api_keys.revoke(key.id)
            now[0] += KEY_SECONDS + 1
            for headers in (_headers(secret), _headers()):
                with pytest.raises(ServiceError):
                    await gate.admit(headers)

    asyncio.run(work())


def test_keys_end_when_their_time_is_over(tmp_path: Path) -> None:
    async def work() -> None:
        async with open_records(settings_for(tmp_path / "a.db")) as records:
            gate = Gate(records.api_keys, await records.profiles.tenant("local"), keyless=False)
            _, secret = await records.api_keys.create(NewKey("a", "acme", ALL, lasts=timedelta(0)))
            with pytest.raises(ServiceError, match="not valid"):
                await gate.admit(_headers(secret))
            with pytest.raises(NotFoundError):
                await records.api_keys.rotate("key_none")

    asyncio.run(work())


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"host": "127.0.0.1:1", "origin": "https://evil.example"}, {"host": "["}, {}],
)
def test_pages_of_elsewhere_do_not_reach_a_service_without_keys(tmp_path: Path, headers: dict[str, str]) -> None:
    async def work() -> None:
        async with open_records(settings_for(tmp_path / "a.db")) as records:
            gate = Gate(records.api_keys, await records.profiles.tenant("local"), keyless=True)
            with pytest.raises(ServiceError, match="own pages only"):
                await gate.admit(Headers(headers))

    asyncio.run(work())


@pytest.mark.parametrize("value", ["", "Basic abc", "Bearer", "Bearer lda_", "Bearer x", "Bearer lda_" + "x" * 5000])
def test_what_is_no_key_is_refused_before_anything_is_read(tmp_path: Path, value: str) -> None:
    with running(tmp_path / "a.db", keyless=False) as service, service.http() as http:
        for path in ("/v1/users", "/v1/nothing", "/metrics"):
            refused = http.get(path, headers={"authorization": value})
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"] == "Bearer"
        assert http.post("/v1/context", content=b"{", headers={"authorization": value}).status_code == 401
        assert http.get("/health").status_code == http.get("/ready").status_code == 200


def test_scopes_are_held(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", keyless=False) as service:
        replies: dict[str, tuple[int, ...]] = {}
        for scope in Scope:
            with service.http(service.key("acme", frozenset({scope}))) as http:
                replies[scope] = (
                    http.put("/v1/users/ann").status_code,
                    http.get("/v1/users").status_code,
                    http.post("/v1/context", json={"user": "nobody", "query": "a"}).status_code,
                    http.get("/metrics").status_code,
                )
    assert replies == {
        "read": (403, 200, 403, 403),
        "write": (200, 403, 403, 403),
        "personalize": (403, 403, 404, 403),
        "admin": (200, 200, 404, 200),
    }


def test_a_bucket_is_filled_evenly() -> None:
    now = [0.0]
    limit = RateLimit(clock=lambda: now[0])
    assert [limit.take("a", 2) for _ in range(3)] == [None, None, 30.0]
    assert limit.take("b", 2) is None
    now[0] = 30.0
    assert limit.take("a", 2) is None
    assert limit.take("a", 2) == pytest.approx(30.0)


def test_more_requests_than_allowed_are_told_to_wait(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", keyless=False) as service:
        secret = service.key("acme", per_minute=2)
        with service.http(secret) as http:
            replies = [http.get("/v1/users") for _ in range(3)]
        assert [reply.status_code for reply in replies] == [200, 200, 429]
        assert 1 <= int(replies[-1].headers["retry-after"]) <= 30
        with service.client(secret) as client, pytest.raises(ServiceError) as refused:
            client.send(calls.list_users())
        assert (refused.value.status, refused.value.kind, refused.value.resumable) == (429, "rate", True)


def test_the_log_has_ids_and_no_text(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    marker = "Xylophonquark"
    logger = logging.getLogger(LOGGER)
    logger.propagate = True
    with caplog.at_level(logging.INFO, logger=LOGGER), running(tmp_path / "a.db", keyless=False) as service:
        secret = service.key("acme")
        with service.http(secret) as http:
            item = {"task": "title", "key": marker, "text": marker}
            assert http.post(f"/v1/users/{marker}/items", json={"items": [item]}).status_code == 200
            http.post("/v1/context", json={"user": marker, "query": marker, "task": marker})
            http.get(f"/v1/{marker}", params={marker: marker})
            http.request(marker.upper(), "/v1/users", headers={"x-request-id": marker})
    lines = [JsonLines().format(record) for record in caplog.records if record.name == LOGGER]
    told = [json.loads(line) for line in lines]
    assert not any(marker.lower() in line.lower() or secret in line for line in lines)
    items = next(line for line in told if line.get("route") == "/v1/users/{user}/items")
    assert {"id", "ms", "status", "tenant", "key"} <= items.keys()
    assert items["key"].startswith("key_")


def test_a_key_knows_when_it_is_valid() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    tenant = Tenant(1, "acme", now)

    def key(expires: datetime | None, revoked: datetime | None) -> ApiKey:
        return ApiKey("key_a", tenant, "a", ALL, None, now, expires, revoked)

    assert key(None, None).valid(now)
    assert not key(now, None).valid(now)
    assert not key(None, now).valid(now)


def _headers(secret: str | None = None) -> Headers:
    told = {"host": "127.0.0.1:8765"}
    return Headers(told if secret is None else {**told, "authorization": f"Bearer {secret}"})
