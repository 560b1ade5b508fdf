"""Names what happens only once, alike for webhooks and for the REST API, so that neither doubles the other."""

from datetime import UTC, datetime


def name_of(kind: str, project_id: object, thing_id: object, created_at: str, act: str = "create") -> str:
    """Return the name of an event. A creation's time is part of it, for ids start again in a new GitLab."""
    return f"{kind}:{project_id}:{thing_id}:{_to_the_second(created_at)}:{act}"


def _to_the_second(text: str) -> str:
    """Webhooks say `2026-11-25 10:00:00 UTC` where the API says `2026-11-25T10:00:00.123Z`."""
    try:
        moment = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return known.astimezone(UTC).isoformat()[:19]
    except (ValueError, OverflowError):  # the first and the last day there is, elsewhere on earth
        return text
