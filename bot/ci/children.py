"""Large monorepos: each unit's jobs in a file of its own, which the main pipeline starts as a child when it changed."""

from collections import Counter
from collections.abc import Collection, Sequence

from msgspec import structs

from bot.ci.checks.document import read_document
from bot.ci.render import Place
from bot.domain import CannotError, Finding

PIPELINE_FILE = ".gitlab-ci.yml"
# Below that, the jobs of all units are still read more easily in one file.
MANY_UNITS = 10


def is_pipeline(path: str) -> bool:
    """Tell whether a file of a proposal is a pipeline: the main one, or a child's."""
    return path.endswith(PIPELINE_FILE)


def with_children(places: Sequence[Place], taken: Collection[str]) -> tuple[Place, ...]:
    """Give each unit in a folder the file of its folder's child pipeline, where there are many units.

    Inside of it nothing has to be told apart: its jobs have plain names and run whenever it does. A file that is
    there already is somebody's own, so the child's lies elsewhere then.
    """
    if len(places) < MANY_UNITS:
        return tuple(places)
    roots = Counter(place.unit.root for place in places)
    names = {place.unit.root: place.label for place in reversed(places)}
    return tuple(_with_child(place, names[place.unit.root], roots[place.unit.root], taken) for place in places)


def _with_child(place: Place, name: str, together: int, taken: Collection[str]) -> Place:
    root = place.unit.root
    if not root:
        return place
    own = f"{root}/{PIPELINE_FILE}"
    child = f".gitlab/{root.replace('/', '-')}{PIPELINE_FILE}" if own in taken else own
    label = place.unit.ecosystem if together > 1 else ""
    return structs.replace(place, label=label, child=child, starter=name)


def without_started(places: Sequence[Place], existing: str) -> tuple[Place, ...]:
    """Leave out the units whose jobs are in a child pipeline of the existing one."""
    begun = started_by(existing)
    return tuple(place for place in places if not place.unit.root or not _is_started(place.unit.root, begun))


def _is_started(root: str, begun: Collection[str]) -> bool:
    elsewhere = f".gitlab/{root.replace('/', '-')}{PIPELINE_FILE}"
    return any(path == elsewhere or path.startswith(f"{root}/") for path in begun)


def started_by(text: str) -> dict[str, tuple[str, int]]:
    """Return the local files that a pipeline starts as children, each with the job that does and its line."""
    try:
        document = read_document(text)
    except CannotError:
        return {}
    found: dict[str, tuple[str, int]] = {}
    for name, body in document.jobs.items():
        trigger = body.get("trigger")
        includes = trigger.get("include") if isinstance(trigger, dict) else None
        place = document.place(name, "trigger")
        for entry in includes if isinstance(includes, list) else [includes]:
            path = entry if isinstance(entry, str) else entry.get("local") if isinstance(entry, dict) else None
            if isinstance(path, str) and "$" not in path and "*" not in path and "://" not in path:
                found.setdefault(path.lstrip("/"), (name, place.line if place else 1))
    return found


def missing_child(path: str, job: str, line: int, at: str) -> Finding:
    """Say that a job starts a pipeline from a file that is not there."""
    return Finding(
        rung="semantics",
        message=f"{job} starts a pipeline from {path}, which is not there",
        path=at,
        line=line,
        mend="Correct the path, or add the file.",
    )
