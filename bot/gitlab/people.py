"""Who somebody is and what they may do, asked of GitLab each time."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bot.domain import AccessLevel
from bot.gitlab import answers, read
from bot.gitlab.answers import RefusedError
from bot.gitlab.transport import Transport
from bot.gitlab.values import Account, OwnToken, Release

_BOT_NAME = re.compile(r"^(?:project|group)_\d+_bot(?:_[0-9a-f]+)?$|^service_account_")

# Two thousand rules: no project has as many, and nobody shall make us read for ever.
_MOST_PAGES = 20


class People:
    """Accounts, roles and the rules of protected branches."""

    transport: Transport

    def me(self) -> Account:
        """Return the account the token belongs to."""
        json = self.transport.read_json("/user")
        page = str(json.get("web_url") or "")
        return Account(
            id=json["id"],
            username=json["username"],
            is_bot=bool(json.get("bot")),
            is_admin=bool(json.get("is_admin")),
            instance_url=page.removesuffix(f"/{json['username']}"),
        )

    def version(self) -> str:
        """Return GitLab's version."""
        return self.release().version

    def release(self) -> Release:
        """Return GitLab's version and what its clock says; raises SilenceError for an answer that is not GitLab's."""
        response = self.transport.read("/version")
        json = answers.decoded(response, is_write=False)
        if not isinstance(json, dict) or not isinstance(json.get("version"), str):
            raise answers.SilenceError("an answer without a version", "no GitLab")
        return Release(version=json["version"], ahead_seconds=_ahead(response.headers.get("Date", "")))

    def token_scopes(self) -> tuple[str, ...]:
        """Return what the token may be used for."""
        try:
            return self.own_token().scopes
        except RefusedError as refused:
            if refused.status != 400:  # that is what tokens of applications are told there
                raise
        return tuple(self.transport.read_json(f"{self.transport.url}/oauth/token/info").get("scope", ()))

    def acts_as_administrator(self) -> bool:
        """Tell whether GitLab lets our account see everything: with its admin mode, not every token of one may."""
        try:
            self.transport.read_json("/application/settings")
        except RefusedError:
            return False
        return True

    def own_token(self) -> OwnToken:
        """Return what GitLab says of the token in use."""
        return read.own_token(self.transport.read_json("/personal_access_tokens/self"))

    def access_level(self, project_id: int, user_id: int) -> AccessLevel:
        """Return a person's role; NONE for whoever is no active member now.

        `members/all` gives the highest of direct, inherited and shared roles.
        """
        try:
            json = self.transport.read_json("/projects/{project}/members/all/{user}", project=project_id, user=user_id)
        except RefusedError as refused:
            if refused.status == 404:
                return AccessLevel.NONE
            raise
        if json.get("state", "active") != "active" or json.get("membership_state", "active") != "active":
            return AccessLevel.NONE
        expires = json.get("expires_at")
        if expires and datetime.fromisoformat(expires).date() <= datetime.now(UTC).date():
            return AccessLevel.NONE
        return _level(int(json["access_level"]))

    def is_bot(self, user_id: int) -> bool:
        """Tell whether an account is a bot's."""
        json = self.transport.read_json("/users/{user}", user=user_id)
        return bool(json.get("bot")) or bool(_BOT_NAME.match(json["username"]))

    def is_external(self, user_id: int) -> bool:
        """Tell whether an account is marked as external; GitLab says so to administrators only."""
        return bool(self.transport.read_json("/users/{user}", user=user_id).get("external"))

    def may_merge(self, project_id: int, user_id: int, branch: str) -> bool:
        """Tell whether a person may merge into a branch, by the branch's protection rule."""
        level = self.access_level(project_id, user_id)
        if level < AccessLevel.DEVELOPER:
            return False
        try:
            rules = self._rules_for(project_id, branch)
        except RefusedError as refused:
            if refused.status == 403:  # the rules are not shown to us: the strictest usual one
                return level >= AccessLevel.MAINTAINER
            raise
        if not rules:
            return self._may_merge_without_rule(project_id, branch, level)
        entries = (entry for rule in rules for entry in rule.get("merge_access_levels", ()))
        return any(_allows(entry, user_id, level) for entry in entries)

    def _rules_for(self, project_id: int, branch: str) -> list[dict[str, Any]]:
        """Return every rule that covers a branch; GitLab lets somebody merge whom one of them lets."""
        route = "/projects/{project}/protected_branches"
        rows = self.transport.read_rows(route, most_pages=_MOST_PAGES, project=project_id)
        return [rule for rule in rows if _covers(str(rule["name"]), branch)]

    def _may_merge_without_rule(self, project_id: int, branch: str, level: AccessLevel) -> bool:
        """A group's rule may not be among the project's; the branch itself says whether it is protected."""
        json = self.transport.read_json(
            "/projects/{project}/repository/branches/{branch}", project=project_id, branch=branch
        )
        if json.get("protected") and not json.get("developers_can_merge"):
            return level >= AccessLevel.MAINTAINER
        return level >= AccessLevel.DEVELOPER


def _ahead(date: str) -> float | None:
    """Return how far a clock that says so is before ours (RFC 9110: whole seconds)."""
    try:
        return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None


def _covers(name: str, branch: str) -> bool:
    """A star in a rule's name stands for anything, slashes too (RefMatcher in GitLab's source)."""
    return re.fullmatch(".*".join(map(re.escape, name.split("*"))), branch, re.DOTALL) is not None


def _allows(entry: dict[str, object], user_id: int, level: AccessLevel) -> bool:
    """A rule names a user, a group (which we cannot look into, so it allows nobody) or a role; 0 is "no one"."""
    if entry.get("user_id") is not None:
        return entry["user_id"] == user_id
    if entry.get("group_id") is not None or entry.get("deploy_key_id") is not None:
        return False
    needed = entry.get("access_level")
    return isinstance(needed, int) and needed > 0 and level >= needed


def _level(value: int) -> AccessLevel:
    """A role newer than this program counts as the next lower one known."""
    return max(level for level in AccessLevel if level <= value)
