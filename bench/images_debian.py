"""What stands for images whose language the releases of Debian have in different versions: Ruby and Elixir."""

import re
from pathlib import Path

from bench.image import BUILDPACK, Image

# The Debian that has a version; every other one gets what today's stable has.
_RUBIES, _RUBY = {"2.7": "bullseye", "3.1": "bookworm"}, "3.3"
_ELIXIRS, _ELIXIR = {"1.10": "bullseye", "1.14": "bookworm", "1.20": "forky"}, "1.18"
_GEMS = "/usr/local/bundle"


def ruby(version: str, tag: str, _: Path) -> Image:
    """Ruby, RubyGems and Bundler of a Debian, with the places for gems that the image sets."""
    return Image(
        suite=_RUBIES.get(_minor(version), ""),
        packages=("ruby", "bundler", *(() if "slim" in tag else ("ruby-dev", *BUILDPACK))),
        path=(f"{_GEMS}/bin",),
        variables=(
            ("LANG", "C.UTF-8"),
            ("GEM_HOME", _GEMS),
            ("BUNDLE_APP_CONFIG", _GEMS),
            ("BUNDLE_SILENCE_ROOT_WARNING", "1"),
        ),
        finish=f"mkdir -p {_GEMS} && chmod 1777 {_GEMS}",
        differs=_differs("Ruby", version, _RUBY if _minor(version) not in _RUBIES else _minor(version)),
    )


def elixir(version: str, tag: str, _: Path) -> Image:
    """Elixir and Erlang of a Debian."""
    return Image(
        suite=_ELIXIRS.get(_minor(version), ""),
        packages=("elixir", "erlang", *(("git",) if "slim" in tag else BUILDPACK)),
        variables=(("LANG", "C.UTF-8"),),
        differs=_differs("Elixir", version, _ELIXIR if _minor(version) not in _ELIXIRS else _minor(version)),
    )


def _minor(version: str) -> str:
    return (re.match(r"\d+\.\d+", version) or [""])[0]


def _differs(name: str, version: str, found: str) -> str:
    return f"{name} is Debian's" + ("" if _minor(version) == found else f" {found} instead of {version}")
