"""The sentences said to people: short, true to what was asked, and still the same after they were made harmless."""

import re
from typing import Any
from uuid import UUID

import pytest

from bot.domain import AccessLevel, Composition, Evidence, Fact, Finding, JobRow, Source, Survey, Unit
from bot.proposals.command import NAMES
from bot.replies import progress, texts
from bot.replies.render import safe

SHA, HEAD = "0a1b2c3d" * 5, "f9e8d7c6" * 5

PIPELINES = {
    "success": "passed",
    "failed": "failed",
    "canceled": "was cancelled",
    "skipped": "was skipped",
    "running": "is running",
    "pending": "waits for a runner",
    "created": "was just created",
    "manual": "waits for somebody to start a manual job",
    "waiting_for_resource": "has the status `waiting_for_resource`",
    None: "was just created",
}


@pytest.mark.parametrize("status", PIPELINES)
def test_a_pipeline_is_told_in_words(status: str | None) -> None:
    said = progress.pipeline_line(status, "https://x.test/p/1", where="of the draft")
    assert said.startswith(f"The [pipeline](https://x.test/p/1) of the draft {PIPELINES[status]}")
    assert said.endswith(".")


SAID: dict[str, tuple[str, tuple[str, ...]]] = {
    "no pipeline": (progress.no_pipeline("on `main`"), ("No pipeline has run yet on `main`.",)),
    "merged": (
        progress.merged("main", SHA, ["ann"], "by a reaction"),
        ("`0a1b2c3d`", "`main`", "`ann`", "by a reaction"),
    ),
    "merge waits": (progress.merge_waits(SHA, "ann", "by a comment"), ("`ann` approved `0a1b2c3d`", "still running")),
    "not merged": (progress.not_merged("ann", "it is a draft."), ("`ann`: it is a draft.",)),
    "head moved": (progress.head_moved(SHA, HEAD, "@bot"), ("`0a1b2c3d`", "`f9e8d7c6`", "`@bot approve f9e8d7c6`")),
    "void": (
        progress.approval_void(SHA, HEAD, "bob", "@bot"),
        ("`bob` pushed", "`@bot approve f9e8d7c6`", "nothing is"),
    ),
    "withdrawn": (progress.approval_withdrawn("ann"), ("`ann` took the approval back", "nothing is merged")),
    "rejected": (progress.rejected("ann"), ("Closed, as `ann` asked",)),
    "another is open": (progress.another_is_open("LINK", "@bot"), ("while LINK of", "`@bot reject`", "open it again")),
    "no proposal": (progress.no_proposal("@bot"), ("no draft in this conversation", "`@bot generate`")),
    "by hand": (progress.merged_by_person("main", SHA), ("Merged `0a1b2c3d` into `main`", "not by me")),
    "unknown": (texts.unknown_command("aprove", "approve", "@bot"), ("`aprove`", "`@bot approve`", "`@bot help`")),
    "working": (texts.working("I'm reading."), ("⏳ I'm reading.", "edit this note")),
    "refusal": (texts.refusal("it is archived."), ("I can't do that: it is archived.",)),
    "unreachable": (texts.unreachable("GitLab"), ("GitLab did not answer",)),
    "broken": (texts.broken("0a1b"), ("`0a1b`", "administrator", "ask again")),
    "model down": (texts.model_down("@bot"), ("not reachable", "`@bot help`")),
    "nothing useful": (texts.nothing_useful("@bot"), ("`@bot help`",)),
    "approve": (texts.how_to_approve("@bot"), ("👍", "approves the merge request", "`@bot approve`")),
}


@pytest.mark.parametrize("name", SAID)
def test_a_sentence_says_what_one_must_know_and_needs_no_defusing(name: str) -> None:
    said, parts = SAID[name]
    assert [part for part in parts if part not in said] == []
    assert safe(said).markdown == said
    assert "  " not in said


def test_the_help_names_every_command_and_no_other() -> None:
    listed = re.findall(r"^\| `@bot (\w+)` \|", texts.help_text("@bot"), re.MULTILINE)
    assert sorted(listed) == sorted(NAMES)
    assert safe(texts.help_text("@bot")).markdown == texts.help_text("@bot")


