"""Users, what is known of them, and what was done for them, as tables, lines and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from longdoc.app.personalize import Personalized, PersonalRequest
from longdoc.app.profile_export import item_json, summary_json
from longdoc.app.profile_import import ImportReport
from longdoc.app.profile_refresh import RefreshReport
from longdoc.cli.output import envelope
from longdoc.cli.render import table
from longdoc.json_value import JsonValue
from longdoc.storage.profile_types import Item, Profile, ProfileSummary

_EXCERPT = 60


@dataclass(frozen=True, slots=True)
class ShownTask:
    """What a user has for a task: how many items, the summary, whether that is out of date, and the items themselves
    where they are shown."""

    name: str
    known: int
    summary: ProfileSummary | None
    stale: bool
    items: Sequence[Item] = ()

    @property
    def state(self) -> str:
        """In words how the summary stands."""
        if self.summary is None:
            return "none"
        marks = [
            "edited" if self.summary.edited else "",
            "locked" if self.summary.locked else "",
            "out of date" if self.stale else "",
        ]
        return ", ".join(filter(None, marks)) or "current"


@dataclass(frozen=True, slots=True)
class ShownProfile:
    """A user, to be shown."""

    profile: Profile
    tasks: Sequence[ShownTask]


def print_users(users: Sequence[ShownProfile]) -> None:
    """A table of users."""
    rows = [
        (
            _cell(one.profile.user),
            "on" if one.profile.enabled else "off",
            f"{sum(task.known for task in one.tasks):,}",
            ", ".join(f"{_cell(task.name)} ({task.state})" for task in one.tasks if task.summary is not None),
        )
        for one in users
    ]
    table(("user", "answers", "items", "summaries"), rows)


def users_json(tenant: str, users: Sequence[ShownProfile], after: str | None) -> str:
    """The envelope of users; `after` is the name to go on after, None where these are all."""
    rows: list[JsonValue] = [
        {
            "user": one.profile.user,
            "enabled": one.profile.enabled,
            "tasks": [{"task": task.name, "items": task.known, "summary": task.state} for task in one.tasks],
        }
        for one in users
    ]
    return envelope("personalize show", "done", tenant=tenant, users=rows, after=after)


def print_profile(shown: ShownProfile, last: int | None) -> None:
    """What is known of a user, task by task."""
    profile = shown.profile
    typer.echo(f"{_cell(profile.user)}: answers are {'made' if profile.enabled else 'not made (off)'}", err=True)
    if not shown.tasks:
        typer.echo("nothing is known of the user", err=True)
    for task in shown.tasks:
        typer.echo(f"\n{_cell(task.name)}: {task.known:,} items, summary: {task.state}")
        if task.summary is not None:
            made_from = {item.number: item.key for item in task.items}
            keys = ", ".join(_cell(made_from[one]) for one in task.summary.items if one in made_from)
            typer.echo(_printable(task.summary.text))
            typer.echo(f"made from: {keys or 'nothing on record'}\n")
        items = _newest(task.items, last)
        if items:
            table(
                ("key", "when", "output", "text"),
                [
                    (_cell(item.key), f"{item.moment:%Y-%m-%d}", _short(item.output or ""), _short(item.text))
                    for item in items
                ],
            )


def profile_json(tenant: str, shown: ShownProfile, last: int | None) -> str:
    """The envelope of a user with all that is known."""
    tasks: list[JsonValue] = [
        {
            "task": task.name,
            "items_known": task.known,
            "summary": None if task.summary is None else summary_json(task.summary, list(task.items)),
            "stale": task.stale,
            "items": [item_json(shown.profile.user, item) for item in _newest(task.items, last)],
        }
        for task in shown.tasks
    ]
    profile = shown.profile
    return envelope("personalize show", "done", tenant=tenant, user=profile.user, enabled=profile.enabled, tasks=tasks)


def said_json(user: str, task: str, summary: ProfileSummary | None) -> str:
    """The envelope of what is said of a user; None: nothing any more."""
    said: JsonValue = None
    if summary is not None:
        said = {
            "text": summary.text,
            "locked": summary.locked,
            "edited": summary.edited,
            "made_at": summary.made_at.isoformat(),
            "model": summary.model,
            "counted": dict(summary.counted),
        }
    return envelope("personalize summary", "done", user=user, task=task, summary=said)


def forgotten_json(user: str, items: int, *, whole: bool, conversations_kept: int) -> str:
    """The envelope of what was deleted; `whole`: the user too, but for so many conversations."""
    return envelope(
        "personalize forget", "done", user=user, items=items, whole=whole, conversations_kept=conversations_kept
    )


def exported_json(tenant: str, count: int, file: Path | None, lines: Sequence[str]) -> str:
    """The envelope of an export: what it holds where no file was written."""
    content: JsonValue = None if file is not None else [json.loads(line) for line in lines]
    out = None if file is None else str(file)
    return envelope("personalize export", "done", tenant=tenant, file=out, count=count, lines=content)


def imported_json(path: str, tenant: str, report: ImportReport) -> str:
    """The envelope of an import."""
    return envelope(
        "personalize import",
        "gaps" if report.bad else "done",
        path=path,
        tenant=tenant,
        added=report.added,
        changed=report.changed,
        same=report.same,
        bad=report.bad,
        problems=list(report.problems),
        summaries=report.summaries,
        summaries_left=report.summaries_left,
        unknown_tasks=dict(sorted(report.unknown.items())),
    )


def imported_lines(report: ImportReport) -> list[str]:
    """An import in words."""
    counts = f"{report.added:,} added, {report.changed:,} changed, {report.same:,} the same"
    lines = [f"{counts}, {report.bad:,} bad" if report.bad else counts]
    if report.summaries or report.summaries_left:
        lines.append(f"{report.summaries:,} summaries taken in, {report.summaries_left:,} left as they were or out")
    lines += [
        f"warning: {count:,} items are of a task {task!r}, which is not set up here (profile_tasks)"
        for task, count in sorted(report.unknown.items())
    ]
    if not any((report.added, report.changed, report.same, report.bad, report.summaries, report.summaries_left)):
        lines.append("warning: there is nothing in it")
    return lines


def refreshed_json(report: RefreshReport) -> str:
    """The envelope of a refresh."""
    return envelope(
        "personalize refresh",
        "gaps" if report.failed else "done",
        made=report.made,
        current=report.current,
        locked=report.locked,
        off=report.off,
        few=report.few,
        unknown=report.unknown,
        read=report.read,
        failed=dict(report.failed),
    )


def refreshed_line(report: RefreshReport) -> str:
    """A refresh in words."""
    parts = [
        (report.made, "made"),
        (report.current, "current"),
        (report.locked, "locked"),
        (report.off, "of users for whom answers are off"),
        (report.few, "with too few items"),
        (report.unknown, "of tasks that are not set up here"),
        (len(report.failed), "failed"),
    ]
    told = [f"{count:,} {what}" for count, what in parts if count or what == "made"]
    return f"summaries: {', '.join(told)}"


def answered_json(user: str, request: PersonalRequest, found: Personalized) -> str:
    """The envelope of an answer, with what of the user stood before it."""
    context = found.context
    items: list[JsonValue] = [
        {"key": one.item.key, "text": one.text, "tokens": one.tokens, "cut": one.cut} for one in context.items
    ]
    return envelope(
        "personalize ask",
        "done" if found.answer.output is not None else "gaps",
        user=user,
        task=request.task.name,
        run=found.run_id,
        output=found.answer.output,
        text=found.answer.text,
        labels=list(found.answer.labels),
        input_cut=found.input_cut,
        personal=context.personal,
        reason=context.reason,
        summary=context.summary,
        summary_cut=context.summary_cut,
        summary_stale=context.summary_stale,
        items=items,
        left_out=list(context.left_out),
        items_known=context.items_known,
        tokens=context.tokens,
        by=request.ranked.value,
    )


def used_lines(found: Personalized) -> list[str]:
    """In words what of the user stood before an answer."""
    context = found.context
    if not context.personal:
        return [f"nothing personal was used: {context.reason}"]
    summary = "no summary" if not context.summary else "the summary"
    marks = [mark for mark, is_so in (("out of date", context.summary_stale), ("cut", context.summary_cut)) if is_so]
    summary += f" ({', '.join(marks)})" if marks else ""
    keys = ", ".join(f"{_cell(one.item.key)}{' (cut)' if one.cut else ''}" for one in context.items)
    labels = f"; {len(context.labels):,} label{'s' * (len(context.labels) > 1)} of theirs" if context.labels else ""
    lines = [f"used: {summary}; items: {keys or 'none'}, of {context.items_known:,}{labels}; {context.tokens:,} tokens"]
    if context.left_out:
        lines.append(f"left out, for they do not fit: {', '.join(map(_cell, context.left_out))}")
    if context.reason:
        lines.append(context.reason)
    if found.input_cut:
        lines.append("warning: the input is longer than what fits; its end was not read")
    return lines


def _newest(items: Sequence[Item], last: int | None) -> Sequence[Item]:
    return items if last is None else items[len(items) - min(last, len(items)) :]


def _short(text: str) -> str:
    words = _cell(text)
    return words if len(words) <= _EXCERPT else f"{words[:_EXCERPT].rsplit(' ', 1)[0]} …"


def _cell(text: str) -> str:
    """A text in one line, without signs that a terminal would obey."""
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)
