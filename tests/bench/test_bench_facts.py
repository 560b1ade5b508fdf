"""Facts are held against a row of notes, class by class."""

from pathlib import Path

from bench.answers import Answer
from bench.expand import Runners
from bench.facts import Match, compare, score
from bench.truth import Truth, read_truths

COLUMNS = (
    "repo run ecosystem package_manager lang_version_ci version_sources install_cmd test_cmd lint_cmd build_cmd"
).split()


def rows(folder: Path, *lines: str) -> dict[str, Truth]:
    table = folder / "truth.tsv"
    table.write_text("\n".join(["\t".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
    return read_truths(table)


def by_class(answer: Answer, truth: Truth) -> dict[str, Match]:
    return {match.name: match for match in compare(answer, truth, Runners())}


def test_a_row_is_read_with_every_way_to_say_a_command(tmp_path: Path) -> None:
    row = "a/b\tyes\tpython\tpip+tox (setuptools)\t3.12\t-\tpip install tox\ttox  (pytest -v; mypy)\tnone\tper folder"
    truth = rows(tmp_path, row)["a+b"]

    assert truth.managers == ("pip", "tox")
    assert truth.commands == {"install": (("pip install tox",),), "test": (("tox", "pytest -v", "mypy"),), "lint": ()}


def test_a_list_of_tools_is_taken_apart(tmp_path: Path) -> None:
    row = "a/b\tyes\tterraform\tterraform\t-\t-\tterraform init\t-\tterraform fmt/validate, tflint (reusable)\t-"

    assert rows(tmp_path, row)["a+b"].commands["lint"] == (("terraform fmt",), ("terraform validate",), ("tflint",))


def test_a_right_answer_is_right_in_every_class(tmp_path: Path) -> None:
    truth = rows(tmp_path, "a/b\tyes\tgo\tgo modules\t1.26\t-\tnone\tgo test -v ./...\tnone\tgo build ./...")["a+b"]
    facts = {"package_manager": ["go"], "version": ["1.26"], "test": ["go test ./..."], "build": ["go build ./..."]}
    found = by_class(Answer(by="me", ecosystems=["go"], facts=facts), truth)

    assert set(found) == {"ecosystem", "package_manager", "version", "test", "build"}
    assert all(match.is_right for match in found.values())
    assert score(found.values()).f1 == 1.0


def test_an_extra_command_costs_precision_and_a_missing_one_recall(tmp_path: Path) -> None:
    truth = rows(tmp_path, "a/b\tyes\tgo\tgo modules\t1.26\t-\tnone\tgo test\tnone\tgo build")["a+b"]
    answer = Answer(by="me", ecosystems=["go"], facts={"lint": ["go vet ./..."]})
    found = by_class(answer, truth)

    assert (found["lint"].hits, found["lint"].said, found["lint"].wanted) == (0.0, 1, 0)
    assert (found["build"].found, found["build"].wanted) == (0.0, 1)


def test_installing_the_package_manager_first_is_no_extra_command(tmp_path: Path) -> None:
    truth = rows(tmp_path, "a/b\tyes\tpython\tpoetry\t3.12\t-\tpoetry install\tpytest\tnone\tnone")["a+b"]
    install = ["pip install poetry==2.5.1", "poetry install"]

    assert by_class(Answer(by="me", ecosystems=["python"], facts={"install": install}), truth)["install"].is_right


def test_nothing_is_the_right_answer_for_an_empty_repository(tmp_path: Path) -> None:
    truth = rows(tmp_path, "a/b\tn/a\thard: empty-ish\tnone\tnone\tnone\tnone\tnone\tnone\tnone")["a+b"]

    assert by_class(Answer(by="me"), truth)["ecosystem"].is_right
    assert not by_class(Answer(by="me", ecosystems=["node"]), truth)["ecosystem"].is_right
