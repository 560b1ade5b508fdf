"""Reads the templates of a GitLab project at the head of its default branch, within bounds."""

import re

import structlog

from bot.domain import CannotError
from bot.gitlab.client import GitLab
from bot.store.template_snapshots import TemplateSnapshot

log = structlog.get_logger()

MOST_FILES = 500
MOST_CHARACTERS_OF_FILE, MOST_CHARACTERS = 100_000, 2_000_000
_FILE = re.compile(r"(?:templates/)?[\w.-]+/[\w.-]+")


def read_templates(gitlab: GitLab, path: str, known: TemplateSnapshot | None) -> TemplateSnapshot:
    """Return what the project holds now, which is `known` when its default branch did not move.

    Raises CannotError when the project cannot be seen or is empty, UnreachableError when GitLab does not answer.
    """
    project = gitlab.find_project(path)
    head = gitlab.branch_head(project.id, project.default_branch) if project.default_branch else None
    if head is None:
        raise CannotError(f"the project of templates {path} is empty")
    if known is not None and known.commit_sha == head:
        return known
    wanted = _wanted(gitlab.tree(project.id, head), path)
    texts = gitlab.texts(project.path, head, wanted)
    return TemplateSnapshot(commit_sha=head, texts=_bounded(texts, path))


def _wanted(paths: tuple[str, ...], project: str) -> list[str]:
    """Folders of templates lie in `templates/` or, where there is no such folder, at the top."""
    inside = [path for path in paths if path.startswith("templates/") and path.count("/") == 2]
    files = inside or [path for path in paths if path.count("/") == 1]
    files = [path for path in files if _FILE.fullmatch(path) and "/." not in path and not path.startswith(".")]
    if len(files) > MOST_FILES:
        log.warning("templates are left out", project=project, files=len(files), most=MOST_FILES)
    return files[:MOST_FILES]


def _bounded(texts: dict[str, str], project: str) -> dict[str, str]:
    kept: dict[str, str] = {}
    total = 0
    for path, text in sorted(texts.items()):
        total += len(text)
        if len(text) > MOST_CHARACTERS_OF_FILE or total > MOST_CHARACTERS:
            log.warning("a template file is too large", project=project, path=path, characters=len(text))
            continue
        kept[path.removeprefix("templates/")] = text
    return kept
