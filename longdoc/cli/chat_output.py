"""Answers of a conversation, and what was recalled for them, as text and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from longdoc.app.chat import Reply
from longdoc.app.chat_documents import POLICY
from longdoc.cli.citation_notes import CitationNotes
from longdoc.cli.markdown_table import markdown_table
from longdoc.cli.output import OutputFormat, usage_json
from longdoc.json_value import JsonValue
from longdoc.storage.memory_types import Memory, MemoryStatus

_EXCERPT = 80
_PARTS = ("template", "facts", "memories", "flash", "input", "joints")


@dataclass(frozen=True, slots=True)
class ReplyOutput:
    """An answer, to be shown; `explain`: with what was recalled for it."""

    message: str
    reply: Reply
    explain: bool = False

    @property
    def source(self) -> str:
        """What it is of."""
        return self.message

    @property
    def gaps(self) -> bool:
        """Whether the answer was broken off."""
        return self.reply.status is MemoryStatus.CUT

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        shown = answer_text(self.reply, markdown=form is OutputFormat.MARKDOWN)
        why = decision_text(self.reply.number, self.reply.decision) if self.explain else ""
        return "\n\n".join(filter(None, [shown, why]))

    def json(self) -> JsonValue:
        """As a value for programs."""
        reply = self.reply
        return {
            "message": self.message,
            "turn": reply.number,
            "answer": reply.text,
            "status": reply.status,
            "recorded": reply.recorded,
            "decision": dict(reply.decision),
            "usage": usage_json(reply.usage),
        }


def answer_text(reply: Reply, *, markdown: bool) -> str:
    """An answer, with notes on what it rests on where it was read from documents."""
    if reply.answer is None:
        return reply.text
    notes = CitationNotes(several=True, markdown=markdown)
    marked = [notes.marked(claim) for claim in reply.answer.claims]
    said = "\n".join(f"- {one}" for one in marked) if reply.answer.listed else " ".join(marked)
    return "\n\n".join(filter(None, [said or reply.text, "\n".join(notes.lines())]))


def decision_text(number: int, decision: Mapping[str, JsonValue]) -> str:
    """What a turn recalled, and why: the decision, the candidates, and where the prompt's tokens went."""
    lines = [f"Turn {number}: {decision.get('policy')} ({decision.get('reason')})"]
    if decision.get("policy") == POLICY:
        return lines[0]
    gate = _mapping(decision.get("gate"))
    if gate and not gate.get("needed"):
        lines.append(f"Nothing was recalled: {gate.get('reason')}")
    elif gate.get("asked"):
        lines.append(f"Memories are needed: {gate.get('reason')}")
    lines.append(f"Memories: {decision.get('tokens'):,} of {decision.get('budget'):,} tokens")
    account = _mapping(decision.get("account"))
    if account:
        parts = ", ".join(f"{name} {account[name]:,}" for name in _PARTS)
        lines.append(
            f"Prompt: {account['prompt']:,} tokens ({parts}); {account['reserved']:,} left free for the answer, which "
            f"took {account['answer']:,}; window {account['window']:,}"
        )
    return "\n\n".join(["\n".join(lines), *_table(decision)])


def memory_rows(memories: Sequence[tuple[Memory, float | None]]) -> list[list[str]]:
    """Memories as rows of a table: number, time, what was said, and how near it is where that is known."""
    return [
        [
            str(memory.number),
            f"{memory.at:%Y-%m-%d %H:%M}",
            *([] if score is None else [f"{score:.2f}"]),
            _short(memory.observation),
            _short(memory.response),
        ]
        for memory, score in memories
    ]


def memory_table(memories: Sequence[tuple[Memory, float | None]]) -> str:
    """Memories as a table."""
    scored = any(score is not None for _, score in memories)
    columns = ["memory", "when", *(["near"] if scored else []), "said", "answered"]
    return "\n".join(markdown_table(columns, memory_rows(memories), left=5 if scored else 4))


def _table(decision: Mapping[str, JsonValue]) -> list[str]:
    candidates = decision.get("candidates")
    flash = decision.get("flash")
    rows = [_mapping(one) for one in candidates] if isinstance(candidates, list) else []
    if flash is not None:
        rows.append({**_mapping(flash), "before": True})
    if not rows:
        return []
    shown = [
        [
            str(row["memory"]),
            "the turn before" if row.get("before") else f"{row['relevance']}",
            "" if row.get("before") else f"{row['rank']}",
            _judged(row),
            str(row["form"]),
            f"{row['tokens']:,}",
        ]
        for row in rows
    ]
    return ["\n".join(markdown_table(["memory", "relevance", "rank", "judged", "form", "tokens"], shown, left=5))]


def _judged(row: Mapping[str, JsonValue]) -> str:
    if row.get("useful") is None:
        return ""
    if not row["useful"]:
        return "useless"
    return "its summary will do" if row.get("enough") else "useful"


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _EXCERPT else f"{words[:_EXCERPT].rsplit(' ', 1)[0]} …"
