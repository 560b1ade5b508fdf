"""The tables that people read, in Markdown; nothing is measured here."""

from collections.abc import Callable, Iterable, Sequence

from bench.facts import CLASSES, Match, score
from bench.repair import Result
from bench.rows import Row

Cell = Callable[[Sequence[Row]], str]


def report(rows: Sequence[Row], repairs: Sequence[Result] = (), made: Sequence[str] = ()) -> str:
    """Return the whole report: the ladder, the facts, what differs, what is red, what was mended.

    `made` has a line for each tag that jobs took from the mirror and that is not the real one.
    """
    groups = _groups(rows)
    ladder = [[name, *(cell(each) for each in groups.values())] for name, cell in _LADDER]
    parts = [
        "# Pipelines on real repositories",
        _table(["level", *groups], [*ladder, _repair_line(groups, repairs)]),
        "## Facts: F1 (precision, recall)",
        _table(["class", *groups], _fact_lines(groups)),
        "## What stands against a pipeline",
        "\n".join(_complaints(rows)),
        "## Facts that differ",
        "\n".join(_differences(rows)),
        "## Jobs that are not green",
        "\n".join(_reds(rows)),
        "## Tags of the mirror that are not the real ones" if made else "",
        "\n".join(f"- {each}" for each in made),
        "## Seeded failures mended (L9)" if repairs else "",
        _table(["failure", "class", "right", "what was changed"], map(_repaired, repairs)) if repairs else "",
        "## Each repository",
        _table(["repository", "side", "units", "L0-L3", "policy", "facts F1", "jobs green", "s", "MB"], _each(rows)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _groups(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(f"{row.by}, {row.side}" if row.by == "pipewright" else row.by, []).append(row)
    return groups


def _share(asked: Callable[[Row], bool | None]) -> Cell:
    def cell(rows: Sequence[Row]) -> str:
        answers = [answer for answer in map(asked, rows) if answer is not None]
        return f"{sum(answers)} of {len(answers)}" if answers else "–"

    return cell


def _jobs(rows: Sequence[Row]) -> str:
    runs = [each for row in rows for each in row.runs if each.verdict != "not run"]
    return f"{sum(each.verdict == 'green' for each in runs)} of {len(runs)}" if runs else "–"


def _most(read: Callable[[Row], float], unit: str) -> Cell:
    return lambda rows: f"{max((read(row) for row in rows), default=0):.2f} {unit}"


def _mean_policy(rows: Sequence[Row]) -> str:
    known = [row.climb.policy for row in rows if row.climb.policy is not None]
    return f"{100 * sum(known) / len(known):.0f} %" if known else "–"


_LADDER: tuple[tuple[str, Cell], ...] = (
    ("no crash", _share(lambda row: not row.has_crashed)),
    ("L0 parses", _share(lambda row: row.climb.parses)),
    ("L1 schema", _share(lambda row: row.climb.schema)),
    ("L2 semantics", _share(lambda row: row.climb.semantics)),
    ("L3 gitlab-ci-local accepts", _share(lambda row: row.climb.accepted)),
    ("L4 scripts lint", _share(lambda row: row.climb.scripts)),
    ("L5 policy", _mean_policy),
    ("L6 facts F1", lambda rows: _f1(match for row in rows for match in row.matches)),
    ("L7 repositories all green", _share(lambda row: row.is_green)),
    ("L7 of those whose own commands are green here", _share(lambda row: row.is_green_where_own_is)),
    ("L7 own commands red here too", lambda rows: str(sum(_is_red_by_hand(row) for row in rows))),
    ("L7 repositories with no job red because of us", _share(lambda row: row.is_fair)),
    ("L7 jobs green", _jobs),
    ("L7 green test jobs that really ran tests", _share(lambda row: row.has_tested)),
    ("L8 a broken assertion is noticed", _share(lambda row: row.noticed)),
    ("slowest", _most(lambda row: row.seconds, "s")),
    ("peak memory", _most(lambda row: row.peak_mb, "MB")),
)


def _is_red_by_hand(row: Row) -> bool:
    return any(run.is_red_by_hand for run in row.runs)


def _repair_line(groups: dict[str, list[Row]], repairs: Sequence[Result]) -> list[str]:
    """Level 9 is ours alone and does not depend on a side: it is told once for each of our columns."""
    said = f"{sum(each.is_right for each in repairs)} of {len(repairs)}" if repairs else "– (--repair)"
    return [
        "L9 seeded failures mended, or rightly left",
        *(said if _is_ours(rows) else "–" for rows in groups.values()),
    ]


def _is_ours(rows: Sequence[Row]) -> bool:
    return any(row.by == "pipewright" for row in rows)


def _repaired(each: Result) -> list[str]:
    changed = each.trouble or ", ".join(each.rounds) or "nothing, as is right"
    return [each.name, each.kind or "–", "yes" if each.is_right else "NO", changed]


def _f1(matches: Iterable[Match]) -> str:
    every = list(matches)
    return f"{score(every).f1:.3f}" if every else "–"


def _fact_lines(groups: dict[str, list[Row]]) -> list[list[str]]:
    return [[name, *(_fact_cell(rows, name) for rows in groups.values())] for name in CLASSES]


def _fact_cell(rows: Sequence[Row], name: str) -> str:
    every = [match for row in rows for match in row.matches if match.name == name]
    found = score(every)
    return f"{found.f1:.3f} ({found.precision:.2f}, {found.recall:.2f})" if every else "–"


def _ours(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.by == "pipewright"]


def _complaints(rows: Sequence[Row]) -> list[str]:
    return [
        f"- {row.repo} ({row.side}) {level}: {_one_line('; '.join(said))}"
        for row in _ours(rows)
        for level, said in sorted(row.climb.complaints.items())
        if level != "L5"
    ]


def _differences(rows: Sequence[Row]) -> list[str]:
    return [
        f"- {row.repo} ({row.side}) {each.name}: wanted {_code(each.expected)}, proposed {_code(each.proposed)}"
        for row in _ours(rows)
        for each in row.matches
        if not each.is_right
    ]


def _reds(rows: Sequence[Row]) -> list[str]:
    return [
        f"- {row.repo} ({row.side}) {run.name} on {run.image}: {run.verdict} {run.cause}{_own(run.own)}\n\n"
        + "\n".join(f"      {line}" for line in run.tail.splitlines())
        for row in _ours(rows)
        for run in row.runs
        if run.verdict != "green"
    ]


def _own(said: str) -> str:
    return f" (own commands by hand: {said})" if said else ""


def _each(rows: Sequence[Row]) -> list[list[str]]:
    return [
        [
            row.repo,
            row.side,
            ", ".join(row.ecosystems) or "–",
            "yes" if row.climb.is_sound else "no",
            f"{row.climb.policy:.2f}" if row.climb.policy is not None else "–",
            _f1(row.matches),
            _jobs([row]),
            f"{row.seconds:.3f}",
            f"{row.peak_mb:.0f}",
        ]
        for row in _ours(rows)
    ]


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cell.replace('|', '¦') for cell in line)} |" for line in [head, rule, *lines])


def _one_line(text: str) -> str:
    return " ".join(text.split())[:400]


def _code(text: str) -> str:
    return f"`{_one_line(text)}`" if text else "nothing"
