"""Edits change their own lines and no other byte."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ci.edit import add_include, add_job, add_to_list, blocks, remove_job, set_image, set_value, set_variable
from bot.domain import CannotError

FILE = """\
# The pipeline of ours.
stages: [build, 'test']   # two

variables:
  A: "1"   # one

default: {image: ruby}

# Builds.
build:
    stage:   build
    image:
        name: gcc:14
    script:
    - make   # all


test:
  script: [ "make check" ]
  # at the end
"""


def test_a_job_is_appended_after_a_blank_line() -> None:
    assert add_job(FILE, "lint", "script: [x]\n") == FILE + "\nlint:\n  script: [x]\n"


def test_a_job_may_bring_its_own_name_and_comment() -> None:
    assert add_job(FILE, "lint", "# Looks.\nlint:\n  script: [x]\n").endswith("\n# Looks.\nlint:\n  script: [x]\n")


def test_windows_line_ends_stay() -> None:
    text = add_job("a:\r\n  script: [x]\r\n", "b", "script: [y]\n")
    assert text == "a:\r\n  script: [x]\r\n\r\nb:\r\n  script: [y]\r\n"


def test_a_missing_last_line_end_is_added() -> None:
    assert add_job("a:\n  script: [x]", "b", "script: [y]") == "a:\n  script: [x]\n\nb:\n  script: [y]\n"


def test_a_second_job_of_a_name_is_refused() -> None:
    with pytest.raises(CannotError, match="already has a job named build"):
        add_job(FILE, "build", "script: [x]\n")


def test_a_job_goes_with_the_comment_above_it() -> None:
    shorter = remove_job(FILE, "build")
    assert "# Builds." not in shorter
    assert shorter == FILE[: FILE.index("# Builds.")] + FILE[FILE.index("test:\n") :]


def test_an_unknown_job_cannot_be_removed() -> None:
    with pytest.raises(CannotError, match="no job named lint"):
        remove_job(FILE, "lint")


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        pytest.param(lambda text: set_image(text, "build", "gcc:15"), "name: gcc:14", "name: gcc:15", id="long image"),
        pytest.param(
            lambda text: set_image(text, "test", "gcc:15"),
            "test:\n  script",
            "test:\n  image: gcc:15\n  script",
            id="new image",
        ),
        pytest.param(lambda text: set_variable(text, None, "A", "2"), 'A: "1"', "A: '2'", id="variable"),
        pytest.param(lambda text: set_variable(text, None, "B", "x"), "  A:", "  B: x\n  A:", id="new variable"),
        pytest.param(
            lambda text: set_variable(text, "test", "B", "x"),
            "test:\n",
            "test:\n  variables:\n    B: x\n",
            id="of a job",
        ),
        pytest.param(lambda text: add_to_list(text, "stages", ["x"]), "'test']", "'test', x]", id="last stage"),
        pytest.param(
            lambda text: add_to_list(text, "stages", ["x"], before="build"), "[build", "[x, build", id="first stage"
        ),
        pytest.param(
            lambda text: set_value(text, ("build", "stage"), "test"), "stage:   build", "stage:   test", id="value"
        ),
    ],
)
def test_an_edit_replaces_exactly_this(edit, before, after) -> None:
    assert edit(FILE) == FILE.replace(before, after, 1)


def test_block_lists_are_extended_right_after_their_last_entry() -> None:
    text = "stages:\n  - a   # x\n  - b\n\n# far\njob:\n  script: [x]\n"
    assert add_to_list(text, "stages", ["c"]) == text.replace("  - b\n", "  - b\n  - c\n")
    assert add_to_list(text, "stages", ["c"], before="b") == text.replace("  - b\n", "  - c\n  - b\n")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param("a:\n  script: x\n", "a:\n  script: x\n\ninclude:\n  - local: b.yml\n", id="none yet"),
        pytest.param(
            "include:\n- local: a.yml\n\nj: 1\n", "include:\n- local: a.yml\n- local: b.yml\n\nj: 1\n", id="list"
        ),
        pytest.param(
            "include:\n  - project: p\n    file: f\n# c\n",
            "include:\n  - project: p\n    file: f\n  - local: b.yml\n# c\n",
            id="long",
        ),
    ],
)
def test_a_file_is_included_after_the_others(text, after) -> None:
    assert add_include(text, {"local": "b.yml"}) == after


@pytest.mark.parametrize("text", ["include: a.yml\n", "include: [a.yml]\n"])
def test_an_include_of_another_form_is_left_alone(text) -> None:
    with pytest.raises(CannotError, match="not written as a list"):
        add_include(text, {"local": "b.yml"})


def test_a_value_inside_braces_is_left_alone() -> None:
    with pytest.raises(CannotError, match="line 7"):
        set_value(FILE, ("default", "retry"), "1")


@pytest.mark.parametrize(("text", "line"), [("a: [", 1), ("a:\n\t- b\n", 2), ("- a\n", 1), ("a: b: c\n", 1)])
def test_what_is_no_pipeline_is_refused_with_its_line(text, line) -> None:
    with pytest.raises(CannotError, match=rf"\(line [{line}{line + 1}]\)"):
        blocks(text)


_names = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True).filter(
    lambda name: name not in {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
)
_comments = st.sampled_from(["", "  # why", "   # ä → b"])
_gaps = st.sampled_from(["", "\n", "\n\n", "# said above\n", "\n# said above\n"])
_lines = st.sampled_from(["make", "'a: b'", '"x # y"', "echo ${A}", "|\n      many\n\n      lines", "[a, b]"])


@st.composite
def pipelines(draw: st.DrawFn) -> str:
    """Files as people write them: comments, blank lines, odd indentation, quotes."""
    names = draw(st.lists(_names, min_size=1, max_size=5, unique=True))
    text = draw(st.sampled_from(["", "---\n", "# top\n\n"]))
    for name in names:
        margin = draw(st.sampled_from(["  ", "    "]))
        text += f"{draw(_gaps)}{name}:{draw(_comments)}\n{margin}stage: test{draw(_comments)}\n{margin}script:\n"
        text += "".join(f"{margin}- {draw(_lines)}\n" for _ in range(draw(st.integers(1, 3))))
    return text


@settings(max_examples=150, deadline=None)
@given(
    text=pipelines(),
    value=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12),
)
def test_whatever_is_set_reads_back_and_every_other_line_stays(text: str, value: str) -> None:
    name = blocks(text)[0].name
    changed = set_variable(text, name, "KEY", value)
    assert yaml.safe_load(changed)[name]["variables"] == {"KEY": value}
    rest = changed.splitlines(keepends=True)
    for line in text.splitlines(keepends=True):
        rest.remove(line)
    assert len(rest) == 2


@settings(max_examples=150, deadline=None)
@given(text=pipelines(), name=_names)
def test_a_job_added_and_removed_again_leaves_the_file_as_it_was(text: str, name: str) -> None:
    before = yaml.safe_load(text)
    if name in before:
        return
    longer = add_job(text, name, "script: [x]\n")
    assert longer.startswith(text)
    assert yaml.safe_load(longer) == before | {name: {"script": ["x"]}}
    assert remove_job(longer, name).rstrip("\n") == text.rstrip("\n")
