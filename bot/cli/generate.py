"""`generate`: a pipeline for a checkout or a project, without any server or model."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from bot.cli.lint import in_one_line, in_scripts
from bot.cli.templates import FOLDER, open_catalog
from bot.domain import CannotError, Carried, Composition, Fact, Snapshot, Surroundings, Survey, Unit
from bot.gitlab.addresses import project_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.ci.assignment import Assignment

CI_FILE = ".gitlab-ci.yml"


@click.command("generate", short_help="write the pipeline of a checkout or a project")
@click.argument("path_or_url", metavar="PATH_OR_URL")
@click.option("--write", is_flag=True, help="Write the files into the checkout; nothing of yours is overwritten.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Write the files into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--ask", default="", help='Wishes in plain words, such as "with python 3.12, without docker".')
@click.option("--ignore-existing-ci", is_flag=True, help="Act as if there were no CI configuration of any kind yet.")
@FOLDER
def generate_command(
    *,
    path_or_url: str,
    write: bool,
    output: Path | None,
    as_json: bool,
    ask: str,
    ignore_existing_ci: bool,
    templates_dir: Path | None,
) -> None:
    """Survey PATH_OR_URL and print the files it lacks; each detected fact is explained on stderr.

    A path needs no settings and no network. An address must be one of a project on the configured GitLab.
    """
    is_address = path_or_url.startswith(("http://", "https://"))
    if write and is_address and output is None:
        raise click.UsageError("--write needs a checkout; for an address name a folder with --output.")
    snapshot, around = (_read_project if is_address else _read)(path_or_url, ignore_existing_ci)
    existing = None if ignore_existing_ci else snapshot.read(CI_FILE)
    if existing is None and CI_FILE in snapshot.paths and not ignore_existing_ci:
        raise CannotError(f"the existing {CI_FILE} is too large or not text, so I would rather not touch it")
    found, given = _understood(snapshot, existing, ask, ignore_existing_ci)
    composition = _composed(structs.replace(given, surroundings=around), templates_dir)
    folder = output or (Path(path_or_url) if write else None)
    written = _write(folder, composition.files, existing) if folder else ()
    if as_json:
        _print_json(found, composition, written)
    else:
        _print(found, composition, written)
    if any(finding.is_error for finding in composition.findings):
        sys.exit(1)


def _read(path: str, ignore_existing_ci: bool) -> tuple[Snapshot, Surroundings]:
    from bot.checkout import read_checkout
    from bot.survey.wanted import wanted_paths

    found = read_checkout(Path(path), lambda paths: wanted_paths(paths, ignore_existing_ci=ignore_existing_ci))
    return found, Surroundings()


def _read_project(address: str, ignore_existing_ci: bool) -> tuple[Snapshot, Surroundings]:
    from bot.settings import read_settings

    settings = read_settings()
    path = project_path(address, settings.gitlab_url)
    if path is None:
        raise CannotError(f"{address} is not a project on {settings.gitlab_url} (PIPEWRIGHT_GITLAB_URL)")
    from bot.parts import open_gitlab  # takes a second, so only once the address is right
    from bot.proposals.policy import POLICY_PATH
    from bot.proposals.surroundings import surroundings_of
    from bot.survey.wanted import wanted_paths

    gitlab = open_gitlab(settings)
    project = gitlab.find_project(path)
    if project.default_branch is None:
        raise CannotError("the repository is empty, so there is nothing to build or test yet")
    paths = gitlab.tree(project.id, project.default_branch)
    wanted = wanted_paths(paths, ignore_existing_ci=ignore_existing_ci)
    read = [*wanted, *({POLICY_PATH} & set(paths))]
    texts, instance = gitlab.texts_and_instance(project.path, project.default_branch, read)
    return Snapshot(paths=paths, texts=texts), surroundings_of(instance, project, texts.get(POLICY_PATH))


def _understood(
    snapshot: Snapshot, existing: str | None, ask: str, ignore_existing_ci: bool
) -> "tuple[Survey, Assignment]":
    from bot.ci.assignment import Assignment
    from bot.ci.wishes import read_wishes
    from bot.survey.report import survey

    found = survey(snapshot, ignore_existing_ci=ignore_existing_ci)
    return found, Assignment(
        survey=found, existing=existing, paths=snapshot.paths, texts=snapshot.texts, wishes=read_wishes(ask)
    )


def _composed(given: "Assignment", templates_dir: Path | None) -> Composition:
    from bot import linters
    from bot.ci.children import is_pipeline
    from bot.ci.score import rung, with_rung
    from bot.ci.spare import compose_with_spares
    from bot.domain import Wishes

    catalog, ask = open_catalog(templates_dir), given.wishes.words
    composition = compose_with_spares(given, catalog)
    unasked = structs.replace(given, wishes=Wishes())
    if ask.strip() and compose_with_spares(unasked, catalog).files == composition.files:
        remark = f"“{_one_line(ask)}” changed nothing: it was not understood, or it is so anyway"
        composition = structs.replace(composition, assumptions=(remark, *composition.assumptions))
    scripts = tuple(in_scripts({path: text for path, text in composition.files.items() if is_pipeline(path)}))
    asked = "ShellCheck" if linters.has_shellcheck() else "bash" if linters.has_bash() else ""
    card = with_rung(composition.score, rung("scripts", scripts, by=asked)) if asked else composition.score
    return structs.replace(composition, findings=(*composition.findings, *scripts), score=card)


def _write(folder: Path, files: dict[str, str], existing: str | None) -> tuple[str, ...]:
    """Write the files; a file with other content stops everything before the first is written."""
    taken = [path for path, text in files.items() if _is_taken(folder / path, path, text, existing)]
    if taken:
        raise CannotError(
            f"{', '.join(taken)} in {folder} would be overwritten, and what is there would be lost. Nothing was "
            "written; choose another folder with --output."
        )
    for path, text in files.items():
        target = folder / path
        if not target.resolve().is_relative_to(folder.resolve()):
            raise CannotError(f"{path} leads out of {folder}, so nothing is written there")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    return tuple(files)


def _is_taken(target: Path, path: str, text: str, existing: str | None) -> bool:
    """Only the very .gitlab-ci.yml that was read and edited may be replaced."""
    from bot.checkout import decoded

    if not target.exists() and not target.is_symlink():
        return False
    there = decoded(target.read_bytes()) if target.is_file() else None
    return there != text and not (path == CI_FILE and existing is not None and there == existing)


def _print_json(found: Survey, composition: Composition, written: tuple[str, ...]) -> None:
    import msgspec

    everything = {"survey": found, "composition": composition, "written": written}
    click.echo(msgspec.json.format(msgspec.json.encode(everything), indent=2).decode())


def _print(found: Survey, composition: Composition, written: tuple[str, ...]) -> None:
    """Files go to stdout, so that they can be piped; everything about them goes to stderr."""
    for line in _explanation(found, composition):
        click.echo(line, err=True)
    for path, text in composition.files.items():
        if path in written:
            click.echo(f"wrote {path}")
            continue
        if len(composition.files) > 1:
            click.echo(f"# ==> {path} <==")
        click.echo(text.rstrip("\n"))
    if not composition.files:
        click.echo(f"Nothing to add: the existing {CI_FILE} already does all I would propose.", err=True)


def _explanation(found: Survey, composition: Composition) -> "Iterator[str]":
    for unit in found.units:
        yield f"In {unit.root or 'the repository'} ({unit.ecosystem}):"
        yield from (f"  {line}" for line in _facts(unit))
    if composition.jobs:
        yield "Jobs:"
        for job in composition.jobs:
            name = f"{job.name} of {job.file}" if job.file else job.name
            yield f"  {name} ({job.image}): {job.does}" if job.image else f"  {name}: {job.does}"
    if composition.kept:
        yield "Kept as they were: " + ", ".join(composition.kept)
    if composition.sources:
        used = (
            f"{source.template} ({source.content_hash}{f' of {source.origin}' if source.origin else ''})"
            for source in composition.sources
        )
        yield "Templates used: " + ", ".join(used)
    for assumption in dict.fromkeys((*found.remarks, *composition.assumptions)):
        yield f"Assumed: {_one_line(assumption)}"
    yield from (f"Converted: {_one_line(_conversion(row))}" for row in found.conversion)
    if found.question:
        yield f"Question: {_one_line(found.question)}"
    yield from (in_one_line(finding) for finding in composition.findings)


def _conversion(row: Carried) -> str:
    return f"{row.where.path}:{row.where.line or 1} `{row.where.quote}` → {row.became or 'nothing'}: {row.why}"


def _facts(unit: Unit) -> "Iterator[str]":
    for fact in unit.facts:
        name, because = fact.name.replace("_", " "), _one_line(fact.because)
        yield f"{name} {_one_line(fact.value)}, because {because}{_evidence(fact)}"


def _evidence(fact: Fact) -> str:
    """Name places that the sentence does not name already."""
    places = [f"{each.path}:{each.line}" if each.line else each.path for each in fact.evidence]
    unnamed = [place for place in dict.fromkeys(places) if place not in fact.because]
    return f" [{', '.join(unnamed)}]" if unnamed else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
