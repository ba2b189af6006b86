"""What comparisons of methods found: figures of a summary, by model, method and document.

Owns keeping them; measuring is an evaluation's business, what follows from them the business of whoever chooses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import select

from longdoc.json_value import JsonValue
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.compact_json import to_canonical_json
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_or_update
from longdoc.storage.schema import method_scores


@dataclass(frozen=True, slots=True)
class MethodScore:
    """The figures of one summary.

    `model` is the identity of what wrote it, `method` a name with what varies it; `document_tokens` is an estimate;
    `words` is the length asked for (None: the method's own), `settings` what else was asked. `judge` is the identity of
    what judged it, with `protocol` and `prompt` (None: nobody did); `toy` tells that its judgements are noise. Rates
    are in 0..1, None where they were not measured; `tokens` (read and written) and `seconds` are those of all calls
    behind the summary, `run_id` is the run that made it; `created_at` is set when it is stored.
    """

    model: str
    method: str
    document_id: str
    document_tokens: int
    run_id: str
    tokens: int
    seconds: float
    words: int | None = None
    settings: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    judge: str | None = None
    protocol: str | None = None
    prompt: str | None = None
    toy: bool = False
    coherence: float | None = None
    support_rate: float | None = None
    length_error: float | None = None
    repetition: float = 0.0
    gaps: int = 0
    created_at: datetime | None = field(default=None, compare=False)


class MethodScores:
    """The stored figures."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def save(self, score: MethodScore) -> None:
        """Store figures in place of those with the same model, method, document, length, settings and judge.

        The document must be stored: `StorageError` otherwise.
        """
        row = asdict(score) | {"key": _key(score), "created_at": self._now()}
        await self._database.write(lambda connection: insert_or_update(connection, method_scores, row))

    async def of_model(self, model: str) -> tuple[MethodScore, ...]:
        """All figures of what a model wrote, the newest first."""
        columns = [column for column in method_scores.c if column.name != "key"]
        statement = (
            select(*columns)
            .where(method_scores.c.model == model)
            .order_by(method_scores.c.created_at.desc(), method_scores.c.key)
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return tuple(MethodScore(**row) for row in rows)


def _key(score: MethodScore) -> str:
    asked = [score.model, score.method, score.document_id, score.words, dict(score.settings)]
    judged = [score.judge, score.protocol, score.prompt]
    return hashlib.sha256(to_canonical_json([*asked, *judged]).encode()).hexdigest()
