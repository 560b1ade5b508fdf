"""Files that GitLab's own tests and gitlab-ci-local accept or refuse (only where the data is at hand)."""

from pathlib import Path

import pytest

from bot.ci.checks import check
from bot.ci.edit import append_block, blocks

FILES = Path(__file__).parents[2].parent / "shared" / "data" / "ci-yaml-tests"

# Files in the folder of good ones that GitLab refuses nevertheless, with what is wrong: they were written for the
# schema alone, or to show that another tool fails on them.
REFUSED = {
    "rules.yml": "neither script",
    "needs-unspecified-job.yml": "which does not exist",
    "needs-invalid-stage.yml": "in a later stage",
    "needs-parallel-matrix-error.yml": "does not make",
    "needs-contains-dependencies.yml": "but does not need it",
    "never-needs.yml": "whose rules keep it out",
    "reference-circular-chain.yml": "points at itself",
    "rules-curly-bracket-if.yml": "without braces",
}


def files(kind: str) -> list[Path]:
    return sorted((FILES / kind).rglob("*.yml"))


pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="the files of ../shared/data/ci-yaml-tests are not here")


@pytest.mark.parametrize("path", files("positive"), ids=lambda path: path.name)
def test_accepted_files_have_no_errors(path: Path) -> None:
    errors = [finding.message for finding in check(path.read_text()) if finding.is_error]
    if path.name in REFUSED:
        assert any(REFUSED[path.name] in message for message in errors)
    else:
        assert errors == []


@pytest.mark.parametrize("path", files("negative"), ids=lambda path: path.name)
def test_refused_files_have_an_error_with_its_line(path: Path) -> None:
    errors = [finding for finding in check(path.read_text()) if finding.is_error]
    assert errors
    assert all(finding.line for finding in errors)


@pytest.mark.parametrize("path", files("positive"), ids=lambda path: path.name)
def test_a_job_is_added_to_every_file_without_touching_a_byte(path: Path) -> None:
    text = path.read_text()
    longer = append_block(text, "new-job:\n  script: [x]\n")
    assert longer.startswith(text)
    assert [block.name for block in blocks(longer)] == [*(block.name for block in blocks(text)), "new-job"]
