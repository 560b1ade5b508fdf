"""Keeps the templates current: the shipped ones, those of a mounted folder, those of the organisation's project."""

import threading
from collections.abc import Sequence

import structlog

from bot.ci.catalog import Catalog, Template, build_catalog, default_templates_dir, read_folder
from bot.ci.layers import Layer
from bot.domain import CannotError, Unit, UnreachableError
from bot.gitlab.client import GitLab
from bot.knowledge.knowledge import Knowledge, search_words
from bot.library.documents import TEMPLATE, template_documents
from bot.library.project import read_templates
from bot.settings import Settings
from bot.store import template_snapshots
from bot.store.pool import Pool
from bot.store.template_snapshots import TemplateSnapshot

log = structlog.get_logger()

# All of them are ranked: the one that is named must not be lost for its description.
MOST_TEMPLATES = 500


class Templates:
    """The templates in use. Nothing that is silent or broken outside stops an order: the last good state serves."""

    def __init__(self, settings: Settings, gitlab: GitLab, pool: Pool, knowledge: Knowledge) -> None:
        self._gitlab = gitlab
        self._pool = pool
        self._knowledge = knowledge
        self._project = (settings.templates_project or "").strip("/")
        self._shipped = read_folder(default_templates_dir())
        folder = settings.templates_dir
        self._mounted = (Layer(origin=str(folder), texts=read_folder(folder)),) if folder else ()
        self._refreshing = threading.Lock()
        self._snapshot = self._remembered() if self._project else None
        self._catalog = self._built()
        self._indexed: tuple[Catalog, int] | None = None

    @property
    def catalog(self) -> Catalog:
        """The templates as they were last read."""
        return self._catalog

    def refresh(self) -> Catalog:
        """Look whether the organisation's project moved, bring catalog and index up to date, return the catalog."""
        if self._refreshing.acquire(blocking=False):
            try:
                self._follow_project()
                self._index()
            finally:
                self._refreshing.release()
        return self._catalog

    def ranked(self, words: str, units: Sequence[Unit], limit: int = 8) -> tuple[str, ...]:
        """Return the names of the templates that answer best to words and facts, best first."""
        fitting = {
            template.name
            for template in self._catalog.templates
            if any(template.score(unit) is not None for unit in units)
        }
        try:
            passages = self._knowledge.search(
                words or "pipeline", where={"kind": TEMPLATE}, fitting=fitting, limit=limit, among=MOST_TEMPLATES
            )
        except UnreachableError as error:
            log.warning("templates are ranked by words only", detail=str(error))
            return search_words(template_documents(self._catalog), words, fitting=fitting, limit=limit)
        return tuple(passage.id for passage in passages)

    def search(self, words: str, limit: int = 3) -> tuple[Template, ...]:
        """Return the templates that answer best to words."""
        found = (self._catalog.find(name) for name in self.ranked(words, (), limit))
        return tuple(template for template in found if template is not None)

    def _follow_project(self) -> None:
        if not self._project:
            return
        try:
            read = read_templates(self._gitlab, self._project, self._snapshot)
        except (CannotError, UnreachableError) as error:
            log.warning("the project of templates cannot be read", project=self._project, detail=str(error))
            return
        if read == self._snapshot:
            return
        self._snapshot = read
        self._catalog = self._built()
        with self._pool.connection() as connection:
            template_snapshots.put(connection, self._project, read)

    def _remembered(self) -> TemplateSnapshot | None:
        with self._pool.connection() as connection:
            return template_snapshots.get(connection, self._project)

    def _built(self) -> Catalog:
        layers = list(self._mounted)
        if self._snapshot is not None:
            origin = f"{self._project}@{self._snapshot.commit_sha[:8]}"
            layers.insert(0, Layer(origin=origin, texts=self._snapshot.texts))
        catalog = build_catalog(self._shipped, *layers)
        for sentence in catalog.skipped:
            log.warning("a template is left out", why=sentence)
        return catalog

    def _index(self) -> None:
        if self._indexed == (self._catalog, self._knowledge.openings):
            return
        try:
            report = self._knowledge.index(template_documents(self._catalog), TEMPLATE)
        except UnreachableError as error:
            log.warning("templates are not indexed", detail=str(error))
            return
        self._indexed = (self._catalog, self._knowledge.openings)
        log.info("templates indexed", changed=report.changed, removed=report.removed, unchanged=report.unchanged)
