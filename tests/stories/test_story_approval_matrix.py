"""Who may approve where, by which signal, under which rules: each way tried, each refusal with its mend."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product

import pytest

from bot.sandbox import acts, git_store, merging, seed
from bot.sandbox.ci import engine
from bot.sandbox.state import Issue, MergeRequest, Note, Pipeline, Protection, User
from bot.store import approvals, proposals
from tests.world.town import PYTHON, Story, Town

Give = Callable[[Story, MergeRequest, User], None]


def by_reaction(story: Story, request: MergeRequest, who: User) -> None:
    story.react(request, by=who)


def by_reaction_on_the_note(story: Story, _: MergeRequest, who: User) -> None:
    issue = story.project.issues[0]
    story.react(issue, note=story.answers(issue)[0], by=who)


def by_approval(story: Story, request: MergeRequest, who: User) -> None:
    story.approve(request, by=who)


def by_comment(story: Story, request: MergeRequest, who: User) -> None:
    story.comment(request, "@pipewright approve", by=who)


SIGNALS: dict[str, Give] = {
    "reaction": by_reaction,
    "reaction on the note": by_reaction_on_the_note,
    "approval": by_approval,
    "comment": by_comment,
}
ROLES = ("maintainer", "developer", "reporter", "guest", "stranger")
PROTECTIONS = {
    "maintainers merge": Protection(push=40, merge=40),
    "developers merge": Protection(push=40, merge=30),
    "no rule": None,
    "nobody merges": Protection(push=40, merge=0),
}


def may(role: str, protection: str) -> bool:
    """GitLab's own table: permissions and protected branches."""
    if protection == "nobody merges":
        return False
    return role == "maintainer" or (role == "developer" and protection != "maintainers merge")


def protect(story: Story, protection: str) -> None:
    rule = PROTECTIONS[protection]
    story.project.protected.pop("main", None)
    if rule is not None:
        story.project.protected["main"] = rule


def rules(text: str) -> dict[str, str]:
    return {**PYTHON, ".pipewright.yml": text}


ENTITLED = [pair for pair in product(ROLES, PROTECTIONS) if may(*pair)]
NOT_ENTITLED = [pair for pair in product(ROLES, PROTECTIONS) if not may(*pair)]


@pytest.mark.parametrize(("role", "protection"), NOT_ENTITLED)
def test_no_signal_of_somebody_who_may_not_merge_merges(town: Town, role: str, protection: str) -> None:
    story = town.story(visibility="public")
    request = story.drafted()
    protect(story, protection)
    who = getattr(story, role)
    for give in SIGNALS.values():
        if give is by_approval and role not in {"maintainer", "developer"}:
            continue  # GitLab itself shows them no button
        give(story, request, who)
        story.settle()
        assert request.state == "opened"
    assert "allowed to merge into `main`" in story.answer(request)
    assert "Someone who is can approve instead" in story.answer(request)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(("role", "protection"), ENTITLED)
def test_each_signal_of_somebody_who_may_merge_merges(town: Town, signal: str, role: str, protection: str) -> None:
    story = town.story()
    request = story.drafted()
    protect(story, protection)
    SIGNALS[signal](story, request, getattr(story, role))
    story.settle()
    assert request.state == "merged"


def test_whom_a_rule_with_a_star_names_merges_and_nobody_else_of_the_same_role(story: Story) -> None:
    request = story.drafted()
    other = seed.add_user(story.world, "dora")
    story.project.members[other.id] = 30
    story.project.protected = {"m*n": Protection(mergers=frozenset({story.developer.id}))}
    by_comment(story, request, other)
    story.settle()
    assert request.state == "opened"
    assert "allowed to merge into `main`" in story.answer(request)
    by_comment(story, request, story.developer)
    story.settle()
    assert request.state == "merged"


# what changed meanwhile


def test_a_draft_aimed_at_another_branch_is_not_merged(story: Story) -> None:
    request = story.drafted()
    with story.world.lock:
        git_store.create_branch(story.project.git_dir, "production", story.head("main"))
        request.target_branch = "production"
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert "now aims at `production`" in story.answer(request)


