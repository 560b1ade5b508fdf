"""Stories of an organisation with templates of its own in GitLab, and of an index that is away."""

import socket
from collections.abc import Iterator

import pytest
import yaml
from psycopg_pool import ConnectionPool

from bot.domain import UnreachableError
from bot.library.templates import Templates
from bot.parts import open_library
from bot.sandbox import seed
from bot.store.pool import Pool
from tests.stories.conftest import open_town
from tests.world.town import PYTHON, Story, Town

PATH = "platform/ci-templates"
METADATA = "name: {name}\ndescription: {name} as we do it\napplies_to: {{ecosystem: [{ecosystem}]}}\n"
JOBS = "{{ job('house-test') }}:\n  stage: test\n  image: python:3.13-slim\n  tags: [acme]\n  script:\n    - %s\n"
GO = {"go.mod": "module example.com/x\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"}


@pytest.fixture(scope="module")
def house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A bot that is told of a project with templates, before there is one."""
    with open_town(postgres, tmp_path_factory.mktemp("house"), "house", templates_project=PATH) as opened:
        yield opened


@pytest.fixture(scope="module")
def shelf(house: Town) -> Story:
    """The project of templates, whose default branch the stories push to."""
    files = {
        "README.md": "Our templates.\n",
        "templates/our-python/template.yml": METADATA.format(name="our-python", ecosystem="python"),
        "templates/our-python/jobs.yml.j2": JOBS % "make one",
    }
    return house.story(files, path=PATH)


def push(shelf: Story, path: str, text: str) -> str:
    return shelf.push("main", path, text, by=shelf.maintainer)


def test_before_there_is_such_a_project_the_shipped_templates_serve(house: Town) -> None:
    story = house.story(PYTHON)
    assert "pytest" in story.file(".gitlab-ci.yml", story.drafted().source_branch)


def test_the_templates_of_the_organisation_win_and_are_cited_with_their_commit(house: Town, shelf: Story) -> None:
    story = house.story(PYTHON)
    description = story.drafted().description
    assert yaml.safe_load(story.file(".gitlab-ci.yml"))["house-test"]["script"] == ["make one"]
    assert f"of `{PATH}@{shelf.head('main')[:8]}`" in description
    assert f"{PATH}@{shelf.head('main')[:8]}" in story.answer(story.project.issues[0])


def test_the_next_commit_is_seen_by_the_next_order(house: Town, shelf: Story) -> None:
    sha = push(shelf, "templates/our-python/jobs.yml.j2", JOBS % "make two")
    story = house.story(PYTHON)
    assert f"{PATH}@{sha[:8]}" in story.drafted().description
    assert yaml.safe_load(story.file(".gitlab-ci.yml"))["house-test"]["script"] == ["make two"]


def test_another_branch_of_it_changes_nothing(house: Town, shelf: Story) -> None:
    before = shelf.head("main")
    with shelf.world.lock:
        from bot.sandbox import git_store

        git_store.create_branch(shelf.project.git_dir, "poison", before)
    shelf.push("poison", "templates/our-python/jobs.yml.j2", JOBS % "curl http://evil.example", by=shelf.developer)
    story = house.story(PYTHON)
    assert f"{PATH}@{before[:8]}" in story.drafted().description
    assert "evil" not in story.file(".gitlab-ci.yml")


def test_conventions_of_its_templates_are_followed_where_a_shipped_one_writes(house: Town, shelf: Story) -> None:
    assert shelf.head("main")
    story = house.story(GO)
    description = story.drafted().description
    assert yaml.safe_load(story.file(".gitlab-ci.yml"))["default"]["tags"] == ["acme"]
    assert "tags [acme], seen in 1 of 1 pipeline of the organisation's templates" in description


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param("template.yml", "name: [", id="no metadata"),
        pytest.param("jobs.yml.j2", "{% if %}", id="no Jinja"),
        pytest.param("jobs.yml.j2", "{{ unknown }}:\n  script: [x]\n", id="it does not render"),
        pytest.param("jobs.yml.j2", "a: [", id="it writes no YAML"),
        pytest.param("jobs.yml.j2", "a:\n  scripts: [x]\n", id="its jobs are invalid"),
    ],
)
def test_a_broken_template_is_left_out_and_the_shipped_one_serves(
    house: Town, shelf: Story, file: str, text: str
) -> None:
    path = f"templates/our-python/{file}"
    whole = shelf.file(path, "main")
    push(shelf, path, text)
    try:
        story = house.story(PYTHON)
        assert "pytest" in story.file(".gitlab-ci.yml", story.drafted().source_branch)
    finally:
        push(shelf, path, whole)


def test_a_project_that_cannot_be_read_any_more_serves_as_it_was_last_read(house: Town, shelf: Story) -> None:
    services = house.parts.services
    services.templates.refresh()
    head = shelf.head("main")
    with shelf.world.lock:
        level = shelf.project.members.pop(house.bot.id)
    try:
        story = house.story(PYTHON)
        assert f"{PATH}@{head[:8]}" in story.drafted().description
        knowledge = services.templates._knowledge
        restarted = Templates(services.settings, services.gitlab, services.pool, knowledge)
        restarted.refresh()
        assert restarted.catalog.find("our-python") is not None
    finally:
        with shelf.world.lock:
            shelf.project.members[house.bot.id] = level


def test_a_postgresql_that_goes_while_the_library_is_opened_is_told_in_words(house: Town) -> None:
    services = house.parts.services
    dead: Pool = ConnectionPool("host=127.0.0.1 port=1 user=x dbname=x", timeout=0.2, open=False, min_size=1)
    dead.open(wait=False)
    try:
        with pytest.raises(UnreachableError, match="PostgreSQL"):
            open_library(services.settings, services.gitlab, dead)
    finally:
        dead.close(timeout=1)


def test_too_many_and_too_large_files_are_left_out(house: Town, shelf: Story) -> None:
    push(shelf, "templates/our-python/large.j2", "x" * 200_000)
    catalog = house.parts.services.templates.refresh()
    found = catalog.find("our-python")
    assert found is not None
    assert set(found.fragments) == {"template.yml", "jobs.yml.j2"}


def test_folders_at_the_top_of_the_project_are_templates_too(house: Town) -> None:
    from bot.library.project import read_templates

    files = {"go/template.yml": METADATA.format(name="go", ecosystem="go"), ".hidden/x": "", "docs/a/b.md": "x"}
    with house.sandbox.world.lock:
        seed.add_project(house.sandbox.world, "flat/templates", files, {house.bot: 40})
    read = read_templates(house.parts.services.gitlab, "flat/templates", None)
    assert set(read.texts) == {"go/template.yml"}
    assert read_templates(house.parts.services.gitlab, "flat/templates", read) is read


def test_an_index_that_is_away_stops_neither_the_start_nor_an_order(
    postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with open_town(postgres, tmp_path_factory.mktemp("away"), "away", chroma_url=url) as town:
            story = town.story(PYTHON, path="lone/app")
            request = story.drafted()
            story.react(request)
            story.settle()
            assert request.state == "merged"
            following = town.story(PYTHON, path="lone/next")
            assert "pytest" in following.file(".gitlab-ci.yml", following.drafted().source_branch)
