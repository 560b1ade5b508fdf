"""A failed job is mended in the file that holds it: the main pipeline's, or that of the child it runs in."""

import pytest

from bot.failures.mending import mend, place_of
from bot.failures.recognise import recognise
from bot.failures.scene import Scene
from bot.failures.trace import read_trace

MAIN = """\
api:
  trigger:
    include:
      - local: api/.gitlab-ci.yml
web:
  trigger:
    include: [{local: web/one.gitlab-ci.yml}, {local: web/two.gitlab-ci.yml}]
test:
  image: python:3.13
  script: [pytest]
"""
TEST = "test:\n  image: golang:1.27\n  script: [go test ./...]\n"
FILES = {
    "api/.gitlab-ci.yml": TEST,
    "web/one.gitlab-ci.yml": "lint: {script: [eslint]}\n",
    "web/two.gitlab-ci.yml": TEST,
}
SCENE = Scene(MAIN, tuple(FILES), FILES.get)


@pytest.mark.parametrize(
    ("job", "place"),
    [
        ("test", (".gitlab-ci.yml", "test")),
        ("api:test", ("api/.gitlab-ci.yml", "test")),
        ("web:test", ("web/two.gitlab-ci.yml", "test")),
        ("web:lint", ("web/one.gitlab-ci.yml", "lint")),
        ("web:gone", (".gitlab-ci.yml", "web:gone")),
        ("other:test", (".gitlab-ci.yml", "other:test")),
        ("", (".gitlab-ci.yml", "")),
    ],
)
def test_a_job_is_found_in_its_file(job: str, place: tuple[str, str]) -> None:
    assert place_of(job, SCENE) == place


def test_each_file_gets_its_own_change_and_the_others_none() -> None:
    logs = {
        "test": b"$ pytest\nfatal error: libpq-fe.h: No such file or directory\nERROR: Job failed: exit code 1\n",
        "api:test": b"$ go test\nfatal error: yaml.h: No such file or directory\nERROR: Job failed: exit code 1\n",
    }
    mended = mend([recognise(read_trace([log]), job=job) for job, log in logs.items()], SCENE)

    assert mended is not None
    assert list(mended.after) == [".gitlab-ci.yml", "api/.gitlab-ci.yml"]
    assert "libpq-dev" in mended.after[".gitlab-ci.yml"]
    assert "libyaml-dev" in mended.after["api/.gitlab-ci.yml"]
    assert mended.before["api/.gitlab-ci.yml"] == TEST
    assert mended.titles[1].endswith("in api/.gitlab-ci.yml")
    assert mended.weaker is None


def test_a_childs_job_whose_file_is_not_there_is_left_to_people() -> None:
    log = b"$ go test\nfatal error: yaml.h: No such file or directory\nERROR: Job failed: exit code 1\n"
    bare = Scene(MAIN, (), lambda _: None)

    assert mend([recognise(read_trace([log]), job="api:test")], bare) is None