def test_a_draft_aimed_at_another_branch_while_it_is_made_ready_is_not_merged(story: Story) -> None:
    request = story.drafted()
    with story.world.lock:
        git_store.create_branch(story.project.git_dir, "production", story.head("main"))

    def aim(method: str, at: str) -> None:
        if (method, at) == ("PUT", f"/projects/{story.project.id}/merge_requests/1"):
            request.target_branch = "production"

    story.world.before_call.append(aim)
    try:
        story.react(request)
        story.settle()
    finally:
        story.world.before_call.remove(aim)
    assert request.state == "opened"
    assert "now aims at `production`" in story.answer(request)


@pytest.mark.parametrize("signal", sorted(SIGNALS.keys() - {"approval"}))  # GitLab shows no button there
def test_a_closed_draft_is_not_merged(story: Story, signal: str) -> None:
    request = story.drafted()
    with story.world.lock:
        acts.set_state(story.world, request, story.maintainer, "close")
    SIGNALS[signal](story, request, story.maintainer)
    story.settle()
    assert request.state == "closed"


def test_a_target_that_moved_without_conflict_is_merged(story: Story) -> None:
    request = story.drafted()
    story.push("main", "NEWS.md", "new\n", by=story.maintainer)
    story.react(request)
    story.settle()
    assert request.state == "merged"
    assert story.file("NEWS.md", "main") == "new\n"


def test_a_target_that_moved_into_a_conflict_is_told(story: Story) -> None:
    request = story.drafted()
    story.push("main", ".gitlab-ci.yml", "by_hand:\n  script: [x]\n", by=story.maintainer)
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert "conflict" in story.answer(request)


@pytest.mark.parametrize("emoji", ["+1", "thumbsup_tone3"])
def test_other_names_of_the_same_thumb_are_judged_alike(story: Story, emoji: str) -> None:
    request = story.drafted()
    story.react(request, emoji)
    story.settle()
    assert (request.state == "merged") == emoji.startswith("thumbsup")


# rules of the project


def test_two_people_have_to_approve_where_the_rule_says_so(town: Town) -> None:
    story = town.story(rules("approval:\n  minimum: 2\n"))
    protect(story, "developers merge")
    request = story.drafted()
    story.react(request)
    story.settle()
    note = story.answers(story.project.issues[0])[0]
    assert request.state == "opened"
    assert "1 of the 2 approvals" in note.body
    assert "One more person has to approve" in note.body
    story.comment(request, "@pipewright approve", by=story.developer)
    story.settle()
    assert request.state == "merged"
    assert f"approved by `{story.maintainer.username}` and `{story.developer.username}`" in note.body


def test_one_person_approving_twice_is_one_person(town: Town) -> None:
    story = town.story(rules("approval:\n  minimum: 2\n"))
    request = story.drafted()
    for give in SIGNALS.values():
        give(story, request, story.maintainer)
        story.settle()
    assert request.state == "opened"


def test_an_approval_taken_back_before_the_second_one_does_not_count(town: Town) -> None:
    story = town.story(rules("approval:\n  minimum: 2\n"))
    protect(story, "developers merge")
    request = story.drafted()
    story.react(request)
    story.settle()
    story.unreact(request)
    story.settle()
    assert "of the 2 approvals" not in story.answers(story.project.issues[0])[0].body
    story.comment(request, "@pipewright approve", by=story.developer)
    story.settle()
    assert request.state == "opened"


def test_an_approval_whose_giver_lost_the_right_meanwhile_does_not_count(town: Town) -> None:
    story = town.story(rules("approval:\n  minimum: 2\n"))
    protect(story, "developers merge")
    request = story.drafted()
    story.comment(request, "@pipewright approve", by=story.developer)
    story.settle()
    story.project.members[story.developer.id] = 20
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert "1 of the 2 approvals" in story.answers(story.project.issues[0])[0].body


def half_approved_by_a_comment(town: Town) -> tuple[Story, MergeRequest, Note]:
    """Let the first of two people approve by a comment, in the issue."""
    story = town.story(rules("approval:\n  minimum: 2\n"))
    protect(story, "developers merge")
    request = story.drafted()
    note = story.comment(story.project.issues[0], "@pipewright approve", by=story.maintainer)
    story.settle()
    assert "1 of the 2 approvals" in story.answers(story.project.issues[0])[0].body
    return story, request, note


