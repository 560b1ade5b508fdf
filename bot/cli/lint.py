"""`lint`: the whole check ladder on files."""

import sys
from pathlib import Path

import click

from bot.domain import CannotError, Finding

STDIN = "<stdin>"


@click.command("lint", short_help="check .gitlab-ci.yml files and Dockerfiles")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True))
def lint_command(files: tuple[str, ...]) -> None:
    """Check FILES (or - for standard input): a Dockerfile by its name, anything else as .gitlab-ci.yml.

    A folder stands for the .gitlab-ci.yml in it. Exit code 1 when there is an error; warnings do not count.
    """
    findings = [finding for file in files for finding in lint(file)]
    for finding in findings:
        click.echo(in_one_line(finding))
    errors = sum(finding.is_error for finding in findings)
    click.echo(_summary(errors, len(findings) - errors), err=True)
    if errors:
        sys.exit(1)


def lint(file: str) -> tuple[Finding, ...]:
    """Return the findings in one file."""
    from msgspec.structs import replace

    from bot.ci.checks import check
    from bot.ci.dockerfile import check_dockerfile

    name, text = _read(file)
    if is_dockerfile(name):
        return tuple(replace(finding, path=name) for finding in check_dockerfile(text))
    return check(text, path=name)


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


def _read(file: str) -> tuple[str, str]:
    from bot.checkout import decoded

    path = Path(file) / ".gitlab-ci.yml" if Path(file).is_dir() else Path(file)
    try:
        data = sys.stdin.buffer.read() if file == "-" else path.read_bytes()
    except OSError as error:
        raise CannotError(f"{path} cannot be read: {error.strerror}") from error
    text = decoded(data)
    if text is None:
        raise CannotError(f"{path} is not a text file")
    return (STDIN if file == "-" else str(path)), text


def _summary(errors: int, warnings: int) -> str:
    counted = f"{warnings} warning{'' if warnings == 1 else 's'}"
    return f"checked, {counted}" if not errors else f"{errors} error{'' if errors == 1 else 's'}, {counted}"
