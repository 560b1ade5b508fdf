"""AppVeyor: jobs on Ubuntu are evidence as any other, those on Windows are told line by line."""

from bot.domain import Snapshot, Survey
from bot.survey.report import survey

PACKAGE = '{"name": "a", "scripts": {"test": "mocha", "lint": "eslint ."}, "devDependencies": {"mocha": "11"}}'
UBUNTU = """\
image: Ubuntu2204
stack: node 22, postgresql
environment:
  matrix:
    - FLAVOUR: plain
install:
  - sh: npm ci
  - cmd: choco install node
build: off
test_script:
  - npm run lint
  - npm test
"""
WINDOWS = "image: Visual Studio 2022\ninstall:\n  - ps: Install-Product node 22\ntest_script:\n  - cmd: npm test\n"


def surveyed(text: str) -> Survey:
    files = {"appveyor.yml": text, "package.json": PACKAGE}
    return survey(Snapshot(paths=tuple(sorted(files)), texts=files))


def test_a_job_on_ubuntu_gives_version_and_commands() -> None:
    found = surveyed(UBUNTU)
    (unit,) = found.units
    assert unit.first("version") == "22"
    assert unit.all("lint") == ("npm run lint",)
    rows = {row.where.quote: row for row in found.conversion}
    assert (rows["npm test"].became, rows["npm test"].where.line) == ("test", 12)
    assert not any("choco" in quote for quote in rows)


def test_a_job_on_windows_alone_is_told_and_not_taken_over() -> None:
    found = surveyed(WINDOWS)
    (unit,) = found.units
    assert "nothing is declared" in next(fact.because for fact in unit.facts if fact.name == "version")
    rows = {row.where.quote: row for row in found.conversion}
    assert (rows["npm test"].became, rows["npm test"].where.line) == ("", 5)
    assert "Windows" in rows["Install-Product node 22"].why


def test_a_broken_file_is_borne() -> None:
    for text in (
        "image: [",
        "- 1\n",
        "environment: 3\ninstall: {sh: 1}\n",
        "image: Ubuntu\nenvironment: {matrix: [1]}\n",
    ):
        assert surveyed(text).units
