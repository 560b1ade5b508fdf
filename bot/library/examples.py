"""Learns from pipelines that were merged and went green, for their own top-level group and no other."""

from collections.abc import Sequence

import structlog
from msgspec import structs

from bot.ci.catalog import Catalog
from bot.ci.checks import check
from bot.ci.conventions import conventions_of, joined, sketch
from bot.domain import Conventions, Survey, UnreachableError
from bot.gitlab.client import GitLab
from bot.gitlab.values import Project
from bot.knowledge.knowledge import Knowledge
from bot.library.documents import EXAMPLE, example_document
from bot.store import examples
from bot.store.examples import Example
from bot.store.pool import Pool

log = structlog.get_logger()

CI_PATH = ".gitlab-ci.yml"
MOST_CHARACTERS = 64_000
MOST_EXAMPLES = 50
_SEEN_BY = ("private", "internal", "public")


class Examples:
    """The learned pipelines.

    Before one is used, GitLab is asked where its project is now: it serves only projects below the same top-level
    group that no more people may see than its own. Where GitLab does not answer, nothing is used.
    """

    def __init__(self, gitlab: GitLab, pool: Pool, knowledge: Knowledge) -> None:
        self._gitlab = gitlab
        self._pool = pool
        self._knowledge = knowledge

    def knows(self, project_id: int, commit_sha: str) -> bool:
        """Tell whether this commit of the project is what was learned last."""
        with self._pool.connection() as connection:
            return any(each.commit_sha == commit_sha for each in examples.of_projects(connection, [project_id]))

    def learn(self, project: Project, commit_sha: str, survey: Survey) -> bool:
        """Read the pipeline of a commit and remember it; tell whether it was fit to learn from."""
        text = self._gitlab.read_file(project.id, commit_sha, CI_PATH)
        if text is None or len(text) > MOST_CHARACTERS or any(finding.is_error for finding in check(text)):
            return False
        example = Example(
            project_id=project.id,
            project_path=project.path,
            top_group=project.path.split("/")[0],
            visibility=project.visibility,
            commit_sha=commit_sha,
            gitlab_ci=text,
            about=_about(survey),
        )
        with self._pool.connection() as connection:
            examples.remember(connection, example)
        self._index([example])
        return True

    def conventions(self, project: Project, catalog: Catalog) -> Conventions:
        """Return how the house of a project writes pipelines: its group's merged ones, then its own templates."""
        found = self.near(project)
        group = project.path.split("/")[0]
        learned = conventions_of([example.gitlab_ci for example in found], f"group {group}")
        own = [template for template in catalog.templates if template.origin]
        written = [sketch(text) for template in own for name, text in template.fragments.items() if "jobs" in name]
        return joined(learned, conventions_of(written, "the organisation's templates"))

    def near(self, project: Project) -> tuple[Example, ...]:
        """Return the examples of a project's top-level group, newest first."""
        with self._pool.connection() as connection:
            known = examples.of_group(connection, project.path.split("/")[0], MOST_EXAMPLES)
        return self._still_near(known, project)

    def search(self, project: Project, words: str, limit: int = 2) -> tuple[Example, ...]:
        """Return the examples of a project's top-level group that answer best to words."""
        where = {"kind": EXAMPLE, "group": project.path.split("/")[0]}
        try:
            ids = [int(passage.id) for passage in self._knowledge.search(words, where=where, limit=limit)]
        except UnreachableError as error:
            log.warning("examples are not searched", detail=str(error))
            return ()
        with self._pool.connection() as connection:
            known = {example.project_id: example for example in examples.of_projects(connection, ids)}
        return self._still_near([known[each] for each in ids if each in known], project)

    def follow_projects(self) -> None:
        """Note where every example's project is now, and bring the index up to date with all of them."""
        with self._pool.connection() as connection:
            known = examples.every(connection)
        try:
            self._index_all(self._moved(known))
        except UnreachableError as error:
            log.warning("the projects of examples cannot be looked for", detail=str(error))

    def _still_near(self, known: Sequence[Example], project: Project) -> tuple[Example, ...]:
        try:
            current = self._moved(known)
        except UnreachableError as error:
            log.warning("examples are not used, for nobody says where their projects are", detail=str(error))
            return ()
        group = project.path.split("/")[0]
        return tuple(each for each in current if each.top_group == group and _may_serve(each, project))

    def _moved(self, known: Sequence[Example]) -> list[Example]:
        """Return the examples as their projects are now; those whose project is gone are forgotten."""
        if not known:
            return []
        places = self._gitlab.whereabouts([example.project_id for example in known])
        gone = [example.project_id for example in known if example.project_id not in places]
        current = [
            structs.replace(
                example,
                project_path=places[example.project_id].path,
                top_group=places[example.project_id].path.split("/")[0],
                visibility=places[example.project_id].visibility,
            )
            for example in known
            if example.project_id in places
        ]
        moved = [new for new in current if new not in known]
        with self._pool.connection() as connection:
            examples.forget(connection, gone)
            for example in moved:
                examples.move(connection, example.project_id, example.project_path, example.visibility)
        self._index(moved, gone)
        return current

    def _index(self, changed: Sequence[Example], gone: Sequence[int] = ()) -> None:
        """What the index misses now is made up for by `follow_projects`; PostgreSQL holds the truth."""
        try:
            self._knowledge.forget(EXAMPLE, [str(each) for each in gone])
            self._knowledge.put([example_document(each) for each in changed])
        except UnreachableError as error:
            log.warning("examples are not indexed", detail=str(error))

    def _index_all(self, current: Sequence[Example]) -> None:
        # Nothing is removed: another process may have learned since these were read.
        if current:
            self._knowledge.index([example_document(each) for each in current], EXAMPLE, removes=False)


def _may_serve(example: Example, project: Project) -> bool:
    """What few may see is not shown in a project that more may see."""
    rank = {name: place for place, name in enumerate(_SEEN_BY)}
    return rank.get(example.visibility, 0) >= rank.get(project.visibility, len(_SEEN_BY))


def _about(survey: Survey) -> str:
    facts = [f"{unit.ecosystem} {unit.first('package_manager') or ''}".strip() for unit in survey.units]
    return ", ".join(dict.fromkeys(facts)) or "nothing recognised"
