"""Large groups and accounts with many projects are read to the end, page by page."""

from collections.abc import Iterator

import pytest

from bot.gitlab.client import GitLab
from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Project

COUNT = 10_050


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, GitLab]]:
    """A group with ten thousand projects and fifty, half of them five groups down, all of one repository."""
    sandbox = Sandbox(tmp_path_factory.mktemp("large")).start()
    world = sandbox.world
    bot = seed.add_user(world, "pipewright", is_bot=True)
    first = seed.add_project(world, "big/first", {"README.md": "x\n"}, {bot: 40})
    seed.add_group(world, "big", {bot: 40})
    for number in range(100_000, 100_000 + COUNT - 1):
        path = f"big/a/b/c/d/e/p{number}" if number % 2 else f"big/p{number}"
        project = Project(number, path, first.git_dir)
        project.members = {bot.id: 40 if number % 10 else 30}
        world.projects[number] = project
    yield sandbox, GitLab(sandbox.url, seed.add_token(world, bot).value)
    sandbox.stop()


def test_a_group_of_ten_thousand_projects_is_read_whole(large: tuple[Sandbox, GitLab]) -> None:
    sandbox, gitlab = large
    group = gitlab.find_group("big")
    before = len(sandbox.calls)
    paths = [project.path for project in gitlab.maintained_projects(group)]
    assert len(set(paths)) == len(paths) == COUNT - (COUNT - 1 + 9) // 10
    assert "big/a/b/c/d/e/p100001" in paths
    assert len(sandbox.calls) - before <= COUNT // 100 + 1


def test_all_projects_of_an_account_are_read_by_keyset(large: tuple[Sandbox, GitLab]) -> None:
    sandbox, gitlab = large
    before = len(sandbox.calls)
    found = [project.id for project in gitlab.maintained_projects()]
    assert found == sorted(set(found))
    assert len(found) == COUNT - (COUNT - 1 + 9) // 10
    assert len(sandbox.calls) - before <= COUNT // 100 + 1


def test_only_as_much_is_read_as_is_wanted(large: tuple[Sandbox, GitLab]) -> None:
    sandbox, gitlab = large
    before = len(sandbox.calls)
    found = gitlab.maintained_projects()
    assert next(found).path == "big/first"
    assert len(sandbox.calls) - before == 1
