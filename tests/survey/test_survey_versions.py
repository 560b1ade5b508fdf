"""Ranges, and the version that is chosen inside them."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Unit
from bot.survey.ended import is_ended_service
from bot.survey.versions import allows, choose, floor


@pytest.mark.parametrize(
    ("spec", "version", "allowed"),
    [
        (">=3.9", "3.13", True),
        (">=3.9,<3.13", "3.13", False),
        (">=3.9,<4", "3.14", True),
        ("<=3.12", "3.12", True),
        ("!=3.12.1", "3.12", True),
        ("!=3.12.*", "3.12", False),
        ("~=3.11", "3.13", True),
        ("==3.12.*", "3.12", True),
        ("^22.13.0 || >=24", "23", False),
        ("^22.13.0 || >=24", "24", True),
        (">= 20", "22", True),
        ("18 - 22", "22", True),
        ("18 - 22", "24", False),
        ("22.x", "22", True),
        ("*", "24", True),
        ("nonsense", "24", True),
    ],
)
def test_ranges(spec: str, version: str, allowed: bool) -> None:
    assert allows(spec, version) is allowed


@pytest.mark.parametrize(
    ("language", "options", "version"),
    [
        pytest.param("python", {"matrix": ["3.9", "3.12"]}, "3.12", id="the newest of the matrix"),
        pytest.param("python", {"matrix": ["3.7", "3.8"]}, "3.11", id="the nearest supported of an old matrix"),
        pytest.param("python", {"matrix": ["3.14"], "spec": "<3.14"}, "3.13", id="the range beats the matrix"),
        pytest.param("python", {"exact": "3.12.3", "matrix": ["3.14"]}, "3.12", id="a version file beats all"),
        pytest.param("node", {"matrix": ["latest", "16.x"]}, "22", id="an old major"),
        pytest.param("node", {"matrix": ["18", "20"]}, "20", id="nothing newer was ever tested"),
        pytest.param("node", {"matrix": ["20", "22"]}, "22", id="a supported one was tested too"),
        pytest.param("node", {"spec": "12.x"}, "12", id="an ended one that alone is allowed"),
        pytest.param("python", {"spec": ">=3.6,<3.9", "matrix": ["3.7"]}, "3.7", id="ended, but tested"),
        pytest.param("python", {"exact": "3.10.4"}, "3.10", id="a version file that ended lately"),
        pytest.param("python", {"exact": "3.6.4"}, "3.11", id="a version file nobody followed up"),
        pytest.param("go", {"matrix": ["1.13"]}, "1.27", id="Go keeps its promises"),
        pytest.param("python", {}, "3.13", id="the default"),
    ],
)
def test_choice(language: str, options: dict[str, object], version: str) -> None:
    assert choose(language, **options) == version  # type: ignore[arg-type]


@pytest.mark.parametrize(("spec", "least"), [(">=3.9,<4", "3.9"), ("^22 || ^24", "22"), ("<4", ""), ("", "")])
def test_floor(spec: str, least: str) -> None:
    assert floor(spec) == least


@pytest.mark.parametrize(
    ("image", "ended"),
    [
        ("postgres:9.6.2", True),
        ("postgres:14-alpine", True),
        ("postgres:15", False),
        ("docker.io/mysql:8.0", True),
        ("mysql:8.4", False),
        ("redis:8", False),
        ("postgres", False),
        ("some/app:1.0", False),
    ],
)
def test_services_without_support(image: str, ended: bool) -> None:
    assert is_ended_service(image) is ended


@pytest.mark.parametrize(
    ("files", "version", "says"),
    [
        pytest.param(
            {"package.json": '{"scripts": {"test": "mocha"}, "engines": {"node": "16.x"}}'},
            "16",
            "it has had no fixes since 2023-09-11",
            id="demanded by the engines",
        ),
        pytest.param(
            {"requirements.txt": "flask\n", ".python-version": "3.10.4\n"},
            "3.10",
            "it has had no fixes since 2026-10-31",
            id="demanded by a version file",
        ),
        pytest.param(
            {"a.csproj": '<Project Sdk="Microsoft.NET.Sdk"><TargetFramework>netcoreapp3.1</TargetFramework></Project>'},
            "3.1",
            "it has had no fixes since 2022-12-13",
            id="demanded by the framework that a program runs on",
        ),
        pytest.param(
            {"Pipfile": '[packages]\nflask = "*"\n[requires]\npython_version = "3.7"\n', "test_a.py": ""},
            "3.7",
            "it has had no fixes since 2023-06-27",
            id="demanded by pipenv, which installs under no other",
        ),
    ],
)
def test_a_version_past_its_end_is_called_out(
    unit_of: Callable[[Mapping[str, str]], Unit], files: dict[str, str], version: str, says: str
) -> None:
    fact = next(fact for fact in unit_of(files).facts if fact.name == "version")
    assert (fact.value, says in fact.because, fact.confidence < 0.7) == (version, True, True)


def test_an_old_python_takes_the_tools_it_can_get(unit_of: Callable[[Mapping[str, str]], Unit]) -> None:
    files = {"setup.py": 'setup(python_requires=">=3.6,<3.9")\n', "tox.ini": "[testenv]\ncommands = pytest\n"}
    assert unit_of(files).all("install") == ("pip install tox",)
