"""Whatever is edited in whatever file: it reads back, everything else stays, and the inverse gives back every byte."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from bot.ci.checks.document import read_document
from bot.ci.edit import (
    AddInclude,
    AddJob,
    AddStage,
    Edit,
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

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "ci-yaml-tests" / "positive"
# Endings and blank lines matter here, so nothing is trimmed.
OWN = [
    (
        "# top\n"
        "\n"
        "a:\n"
        "  script: [x]   # why\n"
        "\n"
        "\n"
        "# about b\n"
        "b:\n"
        "  stage: test\n"
        "  # by hand\n"
        "  script:\n"
        "    - |\n"
        "      many\n"
        "\n"
        "      lines\n"
        "    - b\n"
        "\n"
        "# end\n"
    ),
    (
        "---\n"
        "stages:\n"
        "- one\n"
        "- 'two'\n"
        ".base: &base\n"
        "    image:\n"
        "        name: a:1\n"
        '    variables: {A: "1", B: 2}\n'
        "job:\n"
        "    <<: *base\n"
        "    stage: one\n"
        "    script:\n"
        "    - >-\n"
        "        folded\n"
        "        text\n"
        "    needs: []\n"
        "...\n"
    ),
    (
        "include:\n"
        "  - local: a.yml\n"
        "\n"
        "  # ours\n"
        "  - project: p\n"
        "    file: [f, g]\n"
        "default: {image: x, retry: 1}\n"
        "job:\n"
        "  script: |+\n"
        "    keep\n"
        "\n"
        "\n"
        "last:\n"
        "  variables:\n"
        "  script: !reference [job, script]\n"
        "  rules: [{when: never}, {if: $A}]  # flow"
    ),
    (
        "variables:\n"
        '  A: "x"\n'
        "  # between\n"
        "\n"
        "  B: y\n"
        "\n"
        'job: {script: [a, "b # c"]}\n'
        '"quoted: name":\n'
        "   script:\n"
        "   - - nested\n"
        "     - list\n"
        "   -   spaced\n"
        "   environment:\n"
        "     name: ä → b\n"
        "     # deeper\n"
        "\n"
    ),
    (
        "spec:\n"
        "  inputs:\n"
        "    stage:\n"
        "---\n"
        "job:\n"
        "  stage: $[[ inputs.stage ]]\n"
        "  script: &script\n"
        "    - a\n"
        "  after_script: *script\n"
    ),
]
FILES = [*OWN, *(path.read_text() for path in sorted(FOLDER.rglob("*.yml")))]

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
names = st.sampled_from(["new", "a b", "it's", "x:y", "42"])
scalars = texts | st.integers(0, 9) | st.booleans()
lines = st.lists(texts | st.sampled_from(["one\ntwo\n", "a\n\n  b", "- c", "d: e", "# f"]), min_size=1, max_size=3)
settings_of_a_job = st.sampled_from(["stage", "timeout", "script", "variables", "tags", "cache"])


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file as it is, with other line breaks, without the last one, or with a byte order mark."""
    text = draw(st.sampled_from(["", "\ufeff"])) + draw(st.sampled_from(FILES))
    text = text.rstrip("\n") if draw(st.booleans()) else text
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def edits_of(job: str) -> st.SearchStrategy[Edit]:
    """Every typed edit, aimed at a job."""
    rules = st.lists(st.fixed_dictionaries({"when": st.just("manual")}, optional={"if": texts}), max_size=2)
    return st.one_of(
        st.builds(SetImage, job=st.just(job), image=texts | st.none()),
        st.builds(SetVariable, job=st.just(job), name=names, value=texts | st.none()),
        st.builds(SetKey, job=st.just(job), key=settings_of_a_job, value=scalars | lines | st.none()),
        st.builds(SetServices, job=st.just(job), services=st.lists(texts, max_size=2)),
        st.builds(SetRules, job=st.just(job), rules=rules),
        st.builds(SetCache, job=st.just(job), cache=st.fixed_dictionaries({"key": texts, "paths": lines}) | st.none()),
        st.builds(SetArtifacts, job=st.just(job), artifacts=st.fixed_dictionaries({"paths": lines}) | st.none()),
        st.builds(SetNeeds, job=st.just(job), needs=st.lists(names, max_size=2) | st.none()),
    )


