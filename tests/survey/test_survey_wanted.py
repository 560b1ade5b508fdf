"""Which files are read, and in which order."""

import pytest

from bot.survey.wanted import wanted_paths


def test_manifests_at_the_top_come_first() -> None:
    paths = [
        "services/api/package.json",
        "README.md",
        "tox.ini",
        ".github/workflows/ci.yml",
        "pyproject.toml",
        "src/a.py",
    ]
    assert wanted_paths(paths) == ("pyproject.toml", "tox.ini", ".github/workflows/ci.yml", "services/api/package.json")


def test_no_more_than_the_limit() -> None:
    paths = [f"p{number}/package.json" for number in range(300)]
    assert [len(wanted_paths(paths)), len(wanted_paths(paths, limit=7)), len(wanted_paths(paths, limit=-1))] == [
        100,
        7,
        0,
    ]


def test_existing_ci_can_be_left_out() -> None:
    paths = [
        ".gitlab-ci.yml",
        ".github/workflows/a.yml",
        ".travis.yml",
        "Jenkinsfile",
        "go.mod",
        ".pre-commit-config.yaml",
    ]
    assert wanted_paths(paths, ignore_existing_ci=True) == ("go.mod", ".pre-commit-config.yaml")


@pytest.mark.parametrize(
    "path",
    [
        "node_modules/a/package.json",
        "examples/b/pyproject.toml",
        "docs/requirements.txt",
        "tests/fixtures/c/go.mod",
        "a/b/c/d/e/f/package.json",
        "kotlin-js-store/yarn.lock",
        "src/main.py.txt",
    ],
)
def test_noise_is_not_read(path: str) -> None:
    assert wanted_paths([path]) == ()


def test_a_main_program_is_read_for_where_it_listens() -> None:
    paths = ["src/main.rs", "src/other.rs", "src/main.cc", "src/util.cc", "tests/main.cpp"]
    assert wanted_paths(paths) == ("src/main.cc", "src/main.rs")
