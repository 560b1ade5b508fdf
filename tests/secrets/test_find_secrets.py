"""No secret is tracked, and one that were would be found."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.secrets.find_secrets import TOP, find, is_allowed, main, read_allowed

in_git = pytest.mark.skipif(
    shutil.which("git") is None or not (TOP / ".git").exists(), reason="this copy is no git repository"
)

# Put together here, so that this very file holds none.
PLANTED = {
    "a token of GitLab": "TOKEN = '" + "glpat-" + "Zx81kQv93LmTp40aRw72" + "'\n",
    "a webhook's signing token": "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0" + "\n",
    "a key of AWS": "key: " + "AKIA" + "Q3EGUA7T5XZL4MNB" + "\n",
    "a random value beside a telling name": "db_" + "password = 'q8Zr2LmX" + "0vTb7Kd1'\n",
    "a password in an address": "url: postgres" + "://bot:hunter2x@db.internal/bot\n",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n",
}


@in_git
def test_no_secret_is_tracked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(TOP) == 0, capsys.readouterr().out


@in_git
def test_whatever_is_allowed_is_still_there_and_has_its_reason() -> None:
    found = list(find(TOP))
    for one in read_allowed():
        assert len(one.reason) > 10, one
        assert any(is_allowed(secret, [one]) for secret in found), f"no longer there: {one}"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("what", sorted(PLANTED))
def test_a_planted_secret_is_found_and_not_shown(tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "settings.txt").write_text("first line\n" + PLANTED[what])
    (tmp_path / "harmless.txt").write_text("password = ask somebody\ntoken: $CI_JOB_TOKEN\n")
    assert main(tmp_path) == 0, "what is not tracked is not looked at"
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    assert main(tmp_path) == 1
    said = capsys.readouterr().out
    assert said.startswith("settings.txt:2: ")
    assert len(said.splitlines()) == 1
    assert PLANTED[what].split("'")[-2 if "'" in PLANTED[what] else 0].strip() not in said
