"""The scorecard of a draft, folded away: what was checked, how its facts are founded, and what it pins."""

from bot.domain import Rung, Scorecard
from bot.replies.render import cell, folded

_LEVELS = {
    "yaml": "it is YAML",
    "schema": "GitLab's schema allows it",
    "semantics": "jobs, stages, needs and rules fit together",
    "policy": "images, secrets, includes and timeouts",
    "scripts": "the scripts of its jobs",
    "gitlab": "GitLab itself accepts it",
}
_LATER = "known once its pipeline ran: `status BRANCH` adds up what GitLab measured"


def scorecard(card: Scorecard | None) -> str:
    """Return the card as a folded table; nothing for a proposal from before there were any."""
    if card is None:
        return ""
    rows = [(_LEVELS[each.name], _result(each)) for each in card.ladder]
    rows.append(
        ("evidence", f"{card.with_evidence} of {card.facts} facts name file or line, {card.unsure} are guesses")
    )
    rows.append(("minutes", _LATER))
    rows.append(("cost", "job minutes times the cost factor of your runners, which GitLab does not tell me"))
    table = "\n".join(f"| {cell(name)} | {cell(told)} |" for name, told in rows)
    return folded("Scorecard", f"| level | result |\n|---|---|\n{table}" + _pins(card))


def job_minutes(seconds: float, jobs: int) -> str:
    """Say what a pipeline took: the sum over its jobs, which is what runners charge for."""
    return f"Its {jobs} {'job' if jobs == 1 else 'jobs'} took {seconds / 60:.1f} job minutes in all."


def _result(rung: Rung) -> str:
    if rung.result == "not asked":
        return "not asked"
    counts = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in _counts(rung) if count]
    return ", ".join([rung.result, *counts]) + (f" (by {rung.by})" if rung.by else "")


def _counts(rung: Rung) -> tuple[tuple[int, str], ...]:
    return ((rung.errors, "error"), (rung.warnings, "warning"))


def _pins(card: Scorecard) -> str:
    if not card.pins:
        return ""
    return f"\n\nTool pins as of {card.pins_as_of}: {', '.join(card.pins)}. {card.keeping_fresh}"
