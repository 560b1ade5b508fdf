"""What GitLab holds in the end, without what differs from run to run: ids, shas, times, names with numbers."""

import re
from typing import Any

import pygit2

from bot.sandbox.state import Award, Noteable, Project

Ending = dict[str, Any]

_LATE = re.compile(r"\n+[^\n]*no webhook told me of it.*?(?=\n\n|\s*<!--|\Z)", re.DOTALL)
_REPLACED = (
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<gitlab>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b|(?<=`)[0-9a-f]{8}(?=`)"), "<hash>"),  # some hold letters alone
    (re.compile(r"/(pipelines|jobs)/\d+"), r"/\1/<number>"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:s|seconds?|tokens?)\b"), "<amount>"),
    (re.compile(r"change repair-\d+"), "change repair-<number>"),
    (re.compile(r"\b(max|mia|rob|gina|sam)\d+\b"), r"\1"),
    (re.compile(r"`(?:mia|somebody)`(?= pushed to the draft after)"), "`<whoever pushed>`"),
    (re.compile(r"\bgroup\d+/"), "group/"),
)


def held(project: Project) -> Ending:
    return {
        "issues": [_noteable(one) for one in project.issues],
        "merge requests": [
            {
                **_noteable(one),
                "branches": (one.source_branch, one.target_branch),
                "approved by": sorted(plain(user.username) for user, _ in one.approvals),
                "is armed": one.auto_merge_by is not None,
            }
            for one in project.merge_requests
        ],
        "branches": _branches(project),
        "pipelines": sorted((run.ref, run.source, run.status) for run in project.pipelines),
    }


def _awards(awards: list[Award]) -> list[tuple[str, str]]:
    return sorted((award.name, plain(award.user.username)) for award in awards)


def _noteable(one: Noteable) -> Ending:
    return {
        "title": one.title,
        "state": one.state,
        "description": plain(one.description),
        "awards": _awards(one.awards),
        "notes": [
            (plain(note.author.username), plain(note.body), _awards(note.awards))
            for note in one.notes
            if not note.is_system
        ],
    }


def _branches(project: Project) -> Ending:
    repository = pygit2.Repository(str(project.git_dir))
    found = {}
    for name in repository.branches.local:
        head = repository.branches[name].peel(pygit2.Commit)
        commits = [plain(commit.message) for commit in repository.walk(head.id, pygit2.enums.SortMode.TOPOLOGICAL)]
        found[name] = {"commits": commits, "tree": str(head.tree.id)}
    return found


def plain(text: str) -> str:
    """Return a text without what differs from run to run."""
    text = _LATE.sub("", text)
    for pattern, by in _REPLACED:
        text = pattern.sub(by, text)
    return text.strip()


def differences(wanted: Any, found: Any, where: str = "") -> list[str]:
    """Return where two endings differ, one line each."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            line
            for key in sorted({*wanted, *found}, key=str)
            for line in differences(wanted.get(key), found.get(key), f"{where}/{key}")
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = enumerate(zip(wanted, found, strict=True))
        return [line for at, (one, other) in pairs for line in differences(one, other, f"{where}[{at}]")]
    return [] if wanted == found else [f"{where}: wanted {wanted!r}, found {found!r}"]
