"""Accounts, tokens, members, and the rules of branches."""

from bot.sandbox.rest import shapes
from bot.sandbox.rest.call import Answer, Call, paged
from bot.sandbox.rights import level, message


def me(call: Call) -> Answer:
    """Show the account of the token; administrators are told that they are."""
    more = {"is_admin": True} if call.user.is_admin else {}
    return Answer(200, shapes.account(call.world, call.user) | more)


def application_settings(call: Call) -> Answer:
    """Show a few settings of the instance to administrators."""
    if not call.user.is_admin:
        raise message(403, "403 Forbidden")
    return Answer(200, {"admin_mode": False, "default_project_visibility": "private", "signup_enabled": False})


def version(call: Call) -> Answer:
    """Show GitLab's version."""
    known = {"version": call.world.version, "revision": "stand-in"}
    return Answer(200, {**known, "enterprise": call.world.tier is not None})


def own_token(call: Call) -> Answer:
    """Show the token in use, unless it is one of an application."""
    if call.token.is_oauth:
        raise message(400, "400 Bad request - This endpoint requires token type to be a personal access token")
    number = list(call.world.tokens).index(call.token.value) + 1
    return Answer(200, shapes.token(call.token, number))


def user(call: Call) -> Answer:
    """Show an account."""
    found = call.world.users.get(call.number("user"))
    if found is None:
        raise message(404, "404 User Not Found")
    seen_by_admins = {"is_admin": found.is_admin, "external": found.is_external} if call.user.is_admin else {}
    return Answer(200, {**shapes.account(call.world, found), **seen_by_admins})


def project(call: Call) -> Answer:
    """Show a project."""
    return Answer(200, shapes.project(call.world, call.project, call.user))


def member(call: Call) -> Answer:
    """Show a member; whoever is none is not found, not even an administrator."""
    found = call.world.users.get(call.number("user"))
    role = call.project.members.get(found.id, 0) if found else 0
    if found is None or not role:
        raise message(404, "404 Not found")
    return Answer(200, {**shapes.member(call.world, found, role), **call.project.memberships.get(found.id, {})})


def members(call: Call) -> Answer:
    """List the members."""
    rows = [(call.world.users[id_], role) for id_, role in call.project.members.items()]
    return paged(call, rows, lambda row: shapes.member(call.world, *row))


def protected_branch(call: Call) -> Answer:
    """Show the rule with just this name, which may be a wildcard."""
    _require_rules_shown(call)
    rule = call.project.protected.get(call.ids["branch"])
    if rule is None:
        raise message(404, "404 Not found")
    return Answer(200, shapes.protection(call.ids["branch"], rule))


def protected_branches(call: Call) -> Answer:
    """List the rules of protected branches, by name or wildcard."""
    _require_rules_shown(call)
    return paged(call, list(call.project.protected.items()), lambda row: shapes.protection(*row))


def _require_rules_shown(call: Call) -> None:
    if level(call.project, call.user) < 40:
        raise message(403, "403 Forbidden")
