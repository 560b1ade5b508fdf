"""The levels that need no network: soundness, policy, logs, mutations and the report."""

from pathlib import Path

import pytest
import yaml

from bench import policy, verdicts
from bench.answers import CI_FILE, Answer, answer
from bench.baselines import NAMES, baseline
from bench.jobs import JobRun, copied
from bench.ladder import Climb, climb
from bench.mutation import mutate
from bench.programs import run
from bench.report import report
from bench.rows import Bench, Row
from bench.scripts import script_errors
from bench.synthetic import make


def test_a_sound_pipeline_climbs_and_a_broken_one_says_where_it_stops(tmp_path: Path) -> None:
    sound = climb(Answer(by="me", files={CI_FILE: "test: {script: [pytest]}\n"}), tmp_path, None)
    cycle = "a: {script: [x], needs: [b]}\nb: {script: [x], needs: [a]}\n"
    broken = climb(Answer(by="me", files={CI_FILE: cycle}), tmp_path, None)

    assert sound.is_sound
    assert broken.parses
    assert not broken.semantics
    assert broken.complaints["L2"]


def test_a_checkout_that_lacks_objects_is_copied_without_its_history(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    (checkout / "a.txt").write_text("kept")
    copy = copied(checkout, {CI_FILE: "test: {script: [pytest]}\n"}, tmp_path / "scratch")

    assert (copy / "a.txt").read_text() == "kept"
    assert CI_FILE in run(["git", "-C", str(copy), "ls-files"], limit=30).output


def test_a_checkout_of_a_bare_commit_is_copied_onto_a_branch(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    git = ["git", "-C", str(checkout), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    run(["git", "init", "-q", "-b", "master", str(checkout)], limit=30)
    run([*git, "commit", "-q", "--allow-empty", "-m", "one"], limit=30)
    run([*git, "checkout", "-q", "--detach"], limit=30)
    run([*git, "branch", "-q", "-D", "master"], limit=30)
    copy = copied(checkout, {CI_FILE: "test: {script: [pytest]}\n"}, tmp_path / "scratch")

    assert run(["git", "-C", str(copy), "symbolic-ref", "--short", "HEAD"], limit=30).output.strip() == "main"
    assert run(["git", "-C", str(copy), "diff", "--name-only", "origin/main"], limit=30).output.split() == [CI_FILE]


def test_policy_counts_what_a_careful_person_expects() -> None:
    text = "test: {image: 'python:latest', script: [pytest]}\n"
    kept = policy.points(text, yaml.safe_load(text))

    assert not kept["images name a version"]
    assert not kept["tests report"]
    assert kept["no script from the net"]
    assert 0 < policy.share(kept) < 1


def test_a_script_that_is_no_shell_is_found() -> None:
    assert script_errors({"test": {"script": ["if true; then"]}})
    assert not script_errors({"test": {"before_script": ["cd x"], "script": ["pytest"]}})


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("test  > ==== 12 passed, 1 skipped in 0.10s ====", 12),
        ("Ran 7 tests in 0.2s", 7),
        ("# pass 3", 3),
        ("  47 passing (1s)", 47),
        ("100% tests passed, 0 tests failed out of 9", 9),
        ("test result: ok. 5 passed; 0 failed", 5),
        ("ok  \texample.com/a\t0.1s\nok  \texample.com/b\t0.1s", 2),
        ("nothing ran", 0),
    ],
)
def test_a_log_tells_how_many_tests_ran(log: str, expected: int) -> None:
    assert verdicts.tests_run(log) == expected


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("fatal: Could not resolve host: example.com", "no network: fatal: Could not resolve host: example.com"),
        ("npm error code ENOTFOUND", "no network: npm error code ENOTFOUND"),
        ("ModuleNotFoundError: No module named 'setuptools'", ""),
        ("the bathroom is red", ""),
        ("ERR_PNPM_FETCH_404  GET a.tgz", "the registry lacks a package: ERR_PNPM_FETCH_404  GET a.tgz"),
        (
            "Unable to find installation candidates for urllib3 (1.26.18)",
            "the registry lacks a package: Unable to find installation candidates for urllib3 (1.26.18)",
        ),
        ("error Error: core-js: ESOCKETTIMEDOUT", "the network was too slow: error Error: core-js: ESOCKETTIMEDOUT"),
        (
            "error: pathspec 'v3.17.0' did not match any file(s) known to git",
            "the mirror of a repository lacks a tag: error: pathspec 'v3.17.0' did not match any file(s) known to git",
        ),
        ("error: pathspec '.gitlab-ci.yml' did not match any file(s) known to git", ""),
        ("AssertionError: 1 != 2", ""),
        ("Connection refused\n" + "and then it went on\n" * 200 + "AssertionError", ""),
    ],
)
def test_a_red_job_is_ours_unless_the_end_of_its_log_blames_the_outside(log: str, cause: str) -> None:
    assert verdicts.outside_cause(log) == cause