def wiped(story: Story, note: Note) -> None:
    with story.world.lock:
        story.project.issues[0].notes.remove(note)


def worded(text: str) -> Callable[[Story, Note], None]:
    def edit(story: Story, note: Note) -> None:
        with story.world.lock:
            acts.edit(story.world, story.project.issues[0], note, text)

    return edit


@pytest.mark.parametrize(
    "take_back",
    [
        pytest.param(wiped, id="deleted"),
        pytest.param(worded("Better wait."), id="no order"),
        pytest.param(worded("@pipewright reject"), id="another order"),
        pytest.param(worded("> @pipewright approve"), id="quoted"),
        pytest.param(worded("@pipewright approve 0123456789"), id="another commit"),
    ],
)
def test_a_comment_that_approves_no_longer_when_the_second_one_comes_does_not_count(
    town: Town, take_back: Callable[[Story, Note], None]
) -> None:
    story, request, note = half_approved_by_a_comment(town)
    take_back(story, note)
    story.comment(request, "@pipewright approve", by=story.developer)
    story.settle()
    assert request.state == "opened"
    assert "1 of the 2 approvals" in story.answers(story.project.issues[0])[0].body


def test_a_comment_that_was_edited_and_still_approves_counts(town: Town) -> None:
    story, request, note = half_approved_by_a_comment(town)
    worded(f"Looks good!\n\n@pipewright approve {story.head(request.source_branch)[:10]}")(story, note)
    story.comment(request, "@pipewright approve", by=story.developer)
    story.settle()
    assert request.state == "merged"


def test_an_approval_of_which_an_older_version_stored_no_comment_goes_on_counting(town: Town) -> None:
    story, request, note = half_approved_by_a_comment(town)
    with story.town.parts.services.pool.connection() as connection:
        connection.execute(
            "update approvals set note_id = null, noteable_kind = null, noteable_iid = null where user_id = %s",
            (story.maintainer.id,),
        )
    wiped(story, note)
    story.comment(request, "@pipewright approve", by=story.developer)
    story.settle()
    assert request.state == "merged"


def approved_by_two_while_running(story: Story) -> MergeRequest:
    request = story.approved_while_running()
    story.comment(request, "@pipewright approve", by=story.developer)
    story.until(lambda: len(accepted(story, request)) == 2)
    return request


def test_where_two_approved_one_who_takes_it_back_disarms_the_waiting_merge_only_below_the_minimum(
    town: Town,
) -> None:
    story = town.story()
    protect(story, "developers merge")
    with story.jobs_held():
        request = approved_by_two_while_running(story)
        story.unreact(request)
        story.until(lambda: len(accepted(story, request)) == 1)
        assert request.auto_merge_by is not None
    story.settle()
    assert request.state == "merged"


def lost_the_right(story: Story) -> None:
    story.project.members[story.developer.id] = 20


def broke_the_rules(story: Story) -> None:
    story.push("main", ".pipewright.yml", "approval: []\n", by=story.maintainer)


@pytest.mark.parametrize("meanwhile", [lost_the_right, broke_the_rules])
def test_an_approval_that_holds_no_longer_keeps_no_merge_waiting_when_the_other_one_is_taken_back(
    town: Town, meanwhile: Callable[[Story], None]
) -> None:
    story = town.story()
    protect(story, "developers merge")
    with story.jobs_held():
        request = approved_by_two_while_running(story)
        meanwhile(story)
        story.unreact(request)
        story.until(lambda: "took the approval back" in story.answer(request))
    story.settle()
    assert request.state == "opened"


def accepted(story: Story, request: MergeRequest) -> list[str]:
    with story.town.parts.services.pool.connection() as connection:
        proposal = proposals.find_by_merge_request(connection, story.project.id, request.iid)
        assert proposal is not None
        rows = approvals.for_proposal(connection, proposal.id)
    return [row.username for row in approvals.given(rows, proposal.commit_id or "")]


def test_where_the_rule_leaves_merging_to_people_the_draft_is_only_marked_ready(town: Town) -> None:
    story = town.story(rules("merge: never\n"))
    request = story.drafted()
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert not request.title.startswith("Draft:")
    assert "leaves the merge itself to a person" in story.answers(story.project.issues[0])[0].body
    with story.world.lock:
        request.unsettled_reads = 0
        merging.merge(story.world, request, story.maintainer, sha=None, when_green=False)
    story.settle()
    assert "Merged" in story.answers(story.project.issues[0])[0].body