@pytest.mark.parametrize(
    ("level", "have"),
    [(AccessLevel.NONE, "no role"), (AccessLevel.GUEST, "the role Guest"), (AccessLevel.REPORTER, "the role Reporter")],
)
def test_a_stranger_hears_which_role_is_needed(level: AccessLevel, have: str) -> None:
    said = texts.strangers(level, AccessLevel.DEVELOPER, "ask for a pipeline")
    assert said.startswith("to ask for a pipeline one needs at least the role Developer")
    assert said.endswith(f"you have {have} here.")


def test_the_hidden_mark_survives_being_made_harmless() -> None:
    order = UUID(int=7)
    assert safe("words" + texts.mark(order)).markdown == "words" + texts.mark(order)


# --- hostile words from repositories and people, in every text that shows them ---

NASTY = "</details>\n/close\n@all ![x](https://x.test/y.png) `|` <!-- pipewright:order=1 --> ```\n"


def nasty_survey() -> Survey:
    fact = Fact(name="language", value=NASTY, because=NASTY, evidence=(Evidence(path=NASTY, line=3, quote=NASTY),))
    return Survey(units=(Unit(root=NASTY, ecosystem="python", facts=(fact,)),), remarks=(NASTY,), question=NASTY)


def nasty_composition() -> Composition:
    return Composition(
        files={NASTY: NASTY},
        jobs=(JobRow(name=NASTY, stage=NASTY, image=NASTY, does=NASTY),),
        sources=(Source(template=NASTY, content_hash=NASTY),),
        assumptions=(NASTY,),
        kept=(NASTY,),
    )


SHOWN: dict[str, Any] = {
    "a proposal": lambda: texts.proposal_note(
        nasty_survey(),
        nasty_composition(),
        merge_request="[merge request 1](https://x.test)",
        mention="@bot",
        files=("a",),
    ),
    "a description": lambda: texts.merge_request_description(
        nasty_survey(), nasty_composition(), asked_in="[issue 1](https://x.test)", requester=NASTY, mention="@bot"
    ),
    "findings": lambda: texts.finding_list((Finding(rung="yaml", message=NASTY, mend=NASTY, line=3),)),
    "a diff": lambda: texts.file_diff("a file", NASTY),
    "failed jobs": lambda: progress.failed_jobs(((NASTY, "https://x.test/j/1", NASTY),)),
    "a refusal": lambda: texts.refusal(NASTY),
    "a merge": lambda: progress.merged(NASTY, SHA, [NASTY], "by a reaction"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_hostile_words_stay_harmless_wherever_they_are_shown(name: str) -> None:
    out = safe(SHOWN[name]()).markdown
    assert not re.search(r"^/[A-Za-z_]", out, re.MULTILINE)
    assert not re.search(r"(?m)^[^`]*<!--", out)
    assert out.count("<details>") == out.count("<summary>")


@pytest.mark.parametrize("name", ["a proposal", "a description"])
def test_hostile_words_do_not_open_a_new_row_or_fold(name: str) -> None:
    out = safe(SHOWN[name]()).markdown
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert len(rows) == 3, "head, rule and the one job"


def test_a_plain_draft_is_shown_job_by_job_with_its_sources() -> None:
    survey = Survey(
        units=(
            Unit(
                root="",
                ecosystem="python",
                facts=(
                    Fact(
                        name="test_command",
                        value="pytest",
                        because="it is there",
                        evidence=(Evidence(path="a", line=2),),
                    ),
                ),
            ),
        )
    )
    composition = Composition(
        files={".gitlab-ci.yml": "x"},
        jobs=(JobRow(name="test", stage="test", image="python:3.13", does="runs pytest"),),
        sources=(Source(template="python/pytest", content_hash="0123456789abcdef"),),
        assumptions=("a runner with Docker",),
        kept=("deploy",),
    )
    note = texts.proposal_note(survey, composition, merge_request="[m](u)", mention="@bot", files=(".gitlab-ci.yml",))
    for part in (
        "Here is the draft: [m](u) with `.gitlab-ci.yml`.",
        "| `test` | test | `python:3.13` | runs pytest |",
        "Kept as they were: `deploy`.",
        "- test command `pytest`, because it is there (`a:2`)",
        "Templates used: `python/pytest` (`0123456789ab`).",
        "- a runner with Docker",
        "<details><summary>Why it looks like this</summary>",
    ):
        assert part in note
    assert safe(note).markdown == note


def test_a_repository_without_anything_recognisable_is_told_so() -> None:
    assert texts.fact_list(Survey(units=())) == "Nothing that I recognise."
