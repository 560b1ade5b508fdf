"""uvx, `uv tool run` and `pipx run` in other CI: the tool behind them is called as if it were installed."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Unit
from bot.survey.launchers import without_launcher

Look = Callable[[Mapping[str, str]], Unit]


@pytest.mark.parametrize(
    ("written", "meant", "requires"),
    [
        ("uvx nox", "nox", ()),
        ("uvx nox -s tests-3.12", "nox -s tests-3.12", ()),
        ("uvx -p 3.12 --from 'nox[uv]' nox -s lint -- -q", "nox -s lint -- -q", ("nox[uv]",)),
        ("uvx --with tox-uv tox -e py312", "tox -e py312", ("tox-uv",)),
        ("uvx --with=tox-uv,tox-gh tox", "tox", ("tox-uv", "tox-gh")),
        ("uv tool run --quiet tox -e lint", "tox -e lint", ()),
        ("CI=1 FORCE_COLOR=1 uvx nox", "CI=1 FORCE_COLOR=1 nox", ()),
        ("pipx run nox --error-on-missing-interpreters", "nox --error-on-missing-interpreters", ()),
        ("pipx run --spec nox==2025.5.1 nox", "nox", ("nox==2025.5.1",)),
        ("pipx run nox==2025.5.1", "nox", ("nox==2025.5.1",)),
        ("pipx run --python 3.12 -- nox -l", "nox -l", ()),
        ("uvx pre-commit run --all-files", "pre-commit run --all-files", ()),
        ("uvx ruff@0.17.6 check .", "ruff check .", ("ruff==0.17.6",)),
        ("uvx ruff@latest check .", "ruff check .", ()),
        # What is left as it was: other tools, no tool, quotes that never end, a shell's own signs.
        ("uvx pytest", "uvx pytest", ()),
        ("uvx", "uvx", ()),
        ("uvx --with", "uvx --with", ()),
        ("pipx run", "pipx run", ()),
        ("pipx install nox", "pipx install nox", ()),
        ("uv run nox", "uv run nox", ()),
        ("uvx nox -s 'tests", "uvx nox -s 'tests", ()),
        ("uvx nox -s $SESSION", "uvx nox -s $SESSION", ()),
        ("nox -s uvx", "nox -s uvx", ()),
    ],
)
def test_the_command_behind_a_launcher(written: str, meant: str, requires: tuple[str, ...]) -> None:
    assert without_launcher(written) == (meant, requires)


def _project(*lines: str) -> dict[str, str]:
    steps = "".join(f"      - run: {line}\n" for line in lines)
    workflow = f"on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"
    return {
        "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.10"\n',
        "noxfile.py": 'import nox\n\n\n@nox.session(python=["3.12", "3.13"])\ndef tests(session):\n'
        '    session.run("pytest")\n\n\n@nox.session\ndef lint(session):\n    session.run("ruff", "check")\n',
        "tox.ini": "[tox]\nenvlist = py312, py313\n[testenv]\ncommands = pytest\n",
        "tests/test_a.py": "",
        ".github/workflows/ci.yml": workflow,
    }


@pytest.mark.parametrize(
    ("lines", "install", "test", "lint"),
    [
        (["uvx nox -s tests-3.13"], ("pip install nox==2025.11.12",), ("nox -s tests-3.13",), ()),
        (["pipx run nox -s tests"], ("pip install nox==2025.11.12",), ("nox -s tests",), ()),
        (["pipx run nox==2025.5.1 -s tests"], ("pip install nox==2025.5.1",), ("nox -s tests",), ()),
        (["uvx nox"], ("pip install nox==2025.11.12",), ("nox -s tests-3.13",), ()),
        (["uvx --from 'nox[uv]>=2025.5' nox -s tests"], ("pip install 'nox[uv]>=2025.5'",), ("nox -s tests",), ()),
        (["uvx --with tox-uv tox -e py313"], ("pip install tox==4.67.15 tox-uv",), ("tox -e py313",), ()),
        (["uv tool run tox run -e py313"], ("pip install tox==4.67.15",), ("tox run -e py313",), ()),
        (
            ["uvx pre-commit run --all-files", "uvx nox -s tests"],
            ("pip install nox==2025.11.12",),
            ("nox -s tests",),
            ("pre-commit run --all-files",),
        ),
        (
            ["uvx ruff@0.17.5 check .", "uvx nox -s tests"],
            ("pip install nox==2025.11.12",),
            ("nox -s tests",),
            ("ruff check .",),
        ),
    ],
)
def test_the_lines_of_other_ci_are_taken_over_without_their_launcher(
    unit_of: Look, lines: list[str], install: tuple[str, ...], test: tuple[str, ...], lint: tuple[str, ...]
) -> None:
    unit = unit_of(_project(*lines))

    assert unit.all("install") == install
    assert unit.all("test") == test
    if lint:
        assert unit.all("lint")[: len(lint)] == lint


def test_a_linter_behind_a_launcher_is_installed_in_its_version_even_where_uv_manages_the_project(
    unit_of: Look,
) -> None:
    files = _project("uvx ruff@0.17.5 check .", "uv run pytest") | {"uv.lock": "version = 1\n"}
    del files["noxfile.py"], files["tox.ini"]
    unit = unit_of(files)

    assert unit.all("lint") == ("ruff check .",)
    assert "pip install ruff==0.17.5" in unit.all("lint_install")


def test_a_session_that_only_the_matrix_names_is_chosen_by_the_interpreter(unit_of: Look) -> None:
    unit = unit_of(_project("uvx --with tox-gh tox -e ${{ matrix.env }}"))

    assert unit.all("test") == ("tox -e py313",)
