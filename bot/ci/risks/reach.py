"""How far a pipeline reaches: files of others, other projects, and tokens that other servers accept."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.ci.checks.document import Document
from bot.ci.risks.trust import Trust
from bot.ci.risks.words import shown
from bot.domain import Included, Risk


def include_risks(includes: Sequence[Included], trust: Trust) -> Iterator[Risk]:
    """Yield a risk for each file that somebody else can change."""
    for one in dict.fromkeys(includes):
        if _is_wanted(one, trust):
            continue
        if one.kind == "remote":
            message = (
                f"{shown(one.location)} is a file of another server, which may change what the jobs run at any time"
            )
            yield Risk(kind="remote_includes", what=one.location, message=message)
        elif one.kind in ("file", "component") and not trust.has_project(_project_of(one)):
            what = f"{one.project}:{one.location}" if one.project else one.location
            message = (
                f"{shown(what)} is a file of a project outside this group, whose members may change what the jobs run"
            )
            yield Risk(kind="foreign_includes", what=what, message=message)


def _is_wanted(one: Included, trust: Trust) -> bool:
    """A template of the house names this file, and the project it is from."""
    named = trust.is_wanted(one.location) or (one.kind == "file" and trust.is_wanted(f"/{one.location}"))
    return named and (not one.project or trust.is_wanted(one.project))


def _project_of(one: Included) -> str:
    """A component is named by host, project, name and version: `$CI_SERVER_FQDN/group/project/name@1.0`."""
    if one.kind == "file":
        return one.project
    path = one.location.partition("@")[0].partition("/")[2]
    return path.rpartition("/")[0] or path


def source_includes(document: Document) -> tuple[Included, ...]:
    """Return what a file itself includes; a remote file that is pinned by its hash cannot change."""
    value = document.data.get("include")
    return tuple(found for entry in _listed(value) for found in _included(entry))


def _included(entry: Any) -> Iterator[Included]:
    if isinstance(entry, str):
        yield Included(kind="remote" if entry.startswith(("http://", "https://")) else "local", location=entry)
    elif isinstance(entry, dict) and "remote" in entry:
        if "integrity" not in entry:
            yield Included(kind="remote", location=str(entry["remote"]))
    elif isinstance(entry, dict) and "project" in entry:
        for name in _listed(entry.get("file")):
            yield Included(kind="file", location=str(name).lstrip("/"), project=str(entry["project"]))
    elif isinstance(entry, dict) and "component" in entry:
        yield Included(kind="component", location=str(entry["component"]))


def pinned_includes(document: Document) -> set[str]:
    """Return the addresses of remote files that are pinned by their hash."""
    entries = _listed(document.data.get("include"))
    return {str(one.get("remote")) for one in entries if isinstance(one, dict) and "integrity" in one}


def reach_risks(body: Mapping[str, Any], trust: Trust) -> Iterator[Risk]:
    """Yield what a job starts in or takes from other projects, and the tokens it can show elsewhere."""
    trigger = body.get("trigger")
    if isinstance(trigger, dict):
        yield from include_risks(
            [found for each in _listed(trigger.get("include")) for found in _included(each)], trust
        )
    project = trigger.get("project") if isinstance(trigger, dict) else trigger
    if (
        isinstance(project, str)
        and project.strip("/").lower() != trust.project.lower()
        and not _is_named(project, trust)
    ):
        yield Risk(kind="foreign_triggers", what=project, message=f"it starts a pipeline in {shown(project)}")
    for need in _listed(body.get("needs")):
        source = need.get("project") if isinstance(need, dict) else None
        if (
            isinstance(source, str)
            and source.strip("/").lower() != trust.project.lower()
            and not _is_named(source, trust)
        ):
            yield Risk(kind="foreign_triggers", what=source, message=f"it takes artifacts of jobs of {shown(source)}")
    tokens = body.get("id_tokens")
    for name, token in tokens.items() if isinstance(tokens, dict) else ():
        audience = ", ".join(map(str, _listed(token.get("aud") if isinstance(token, dict) else None))) or "anybody"
        message = f"the token {shown(name)} lets it sign in as this project at {shown(audience)}"
        yield Risk(kind="id_tokens", what=f"{name} for {audience}", message=message)


def _is_named(project: str, trust: Trust) -> bool:
    """A start elsewhere has effects there, so that the same group is not enough: it must be named as trusted."""
    named = {one.strip("/").lower() for one in trust.projects}
    return project.strip("/").lower() in named


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