@pytest.mark.parametrize("merge", ["auto", "on_green", "never"])
def test_a_red_pipeline_is_merged_under_no_rule(town: Town, merge: str) -> None:
    story = town.story({**rules(f"merge: {merge}\n"), ".gitlab-ci.yml": "breaks:\n  script:\n    - exit 1\n"})
    request = story.drafted()
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert "its pipeline failed" in story.answer(request)


@pytest.mark.parametrize("merge", ["auto", "on_green"])
def test_a_green_pipeline_is_merged_under_both_rules(town: Town, merge: str) -> None:
    story = town.story(rules(f"merge: {merge}\n"))
    request = story.drafted()
    story.react(request)
    story.settle()
    assert request.state == "merged"


def without_pipeline(story: Story) -> MergeRequest:
    request = story.drafted()
    gone: list[Pipeline] = story.project.pipelines
    with story.world.lock:
        gone.clear()
    made_long_ago(story)
    return request


def made_long_ago(story: Story) -> None:
    """Let the draft be so old that nobody waits for its pipeline any more."""
    with story.town.parts.services.pool.connection() as connection:
        sql = "update pipelines set opened_at = opened_at - interval '1 minute' where project_id = %s"
        connection.execute(sql, (story.project.id,))


def test_without_any_pipeline_the_rule_decides(town: Town) -> None:
    story = town.story(rules("merge: on_green\n"))
    request = without_pipeline(story)
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert "no pipeline has run for this commit" in story.answer(request)
    free = town.story()
    request = without_pipeline(free)
    free.react(request)
    free.settle()
    assert request.state == "merged"


@contextmanager
def without_pipelines(story: Story) -> Iterator[None]:
    """Let GitLab make no pipelines yet."""
    story.world.makes_pipelines = False
    try:
        yield
    finally:
        story.world.makes_pipelines = True


@contextmanager
def pipeline_at_look(number: int, story: Story) -> Iterator[None]:
    """Let GitLab make the pipeline of the draft when the bot looks at it for the so-manieth time."""
    looks: list[str] = []

    def make(method: str, at: str) -> None:
        if (method, at) == ("GET", f"/projects/{story.project.id}/merge_requests/1"):
            looks.append(at)
            if len(looks) == number:
                with story.world.lock:
                    engine.on_merge_request(story.world, story.request, story.town.bot)

    story.world.before_call.append(make)
    try:
        yield
    finally:
        story.world.before_call.remove(make)


@pytest.mark.parametrize("whose", ["proposed", "pushed"])
def test_what_is_approved_before_gitlab_made_its_pipeline_waits_for_that(story: Story, whose: str) -> None:
    with without_pipelines(story):
        request = story.drafted()
        if whose == "pushed":
            story.push(request.source_branch, "x/more.py", "")
            story.settle()
    with story.jobs_held(), pipeline_at_look(4, story):
        head = story.head(request.source_branch)
        story.comment(request, f"@pipewright approve {head[:10]}", by=story.maintainer)
        story.until(lambda: request.auto_merge_by is not None or request.state == "merged")
        assert request.state == "opened"
    story.settle()
    assert (request.state, request.last_sha) == ("merged", head)


@pytest.mark.parametrize("status", ["waiting_for_resource", "preparing", "waiting_for_callback"])
@pytest.mark.parametrize("merge", ["auto", "on_green"])
def test_a_pipeline_that_waits_for_something_is_waited_for(town: Town, merge: str, status: str) -> None:
    story = town.story(rules(f"merge: {merge}\n"))
    request = story.drafted()
    with story.world.lock:
        story.project.pipelines[-1].status = status
    story.react(request)
    story.settle()
    assert (request.state, request.auto_merge_by) == ("opened", town.bot)


