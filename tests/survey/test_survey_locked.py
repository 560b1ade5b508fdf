"""A lock pins compiled packages of its day: the Python chosen is one that they have wheels for."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Survey

Look = Callable[[Mapping[str, str]], Survey]

PROJECT = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["pyyaml"]\n'
TESTS = {"tests/test_x.py": "def test_one():\n    assert True\n"}


def wheels(name: str, *tags: str) -> str:
    files = "".join(f'    {{file = "{name}-1.0-{tag}.whl", hash = "sha256:0"}},\n' for tag in tags)
    return f'[[package]]\nname = "{name}"\nversion = "1.0"\nMARKER\nfiles = [\n{files}]\n\n'


def linux(*minors: int) -> tuple[str, ...]:
    return tuple(f"cp3{minor}-cp3{minor}-manylinux_2_17_x86_64.manylinux2014_x86_64" for minor in minors)


def chosen(look: Look, lock: str, file: str = "poetry.lock", *, python: str = PROJECT, **more: str) -> str:
    found = look({"pyproject.toml": python, file: lock.replace("MARKER\n", ""), **TESTS, **more})
    return found.units[0].first("version") or ""


@pytest.mark.parametrize("file", ["poetry.lock", "pdm.lock"])
def test_the_newest_python_is_one_that_every_compiled_package_has_a_wheel_for(look: Look, file: str) -> None:
    lock = wheels("pyyaml", *linux(11, 12, 13)) + wheels("cffi", *linux(10, 11, 12)) + wheels("six", "py3-none-any")
    found = look({"pyproject.toml": PROJECT, file: lock.replace("MARKER\n", ""), **TESTS})
    (version,) = [fact for fact in found.units[0].facts if fact.name == "version"]
    assert (version.value, version.evidence[0].path) == ("3.12", file)
    assert "no cffi built for a newer one" in version.because


def test_the_lock_of_uv_is_read_by_its_addresses(look: Look) -> None:
    name = "PyYAML-6.0.1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    listed = f'wheels = [\n    {{ url = "https://x/{name}", size = 1 }},\n]\n'
    lock = '[[package]]\nname = "pyyaml"\nversion = "6.0.1"\n' + listed
    assert chosen(look, lock, "uv.lock") == "3.12"


@pytest.mark.parametrize(
    "free",
    [
        wheels("cffi", "cp310-cp310-manylinux_2_17_x86_64", "py3-none-any"),
        wheels("cryptography", "cp37-abi3-manylinux_2_28_x86_64"),
        wheels("pywin32", "cp312-cp312-win_amd64"),
        wheels("backports-zoneinfo", *linux(7, 8)),
        wheels("tomli", *linux(11)).replace("MARKER", 'marker = "python_version < \\"3.11\\""'),
        wheels("typed-ast", *linux(11))
        + '[package.dependencies]\ntyped-ast = {version = "*", markers = "python_version < \\"3.8\\""}\n',
        wheels("typed-ast", *linux(11))
        + 'dependencies = [\n    { name = "typed-ast", marker = "python_full_version < \'3.8\'" },\n]\n',
        wheels("odd", "py3-cp310-manylinux_2_17_x86_64"),
        "[[package]]\nno name\n",
        "",
    ],
    ids=[
        "pure",
        "abi3",
        "Windows",
        "a backport",
        "marked",
        "marked by Poetry",
        "marked by uv",
        "odd tags",
        "broken",
        "empty",
    ],
)
def test_what_binds_no_newer_python_changes_nothing(look: Look, free: str) -> None:
    assert chosen(look, free) == chosen(look, "")


def test_what_is_declared_or_run_elsewhere_is_believed_first(look: Look) -> None:
    lock = wheels("cffi", *linux(11, 12))
    assert chosen(look, lock, python=PROJECT.replace(">=3.9", ">=3.13")) == "3.13"
    pinned = {".python-version": "3.14\n"}
    assert chosen(look, lock, **pinned) == "3.14"
    steps = (
        "      - uses: actions/setup-python@v5\n        with:\n          python-version: '3.14'\n      - run: pytest\n"
    )
    tested = {".github/workflows/ci.yml": f"on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"}
    assert chosen(look, lock, **tested) == "3.14"
