"""Who may do what, as GitLab sees it, and how it refuses."""

from bot.sandbox.state import Noteable, Project, User, now


class ApiError(Exception):
    """A refusal with GitLab's status and body."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def message(status: int, text: object) -> ApiError:
    """Return the usual form of a refusal."""
    return ApiError(status, {"message": text})


def level(project: Project, user: User) -> int:
    """Return an account's role, 0 for none; administrators may do in every project what its owners may.

    A membership that is over, or not accepted yet, gives none.
    """
    special = project.memberships.get(user.id, {})
    is_over = special.get("expires_at", "9999-12-31") <= now().date().isoformat()
    if user.state != "active":
        return 0
    if user.is_admin:
        return 50
    is_waiting = special.get("membership_state", "active") != "active"
    return 0 if is_over or is_waiting else project.members.get(user.id, 0)


def may_see(project: Project, user: User) -> bool:
    """Tell whether an account sees a project at all; internal ones are closed to external accounts."""
    is_open = project.visibility == "public" or (project.visibility == "internal" and not user.is_external)
    return is_open or level(project, user) >= 10


def may_see_noteable(of: Noteable, user: User) -> bool:
    """Tell whether an account that sees the project sees an issue or merge request of it.

    Confidential issues are for their author and Planners upwards; so are all merge requests of private projects.
    """
    is_closed = of.is_confidential or (of.kind == "merge_request" and of.project.visibility == "private")
    return not is_closed or of.author.id == user.id or level(of.project, user) >= 15


def may_merge(project: Project, user: User, branch: str) -> bool:
    """Tell whether an account may merge into a branch: of several rules that cover it, one is enough."""
    role, rules = level(project, user), project.rules_for(branch)
    if project.is_archived:
        return False
    if not rules:
        return role >= 30
    return any(user.id in rule.mergers or 0 < rule.merge <= role for rule in rules)


def may_push(project: Project, user: User, branch: str) -> bool:
    """Tell whether an account may push to a branch."""
    role, rules = level(project, user), project.rules_for(branch)
    if not rules:
        return role >= 30
    return any(0 < rule.push <= role for rule in rules)


def may_run(project: Project, user: User, branch: str) -> bool:
    """Tell whether an account may run and stop pipelines of a branch: on a protected one whoever may push or merge."""
    return may_push(project, user, branch) or may_merge(project, user, branch)


def may_read_code(project: Project, user: User) -> bool:
    """Tell whether an account sees files: in a private project from Reporter upwards."""
    is_open = project.visibility != "private" and may_see(project, user)
    return is_open or level(project, user) >= 20
