"""`python -m tests.secrets.find_secrets [FOLDER]`: looks for secrets in the files that git tracks; exit 1 on one.

The shapes are those the bot masks in what it writes. Whatever only looks like a secret is listed in `allowed.tsv`:
path, what is allowed there, and why.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bot.masking import is_random, secrets_in

TOP = Path(__file__).parents[2]
_IN_A_ROW = re.compile(r"abcdefgh|0123456|1234567|(.)\1{7}", re.IGNORECASE)
ALLOWED = Path(__file__).with_name("allowed.tsv")


class Found(NamedTuple):
    """Where something looks like a secret."""

    path: str
    line: int
    text: str


class Allowed(NamedTuple):
    """What is no secret although it looks like one."""

    path: str
    text: str
    reason: str


def tracked(folder: Path) -> list[str]:
    """Return the files git tracks; raises CalledProcessError where there is no repository."""
    listed = subprocess.run(["git", "-C", folder, "ls-files", "-z"], capture_output=True, check=True)
    return [name for name in listed.stdout.decode().split("\0") if name]


def find(folder: Path) -> Iterator[Found]:
    """Find whatever looks like a secret, shortened to what can be shown."""
    for path in tracked(folder):
        if folder / path == ALLOWED:
            continue
        try:
            text = (folder / path).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # pictures; files deleted but not yet committed
            continue
        for secret in secrets_in(text):
            if path.startswith("tests/") and _is_made_up(secret):
                continue
            yield Found(path, text[: text.index(secret)].count("\n") + 1, secret)


def _is_made_up(secret: str) -> bool:
    """Tests are full of tokens made of words, or of letters and digits in a row; one that is real looks like chance."""
    return _IN_A_ROW.search(secret) is not None or not is_random(secret)


def read_allowed(file: Path = ALLOWED) -> list[Allowed]:
    """Read the list; a line is path, text and reason with tabs between."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [Allowed(*line.split("\t")) for line in lines]


def is_allowed(found: Found, allowed: list[Allowed]) -> bool:
    """Tell whether the list knows this one."""
    return any(one.path == found.path and one.text in found.text for one in allowed)


def main(folder: Path) -> int:
    """Print each secret's place, not the secret."""
    allowed = read_allowed()
    found = [one for one in find(folder) if not is_allowed(one, allowed)]
    for path, line in dict.fromkeys((one.path, one.line) for one in found):
        sys.stdout.write(
            f"{path}:{line}: looks like a secret. Take it out and revoke it; if it is none, say why in "
            f"{ALLOWED.relative_to(TOP)}.\n"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else TOP))
