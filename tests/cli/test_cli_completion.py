"""Shells complete what the program knows."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        pytest.param("pipewright do", {"doctor"}, id="command"),
        pytest.param("pipewright hooks re", {"remove", "refresh"}, id="command of a group"),
        pytest.param("pipewright audit export --format ", {"jsonl", "csv"}, id="choice"),
        pytest.param("pipewright doctor --", {"--json", "--help"}, id="option"),
    ],
)
def test_bash_completes(tmp_path: Path, words: str, completed: set[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed here")
    program = tmp_path / "pipewright"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m bot "$@"\n')
    program.chmod(0o755)
    typed = words.split(" ")
    given = " ".join(word or "''" for word in typed)
    script = (
        f'eval "$(pipewright completion bash)"; COMP_WORDS=({given}); COMP_CWORD={len(typed) - 1}; '
        "_pipewright_completion pipewright; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        [bash, "-c", script], capture_output=True, text=True, check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    assert set(done.stdout.split()) == completed, done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_others_get_their_script(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_PIPEWRIGHT_COMPLETE={shell}_complete" in result.stdout


def test_an_unknown_shell_is_wrong_usage() -> None:
    result = run("completion", "tcsh")
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr
