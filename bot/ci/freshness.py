"""Which pins a proposal holds, from which day they are, and what keeps them fresh in this repository."""

import json
import re
from collections.abc import Iterable, Mapping

from bot.domain.pins import Pins, Tool, pins

_RENOVATE = frozenset(
    """renovate.json renovate.json5 .github/renovate.json .github/renovate.json5 .gitlab/renovate.json
    .gitlab/renovate.json5 .renovaterc .renovaterc.json .renovaterc.json5""".split()
)
_DEPENDABOT = frozenset({".github/dependabot.yml", ".github/dependabot.yaml", ".gitlab/dependabot.yml"})
# How each kind of tool is installed in a script, as a custom manager of Renovate reads it.
_CALLS = {
    "pypi": r"pip install (?:\S+ )*?(?<depName>[\w-]+)==(?<currentValue>[\w.]+)",
    "go": r"go install (?<depName>\S+?)/cmd/\S+@(?<currentValue>v[\w.]+)",
    "npm": r"npm install --global (?:--force )?(?<depName>[\w-]+)@(?<currentValue>[\w.]+)",
    "crate": r"cargo install --locked (?<depName>[\w-]+)@(?<currentValue>[\w.]+)",
}


def pinned_in(files: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tools and images of the table that these files name in its version, such as "uv 0.13.9"."""
    text = "\n".join(files.values())
    table = pins()
    tools = [f"{name} {tool.version}" for name, tool in table.tools.items() if _is_installed(name, tool, text)]
    images = [name for name, tag in table.images.items() if re.search(rf"(?m)[\s/]{re.escape(f'{name}:{tag}')}", text)]
    return (*tools, *(f"{name}:{table.images[name]}" for name in images))


def how_to_keep_fresh(files: Mapping[str, str], paths: Iterable[str]) -> str:
    """Say what updates the pins of these files; "" where nothing is pinned. `paths` are all files of the repository."""
    known = set(paths)
    sources = _sources(files, pins())
    if not pinned_in(files):
        return ""
    if not known.isdisjoint(_RENOVATE):
        return _with_renovate(sources)
    if not known.isdisjoint(_DEPENDABOT):
        return (
            "Dependabot keeps a Dockerfile fresh (`package-ecosystem: docker`), but does not read `.gitlab-ci.yml`: "
            "what is pinned there stays until somebody changes it."
        )
    return (
        "Nothing in this repository updates them: Renovate would, whose manager `gitlabci` reads `image:` as it stands."
    )


def _with_renovate(sources: Iterable[str]) -> str:
    images = "Renovate updates `image:` and `services:` by itself"
    managers = [
        {
            "customType": "regex",
            "managerFilePatterns": ["/^\\.gitlab-ci\\.yml$/"],
            "matchStrings": [_CALLS[source]],
            "datasourceTemplate": source,
        }
        for source in sources
    ]
    if not managers:
        return f"{images}."
    told = json.dumps({"customManagers": managers}, separators=(", ", ": "))
    return f"{images}; what scripts install it sees only with this in its configuration: `{told}`"


def _sources(files: Mapping[str, str], table: Pins) -> list[str]:
    text = "\n".join(files.values())
    found = {tool.source for name, tool in table.tools.items() if _is_installed(name, tool, text)}
    return [source for source in _CALLS if source in found]


def _is_installed(name: str, tool: Tool, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?:==|@v?){re.escape(tool.version)}(?![\w.]*\d)", text) is not None
