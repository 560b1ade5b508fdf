"""What is said about the risks of a draft: what it brings stands open, what was there before is folded away."""

from collections.abc import Sequence

from bot.domain import Risk
from bot.replies.render import folded, quoted

MOST_SHOWN = 20


def risk_list(risks: Sequence[Risk]) -> str:
    """Return what a person should look at before approving; nothing where there is nothing."""
    told = [risk for risk in risks if not risk.is_allowed]
    brought, before = [risk for risk in told if risk.is_new], [risk for risk in told if not risk.is_new]
    parts = []
    if brought:
        parts.append("⚠ **Look at this before you approve.** The draft brings:\n\n" + _lines(brought))
    if before:
        parts.append(folded("Worth a look: what your files held before, and I left as it is", _lines(before)))
    return "\n\n".join(parts)


def _lines(risks: Sequence[Risk]) -> str:
    lines = [f"- {risk_line(risk)} (`{risk.kind}`)" for risk in risks[:MOST_SHOWN]]
    left = len(risks) - MOST_SHOWN
    return "\n".join([*lines, *([f"- and {left} more of the kind"] if left > 0 else [])])


def risk_line(risk: Risk) -> str:
    """Say a risk in one line."""
    jobs = ", ".join(quoted(job) for job in risk.jobs[:5]) + (", …" if len(risk.jobs) > 5 else "")
    return risk.message + (f", in {jobs}" if jobs else "")
