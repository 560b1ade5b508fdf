"""Who and where: people, roles, projects and what a note hangs on."""

import re
from collections.abc import Iterable
from enum import IntEnum
from typing import Literal

from msgspec import Struct

# What names of accounts are made of; any other letter beside one, as in Chinese, where no blank parts words, ends it.
NAME_LETTERS = "A-Za-z0-9_"


def mention_of(names: Iterable[str], *, not_after: str = "") -> str:
    """Return a pattern of what calls one of these accounts; `not_after` are more signs that make it none."""
    name = "|".join(re.escape(each) for each in names)
    before, behind = rf"{NAME_LETTERS}@./{re.escape(not_after)}-", rf"[{NAME_LETTERS}-]|[./][{NAME_LETTERS}]"
    return rf"(?<![{before}])@(?:{name})(?!{behind})"


class AccessLevel(IntEnum):
    """A person's role in a project (docs.gitlab.com/api/members)."""

    NONE = 0
    MINIMAL = 5
    GUEST = 10
    PLANNER = 15
    REPORTER = 20
    SECURITY_MANAGER = 25
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


class Person(Struct, frozen=True, kw_only=True):
    """An account of GitLab; nothing here says what it may do."""

    id: int
    username: str


class ProjectRef(Struct, frozen=True, kw_only=True):
    """Which project, as a webhook names it. `path` is `path_with_namespace`."""

    id: int
    path: str
    web_url: str = ""


NoteableKind = Literal["issue", "merge_request"]


class Noteable(Struct, frozen=True, kw_only=True):
    """What a note hangs on: an issue or a merge request, by its `iid`."""

    kind: NoteableKind
    iid: int
