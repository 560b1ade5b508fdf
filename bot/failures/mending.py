"""Mends the failures of a whole pipeline, each in the file that holds its job: the main one, or a child's."""

from collections.abc import Iterable
from dataclasses import replace

from msgspec import Struct, structs

from bot.ci.children import PIPELINE_FILE, started_by
from bot.failures.diagnosis import Diagnosis
from bot.failures.fixing import applied, propose
from bot.failures.gates import weakened
from bot.failures.job_text import JobText
from bot.failures.scene import Scene


class Mended(Struct, frozen=True, kw_only=True):
    """What mends some failures: the files as they were and as they are then, and a line for each change."""

    before: dict[str, str]
    after: dict[str, str]
    mends: tuple[Diagnosis, ...]
    titles: tuple[str, ...]

    @property
    def weaker(self) -> str | None:
        """Which gate would be weaker; None when none is."""
        return next((said for path in self.after if (said := weakened(self.before[path], self.after[path]))), None)


def mend(diagnoses: Iterable[Diagnosis], scene: Scene) -> Mended | None:
    """Collect fixes one after the other, each on its file as the earlier ones leave it; None where there is none."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    mends: list[Diagnosis] = []
    titles: list[str] = []
    for each in diagnoses:
        path, job = place_of(each.job, scene)
        text = after.get(path) or (scene.text if path == PIPELINE_FILE else scene.read(path))
        fix = propose(structs.replace(each, job=job), replace(scene, text=text)) if text else None
        if text and fix:
            before.setdefault(path, text)
            after[path] = applied(text, fix)
            mends.append(each)
            titles.append(fix.title if path == PIPELINE_FILE else f"{fix.title} in {path}")
    return Mended(before=before, after=after, mends=tuple(mends), titles=tuple(titles)) if mends else None


def place_of(job: str, scene: Scene) -> tuple[str, str]:
    """Return the file that holds a job and its name there: `api:test` is `test` in the child that api starts."""
    if not job or JobText(scene.text, job).exists:
        return PIPELINE_FILE, job
    for path, (starter, _) in started_by(scene.text).items():
        inner = job.removeprefix(f"{starter}:")
        if inner != job and JobText(scene.read(path) or "{}", inner).exists:
            return path, inner
    return PIPELINE_FILE, job
