"""Checked claims as Markdown, plain text and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.agents.citations import Citation
from longdoc.agents.claim_checker import ClaimCheck
from longdoc.app.answer_records import citations_json
from longdoc.app.check import CheckedClaim, CheckEstimate, CheckResult
from longdoc.app.shelf import Shelf
from longdoc.cli.citation_notes import cited
from longdoc.cli.estimates import estimate_json, estimate_text
from longdoc.cli.output import OutputFormat, usage_json
from longdoc.engines.engine import EngineInfo
from longdoc.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class CheckOutput:
    """Checked claims, to be shown."""

    result: CheckResult
    shelf: Shelf

    @property
    def source(self) -> str:
        """What it is of."""
        return self.shelf.title

    @property
    def gaps(self) -> bool:
        """Whether a claim could not be judged."""
        return any(claim.check is None for claim in self.result.claims)

    def text(self, form: OutputFormat) -> str:
        """As a text for people: each claim with its verdict and its evidence, then how many there are of each."""
        told = [self._claim(claim, markdown=form is OutputFormat.MARKDOWN) for claim in self.result.claims]
        counted = Counter(_verdict(claim) for claim in self.result.claims)
        total = ", ".join(f"{number} {verdict}" for verdict, number in counted.items())
        return "\n\n".join([*told, *([total] if len(told) > 1 else [])])

    def _claim(self, claim: CheckedClaim, *, markdown: bool) -> str:
        verdict = f"**{_verdict(claim)}**" if markdown else _verdict(claim).upper()
        lines = [f"{verdict}: {claim.claim}"]
        if claim.check is None:
            lines.append(f"{'> ' if markdown else ''}It could not be judged: {claim.failure}")
        else:
            lines += filter(None, [claim.check.reason, "\n".join(self._evidence(claim.check))])
        return "\n\n".join(lines)

    def _evidence(self, check: ClaimCheck) -> Sequence[str]:
        several = len(self.shelf.ids) > 1
        sides: list[tuple[str, Sequence[Citation]]] = [("for", check.supporting), ("against", check.contradicting)]
        lines = [f"- {side}: {cited(citation, with_title=several)}" for side, found in sides for citation in found]
        if check.dropped:
            lines.append(f"- {check.dropped} of the model's quotations bear nothing and were left out")
        return lines

    def json(self) -> JsonValue:
        """As a value for programs."""
        return {
            "run": self.result.run_id,
            "documents": list(self.shelf.ids),
            "collection": self.shelf.collection,
            "claims": [_claim_json(claim) for claim in self.result.claims],
            "usage": usage_json(self.result.usage),
        }


@dataclass(frozen=True, slots=True)
class CheckEstimateOutput:
    """What checking would take, to be shown."""

    shelf: Shelf
    estimate: CheckEstimate
    engine: EngineInfo
    gaps: bool = False

    @property
    def source(self) -> str:
        """What it is of."""
        return self.shelf.title

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        claims = "1 claim" if self.estimate.claims == 1 else f"{self.estimate.claims:,} claims"
        return f"{self.shelf.title}: {claims}, at most {estimate_text(self.estimate, self.engine)}"

    def json(self) -> JsonValue:
        """As a value for programs."""
        return {
            "documents": list(self.shelf.ids),
            "estimate": {"claims": self.estimate.claims, **estimate_json(self.estimate, self.engine)},
        }


def _verdict(claim: CheckedClaim) -> str:
    return "not judged" if claim.check is None else claim.check.verdict.replace("_", " ")


def _claim_json(claim: CheckedClaim) -> JsonValue:
    check = claim.check
    told: dict[str, JsonValue] = {
        "claim": claim.claim,
        "strategy": None if claim.choice is None else str(claim.choice.strategy),
        "verdict": None if check is None else str(check.verdict),
    }
    if check is None:
        return {**told, "failure": claim.failure}
    return {
        **told,
        "said": str(check.said),
        "reason": check.reason,
        "supporting": citations_json(check.supporting),
        "contradicting": citations_json(check.contradicting),
        "dropped": check.dropped,
    }
