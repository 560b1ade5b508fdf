"""Fills a world: accounts, tokens and projects with real commits."""

import secrets
from collections.abc import Mapping

from bot.sandbox import git_store
from bot.sandbox.state import Group, Hook, Project, Protection, Token, User, World

ALL_EVENTS = (
    "note_events",
    "confidential_note_events",
    "issues_events",
    "confidential_issues_events",
    "merge_requests_events",
    "pipeline_events",
    "emoji_events",
)


def add_user(world: World, username: str, name: str = "", *, is_bot: bool = False) -> User:
    """Add an account."""
    user = User(world.next_id(), username, name or username.capitalize(), is_bot=is_bot)
    world.users[user.id] = user
    return user


def add_token(world: World, user: User, *scopes: str, value: str | None = None) -> Token:
    """Add an access token, with the scope `api` unless others are named."""
    token = Token(value or "glpat-" + secrets.token_urlsafe(15), user, scopes or ("api",))
    world.tokens[token.value] = token
    return token


def add_project(
    world: World, path: str, files: Mapping[str, str], members: Mapping[User, int], *, visibility: str = "private"
) -> Project:
    """Add a project whose default branch `main` is protected as GitLab does it; without files it is empty."""
    number = world.next_id()
    project = Project(number, path, world.data_dir / f"{number}.git", visibility=visibility)
    project.members = {user.id: level for user, level in members.items()}
    project.protected["main"] = Protection()
    git_store.create(project.git_dir)
    world.projects[number] = project
    if not files:
        project.default_branch = None
        return project
    owner = next(iter(members))
    actions = [{"action": "create", "file_path": name, "content": text} for name, text in files.items()]
    git_store.commit(project.git_dir, branch="main", start=None, message="Initial commit", actions=actions, user=owner)
    return project


def add_group(world: World, path: str, members: Mapping[User, int]) -> Group:
    """Add a group; projects belong to it by their paths."""
    group = Group(world.next_id(), path, {user.id: level for user, level in members.items()})
    world.groups[group.id] = group
    return group


def add_history(project: Project, user: User, *, tag: str, commits: int) -> None:
    """Tag the head of the default branch, and add commits after it, one line of a diary each."""
    branch = project.default_branch or "main"
    head = git_store.head(project.git_dir, branch)
    assert head is not None  # a project with files has a head
    git_store.create_tag(project.git_dir, tag, head, user)
    for number in range(1, commits + 1):
        text = "".join(f"Day {day}\n" for day in range(1, number + 1))
        action = {"action": "create" if number == 1 else "update", "file_path": "DIARY.txt", "content": text}
        head = git_store.commit(
            project.git_dir, branch=branch, start=head, message=f"Day {number}", actions=[action], user=user
        )


def add_hook(world: World, project: Project, url: str, *, token: str | None = None, signing: str | None = None) -> Hook:
    """Add a webhook that tells of everything the bot listens to."""
    hook = Hook(world.next_id(), url, token, signing, dict.fromkeys(ALL_EVENTS, True))
    project.hooks.append(hook)
    return hook
