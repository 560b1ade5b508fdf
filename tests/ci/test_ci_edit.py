"""Edits change their own lines and no other byte."""

import pytest
import yaml

from bot.ci.edit import (
    AddInclude,
    AddJob,
    AddStage,
    Edit,
    RemoveInclude,
    RemoveJob,
    RemoveStage,
    SetArtifacts,
    SetCache,
    SetDefault,
    SetImage,
    SetKey,
    SetNeeds,
    SetRules,
    SetServices,
    SetVariable,
    SetWorkflow,
    apply,
    blocks,
    inverse,
)
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
  # by hand
  rules:   # when
    - when: manual
  script: [ "make check" ]
  # at the end
"""


def edited(text: str, edit: Edit) -> str:
    """Apply an edit, and see that its inverse gives back every byte."""
    changed = apply(text, edit)
    assert apply(changed, inverse(text, edit)) == text
    return changed


def test_a_job_is_appended_after_a_blank_line() -> None:
    assert edited(FILE, AddJob(name="lint", body="script: [x]\n")) == FILE + "\nlint:\n  script: [x]\n"


def test_a_job_may_bring_its_own_name_and_comment() -> None:
    text = edited(FILE, AddJob(name="lint", body="# Looks.\nlint:\n  script: [x]\n"))
    assert text.endswith("\n# Looks.\nlint:\n  script: [x]\n")


def test_a_job_may_go_before_another() -> None:
    text = edited(FILE, AddJob(name="lint", body="script: [x]", before="build"))
    assert text == FILE.replace("# Builds.\n", "lint:\n  script: [x]\n\n# Builds.\n")


def test_windows_line_ends_stay() -> None:
    text = edited("a:\r\n  script: [x]\r\n", AddJob(name="b", body="script: [y]\n"))
    assert text == "a:\r\n  script: [x]\r\n\r\nb:\r\n  script: [y]\r\n"


def test_a_missing_last_line_end_stays_missing() -> None:
    text = edited("a:\n  script: [x]", AddJob(name="b", body="script: [y]"))
    assert text == "a:\n  script: [x]\n\nb:\n  script: [y]"


@pytest.mark.parametrize("end", ["", "\n", "...\n", "\n\n", "# the end\n", "\n# the end"])
def test_what_follows_the_last_job_stays_last(end: str) -> None:
    text = "---\n# top\n\na:\n  script: [x]\n" + end
    assert edited(text, AddJob(name="b", body="script: [y]")) == text.removesuffix(end) + "\nb:\n  script: [y]\n" + end


def test_a_job_goes_with_the_comment_above_it_and_the_blank_lines_before() -> None:
    shorter = edited(FILE, RemoveJob(name="build"))
    assert shorter == FILE[: FILE.index("\n# Builds.")] + FILE[FILE.index("\n\ntest:\n") :]


def test_comments_that_belong_to_no_job_stay() -> None:
    text = "a:\n  script: [x]\n# --- ours ---\n\n# b\nb:\n  script: [y]\n\n# c\nc:\n  script: [z]\n"
    assert edited(text, RemoveJob(name="b")) == text.replace("\n# b\nb:\n  script: [y]\n", "")


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        pytest.param(SetImage(job="build", image="gcc:15"), "name: gcc:14", "name: gcc:15", id="long image"),
        pytest.param(
            SetImage(job="test", image="gcc:15"), "  # by hand\n", "  image: gcc:15\n  # by hand\n", id="new image"
        ),
        pytest.param(SetImage(job="build", image=None), "    image:\n        name: gcc:14\n", "", id="no image"),
        pytest.param(SetImage(job="default", image="ruby:3.4"), "image: ruby}", 'image: "ruby:3.4"}', id="of default"),
        pytest.param(SetVariable(name="A", value="2"), '"1"', '"2"', id="variable"),
        pytest.param(SetVariable(name="B", value="x y"), "# one\n", "# one\n  B: x y\n", id="new variable"),
        pytest.param(SetVariable(name="A", value=None), '\n\nvariables:\n  A: "1"   # one', "", id="last variable"),
        pytest.param(
            SetVariable(name="B", value="no", job="test"),
            "  script: [ ",
            '  variables:\n    B: "no"\n  script: [ ',
            id="variable of a job",
        ),
        pytest.param(SetKey(job="build", key="stage", value="test"), "stage:   build", "stage:   test", id="value"),
        pytest.param(
            SetKey(job="build", key="script", value=["a: b", "x\ny\n"]),
            "    - make   # all\n",
            '    - "a: b"\n    - |\n        x\n        y\n',
            id="script",
        ),
        pytest.param(
            SetKey(job="test", key="script", value=["a", "b, c"]), '[ "make check" ]', '[a, "b, c"]', id="flow"
        ),
        pytest.param(
            SetServices(job="test", services=["redis:8", {"name": "postgres:18", "alias": "db"}]),
            "  # by hand\n",
            "  services:\n    - redis:8\n    - name: postgres:18\n      alias: db\n  # by hand\n",
            id="services",
        ),
        pytest.param(
            SetRules(job="test", rules=[{"if": '$A == "b"', "when": "never"}, {"when": "always"}]),
            "# when\n    - when: manual\n",
            '# when\n    - if: $A == "b"\n      when: never\n    - when: always\n',
            id="rules",
        ),
        pytest.param(
            SetRules(job="test", rules=[]),
            "  # by hand\n  rules:   # when\n    - when: manual\n",
            "",
            id="no rules",
        ),
        pytest.param(
            SetCache(job="build", cache={"key": "a", "paths": ["b"]}),
            "    script:\n",
            "    cache:\n        key: a\n        paths:\n        - b\n    script:\n",
            id="cache",
        ),
        pytest.param(
            SetArtifacts(job="build", artifacts={"paths": ["out"]}),
            "    - make   # all\n",
            "    - make   # all\n    artifacts:\n        paths:\n        - out\n",
            id="artifacts",
        ),
        pytest.param(SetNeeds(job="build", needs=[]), "    script:\n", "    needs: []\n    script:\n", id="no needs"),
        pytest.param(AddStage(stage="x"), "'test']", "'test', x]", id="last stage"),
        pytest.param(AddStage(stage="x", before="build"), "[build", "[x, build", id="first stage"),
        pytest.param(RemoveStage(stage="build"), "[build, ", "[", id="no first stage"),
        pytest.param(RemoveStage(stage="test"), "[build, 'test']", "[build]", id="no last stage"),
        pytest.param(
            AddInclude(include={"local": "a.yml"}), "# two\n", "# two\n\ninclude:\n- local: a.yml\n", id="include"
        ),
        pytest.param(SetDefault(key="retry", value=1), "ruby}", "ruby, retry: 1}", id="default"),
        pytest.param(SetDefault(key="image", value=None), "\n\ndefault: {image: ruby}", "", id="no default"),
        pytest.param(
            SetWorkflow(rules=[{"if": "$CI_COMMIT_BRANCH"}]),
            "# two\n",
            "# two\n\nworkflow:\n  rules:\n  - if: $CI_COMMIT_BRANCH\n",
            id="workflow",
        ),
    ],
)
def test_an_edit_replaces_exactly_this(edit: Edit, before: str, after: str) -> None:
    assert edited(FILE, edit) == FILE.replace(before, after, 1)


@pytest.mark.parametrize(
    ("text", "edit", "after"),
    [
        pytest.param("stages:\n  - a   # x\n  - b\n\n# far\nj: 1\n", AddStage(stage="c"), "  - b\n  - c\n", id="end"),
        pytest.param("stages:\n- a\n- b\nj: 1\n", AddStage(stage="c", before="b"), "- a\n- c\n- b\n", id="middle"),
        pytest.param("stages:\n  - a\nj: 1\n", AddStage(stage="c", before="a"), "  - c\n  - a\n", id="start"),
        pytest.param("j: 1\n", AddStage(stage="c"), "stages:\n  - build\n  - test\n  - deploy\n  - c\n", id="none"),
        pytest.param("stages: []\nj: 1\n", AddStage(stage="deploy", before="x"), "  - deploy\n", id="empty"),
        pytest.param("stages:\n  - a\n  - b\nj: 1\n", RemoveStage(stage="a"), "stages:\n  - b\n", id="removed"),
        pytest.param(
            "a:\n  variables:\n  script: x\n", SetVariable(job="a", name="B", value="c"), "    B: c\n", id="null"
        ),
        pytest.param(
            "a:\n  <<: *b\n  script: x\n".replace("*b", "{when: manual}"),
            SetImage(job="a", image="c"),
            "}\n  image: c\n",
            id="after a merge",
        ),
        pytest.param("a: {script: x}\n", SetVariable(job="a", name="B", value="1"), 'variables: {B: "1"}', id="braces"),
        pytest.param(
            "include: a.yml\nj: 1\n", AddInclude(include={"local": "b"}), "  - a.yml\n  - local: b\n", id="one"
        ),
        pytest.param(
            "include: [a.yml]\nj: 1\n", AddInclude(include={"local": "b"}), "[a.yml, {local: b}]", id="listed"
        ),
        pytest.param(
            "include:\n  - project: p\n    file: f\n# c\nj: 1\n",
            AddInclude(include={"local": "b.yml"}),
            "    file: f\n  - local: b.yml\n# c\n",
            id="long",
        ),
        pytest.param("include:\n  - a\n  - b\nj: 1\n", RemoveInclude(position=0), "include:\n  - b\nj", id="less"),
        pytest.param(
            "a:\n  script: |\n    x\n\n\nb: 1\n", SetKey(job="a", key="script", value="z"), "t: z\n\n\nb", id="|"
        ),
        pytest.param(
            "a:\n  script: |+\n    x\n\nb: 1\n",
            SetKey(job="a", key="when", value="manual"),
            "    x\n\n  when: manual\nb",
            id="|+",
        ),
    ],
)
def test_lists_and_keys_are_extended_in_the_way_they_are_written(text: str, edit: Edit, after: str) -> None:
    assert after in edited(text, edit)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        pytest.param(AddJob(name="build", body="script: [x]\n"), "already has a job named build", id="second job"),
        pytest.param(AddJob(name="x", body="script: [x]\n", before="y"), "no job named y", id="before no job"),
        pytest.param(AddJob(name="x", body="script: [\n"), "not valid YAML", id="a job that is no YAML"),
        pytest.param(RemoveJob(name="lint"), "no job named lint", id="no such job"),
        pytest.param(AddStage(stage="test"), "already a stage test", id="second stage"),
        pytest.param(RemoveStage(stage="x"), "is not there", id="no such stage"),
        pytest.param(
            SetVariable(job="stages", name="A", value="1"), r"not written as a set of keys \(line 2\)", id="list"
        ),
        pytest.param(SetCache(job="build", cache=None), "build.cache is not there", id="nothing to remove"),
        pytest.param(RemoveInclude(position=0), "is not there", id="no include"),
    ],
)
def test_what_cannot_be_done_is_refused(edit: Edit, said: str) -> None:
    with pytest.raises(CannotError, match=said):
        apply(FILE, edit)


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        pytest.param("a: &a\n  script: [x]\nb: *a\n", RemoveJob(name="a"), id="anchor"),
        pytest.param("a: &a\n  script: [x]\nb: *a\n", SetImage(job="b", image="x"), id="alias"),
        pytest.param("a:\n  script: [x]\n", RemoveJob(name="a"), id="only job"),
        pytest.param("include:\n  local: a.yml\nj: 1\n", AddInclude(include={"local": "b.yml"}), id="include as keys"),
    ],
)
def test_what_would_break_the_file_is_refused(text: str, edit: Edit) -> None:
    with pytest.raises(CannotError):
        apply(text, edit)


@pytest.mark.parametrize(("text", "line"), [("a: [", 1), ("a:\n\t- b\n", 2), ("- a\n", 1), ("a: b: c\n", 1)])
def test_what_is_no_pipeline_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(CannotError, match=rf"\(line [{line}{line + 1}]\)"):
        blocks(text)


@pytest.mark.parametrize(
    "value", ["no", "3.10", "1,000", ":a", "0644", "1:30", "", "a: b", "# c", "\u00a0", "'", '"', "\\"]
)
def test_a_text_stays_a_text_for_every_parser(value: str) -> None:
    text = edited("a:\n  script: [x]\n", SetVariable(name="A", value=value))
    assert yaml.safe_load(text)["variables"] == {"A": value}


LONG = "word " * 40
ODD = [
    "one\ntwo\n", "\n", "a\n\n  b", "a\r\nb", "a\x85b", "a\u2028b", "a\u2029", "tab\t", "\tb", " a", "a ", LONG,
    "\ufeffa", "\U0001f600", "\x00", "a\n\x1b", "\n\x15", "\uffff\nb", "~", "=", "<<", "y", "yes", "012", "1e3",
    "- a", "--- a\n---\n", "!reference [a]", "&a", "*a", "{a: b}", "a, b", "a]", "a: b\nc: d", "# a\n# b", "|",
    ">", "%a", "@a", "`a`", "? a", "$A",
]  # fmt: skip


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize(
    "text", ["job: {script: [a]}\n", "job:\n  script: [a]\n", "job:\n    script:\n    - a\n    added: |\n        x\n"]
)
def test_a_text_reads_back_as_it_was_given_wherever_it_is_put(text: str, value: str) -> None:
    for given in (value, [value, "b"], {value: value}):
        changed = edited(text, SetKey(job="job", key="added", value=given))
        assert yaml.safe_load(changed)["job"]["added"] == given


def test_lines_between_brackets_stay_on_one_line() -> None:
    text = edited("job: {script: [a]}\n", SetKey(job="job", key="script", value=["one\ntwo\n", 'say "hi"', "c"]))
    assert text == 'job: {script: ["one\\ntwo\\n", say "hi", c]}\n'


@pytest.mark.parametrize("value", ["no", "3.10", "1,000", ":a", "0644", "1:30", "", "1e3", "y"])
def test_what_some_parser_reads_as_no_text_is_quoted(value: str) -> None:
    assert f'  A: "{value}"\n' in apply("a:\n  script: [x]\n", SetVariable(name="A", value=value))
