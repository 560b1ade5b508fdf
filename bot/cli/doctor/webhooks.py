"""The webhooks as GitLab has them, and the role of the bot's account in the projects."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from bot.cli.doctor.diagnosis import Diagnosis, ill, lacking
from bot.cli.hooks import PATH, path_of
from bot.cli.installer import kind_of
from bot.domain import CannotError, UnreachableError

if TYPE_CHECKING:
    from bot.gitlab.client import GitLab
    from bot.gitlab.values import Hook, HookPlace, Project
    from bot.settings import Settings

_MAINTAINER = 40
_ROLES = {0: "none", 5: "Minimal access", 10: "Guest", 15: "Planner", 20: "Reporter", 30: "Developer"}
_MOST_PROJECTS, _MOST_OF_GROUP = 30, 100
_MOST_NAMED = 3


@dataclass(frozen=True)
class _Place:
    path: str
    level: int


def look(gitlab: "GitLab", settings: "Settings", places: tuple[str, ...]) -> Iterator[Diagnosis]:
    """Look at the webhooks and roles, here or in the first projects of the account; alike findings are one line."""
    if settings.webhooks == "off":
        yield Diagnosis("webhook", True, "off: GitLab is only looked at")
        return
    found: dict[tuple[str, str, bool], list[str]] = defaultdict(list)
    unseen: list[str] = []
    try:
        looked_at = [*_places(gitlab, settings, places, unseen)] if places else _first(gitlab)
        hooks = _Hooks(gitlab, settings)
        for place in looked_at:
            says, mend, needed = _role(place) or hooks.judged(place.path)
            found[says, mend, needed].append(place.path)
    except (CannotError, UnreachableError) as error:
        yield ill("webhook", str(error), "Name projects or groups that the bot's account may see.")
        return
    yield from (ill("webhook", why, "Name projects or groups that the bot's account may see.") for why in unseen)
    if not looked_at and not unseen:
        mend = "Make it a member of a project or group with the role Maintainer."
        yield lacking("webhook", "the bot's account is a member of no project", mend)
    for (says, mend, needed), paths in found.items():
        is_well = not mend
        yield Diagnosis("webhook", is_well, f"{_named(paths)}: {says}", mend.replace("PLACE", paths[0]), needed)


def _named(paths: list[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(paths[:_MOST_NAMED]) + more


def _places(gitlab: "GitLab", settings: "Settings", places: Iterable[str], unseen: list[str]) -> Iterator[_Place]:
    """Yield the projects of each place; what is said of one that nobody sees is kept for the others to go on."""
    for place in places:
        try:
            path = path_of(place, settings.gitlab_url)
            _, group = kind_of(gitlab, path)
        except CannotError as error:
            unseen.append(str(error))
            continue
        if group is None:
            yield _place(gitlab, gitlab.find_project(path))
        else:
            yield from (_place(gitlab, each) for each in islice(gitlab.joined_projects(group), _MOST_OF_GROUP))


def _first(gitlab: "GitLab") -> list[_Place]:
    return [_place(gitlab, each) for each in islice(gitlab.joined_projects(), _MOST_PROJECTS)]


def _place(gitlab: "GitLab", project: "Project") -> _Place:
    """A role by the share of a group is told among the members only."""
    level = project.own_level
    return _Place(project.path, int(gitlab.access_level(project.id, gitlab.me().id)) if level is None else level)


def _role(place: _Place) -> tuple[str, str, bool] | None:
    if place.level >= _MAINTAINER:
        return None
    has = _ROLES.get(place.level, f"one with the level {place.level}")
    says = f"the bot's account has not the role Maintainer there, but {has}"
    mend = "Give it that role, in the project's or its group's Members: it cannot merge, nor install its webhook."
    return says, mend, True


class _Hooks:
    """Judges the webhooks that hear of a project: its own, or those of the groups above."""

    def __init__(self, gitlab: "GitLab", settings: "Settings") -> None:
        self._gitlab, self._settings = gitlab, settings
        self._target = settings.public_url + PATH if settings.public_url else None
        self._of_groups: dict[str, tuple[Hook, ...]] = {}

    def judged(self, path: str) -> tuple[str, str, bool]:
        """Return what is said, how it is mended (empty when well), and whether the bot cannot work like this."""
        places: list[tuple[str, HookPlace]] = [(path, "projects")]
        parts = path.split("/")[:-1]
        places += [("/".join(parts[:number]), "groups") for number in range(len(parts), 0, -1)]
        elsewhere = None
        for place, kind in places:
            hooks = self._hooks(place, kind)
            ours = next((hook for hook in hooks if self._is_ours(hook)), None)
            if ours is not None:
                return self._of(place, kind, ours)
            elsewhere = elsewhere or next((hook for hook in hooks if hook.url.endswith(PATH)), None)
        if elsewhere is not None:
            says = f"its webhook calls {elsewhere.url}, but PIPEWRIGHT_PUBLIC_URL is {self._settings.public_url}"
            mend = f"`pipewright hooks install PLACE`, and `pipewright hooks remove PLACE --url {elsewhere.url}`"
            return says, mend, True
        return "no webhook calls this program", "`pipewright hooks install PLACE`", False

    def _hooks(self, place: str, kind: "HookPlace") -> "tuple[Hook, ...]":
        if kind == "projects":
            return self._gitlab.hooks(place)
        if place not in self._of_groups:
            try:
                self._of_groups[place] = self._gitlab.hooks(place, kind)
            except CannotError:  # a paid feature, for Owners
                self._of_groups[place] = ()
        return self._of_groups[place]

    def _is_ours(self, hook: "Hook") -> bool:
        return hook.url == self._target if self._target else hook.url.endswith(PATH)

    def _of(self, place: str, kind: "HookPlace", hook: "Hook") -> tuple[str, str, bool]:
        from bot.gitlab.read import HOOK_EVENTS

        where = "" if kind == "projects" else f" (of the group {place})"
        install = f"`pipewright hooks install {place if kind == 'groups' else 'PLACE'}`"
        missing = [name for name in HOOK_EVENTS if name not in hook.events]
        if missing:
            return f"its webhook{where} lacks {', '.join(missing)}", install, True
        if not self._settings.webhook_secret and not hook.has_signing_token:
            return f"its webhook{where} does not sign, and no secret is set", f"Set a secret, then {install}", True
        failure = self._failure(place, kind, hook)
        if hook.alert_status != "executable":
            says = f"GitLab has switched its webhook{where} off ({hook.alert_status})"
            why, mend = failure or ("deliveries failed", "Mend what failed")
            return f"{says}: {why}", f"{mend}; then Settings › Webhooks › Test there enables it again", True
        if failure:
            why, mend = failure
            return f"its webhook{where} fails: {why}", mend, True
        return f"its webhook{where} is well", "", True

    def _failure(self, place: str, kind: "HookPlace", hook: "Hook") -> tuple[str, str] | None:
        """Return what became of the last delivery and the mend, None when it went well or nobody knows."""
        last = self._gitlab.last_delivery(place, hook.id, kind)
        if last is None or last.status.startswith("2"):
            return None
        if last.status == "401":
            return "the bot does not accept its secret (401)", "`pipewright hooks refresh`, once the bot runs"
        if not last.status.isdigit():
            mend = (
                f"Let GitLab's machine reach {hook.url}. For an address in a local network an administrator allows it "
                "under Admin › Settings › Network › Outbound requests"
            )
            return f"GitLab reaches nobody at {hook.url} ({last.status})", mend
        if last.status.startswith("5"):
            return f"the answer was {last.status}", "Look at PIPEWRIGHT_PUBLIC_URL + /health/ready and the bot's log"
        return f"the answer was {last.status}", f"Something else answers at {hook.url}: check PIPEWRIGHT_PUBLIC_URL"
