"""Asks the linters of this machine, where there are any; what they answer is read elsewhere. No text is run."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

LIMIT = 30.0
# What they say of single commands that GitLab's runner stops at, of variables that come from outside, and of style.
_QUIET = "SC1090,SC1091,SC2034,SC2046,SC2086,SC2148,SC2154,SC2155,SC2164"


def hadolint(text: str) -> str:
    """Return hadolint's JSON report on a Dockerfile; empty where it is not installed or does not answer."""
    program = _program("hadolint")
    return _asked([program, "--no-fail", "--format", "json", "-"], text)[0] if program else ""


def shellcheck(texts: Sequence[str]) -> str | None:
    """Return ShellCheck's JSON report on shell scripts, each a file named by its number; None where there is none."""
    program = _program("shellcheck")
    if program is None or not texts:
        return None
    with tempfile.TemporaryDirectory(prefix="pipewright-") as folder:
        for number, text in enumerate(texts):
            (Path(folder) / str(number)).write_text(text, encoding="utf-8")
        names = [str(number) for number in range(len(texts))]
        command = [program, "--norc", "--shell", "bash", "--severity", "warning", "--format", "json", "-e", _QUIET]
        return _asked([*command, *names], "", folder)[0] or None


def bash(texts: Sequence[str]) -> list[str]:
    """Return what bash objects to in each script, which it reads without running it; nothing where there is no bash."""
    program = _program("bash")
    return [_asked([program, "--norc", "--noprofile", "-n"], text)[1] if program else "" for text in texts]


def has_bash() -> bool:
    """Say whether scripts can be held against bash here."""
    return _program("bash") is not None


def has_shellcheck() -> bool:
    """Say whether scripts can be held against ShellCheck here."""
    return _program("shellcheck") is not None


def _program(name: str) -> str | None:
    found = shutil.which(name)
    return found and str(Path(found).absolute())


def _asked(command: list[str], text: str, folder: str | None = None) -> tuple[str, str]:
    try:
        ran = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=LIMIT, check=False, cwd=folder,
            errors="replace", env={"LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return "", ""
    return ran.stdout, ran.stderr
