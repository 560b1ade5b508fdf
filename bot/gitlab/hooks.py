"""Webhooks of projects and groups (docs.gitlab.com/api/project_webhooks, docs.gitlab.com/api/group_webhooks)."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bot.domain import ProjectRef
from bot.gitlab import answers, read
from bot.gitlab.answers import RefusedError
from bot.gitlab.transport import Transport
from bot.gitlab.values import Group, Hook, HookEvent, HookPlace, Project

_GUEST, _MAINTAINER = 10, 40
_PAGE = 100


class Hooks:
    """Webhooks, and the places one can put them in."""

    transport: Transport

    def find_group(self, path: str) -> Group | None:
        """Return a group by path or id; None where there is none for us."""
        try:
            json = self.transport.read_json("/groups/{group}", {"with_projects": False}, group=path)
        except RefusedError as refused:
            if refused.status == 404:
                return None
            raise
        return Group(id=json["id"], path=json["full_path"])

    def maintained_projects(self, group: Group | None = None) -> Iterator[ProjectRef]:
        """Yield the projects our account maintains, those of a group and its subgroups or all; no archived ones."""
        for row in self._projects(group, {"min_access_level": _MAINTAINER, "simple": True}):
            yield ProjectRef(id=row["id"], path=row["path_with_namespace"], web_url=row["web_url"])

    def joined_projects(self, group: Group | None = None) -> Iterator[Project]:
        """Yield the projects our account is a member of, with its role there; no archived ones."""
        return (read.project(row) for row in self._projects(group, {"min_access_level": _GUEST}))

    def _projects(self, group: Group | None, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
        query = {"archived": False, "order_by": "id", "sort": "asc", "per_page": _PAGE, **wanted}
        if group is None:
            return self._all("/projects", {**query, "membership": True, "pagination": "keyset"})
        return self._of_group(group, {**query, "include_subgroups": True, "with_shared": False})

    def _all(self, route: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Follow the links: a page's number leads no further than 50 000 rows (docs: api/rest, pagination)."""
        while True:
            response = self.transport.read(route, query)
            yield from answers.decoded(response, is_write=False)
            following = response.links.get("next")
            if following is None:
                return
            query = dict(parse_qsl(urlsplit(following["url"]).query))

    def _of_group(self, group: Group, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Go by the pages' numbers: a group's projects have no other way."""
        page = 1
        while True:
            rows = self.transport.read_json("/groups/{group}/projects", query | {"page": page}, group=group.id)
            yield from rows
            if len(rows) < _PAGE:
                return
            page += 1

    def hooks(self, place: str, kind: HookPlace = "projects") -> tuple[Hook, ...]:
        """Return the webhooks of a project, or of a group, given by path or id."""
        rows = self.transport.read_json(f"/{kind}/{{place}}/hooks", {"per_page": _PAGE}, place=place)
        return tuple(read.hook(row) for row in rows)

    def last_delivery(self, place: str, hook_id: int, kind: HookPlace = "projects") -> HookEvent | None:
        """Return a webhook's last delivery of the last days; None when there was none, or GitLab is before 17.3."""
        route = f"/{kind}/{{place}}/hooks/{{hook}}/events"
        try:
            rows = self.transport.read_json(route, {"per_page": 1}, place=place, hook=hook_id)
        except RefusedError as refused:
            if refused.status == 404:
                return None
            raise
        return read.hook_event(rows[0]) if rows else None

    def install_hook(
        self, place: str, url: str, *, secret: str | None, signing_token: str | None, kind: HookPlace = "projects"
    ) -> Hook:
        """Install the webhook with the events the bot needs, or mend the one with the same address."""
        body: dict[str, Any] = {"url": url, "push_events": False, **dict.fromkeys(read.HOOK_EVENTS, True)}
        body |= {key: value for key, value in (("token", secret), ("signing_token", signing_token)) if value}
        known = next((hook for hook in self.hooks(place, kind) if hook.url == url), None)
        if known is None:
            return read.hook(self.transport.write("post", f"/{kind}/{{place}}/hooks", body, place=place))
        route = f"/{kind}/{{place}}/hooks/{{hook}}"
        return read.hook(self.transport.write("put", route, body, place=place, hook=known.id))

    def remove_hook(self, place: str, hook_id: int, kind: HookPlace = "projects") -> None:
        """Remove a webhook."""
        self.transport.write("delete", f"/{kind}/{{place}}/hooks/{{hook}}", place=place, hook=hook_id)
