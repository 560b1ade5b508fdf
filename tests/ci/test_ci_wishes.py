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
