"""Draws the graph of a pipeline's jobs as SVG: a pure function; colours come from the style sheet, by classes."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from bot.web.pages.graph import Graph, GraphJob

_WIDTH, _HEIGHT = 172, 34
_GAP_X, _GAP_Y = 44, 12
_HEAD, _EDGE = 30, 4
_LONGEST_NAME = 19
# A sign beside the colour, for whoever sees no difference between green and red.
_SIGNS = {
    "success": "✓",
    "failed": "✕",
    "canceled": "⊘",
    "skipped": "»",
    "running": "◐",
    "manual": "▷",
}
_WAITING = "○"
STATUS_WORDS = {
    "success": "passed",
    "failed": "failed",
    "canceled": "cancelled",
    "skipped": "skipped",
    "running": "running",
    "pending": "waiting for a runner",
    "created": "not started yet",
    "manual": "waiting for a person",
}


@dataclass(frozen=True)
class _Place:
    x: int
    y: int


def drawn(graph: Graph, name: str) -> Markup:
    """Return the graph as one `svg` element; `name` makes its ids differ from those of other graphs on the page."""
    places = _places(graph)
    width = max((place.x for place in places.values()), default=0) + _WIDTH + _EDGE
    height = max((place.y for place in places.values()), default=0) + _HEIGHT + _EDGE
    heads = Markup("").join(_head(stage, first, last) for stage, first, last in graph.stages)
    edges = Markup("").join(
        _edge(places[need], places[job.name]) for job in graph.jobs for need in job.needs or () if need in places
    )
    boxes = Markup("").join(_box(job, places[job.name]) for job in graph.jobs)
    return Markup(
        '<svg class="graph" role="img" aria-labelledby="{name}-title {name}-desc" width="{width}" height="{height}"'
        ' viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg"><title id="{name}-title">{title}</title>'
        '<desc id="{name}-desc">{words}</desc>{heads}{edges}{boxes}</svg>'
    ).format(
        name=name,
        width=width,
        height=height,
        title=_title(graph),
        words=in_words(graph),
        heads=heads,
        edges=edges,
        boxes=boxes,
    )


def in_words(graph: Graph) -> str:
    """Return what the drawing shows, for whoever does not see it."""
    return " ".join(_sentence(job) for job in graph.jobs)


def _title(graph: Graph) -> str:
    jobs, stages = len(graph.jobs), len(graph.stages)
    return f"{jobs} job{'' if jobs == 1 else 's'} in {stages} stage{'' if stages == 1 else 's'}"


def _sentence(job: GraphJob) -> str:
    if job.needs is None:
        when = "after the stages before"
    else:
        when = "after " + ", ".join(job.needs) if job.needs else "at once"
    state = f", {STATUS_WORDS.get(job.status, job.status)}" if job.status else ""
    return f"{job.name} in stage {job.stage}, {when}{state}."


def _places(graph: Graph) -> Mapping[str, _Place]:
    rows: dict[int, int] = {}
    places: dict[str, _Place] = {}
    for job in graph.jobs:
        row = rows.get(job.column, 0)
        rows[job.column] = row + 1
        places[job.name] = _Place(_left(job.column), _HEAD + row * (_HEIGHT + _GAP_Y))
    return places


def _left(column: int) -> int:
    return _EDGE + column * (_WIDTH + _GAP_X)


def _head(stage: str, first: int, last: int) -> Markup:
    x, end = _left(first), _left(last) + _WIDTH
    return Markup('<text class="stage" x="{x}" y="14">{stage}</text><path class="rule" d="M{x} 22H{end}"/>').format(
        x=x, end=end, stage=_short(stage, _LONGEST_NAME)
    )


def _edge(start: _Place, end: _Place) -> Markup:
    x1, y1 = start.x + _WIDTH, start.y + _HEIGHT // 2
    x2, y2 = end.x, end.y + _HEIGHT // 2
    bend = max(_GAP_X // 2, abs(x2 - x1) // 3)
    return Markup('<path class="edge" d="M{} {}C{} {} {} {} {} {}"/>').format(
        x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2
    )


def _box(job: GraphJob, place: _Place) -> Markup:
    kind = job.status if job.status in STATUS_WORDS else "unknown" if job.status else "planned"
    sign = _SIGNS.get(job.status, _WAITING) if job.status else ""
    return Markup(
        '<g class="job {kind}"><title>{words}</title><rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6"/>'
        '<text x="{tx}" y="{ty}">{name}</text><text class="sign" x="{sx}" y="{ty}" text-anchor="end">{sign}</text></g>'
    ).format(
        kind=escape(kind),
        words=_sentence(job),
        x=place.x,
        y=place.y,
        w=_WIDTH,
        h=_HEIGHT,
        tx=place.x + 12,
        ty=place.y + 22,
        sx=place.x + _WIDTH - 12,
        name=_short(job.name, _LONGEST_NAME),
        sign=sign,
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
