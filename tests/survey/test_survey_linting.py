"""Linting: what a repository's own runner, hooks and scripts say, before anything is assumed."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Unit
from bot.domain.pins import pin

Look = Callable[[Mapping[str, str]], Unit]

PACKAGE = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "a"\n'
HOOKS = "repos:\n- repo: https://github.com/psf/black\n  rev: '25.1.0'\n"
TESTED = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n    - run: pytest\n    - run: mypy a\n"


@pytest.mark.parametrize(
    ("files", "lint"),
    [
        pytest.param(
            {"tox.ini": "[tox]\nenvlist = py, pre-commit\n[testenv]\ncommands = pytest\n[testenv:pre-commit]\n"},
            ("tox -e pre-commit",),
            id="tox runs the hooks itself",
        ),
        pytest.param(
            {"tox.ini": "[tox]\nenvlist = lint,py313,typing\n[testenv:format]\n", ".pre-commit-config.yaml": HOOKS},
            ("tox -e lint", "tox -e typing"),
            id="what a plain tox runs wins over hooks and over other sections",
        ),
        pytest.param(
            {"tox.ini": "[tox]\nenvlist = py313\n[testenv:style]\ncommands = black --check .\n"},
            ("tox -e style",),
            id="a section that is not listed",
        ),
        pytest.param(
            {
                "noxfile.py": "@nox.session\ndef tests(s): ...\n@nox.session\ndef lint(s): ...\n"
                "@nox.session\ndef fmt(s): ...\n"
            },
            ("nox -s lint",),
            id="a session that checks, not the one that rewrites",
        ),
        pytest.param(
            {
                "noxfile.py": '@nox.session(python=["3.12", "3.13"])\ndef tests(s): ...\n'
                '@nox.session(python=["3.12", "3.13"])\ndef mypy(s): ...\n'
            },
            ("nox -s mypy-3.13",),
            id="a session for several interpreters is called for one",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE
                + '[dependency-groups]\ntest = ["pytest", "mypy"]\n[tool.mypy]\nfiles = "a"\n',
                ".pre-commit-config.yaml": HOOKS,
            },
            ("pre-commit run --all-files", "mypy"),
            id="a type checker that is no hook is called beside them",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE + "[tool.pytest.ini_options]\n",
                ".pre-commit-config.yaml": "ci:\n  skip: []\n" + HOOKS,
                ".github/workflows/ci.yml": TESTED,
            },
            ("mypy a", "pre-commit run --all-files"),
            id="pre-commit.ci is another CI too",
        ),
    ],
)
def test_python_lints_as_its_runner_does(unit_of: Look, files: dict[str, str], lint: tuple[str, ...]) -> None:
    unit = unit_of({"pyproject.toml": PACKAGE, "tests/test_a.py": "", **files})
    assert unit.all("lint") == lint


def test_an_environment_that_checks_the_package_is_its_build(unit_of: Look) -> None:
    files = {
        "pyproject.toml": PACKAGE,
        "tox.ini": "[tox]\nenvlist = py313, manifest\n[testenv]\ncommands = pytest\n[testenv:manifest]\n"
        "commands = check-manifest\n",
    }
    unit = unit_of(files)
    assert unit.all("build") == ("tox -e manifest",)
    assert unit.all("system_package") == ("git",)


@pytest.mark.parametrize(
    ("hook", "line", "install"),
    [
        ("entry: mypy src, language: system", "pre-commit run --all-files", ("pip install -e '.[dev]'",)),
        ("entry: python tool.py, language: unsupported", "pre-commit run --all-files", ("pip install -e '.[dev]'",)),
        ("entry: npm run lint, language: system", "SKIP=a pre-commit run --all-files", ()),
        ("entry: mypy src, language: system, stages: [pre-push]", "pre-commit run --all-files", ()),
        ("entry: bash a.sh, language: system", "pre-commit run --all-files", ()),
        ("entry: mypy, language: python", "pre-commit run --all-files", ()),
    ],
)
def test_hooks_find_what_they_call_or_are_skipped(
    unit_of: Look, hook: str, line: str, install: tuple[str, ...]
) -> None:
    package = PACKAGE + '[project.optional-dependencies]\ndev = ["pytest", "mypy"]\n'
    hooks = f"{HOOKS}- repo: local\n  hooks:\n  - {{id: a, {hook}}}\n"
    unit = unit_of({"pyproject.toml": package, ".pre-commit-config.yaml": hooks, "tests/test_a.py": ""})
    assert (unit.all("lint"), unit.all("lint_tool")) == ((line,), ("pre-commit",))
    assert unit.all("lint_install") == (*install, f"pip install pre-commit=={pin('pre-commit')}")
