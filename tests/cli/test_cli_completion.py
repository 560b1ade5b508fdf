"""Shells complete what the program knows."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import run

ROOT = Path(__file__).parents[2]


CASES = [
    pytest.param("pipewright do", ["doctor"], id="command"),
    pytest.param("pipewright hooks re", ["refresh", "remove"], id="command of a group"),
    pytest.param("pipewright audit export --format ", ["jsonl", "csv"], id="choice"),
    pytest.param("pipewright doctor --", ["--json", "--help"], id="option"),
]
IN_BASH = """eval "$(pipewright completion bash)"; COMP_WORDS=({given}); COMP_CWORD={last}
_pipewright_completion pipewright; printf '%s\\n' "${{COMPREPLY[@]}}"
"""
IN_FISH = "pipewright completion fish | source; complete -C '{typed}'"
# Only its line editor completes, and that wants a terminal.
IN_ZSH = """zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'autoload -Uz compinit; compinit -u -D; eval "$(pipewright completion zsh)"; LISTMAX=999; echo REA''DY'
zpty -r shell said '*READY*'
zpty -n -w shell '{typed}'$'\\t'
zpty -r shell said '*{words}*' && print -r -- '{lines}'
zpty -d shell
"""


def completed(shell: str, script: str, folder: Path) -> list[str]:
    """Return the first word of each line that a script prints in a shell that finds the program."""
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed here")
    program = folder / "pipewright"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m bot "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "TERM": "xterm"}
    done = subprocess.run([path, "-c", script], capture_output=True, text=True, check=True, env=environment, timeout=60)
    return [line.split()[0] for line in done.stdout.splitlines() if line.strip()]


@pytest.mark.parametrize(("typed", "words"), CASES)
def test_bash_completes(tmp_path: Path, typed: str, words: list[str]) -> None:
    parts = typed.split(" ")
    script = IN_BASH.format(given=" ".join(part or "''" for part in parts), last=len(parts) - 1)
    assert set(completed("bash", script, tmp_path)) == set(words)


@pytest.mark.parametrize(("typed", "words"), CASES)
def test_fish_completes(tmp_path: Path, typed: str, words: list[str]) -> None:
    assert set(completed("fish", IN_FISH.format(typed=typed), tmp_path)) == set(words)


@pytest.mark.parametrize(("typed", "words"), CASES)
def test_zsh_completes(tmp_path: Path, typed: str, words: list[str]) -> None:
    script = IN_ZSH.format(typed=typed, words="*".join(words), lines="\n".join(words))
    assert completed("zsh", script, tmp_path) == words


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_others_get_their_script(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_PIPEWRIGHT_COMPLETE={shell}_complete" in result.stdout


def test_an_unknown_shell_is_wrong_usage() -> None:
    result = run("completion", "tcsh")
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr
