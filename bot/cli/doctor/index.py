"""The templates, and the index by which they are found."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.cli.doctor.diagnosis import Diagnosis, ill, lacking, tried
from bot.cli.templates import open_catalog
from bot.domain import CannotError, UnreachableError

if TYPE_CHECKING:
    from bot.settings import Settings


def look(settings: "Settings", *, with_gitlab: bool) -> Iterator[Diagnosis]:
    """Look at the templates of the folder, of the project where GitLab can be asked, and at the index."""
    yield tried("templates", lambda: _readable(settings), "Mend the template, or check PIPEWRIGHT_TEMPLATES_DIR.")
    if settings.templates_project and with_gitlab:
        mend = "Check PIPEWRIGHT_TEMPLATES_PROJECT, and let the bot's account read that project."
        yield tried("templates project", lambda: _of_project(settings), mend)
    yield _chroma(settings, with_gitlab=with_gitlab)


def _readable(settings: "Settings") -> str:
    catalog = open_catalog(settings.templates_dir)
    if catalog.skipped:
        raise CannotError("; ".join(catalog.skipped))
    return f"{len(catalog.templates)} readable"


def _of_project(settings: "Settings") -> str:
    from bot.library.project import read_templates
    from bot.parts import open_gitlab

    path = settings.templates_project or ""
    read = read_templates(open_gitlab(settings), path, None)
    folders = sorted({name.split("/")[0] for name in read.texts})
    return f"{path} at {read.commit_sha[:8]}: {', '.join(folders) or 'no folder with files'}"


def _chroma(settings: "Settings", *, with_gitlab: bool) -> Diagnosis:
    if settings.chroma_url is None:
        return Diagnosis("Chroma", True, f"embedded, in {settings.data_dir}")
    mend = "Start it, or check PIPEWRIGHT_CHROMA_URL; without it templates are chosen by facts alone."
    try:
        return _compared(settings, settings.templates_project if with_gitlab else None)
    except UnreachableError as error:
        return ill("Chroma", str(error), mend)
    except CannotError as error:  # of the templates, which have a line of their own
        return lacking("Chroma", f"answers, but the templates cannot be read: {error}", "Mend the templates first.")


def _compared(settings: "Settings", project: str | None) -> Diagnosis:
    from bot.library.documents import TEMPLATE, template_documents
    from bot.parts import open_knowledge

    knowledge = open_knowledge(settings)
    count = knowledge.count()
    stale = knowledge.stale(template_documents(open_catalog(settings.templates_dir, project)), TEMPLATE)
    if not stale or (count and settings.templates_project and not project):
        return Diagnosis("Chroma", True, f"answers at {settings.chroma_url}, {count} documents")
    says = f"{stale} templates of its index are missing or not as they are now" if count else "its index is empty"
    return lacking("Chroma", says, "`pipewright templates index`; `serve` and `worker` do it when they start, too.")
