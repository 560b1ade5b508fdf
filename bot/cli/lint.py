"""`lint`: the whole check ladder on files and folders."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.domain import CannotError, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

STDIN = "<stdin>"
CI_FILE = ".gitlab-ci.yml"


@click.command("lint", short_help="check .gitlab-ci.yml files and Dockerfiles")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object for each finding.")
def lint_command(*, files: tuple[str, ...], as_json: bool) -> None:
    """Check FILES (or - for standard input): a Dockerfile by its name, anything else as .gitlab-ci.yml.

    A folder stands for the .gitlab-ci.yml and the Dockerfile in it. Local files that a pipeline includes or starts as
    child pipelines are followed. Where they are installed, hadolint looks at Dockerfiles and ShellCheck at the
    scripts of jobs, else bash reads those without running them. Exit code 1 when there is an error; warnings do not
    count.
    """
    findings = [finding for file in files for finding in lint(file)]
    for finding in findings:
        click.echo(_as_json(finding) if as_json else in_one_line(finding))
    errors = sum(finding.is_error for finding in findings)
    click.echo(_summary(errors, len(findings) - errors), err=True)
    if errors:
        sys.exit(1)


def lint(file: str, parents: frozenset[Path] = frozenset()) -> tuple[Finding, ...]:
    """Return the findings in one file, or in the files of a folder; `parents` are those that led to it."""
    if Path(file).is_dir():
        return tuple(finding for name in _of_folder(Path(file)) for finding in lint(name))
    name, text = _read(file)
    if is_dockerfile(name):
        return _in_dockerfile(text, name)
    if file == "-":
        from bot.ci.checks import check

        return (*check(text, path=name), *in_scripts({name: text}))
    return _in_pipeline(text, name, parents)


def _in_dockerfile(text: str, name: str) -> tuple[Finding, ...]:
    from msgspec.structs import replace

    from bot import linters
    from bot.ci.dockerfile import check_dockerfile, read_hadolint

    found = (*check_dockerfile(text), *read_hadolint(linters.hadolint(text)))
    seen = dict.fromkeys(replace(finding, path=name) for finding in found)
    return tuple(sorted(seen, key=lambda finding: finding.line or 0))


def _in_pipeline(text: str, name: str, parents: frozenset[Path]) -> tuple[Finding, ...]:
    from bot.ci.checks import check

    root = _repository(Path(name))
    prefix = "" if root == Path() else f"{root}/"
    included = _included(text, root)
    # Outside of a repository nobody knows what else belongs to it, so nothing is said of what is not there.
    is_known = bool(included) or (root / ".git").exists()
    found = check(text, path=name, files=included if is_known else None, root=prefix)
    texts = {name: text, **{f"{prefix}{path}": each for path, each in included.items()}}
    children = _in_children(texts, root, parents | {Path(name).resolve()}, is_known=is_known)
    return (*found, *in_scripts(texts), *children)


def in_scripts(texts: dict[str, str]) -> "Iterator[Finding]":
    """Check the shell in pipelines, by their paths; nothing of it is run."""
    from bot import linters
    from bot.ci.checks.shell import check_shell

    for path, text in texts.items():
        yield from check_shell(text, path, linters.bash, linters.shellcheck)


def _in_children(texts: dict[str, str], root: Path, parents: frozenset[Path], *, is_known: bool) -> "Iterator[Finding]":
    """Check the files that a pipeline starts as children, each by itself: none of them knows the others."""
    from bot.ci.children import missing_child, started_by

    for at, text in texts.items():
        for path, (job, line) in started_by(text).items():
            file = root / path
            if not file.is_file():
                yield from [missing_child(path, job, line, at)] * is_known
            elif file.resolve() not in parents:
                yield from lint(str(file), parents)


def _as_json(finding: Finding) -> str:
    import msgspec

    return json.dumps({**msgspec.to_builtins(finding), "is_error": finding.is_error})


def in_one_line(finding: Finding) -> str:
    """Return `file:line: rung: message — mend`."""
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    rung = finding.rung if finding.is_error else f"{finding.rung} (warning)"
    mend = f" — {finding.mend}" if finding.mend else ""
    return " ".join(f"{place}: {rung}: {finding.message}{mend}".split())


def is_dockerfile(name: str) -> bool:
    """Tell whether a file is a Dockerfile, by its name."""
    last = Path(name).name.lower()
    return last.startswith(("dockerfile", "containerfile")) or last.endswith((".dockerfile", ".containerfile"))


def _of_folder(folder: Path) -> list[str]:
    """Return the files a folder stands for; the pipeline first, so that its absence is told where both lack."""
    dockerfile, pipeline = folder / "Dockerfile", folder / CI_FILE
    named = [path for path in (pipeline, dockerfile) if path.is_file()]
    return [str(path) for path in named or [pipeline]]


def _repository(file: Path) -> Path:
    """Return the folder that local includes start from: the nearest one with `.git`, else the file's own."""
    own = file.parent
    above = [own, *(own / "/".join([".."] * up) for up in range(1, len(own.absolute().parts)))]
    return next((folder for folder in above if (folder / ".git").exists()), own)


def _included(text: str, root: Path) -> dict[str, str]:
    """Read every local file that a pipeline includes, directly or not."""
    from bot.checkout import decoded
    from bot.ci.checks.includes import included_paths

    files: dict[str, str] = {}
    waiting = list(included_paths(text))
    while waiting:
        pattern = waiting.pop()
        for path in sorted(root.glob(pattern)) if pattern else []:
            name = path.relative_to(root).as_posix()
            content = decoded(path.read_bytes()) if name not in files and path.is_file() else None
            if content is not None:
                files[name] = content
                waiting += included_paths(content)
    return files


def _read(file: str) -> tuple[str, str]:
    from bot.checkout import decoded

    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CannotError(f"{file} cannot be read: {error.strerror}") from error
    text = decoded(data)
    if text is None:
        raise CannotError(f"{STDIN if file == '-' else file} is not a text file")
    return (STDIN if file == "-" else file), text


def _summary(errors: int, warnings: int) -> str:
    counted = f"{warnings} warning{'' if warnings == 1 else 's'}"
    return f"checked, {counted}" if not errors else f"{errors} error{'' if errors == 1 else 's'}, {counted}"
