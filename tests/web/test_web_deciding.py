"""What somebody may press below a draft, and in which words they are told why not."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from bot.domain import AccessLevel, Composition, Person, ProposalStatus, Survey
from bot.gitlab.values import MergeRequest, Pipeline
from bot.proposals.policy import Approval, Policy
from bot.store.proposals import Proposal
from bot.web.pages.deciding import choice_of

SHA = "a" * 40
NOW = "2026-01-01T00:00:00Z"


def proposal(**more: Any) -> Proposal:
    known = dict.fromkeys(Proposal.__struct_fields__)
    known |= {
        "id": UUID(int=1),
        "conversation_id": UUID(int=2),
        "repo_url": "u",
        "project_id": 7,
        "target_branch": "main",
    }
    known |= {"source_branch": "b", "is_internal": False, "requested_by_id": 5, "requested_by": "ada", "change_key": ""}
    known |= {"survey": Survey(units=()), "composition": Composition(files={}, jobs=(), sources=()), "introduction": ""}
    known |= {
        "change_title": "",
        "change_why": "",
        "change_notes": "",
        "change_diff": "",
        "commit_id": SHA,
        "base_sha": SHA,
    }
    known |= {"status": ProposalStatus.PROPOSED, "merge_request_iid": 1, "created_at": NOW, "updated_at": NOW}
    return msgspec.convert(msgspec.to_builtins({**known, **more}), Proposal)


def request(status: str | None = "success", **more: Any) -> MergeRequest:
    run = Pipeline(id=1, status=status, ref="r", sha=SHA, web_url="") if status else None
    known = {"iid": 1, "title": "t", "state": "opened", "is_draft": True, "sha": SHA, "source_branch": "b"}
    known |= {"target_branch": "main", "detailed_merge_status": "mergeable", "web_url": "", "may_merge": True}
    return MergeRequest(**{**known, "author": Person(id=9, username="bot"), "pipeline": run, **more})


OWN = Policy(approval=Approval(requester_may_approve=False))


@pytest.mark.parametrize(
    ("about", "policy", "person_id", "says"),
    [
        pytest.param(request(), Policy(), 6, "merges this commit into main, and nothing newer", id="yes"),
        pytest.param(request("running"), Policy(), 6, "when its pipeline passes", id="yes, once it is green"),
        pytest.param(request(), Policy(merge="never"), 6, "leaves the merge itself to a person", id="yes, marks ready"),
        pytest.param(
            request(), Policy(approval=Approval(minimum=2)), 6, "2 people have to say it", id="yes, with another"
        ),
        pytest.param(request(), OWN, 6, "merges this commit", id="yes of somebody else"),
    ],
)
def test_whoever_may_say_yes_is_told_what_it_does(
    about: MergeRequest, policy: Policy, person_id: int, says: str
) -> None:
    choice = choice_of(proposal(), request=about, policy=policy, role=AccessLevel.MAINTAINER, person_id=person_id)
    assert choice is not None
    assert (choice.may_say_yes, choice.may_say_no, says in choice.words) == (True, True, True)


@pytest.mark.parametrize(
    ("about", "policy", "person_id", "says"),
    [
        pytest.param(None, Policy(), 6, "GitLab does not show you", id="GitLab is silent"),
        pytest.param(request(), "it is broken", 6, "it is broken", id="rules that cannot be read"),
        pytest.param(request(may_merge=False), Policy(), 6, "must be allowed to merge into main", id="no right"),
        pytest.param(request(state="closed"), Policy(), 6, "is closed in GitLab", id="closed meanwhile"),
        pytest.param(request(sha="b" * 40), Policy(), 6, "Somebody pushed", id="pushed meanwhile"),
        pytest.param(request(), OWN, 5, "somebody else to approve", id="who asked may not"),
        pytest.param(request("failed"), Policy(), 6, "nothing red is merged", id="red"),
        pytest.param(request(None), Policy(merge="on_green"), 6, "none has run", id="nothing ran"),
    ],
)
def test_whoever_may_not_is_told_why(
    about: MergeRequest | None, policy: Policy | str, person_id: int, says: str
) -> None:
    choice = choice_of(proposal(), request=about, policy=policy, role=AccessLevel.REPORTER, person_id=person_id)
    assert choice is not None
    assert (choice.may_say_yes, choice.may_say_no, says in choice.words) == (False, False, True)


@pytest.mark.parametrize("status", ["generated", "committed", "superseded", "rejected", "failed"])
def test_there_is_nothing_to_press_below_what_is_no_open_draft(status: str) -> None:
    closed = proposal(status=status)
    assert choice_of(closed, request=request(), policy=Policy(), role=AccessLevel.OWNER, person_id=6) is None