@pytest.mark.parametrize(
    ("path", "text", "after"),
    [
        ("tests/test_a.py", "def test_a():\n    assert one\n", "    assert not (one)\n"),
        ("a_test.go", "func TestA(t *testing.T) {\n}\n", '\tt.Error("broken on purpose")\n'),
        ("test/a.test.js", "expect(one).toBe(1)\n", "expect(one).not.toBe(1)\n"),
        ("test/b.test.js", "// expect(one).toBe(1)\nexpect(two).toBe(2)\n", "toBe(1)\nexpect(two).not.toBe(2)\n"),
        ("__tests__/a.js", "expect(one).toBe(1)\n", "expect(one).not.toBe(1)\n"),
        ("test/a.cpp", "REQUIRE(one == 1);\n", "REQUIRE_FALSE(one == 1);\n"),
        ("src/test/ATest.java", "@Test\npublic void a() {\n", "throw new AssertionError"),
    ],
)
def test_an_assertion_is_turned_round_in_place(tmp_path: Path, path: str, text: str, after: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)

    assert mutate(tmp_path, [path])
    assert after in (tmp_path / path).read_text()


def test_what_is_no_test_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("assert one\n")

    assert mutate(tmp_path, ["shop.py"]) is None


def test_a_program_that_never_ends_is_ended() -> None:
    assert run(["sleep", "60"], limit=0.2).is_late


def test_every_baseline_is_a_pipeline() -> None:
    for name in NAMES:
        assert climb(baseline(name, "python"), Path(), None).parses
    assert baseline("starter", "cobol").complaint


def test_a_made_up_repository_is_surveyed_and_reported(tmp_path: Path) -> None:
    make(tmp_path / "shop", 30)

    given = answer(tmp_path / "shop", is_hidden=True)
    rows = Bench().rows(tmp_path / "shop", "hidden", None)

    assert given.ecosystems == ["python"]
    assert "pytest" in given.text
    assert [row.repo for row in rows] == ["shop"]
    assert "| no crash | 1 of 1 |" in report(rows)


def _row(*runs: JobRun) -> Row:
    return Row(repo="a", by="pipewright", side="hidden", climb=Climb(), runs=list(runs))


def test_a_row_is_judged_by_the_jobs_that_could_run() -> None:
    green = JobRun(name="test", image="python:3.13", verdict="green", tests=3)
    silent = JobRun(name="api:test", image="python:3.13", verdict="green")
    image = JobRun(name="container-image", image="moby/buildkit", verdict="not run")
    theirs = JobRun(name="lint", image="python:3.13", verdict="red: project or machine", cause="no network")
    ours = JobRun(name="build", image="python:3.13", verdict="red: us")

    assert (_row(green, image).is_green, _row(green, image).has_tested) == (True, True)
    assert (_row(green, theirs).is_green, _row(green, theirs).is_fair) == (False, True)
    assert _row(green, ours).is_fair is False
    assert (_row(image).is_green, _row(image).is_fair, _row(image).has_tested) == (None, None, None)
    assert _row(silent).has_tested is False
