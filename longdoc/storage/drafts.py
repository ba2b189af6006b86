"""Drafts: writing sessions with every revision of their plans and every version of their sections.

Owns the transactions. A revision is what one thing that a user did has made; sections that are written then come into
the revision there is, each in one step with its text, so that a process may end at any moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, func, select, update

from longdoc.errors import ChangedMeanwhileError, ConfigError, NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.draft_types import Draft, DraftPlan, DraftRevision, SectionText
from longdoc.storage.schema import draft_revisions, draft_sections, drafts

_FIRST = "new"
_EMPTY = 1
"""The first revision of every draft, which has no plan."""


class Drafts:
    """The stored drafts. What changes one raises `ConfigError` where somebody else has changed it meanwhile."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def create(self, name: str, instruction: str, settings: Mapping[str, JsonValue]) -> Draft:
        """A new draft without a plan. Raises `ConfigError` where there is one of that name."""
        now = self._now()

        def work(connection: Connection) -> Draft:
            if connection.execute(select(drafts.c.id).where(drafts.c.name == name)).first() is not None:
                raise ConfigError(f"there is a draft {name!r} already; go on with it, or choose another --name")
            values = {
                "name": name,
                "instruction": instruction,
                "settings": dict(settings),
                "revision": 1,
                "changes": 0,
                "created_at": now,
            }
            connection.execute(drafts.insert().values(values))
            found = connection.execute(select(drafts.c.id).where(drafts.c.name == name)).scalar_one()
            _add_revision(connection, found, DraftRevision(1, None, _FIRST, now), DraftPlan())
            return _get(connection, name)

        return await self._database.write(work)

    async def get(self, name: str) -> Draft:
        """The draft of that name. Raises `NotFoundError`."""
        return await self._database.read(lambda connection: _get(connection, name))

    async def find(self, name: str) -> Draft | None:
        """The draft of that name, None where there is none."""
        return await self._database.read(lambda connection: _find(connection, name))

    async def newest(self, prefix: str) -> Draft | None:
        """The newest draft whose name begins so, None where there is none."""
        named = _joined().where(drafts.c.name.startswith(prefix, autoescape=True))
        statement = named.order_by(drafts.c.id.desc()).limit(1)
        row = await self._database.read(lambda connection: connection.execute(statement).mappings().first())
        return None if row is None else _draft(row)

    async def list(self) -> tuple[Draft, ...]:
        """All drafts, the newest first."""
        statement = _joined().order_by(drafts.c.id.desc())
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return tuple(map(_draft, rows))

    async def delete(self, draft: Draft) -> None:
        """Delete a draft with all that was written for it; calls stay in the ledger."""
        statement = delete(drafts).where(drafts.c.id == draft.id)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def set_up(self, draft: Draft, changes: Mapping[str, JsonValue]) -> Draft:
        """Give a draft these settings; those that are not named stay as they are."""

        def work(connection: Connection) -> Draft:
            _take_turn(connection, draft)
            settings = {**draft.settings, **changes}
            connection.execute(update(drafts).where(drafts.c.id == draft.id).values(settings=settings))
            return _get(connection, draft.name)

        return await self._database.write(work)

    async def revise(self, draft: Draft, plan: DraftPlan, what: str, *, texts: Sequence[SectionText] = ()) -> Draft:
        """A new revision with this plan, made from the one there is, and with it texts that it holds."""
        now = self._now()

        def work(connection: Connection) -> Draft:
            _take_turn(connection, draft)
            newest = select(func.max(draft_revisions.c.number)).where(draft_revisions.c.draft_id == draft.id)
            number = connection.execute(newest).scalar_one() + 1
            _add_revision(connection, draft.id, DraftRevision(number, draft.revision, what, now), plan)
            connection.execute(update(drafts).where(drafts.c.id == draft.id).values(revision=number))
            for text in texts:
                _add_text(connection, draft.id, replace(text, created_at=now))
            return _get(connection, draft.name)

        return await self._database.write(work)

    async def written(self, draft: Draft, plan: DraftPlan, text: SectionText) -> Draft:
        """Store a section's text, and the plan that holds it as its revision now: both or neither."""
        now = self._now()

        def work(connection: Connection) -> Draft:
            _take_turn(connection, draft)
            _add_text(connection, draft.id, replace(text, created_at=now))
            _set_plan(connection, draft, plan)
            return _get(connection, draft.name)

        return await self._database.write(work)

    async def tell(self, draft: Draft, text: SectionText) -> None:
        """Store the summary and the facts of a text that is there."""
        table = draft_sections.c
        is_it = (table.draft_id == draft.id) & (table.section == text.section) & (table.version == text.version)
        told = update(draft_sections).where(is_it).values(summary=text.summary, facts=list(text.facts))
        await self._database.write(lambda connection: connection.execute(told).close())

    async def undo(self, draft: Draft) -> tuple[Draft, str]:
        """Back to the revision that the one now was made from; and what is undone.

        A section that had no text then keeps the one it has now: what was written is never undone. Raises
        `ConfigError` where there is nothing before it but the empty draft.
        """

        def work(connection: Connection) -> tuple[Draft, str]:
            _take_turn(connection, draft)
            found = connection.execute(_revision(draft.id, draft.revision)).one()
            if found.parent in {None, _EMPTY}:
                raise ConfigError(f"there is nothing to undo in {draft.name!r}")
            connection.execute(update(drafts).where(drafts.c.id == draft.id).values(revision=found.parent))
            before = _get(connection, draft.name)
            kept = _with_texts(before.plan, draft.plan)
            if kept != before.plan:
                _set_plan(connection, before, kept)
            return _get(connection, draft.name), str(found.what)

        return await self._database.write(work)

    async def revisions(self, draft: Draft) -> tuple[DraftRevision, ...]:
        """All that was done, the oldest first."""
        table = draft_revisions.c
        statement = select(table.number, table.parent, table.what, table.created_at).where(table.draft_id == draft.id)
        rows = await self._database.read(lambda connection: connection.execute(statement.order_by(table.number)).all())
        return tuple(DraftRevision(row.number, row.parent, row.what, row.created_at) for row in rows)

    async def texts(self, draft: Draft) -> dict[int, SectionText]:
        """The text that each section of the plan holds, by section; those that hold none are left out."""
        held = {(section.id, section.version) for section in draft.plan.sections if section.version}
        return {one.section: one for one in await self.versions(draft) if (one.section, one.version) in held}

    async def versions(self, draft: Draft, section: int | None = None) -> tuple[SectionText, ...]:
        """Every text there ever was, of one section where one is named, the oldest first."""
        table = draft_sections.c
        statement = select(draft_sections).where(table.draft_id == draft.id).order_by(table.section, table.version)
        if section is not None:
            statement = statement.where(table.section == section)
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return tuple(map(_text, rows))


