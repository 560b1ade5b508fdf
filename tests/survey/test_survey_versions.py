"""Ranges, and the version that is chosen inside them."""

import pytest

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
        pytest.param("node", {"matrix": ["latest", "20.x"]}, "22", id="an old major"),
        pytest.param("go", {"matrix": ["1.13"]}, "1.27", id="Go keeps its promises"),
        pytest.param("python", {}, "3.13", id="the default"),
    ],
)
def test_choice(language: str, options: dict[str, object], version: str) -> None:
    assert choose(language, **options) == version  # type: ignore[arg-type]


@pytest.mark.parametrize(("spec", "least"), [(">=3.9,<4", "3.9"), ("^22 || ^24", "22"), ("<4", ""), ("", "")])
def test_floor(spec: str, least: str) -> None:
    assert floor(spec) == least
