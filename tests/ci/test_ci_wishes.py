"""What a person's words mean for the pipeline, read without a model."""

import pytest

from bot.ci.wishes import apply_wishes, read_wishes
from bot.domain import Wishes


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        pytest.param("generate a pipeline", Wishes(), id="nothing special"),
        pytest.param("use Python 3.12 please", Wishes(versions={"python": "3.12"}), id="version"),
        pytest.param("use python 3.12.4", Wishes(versions={"python": "3.12"}), id="patch level is dropped"),
        pytest.param("with node v22.1 and go 1.26", Wishes(versions={"node": "22", "go": "1.26"}), id="two versions"),
        pytest.param("jdk 17", Wishes(versions={"java": "17"}), id="jdk"),
        pytest.param("with postgres 16", Wishes(services=("postgres:16",)), id="service"),
        pytest.param(
            "add redis and mysql", Wishes(services=("mysql:8.4", "redis:8")), id="services by default version"
        ),
        pytest.param("tests without postgres", Wishes(), id="service not wanted"),
        pytest.param("without a Dockerfile", Wishes(dockerfile=False), id="no dockerfile"),
        pytest.param("no docker, please", Wishes(dockerfile=False), id="no docker"),
        pytest.param("and a Dockerfile", Wishes(dockerfile=True), id="dockerfile"),
        pytest.param("no lint", Wishes(without=("lint",)), id="no lint"),
        pytest.param("don’t need linting", Wishes(without=("lint",)), id="curly apostrophe"),
        pytest.param("only tests", Wishes(without=("lint",)), id="only tests"),
        pytest.param("run it nightly", Wishes(extras=("nightly",)), id="nightly"),
        pytest.param("with SAST", Wishes(extras=("sast",)), id="sast"),
        pytest.param("without security scans", Wishes(), id="no security"),
        pytest.param(
            "without lint, tests or a Dockerfile", Wishes(dockerfile=False, without=("lint", "test")), id="a list of no"
        ),
        pytest.param("no redis or postgres", Wishes(), id="neither service"),
        pytest.param("without docker and postgres, please", Wishes(dockerfile=False), id="without both"),
        pytest.param("Without Docker and postgres 16", Wishes(dockerfile=False, services=("postgres:16",)), id="one"),
        pytest.param(
            "without lint and test with postgres", Wishes(without=("lint",), services=("postgres:18",)), id="goes on"
        ),
        pytest.param("no docker and nightly", Wishes(dockerfile=False, extras=("nightly",)), id="no and yes"),
        pytest.param("no lint and a Dockerfile", Wishes(dockerfile=True, without=("lint",)), id="no lint, but docker"),
        pytest.param("we don't use redis", Wishes(), id="not used"),
        pytest.param("postgres 15 instead of mysql", Wishes(services=("postgres:15",)), id="instead"),
        pytest.param("don't build with docker", Wishes(dockerfile=False), id="not with docker"),
        pytest.param("not nightly", Wishes(), id="not nightly"),
        pytest.param("don't skip the tests", Wishes(), id="twice no"),
        pytest.param("do not forget a Dockerfile", Wishes(dockerfile=True), id="not forgotten"),
        pytest.param("java 1.8", Wishes(versions={"java": "8"}), id="java by its old number"),
        pytest.param("openjdk 21", Wishes(versions={"java": "21"}), id="openjdk"),
    ],
)
def test_words_become_wishes(words: str, wanted: Wishes) -> None:
    found = read_wishes(words)
    for name in ("versions", "services", "dockerfile", "without", "extras"):
        assert getattr(found, name) == getattr(wanted, name), name
    assert found.words == words


def test_a_wished_service_replaces_the_one_of_another_version(unit) -> None:
    before = unit("python", test="pytest", service=("postgres:14", "redis:8"))
    after = apply_wishes(before, Wishes(services=("postgres:16",)))
    assert after.all("service") == ("redis:8", "postgres:16")


def test_a_wished_version_says_that_it_was_asked_for(unit) -> None:
    after = apply_wishes(unit("python", version="3.13"), Wishes(versions={"python": "3.12"}))
    assert [(fact.value, fact.because) for fact in after.facts] == [("3.12", "you asked for it")]


def test_a_wish_for_another_language_changes_nothing(unit) -> None:
    before = unit("go", version="1.27")
    assert apply_wishes(before, Wishes(versions={"python": "3.12"})) == before