def _with_texts(plan: DraftPlan, later: DraftPlan) -> DraftPlan:
    """A plan whose sections without a text hold those that they have in a later one."""
    held = {section.id: section.version for section in later.sections}
    sections = (
        replace(section, version=held.get(section.id, 0)) if not section.version else section
        for section in plan.sections
    )
    return replace(plan, sections=tuple(sections))


def _joined() -> Select[Any]:
    now = (draft_revisions.c.draft_id == drafts.c.id) & (draft_revisions.c.number == drafts.c.revision)
    return select(drafts, draft_revisions.c.plan).join(draft_revisions, now)


def _find(connection: Connection, name: str) -> Draft | None:
    row = connection.execute(_joined().where(drafts.c.name == name)).mappings().first()
    return None if row is None else _draft(row)


def _get(connection: Connection, name: str) -> Draft:
    found = _find(connection, name)
    if found is None:
        raise NotFoundError(f"there is no draft {name!r}; lda write list shows all")
    return found


def _take_turn(connection: Connection, draft: Draft) -> None:
    """Change the draft as it was read, or not at all."""
    same = (drafts.c.id == draft.id) & (drafts.c.changes == draft.changes)
    changed = connection.execute(update(drafts).where(same).values(changes=draft.changes + 1)).rowcount
    if changed == 0:
        _get(connection, draft.name)
        raise ChangedMeanwhileError(
            f"another process is at work on {draft.name!r}; look at it again before you change it"
        )


def _revision(draft_id: int, number: int) -> Select[Any]:
    is_it = (draft_revisions.c.draft_id == draft_id) & (draft_revisions.c.number == number)
    return select(draft_revisions).where(is_it)


def _add_revision(connection: Connection, draft_id: int, revision: DraftRevision, plan: DraftPlan) -> None:
    row = {**asdict(revision), "draft_id": draft_id, "plan": plan.json()}
    connection.execute(draft_revisions.insert().values(row))


def _set_plan(connection: Connection, draft: Draft, plan: DraftPlan) -> None:
    is_now = (draft_revisions.c.draft_id == draft.id) & (draft_revisions.c.number == draft.revision)
    connection.execute(update(draft_revisions).where(is_now).values(plan=plan.json()))


def _add_text(connection: Connection, draft_id: int, text: SectionText) -> None:
    row = {**asdict(text), "draft_id": draft_id, "facts": list(text.facts)}
    connection.execute(draft_sections.insert().values(row))


def _draft(row: RowMapping) -> Draft:
    values: dict[str, Any] = {**row, "plan": DraftPlan.from_json(row["plan"])}
    return Draft(**values)


def _text(row: RowMapping) -> SectionText:
    values: dict[str, Any] = {**row, "facts": tuple(row["facts"])}
    values.pop("draft_id")
    return SectionText(**values)