@pytest.mark.parametrize("before", ["success", "failed"])
def test_the_pipeline_of_an_earlier_commit_counts_neither_for_nor_against_the_approved_one(
    town: Town, before: str
) -> None:
    story = town.story(rules("merge: on_green\n"))
    request = story.drafted()
    with story.world.lock:
        story.project.pipelines[-1].status = before
        story.world.makes_pipelines = False
    try:
        head = story.push(request.source_branch, "x/more.py", "", by=story.developer)
        story.settle()
        story.ask(f"@pipewright approve {head[:8]}", of=request, by=story.maintainer)
    finally:
        story.world.makes_pipelines = True
    assert request.state == "opened"
    assert "no pipeline has run for this commit" in story.answer(request)


@pytest.mark.parametrize("text", ["approval:\n  minimum: 0\n", "merge: sometimes\n", "approval: [x]\n", "- a\n"])
def test_a_rule_that_is_none_refuses_and_names_the_file(town: Town, text: str) -> None:
    story = town.story()
    request = story.drafted()
    story.push("main", ".pipewright.yml", text, by=story.maintainer)
    answer = story.ask("@pipewright approve", of=request, by=story.maintainer)
    assert "`.pipewright.yml` on the default branch is not valid" in answer
    assert story.request.state == "opened"


def test_only_the_emoji_of_the_rule_approve(town: Town) -> None:
    story = town.story(rules("approval:\n  allowed_emoji: [rocket]\n"))
    request = story.drafted()
    story.react(request, "thumbsup")
    story.settle()
    assert request.state == "opened"
    story.react(request, "rocket")
    story.settle()
    assert request.state == "merged"


def test_a_rule_on_the_drafts_own_branch_changes_nothing(town: Town) -> None:
    story = town.story(rules("approval:\n  requester_may_approve: false\n"))
    protect(story, "developers merge")
    issue: Issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    request = story.request
    pushed = story.push(request.source_branch, ".pipewright.yml", "approval:\n  requester_may_approve: true\n")
    story.settle()
    answer = story.ask(f"@pipewright approve {pushed[:10]}", of=request, by=story.developer)
    assert "may not approve it" in answer
    assert request.state == "opened"


# every signal × what changed between the proposal and the word


def pushed_to(story: Story, request: MergeRequest) -> None:
    story.push(request.source_branch, "NEWS.md", "mine\n")
    story.settle()


def edited(story: Story, request: MergeRequest) -> None:
    """A person mends the bot's own file by hand."""
    story.push(request.source_branch, ".gitlab-ci.yml", story.file(".gitlab-ci.yml") + "# by hand\n")
    story.settle()


def aimed_elsewhere(story: Story, request: MergeRequest) -> None:
    with story.world.lock:
        git_store.create_branch(story.project.git_dir, "production", story.head("main"))
        request.target_branch = "production"


def conflicting(story: Story, _: MergeRequest) -> None:
    story.push("main", ".gitlab-ci.yml", "by_hand:\n  script: [x]\n", by=story.maintainer)


def protected_more(story: Story, _: MergeRequest) -> None:
    story.project.protected["main"] = Protection(push=40, merge=50)


