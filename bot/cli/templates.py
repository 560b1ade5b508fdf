"""`templates`: what retrieval knows."""

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.lint import in_scripts
from bot.domain import CannotError

if TYPE_CHECKING:
    from bot.ci.catalog import Catalog
    from bot.ci.layers import Layer
    from bot.ci.trial import Trial

FOLDER = click.option(
    "--templates-dir",
    envvar="PIPEWRIGHT_TEMPLATES_DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Your own templates; they win over the shipped ones.",
)


_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")

PROJECT = click.option(
    "--templates-project",
    envvar="PIPEWRIGHT_TEMPLATES_PROJECT",
    help="Path of a GitLab project with templates, such as platform/ci-templates; needs the settings for GitLab.",
)


def open_catalog(own: Path | None, project: str | None = None) -> "Catalog":
    """Read the shipped templates and, over them, those of a GitLab project and one's own."""
    from bot.ci.catalog import build_catalog, default_templates_dir, read_folder
    from bot.ci.layers import Layer

    layers = [_layer_of_project(project)] if project else []
    layers += [Layer(origin=str(own), texts=read_folder(own))] if own else []
    return build_catalog(read_folder(default_templates_dir()), *layers)


def _layer_of_project(path: str) -> "Layer":
    from bot.settings import read_settings

    settings = read_settings()
    from bot.ci.layers import Layer  # these take a second, so only once the settings are complete
    from bot.library.project import read_templates
    from bot.parts import open_gitlab

    read = read_templates(open_gitlab(settings), path, None)
    return Layer(origin=f"{path}@{read.commit_sha[:8]}", texts=read.texts)


@click.group("templates", short_help="what retrieval knows")
def templates_group() -> None:
    """Look at the templates that pipelines are made of."""


@templates_group.command("list", short_help="every template")
@FOLDER
@PROJECT
@_JSON
def list_command(*, templates_dir: Path | None, templates_project: str | None, as_json: bool) -> None:
    """List every template with the hash of its content, as answers cite them."""
    catalog = open_catalog(templates_dir, templates_project)
    if as_json:
        for each in catalog.templates:
            row = {"name": each.name, "content_hash": each.content_hash, "origin": each.origin}
            click.echo(json.dumps({**row, "description": " ".join(each.description.split())}))
        _complain(catalog.skipped)
        return
    width = max((len(each.name) for each in catalog.templates), default=0)
    for each in catalog.templates:
        origin = f"  [{each.origin}]" if each.origin else ""
        click.echo(f"{each.name:{width}}  {each.content_hash}  {' '.join(each.description.split())}{origin}")
    _complain(catalog.skipped)


@templates_group.command("search", short_help="what the bot would find for some words")
@click.argument("words")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 50), help="How many to show.")
@FOLDER
@PROJECT
@_JSON
def search_command(
    *, words: str, limit: int, templates_dir: Path | None, templates_project: str | None, as_json: bool
) -> None:
    """Rank the templates for WORDS as the bot does; needs no settings and no server without a project."""
    from bot.knowledge.embed import StaticEmbedder
    from bot.knowledge.knowledge import Knowledge
    from bot.library.documents import template_documents

    catalog = open_catalog(templates_dir, templates_project)
    with tempfile.TemporaryDirectory(prefix="pipewright-") as folder:
        knowledge = Knowledge.open(data_dir=Path(folder), chroma_url=None, embedder=StaticEmbedder())
        knowledge.index(template_documents(catalog))
        for passage in knowledge.search(words, limit=limit, among=len(catalog.templates)):
            found = catalog.find(passage.id)
            said = " ".join(found.description.split()) if found else ""
            row = {"name": passage.id, "score": round(passage.score, 4), "content_hash": passage.content_hash}
            shown = f"{passage.score:6.2f}  {passage.id}  {passage.content_hash}  {said}"
            click.echo(json.dumps({**row, "description": said}) if as_json else shown)


@templates_group.command("index", short_help="bring the configured index up to date")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: what was left out.")
def index_command(*, as_json: bool) -> None:
    """Read the organisation's project and bring the configured index up to date; `serve` does it by itself."""
    from bot.settings import read_settings

    settings = read_settings()
    from bot import logs, parts  # takes a second, so only once the settings are complete

    logs.configure("console", is_beside_answers=True)
    skipped = parts.index_templates(settings)
    if as_json:
        click.echo(json.dumps({"left_out": skipped}))
    else:
        _complain(skipped)


@templates_group.command("check", short_help="try one's own templates out before anybody gets them")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR")
@click.option("--show", is_flag=True, help="Print what each template writes.")
@_JSON
def check_command(*, folder: Path, show: bool, as_json: bool) -> None:
    """Try every template in DIR on a unit invented to fit it, through the whole check ladder.

    Exit code 1 when one is broken, is never chosen, or writes something that does not pass.
    """
    from bot.ci.catalog import default_templates_dir, read_folder
    from bot.ci.layers import Layer
    from bot.ci.trial import try_out

    layer = Layer(origin=str(folder), texts=read_folder(folder))
    trials = [_with_scripts(trial) for trial in try_out(read_folder(default_templates_dir()), layer)]
    if not trials:
        raise CannotError(f"{folder} holds no template: each is a folder with a template.yml in it")
    for trial in trials:
        if as_json:
            click.echo(json.dumps(_as_object(trial, show=show)))
        else:
            _report(trial, show=show)
    if not all(trial.is_well for trial in trials):
        sys.exit(1)


def _with_scripts(trial: "Trial") -> "Trial":
    from msgspec import structs

    from bot.ci.children import is_pipeline

    pipelines = {path: text for path, text in trial.files.items() if is_pipeline(path)}
    return structs.replace(trial, findings=(*trial.findings, *in_scripts(pipelines)))


def _as_object(trial: "Trial", *, show: bool) -> dict[str, object]:
    import msgspec

    known = {"template": trial.template, "ok": trial.is_well, "why": trial.why, "facts": trial.facts}
    findings = [msgspec.to_builtins(finding) for finding in trial.findings]
    files = dict(trial.files) if show else sorted(trial.files)
    return {**known, "jobs": list(trial.jobs), "files": files, "findings": findings}


def _report(trial: "Trial", *, show: bool) -> None:
    facts = ", ".join(f"{name}={value}" for name, value in trial.facts.items()) or "any unit"
    result = trial.why or f"for {facts} it takes part in {', '.join(trial.files) or 'nothing'}: {', '.join(trial.jobs)}"
    click.echo(f"{'✓' if trial.is_well else '✗'} {trial.template}: {result}")
    for finding in trial.findings:
        kind = finding.rung if finding.is_error else f"{finding.rung} (warning)"
        mend = f" — {finding.mend}" if finding.mend else ""
        click.echo(f"    {finding.path}:{finding.line or 1}: {kind}: {finding.message}{mend}")
    if show:
        for path, text in trial.files.items():
            click.echo(f"--- {path}\n{text.rstrip()}")


def _complain(skipped: tuple[str, ...]) -> None:
    for sentence in skipped:
        click.echo(f"left out: {sentence}", err=True)
