"""Folders beside a unit that it takes parts from: a change there concerns it too."""

import posixpath
import re

from bot.survey.facts import Facts
from bot.survey.tree import Folder

_MANIFESTS = (
    r"package\.json|go\.mod|go\.work|Cargo\.toml|pyproject\.toml|Pipfile|requirements[\w.-]*\.txt|pom\.xml"
    r"|settings\.gradle(?:\.kts)?|composer\.json|pubspec\.yaml|mix\.exs|Gemfile|[\w.-]+\.(?:cs|fs|vb)proj"
)
_MOST = 200_000
# How manifests name a folder of the same repository; Windows' slashes in those of .NET.
_PATH = re.compile(
    r"(?:\b(?:file|link|portal|path):\s*[\"']?|\bpath\s*=\s*[\"']|=>\s*|(?m:^[ \t]*)(?:-e|--editable)\s+"
    r"|\bInclude=\"|<relativePath>\s*"
    r"|\"url\":\s*\"|\bfile\([\"'])(\.\.[\\/][\w.@\\/-]*|\.\.(?=[\s\"']))"
)


def add_beside(facts: Facts, folder: Folder) -> None:
    """Add beside: a pattern of `rules:changes` for each such folder or file; `*` is what lies at the very top."""
    for name in folder.names(_MANIFESTS):
        for found in _PATH.findall(folder.text(name)[:_MOST]):
            place = posixpath.normpath(posixpath.join(folder.root, found.replace("\\", "/")))
            pattern = "" if place.startswith("..") or _is_inside(folder.root, place) else _pattern(folder, place)
            facts.add("beside", pattern, "it is built with what lies there", folder.evidence(name, found))


def _is_inside(root: str, place: str) -> bool:
    return f"{place}/".startswith(f"{root}/")


def _pattern(folder: Folder, place: str) -> str:
    """Return what covers a place: below the top the whole folder, for a project file lies beside its sources."""
    if place == ".":
        return "*"
    if place in folder.tree.paths:
        return f"{posixpath.dirname(place)}/**/*" if "/" in place else place
    return f"{place}/**/*" if any(path.startswith(f"{place}/") for path in folder.tree.sorted_paths) else ""
