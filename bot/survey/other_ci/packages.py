"""Debian packages that another CI installs before it tests."""

import re
from collections.abc import Iterable

from bot.domain import Evidence
from bot.survey.tree import find

_INSTALL = re.compile(r"\bapt(?:-get)?\b[^\n;&|]*?\binstall\b([^\n;&|]*)")
# Continued lines, and expressions of GitHub with whatever is glued to them.
_BREAKS = re.compile(r"\\\r?\n\s*|\S*\$\{\{.*?\}\}\S*")
_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]+")
# What only Ubuntu's machines at GitHub need, or what an image for the language already has.
_SKIPPED = re.compile(
    r"python3?(\.\d+)?(-.*)?|nodejs|npm|golang.*|software-properties-common|linux-.*|snapd|apt-.*"
    r"|.*-(aarch64|arm).*|(gcc|g\+\+|clang|llvm)-.*|libasan\d|lcov|gh|firefox|chromium.*|google-.*|xvfb|docker.*|qemu.*"
    r"|.*-dbgsym|language-pack.*|lib32.*"
)
_MAX = 20


def apt_packages(path: str, text: str, scripts: Iterable[str]) -> tuple[tuple[str, Evidence], ...]:
    """Return the packages of every `apt-get install`, with the line that names them."""
    found: dict[str, Evidence] = {}
    for script in scripts:
        for match in _INSTALL.finditer(_BREAKS.sub(" ", script)):
            for name in match.group(1).split():
                if _NAME.fullmatch(name) and not _SKIPPED.fullmatch(name):
                    found.setdefault(name, find(path, text, match.group(0).splitlines()[0][:60], name))
    return tuple(list(found.items())[:_MAX])