file_edits = st.one_of(
    st.builds(AddJob, name=names, body=st.just("script:\n  - a\n\n  # b\n  - c\n")),
    st.builds(AddStage, stage=names, before=st.sampled_from([None, "build", "one"])),
    st.builds(RemoveStage, stage=st.sampled_from(["build", "test", "one", "two"])),
    st.builds(AddInclude, include=st.fixed_dictionaries({"local": texts})),
    st.builds(SetVariable, name=names, value=texts | st.none()),
    st.builds(SetDefault, key=st.sampled_from(["image", "retry"]), value=scalars | st.none()),
    st.builds(SetWorkflow, rules=st.just([{"if": "$A"}, {"when": "never"}])),
)
quietly = settings(max_examples=120, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


def changed_by(text: str, edit: Edit) -> str:
    try:
        return apply(text, edit)
    except CannotError:
        reject()


def data_of(text: str) -> dict[str, Any]:
    """Read a file as if its last line ended: without its break, a literal block there has none either."""
    return read_document(text + "\n").data


def is_part(lines: list[str], *, of: list[str]) -> bool:
    """Tell whether all lines come in the same order among others."""
    rest = iter(of)
    return all(line in rest for line in lines)


@quietly
@given(data=st.data(), text=files())
def test_an_edit_of_a_job_touches_no_byte_outside_of_it(data: st.DataObject, text: str) -> None:
    block = data.draw(st.sampled_from(blocks(text)))
    edit = data.draw(edits_of(block.name))
    changed = changed_by(text, edit)
    assert changed.startswith(text[: block.start])
    assert changed.endswith(text[block.end :])
    assert apply(changed, inverse(text, edit)) == text


@quietly
@given(text=files(), edit=file_edits)
def test_an_edit_of_the_file_leaves_every_job_as_it_is_and_can_be_taken_back(text: str, edit: Edit) -> None:
    changed = changed_by(text, edit)
    aimed = {"variables", "default", "workflow", "stages", "include"}
    kept = [text[block.start : block.end] for block in blocks(text) if block.name not in aimed]
    assert is_part("".join(kept).splitlines(), of=changed.removeprefix("\ufeff").splitlines())
    assert text.startswith("\ufeff") == changed.startswith("\ufeff")
    assert apply(changed, inverse(text, edit)) == text
    assert ("\r\n" in text) == ("\r\n" in changed)
    assert changed.count("\r\n") == changed.count("\n") or "\r\n" not in text
    assert text.endswith("\n") == changed.endswith("\n")


@quietly
@given(data=st.data(), text=files())
def test_a_job_is_removed_with_nothing_else_and_comes_back(data: st.DataObject, text: str) -> None:
    block = data.draw(st.sampled_from(blocks(text)))
    edit = RemoveJob(name=block.name)
    changed = changed_by(text, edit)
    before = data_of(text)
    del before[block.name]
    assert data_of(changed) == before
    assert apply(changed, inverse(text, edit)) == text


@quietly
@given(data=st.data(), text=files(), value=texts | lines)
def test_what_is_set_reads_back_and_all_else_reads_as_before(data: st.DataObject, text: str, value: Any) -> None:
    before = data_of(text)
    aliased = read_document(text).aliased
    jobs = [name for name in before if isinstance(before[name], dict) and name not in aliased]
    job = data.draw(st.sampled_from(jobs or ["none"]))
    changed = data_of(changed_by(text, SetKey(job=job, key="added", value=value)))
    assert changed[job]["added"] == value
    assert {name: changed[name] for name in changed if name != job} == {n: before[n] for n in before if n != job}


@quietly
@given(text=files(), name=names)
def test_a_job_added_and_removed_by_name_leaves_the_file_as_it_was(text: str, name: str) -> None:
    longer = changed_by(text, AddJob(name=name, body="script: [x]\n"))
    assert data_of(longer) == data_of(text) | {name: {"script": ["x"]}}
    assert apply(longer, RemoveJob(name=name)) == text


def test_the_files_at_hand_were_really_edited() -> None:
    if not FOLDER.is_dir():
        pytest.skip("the files of ../shared/data/ci-yaml-tests are not here")
    for text in FILES:
        assert apply(apply(text, AddJob(name="new", body="script: [x]")), RemoveJob(name="new")) == text
