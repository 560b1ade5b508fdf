"""What was really checked about a proposal, rung by rung, and how well its facts are founded."""

from collections.abc import Mapping, Sequence

from msgspec import structs

from bot.ci.freshness import how_to_keep_fresh, pinned_in
from bot.domain import Finding, Rung, RungName, Scorecard, Survey
from bot.domain.pins import pins

UNSURE = 0.7
_LOCAL: tuple[RungName, ...] = ("yaml", "schema", "semantics", "policy")


def scorecard(survey: Survey, files: Mapping[str, str], findings: Sequence[Finding], paths: Sequence[str]) -> Scorecard:
    """Return the card of files that climbed the local rungs; scripts and GitLab's own lint are asked for later."""
    facts = [fact for unit in survey.units for fact in unit.facts]
    return Scorecard(
        ladder=(
            *(rung(name, findings) for name in _LOCAL),
            Rung(name="scripts", result="not asked"),
            Rung(name="gitlab", result="not asked"),
        ),
        facts=len(facts),
        with_evidence=sum(any(where.path for where in fact.evidence) for fact in facts),
        unsure=sum(fact.confidence < UNSURE for fact in facts),
        pins=pinned_in(files),
        pins_as_of=pins().as_of,
        keeping_fresh=how_to_keep_fresh(files, paths),
    )


def rung(name: RungName, findings: Sequence[Finding], by: str = "") -> Rung:
    """Return how a rung went; `by` is who was asked."""
    errors = sum(finding.rung == name and finding.is_error for finding in findings)
    warnings = sum(finding.rung == name and not finding.is_error for finding in findings)
    return Rung(name=name, result="failed" if errors else "passed", errors=errors, warnings=warnings, by=by)


def with_rung(card: Scorecard | None, asked: Rung) -> Scorecard | None:
    """Return the card with what a rung answered."""
    if card is None:
        return None
    ladder = tuple(asked if each.name == asked.name else each for each in card.ladder)
    return structs.replace(card, ladder=ladder)
