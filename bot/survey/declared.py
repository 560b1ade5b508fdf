"""What every unit says first: its language, manifest and lock file, and the version its files and other CI name."""

import re

from bot.domain import Evidence
from bot.survey import versions
from bot.survey.ended import ENDED, told
from bot.survey.facts import Facts
from bot.survey.other_ci.model import OtherCi
from bot.survey.parsing import string, strings, table
from bot.survey.tree import Folder

_MISE = ("mise.toml", ".mise.toml")


def opened(folder: Folder, manifest: str, language: str, manager: str, lock: str = "") -> Facts:
    """Return the facts of a new unit that its manifest and its lock file tell by being there."""
    facts = Facts()
    where = Evidence(path=folder.full(manifest))
    facts.add("language", language, f"there is a {manifest}", where)
    facts.add("manifest", folder.full(manifest), "it declares the project", where)
    facts.add("package_manager", manager, f"there is a {manifest}", where)
    if lock and folder.has(lock):
        facts.add("lockfile", folder.full(lock), "it pins every dependency", Evidence(path=folder.full(lock)))
    return facts


def pinned(folder: Folder, tool: str, *files: str) -> tuple[str, Evidence | None]:
    """Return the version that a version file names for a tool, its own files first, then asdf's and mise's."""
    for file in files:
        match = re.search(r"\d[\w.+-]*", folder.text(file))
        if match:
            return match.group(0), folder.evidence(file, match.group(0))
    match = re.search(rf"^{tool}\s+(\d[\w.+-]*)", folder.text(".tool-versions"), re.MULTILINE)
    if match:
        return match.group(1), folder.evidence(".tool-versions", match.group(0))
    for file in _MISE:
        value = table(folder.toml(file), "tools").get(tool)
        named = string(table(value).get("version")) or next(iter(strings(value)), "")
        if re.match(r"\d", named):
            return named, folder.evidence(file, named)
    return "", None


def add_version(
    facts: Facts,
    folder: Folder,
    language: str,
    ci: OtherCi,
    *,
    exact: tuple[str, Evidence | None] = ("", None),
    spec: tuple[str, Evidence | None] = ("", None),
) -> str:
    """Add `version` and `version_floor` from what pins it, the declared range and the versions other CI runs."""
    seen = [(version, where) for version, where in ci.versions(language) if re.match(r"v?\d", version)]
    matrix = [version for version, _ in seen]
    pin = versions.short(language, exact[0])
    version = (
        pin
        if pin in ENDED.get(language, {})
        else versions.choose(language, spec=spec[0], matrix=matrix, exact=exact[0])
    )
    candidates = [exact[1], spec[1], *[where for _, where in seen[:1]]]
    where = next((each for each in candidates if each), Evidence(path=facts.first("manifest")))
    reason, sure = told(language, version, _reason(exact[0], spec[0], seen), 1.0 if exact[0] else 0.9)
    facts.add("version", version, reason, where, confidence=sure)
    least = re.search(r"(?:>=|\^|~>|~)\s*v?(\d[\d.]*)", spec[0])
    if least and spec[1]:
        facts.add("version_floor", least.group(1).rstrip("."), "the manifest asks for at least this", spec[1])
    return version


def bounded(spec: str) -> str:
    """Rewrite the pessimistic `~> 1.2` of Ruby, Elixir and Terraform as bounds: `>=1.2,<2`."""

    def bounds(match: re.Match[str]) -> str:
        parts = match.group(1).split(".")
        kept = parts[:-1] or parts
        upper = [*kept[:-1], str(int(kept[-1]) + 1)]
        return f">={match.group(1)},<{'.'.join(upper)}"

    return re.sub(r"~>\s*(\d+(?:\.\d+)*)", bounds, spec)


def _reason(exact: str, spec: str, seen: list[tuple[str, Evidence]]) -> str:
    if exact:
        return f"the repository names {exact}"
    if seen:
        return "it is the newest supported one that other CI runs"
    return f"it is a supported one inside {spec}" if spec else "nothing names one, and it is a supported one"