CHANGES: dict[str, tuple[Callable[[Story, MergeRequest], None], str, str]] = {
    "the head moved": (pushed_to, "but the draft now stands at", "Look at what changed; to merge that, write"),
    "a person edited the draft": (edited, "but the draft now stands at", "Look at what changed; to merge that, write"),
    "the target changed": (aimed_elsewhere, "now aims at `production`", "Aim it back"),
    "the target moved into a conflict": (
        conflicting,
        "it conflicts with the target branch",
        "Ask me for a new draft, or resolve",
    ),
    "the branch was protected more": (protected_more, "allowed to merge into `main`", "Someone who is can"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("signal", SIGNALS)
def test_no_signal_merges_what_changed_meanwhile_and_each_refusal_says_why_and_what_to_do(
    town: Town, signal: str, change: str
) -> None:
    story = town.story()
    request = story.drafted()
    make, why, mend = CHANGES[change]
    make(story, request)
    SIGNALS[signal](story, request, story.maintainer)
    story.settle()
    said = story.answer(request) + story.answer(story.project.issues[0])
    assert request.state == "opened"
    assert why in said
    assert mend in said


# every signal × every state of the pipeline × every rule of merging

RUNS = ("green", "red", "cancelled", "running", "missing")
MERGES = ("auto", "on_green", "never")


def ends(run: str, merge: str) -> str:
    """What becomes of a draft: README, `merge`."""
    if run in ("red", "cancelled"):
        return "refused"
    if run == "missing" and merge == "on_green":
        return "refused"
    return {"auto": "merged", "on_green": "merged", "never": "left"}[merge]


# each signal with each pipeline, and with each rule, without every threesome
THREES = [
    (run, merge, list(SIGNALS)[(row + column) % len(SIGNALS)])
    for row, run in enumerate(RUNS)
    for column, merge in enumerate(MERGES)
]


@pytest.mark.parametrize(("run", "merge", "signal"), THREES)
def test_each_pipeline_under_each_rule_ends_as_the_rule_says(town: Town, run: str, merge: str, signal: str) -> None:
    story = town.story(rules(f"merge: {merge}\n"))
    if run == "running":
        with story.jobs_held():
            request = story.request_while_running()
            SIGNALS[signal](story, request, story.maintainer)
            story.until(lambda: accepted(story, request) != [] and (merge == "never" or bool(request.auto_merge_by)))
            assert request.state == "opened"
            assert (request.auto_merge_by is None) is (merge == "never")
        story.settle()
    else:
        request = story.drafted()
        with story.world.lock:
            if run == "missing":
                story.project.pipelines.clear()
            else:
                story.project.pipelines[-1].status = {"green": "success", "red": "failed", "cancelled": "canceled"}[run]
        made_long_ago(story)
        SIGNALS[signal](story, request, story.maintainer)
        story.settle()
    wanted = ends(run, merge)
    assert request.state == ("merged" if wanted == "merged" else "opened")
    said = story.answer(request) + story.answer(story.project.issues[0])
    if wanted == "refused":
        assert {"red": "its pipeline failed", "cancelled": "was cancelled", "missing": "no pipeline has run"}[
            run
        ] in said
        assert "pprove once it is green" in said
    if wanted == "left":
        assert "leaves the merge itself to a person" in said


# every signal × whether the one who asked may approve × how many have to


@pytest.mark.parametrize("signal", SIGNALS)
def test_whoever_asked_approves_by_no_signal_where_the_rule_forbids_it(town: Town, signal: str) -> None:
    story = town.story(rules("approval:\n  requester_may_approve: false\n"))
    protect(story, "developers merge")
    request = story.drafted()
    SIGNALS[signal](story, request, story.developer)
    story.settle()
    said = story.answer(request) + story.answer(story.project.issues[0])
    assert request.state == "opened"
    assert "who asked for the draft may not approve it" in said
    assert "Somebody else has to" in said


PAIRS = [*zip(SIGNALS, [*list(SIGNALS)[1:], *list(SIGNALS)[:1]], strict=True), ("comment", "comment")]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_two_people_count_by_whichever_signals(town: Town, first: str, second: str) -> None:
    story = town.story(rules("approval:\n  minimum: 2\n"))
    protect(story, "developers merge")
    request = story.drafted()
    SIGNALS[first](story, request, story.maintainer)
    story.settle()
    assert request.state == "opened"
    SIGNALS[second](story, request, story.developer)
    story.settle()
    assert request.state == "merged"


@pytest.mark.parametrize(
    ("emoji", "place"),
    [
        ("white_check_mark", "reaction"),
        ("heavy_check_mark", "reaction on the note"),
        ("rocket", "reaction"),
        ("tada", "reaction"),
        ("tada", "reaction on the note"),
    ],
)
def test_only_the_emoji_that_approve_by_default_do(town: Town, emoji: str, place: str) -> None:
    story = town.story()
    request = story.drafted()
    if place == "reaction":
        story.react(request, emoji)
    else:
        issue = story.project.issues[0]
        story.react(issue, emoji, note=story.answers(issue)[0])
    story.settle()
    assert (request.state == "merged") is (emoji != "tada")


@pytest.mark.parametrize("signal", ["reaction", "approval"])
def test_a_signal_taken_back_before_the_bot_looks_merges_nothing(town: Town, signal: str) -> None:
    story = town.story()
    request = story.drafted()
    with story.world.lock:  # the hooks are sent, but nobody has asked GitLab yet
        SIGNALS[signal](story, request, story.maintainer)
        if signal == "reaction":
            story.unreact(request)
        else:
            acts.unapprove(story.world, request, story.maintainer)
    story.settle()
    assert request.state == "opened"
