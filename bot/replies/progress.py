"""What is said about a proposal on its way: pipelines, approvals, refusals, merges."""

from collections.abc import Sequence

from bot.replies.render import quoted

_PIPELINE_WORDS = {
    "success": "passed ✅",
    "failed": "failed ❌",
    "canceled": "was cancelled",
    "skipped": "was skipped",
    "running": "is running",
    "pending": "waits for a runner",
    "created": "was just created",
    "manual": "waits for somebody to start a manual job",
}


MERGE_LEFT_TO_PERSON = "The draft is marked ready; this project's rule leaves the merge itself to a person."


def pipeline_state(status: str | None) -> str:
    """Say in half a sentence how a pipeline stands."""
    return f"its pipeline {_words_for(status)}" if status else "no pipeline has run for this commit"


def _words_for(status: str) -> str:
    return _PIPELINE_WORDS.get(status, f"has the status {quoted(status)}")


def no_pipeline(where: str) -> str:
    """Say that nothing ran; `where` is such as "of the draft" or "on `main`"."""
    return f"No pipeline has run yet {where}."


def pipeline_line(status: str | None, url: str, *, where: str) -> str:
    """Say how a pipeline stands."""
    return f"The [pipeline]({url}) {where} {_words_for(status or 'created')}."


def nothing_to_retry(line: str, what_else: str) -> str:
    """Say why no job is run again; `line` tells how the pipeline stands."""
    return f"no job of it failed or was stopped. {line} {what_else}".rstrip()


def nothing_to_cancel(line: str, what_else: str) -> str:
    """Say why no pipeline is stopped; `line` tells how it stands."""
    return f"it does not run any more. {line} {what_else}".rstrip()


def only_of_draft(line: str) -> str:
    """Say that the pipeline after the merge, whose state is the `line`, is none that these orders reach."""
    return f"The draft is merged, and what runs since is yours to run again or to stop on its own page. {line}".rstrip()


def make_another(mention: str) -> str:
    """Say how to go on when the draft was turned down."""
    return f"The draft is rejected; `{mention} generate` makes another one."


def ended_already(status: str) -> str:
    """Say why a draft that is no longer open cannot be closed."""
    if status == "committed":
        return "the draft is merged already. *Revert* on the page of its merge request takes that back."
    return f"the draft is {status} already."


def failed_jobs(rows: tuple[tuple[str, str, str], ...]) -> str:
    """Name failed jobs: (name, url, reason)."""
    return "\n".join(
        f"- [{quoted(name)}]({url}) failed" + (f": {quoted(reason)}" if reason else "") for name, url, reason in rows
    )


def merged(branch: str, sha: str, approvers: Sequence[str], signal: str) -> str:
    """Say that the draft is merged, and by whose word; `signal` is the last approver's."""
    names = " and ".join(quoted(approver) for approver in approvers)
    return f"🎉 Merged `{sha[:8]}` into {quoted(branch)}, approved by {names} ({signal})."


def merge_waits(sha: str, approver: str, signal: str) -> str:
    """Say that GitLab will merge as soon as the pipeline passes."""
    return (
        f"{quoted(approver)} approved `{sha[:8]}` ({signal}). The pipeline is still running; GitLab merges when it "
        "passes, and not if anything new is pushed."
    )


def approved(sha: str, approver: str, signal: str, then: str) -> str:
    """Say that somebody approved, and what has to happen `then`."""
    return f"{quoted(approver)} approved `{sha[:8]}` ({signal}). {then}"


def approvals_so_far(count: int, minimum: int) -> str:
    """Say how many approvals this project still wants."""
    missing = minimum - count
    more = "One more person has to approve." if missing == 1 else f"{missing} more people have to approve."
    return f"That makes {count} of the {minimum} approvals this project asks for. {more}"


def not_merged(approver: str, reason: str) -> str:
    """Say why an approval did not lead to a merge."""
    return f"I did not merge on the approval of {quoted(approver)}: {reason}"


def head_moved(approved: str, head: str, mention: str) -> str:
    """Say that the draft is no longer what was proposed."""
    return (
        f"I proposed `{approved[:8]}`, but the draft now stands at `{head[:8]}`. Look at what changed; to merge that, "
        f"write `{mention} approve {head[:8]}`."
    )


def approval_void(approved: str, head: str, pusher: str, mention: str) -> str:
    """Say that a push made an approval worthless."""
    return (
        f"{quoted(pusher)} pushed to the draft after it was approved: `{approved[:8]}` was approved, the head is now "
        f"`{head[:8]}`. The approval is void and nothing is merged. To merge the new state, write "
        f"`{mention} approve {head[:8]}`."
    )


def approval_withdrawn(person: str) -> str:
    """Say that an approval was taken back in time."""
    return f"{quoted(person)} took the approval back before the merge, so nothing is merged."


def approval_lapsed(sha: str) -> str:
    """Say that a merge which waited is given up."""
    return (
        f"I gave up the merge of `{sha[:8]}` that waited for the pipeline: too few of its approvals count any more. "
        "Who gave them may not merge now, took the words back, or this project's rules have changed. Somebody who may "
        "has to approve again."
    )


def lapsed_and_armed(reason: str) -> str:
    """Say that too few approvals count and the merge waits all the same."""
    return (
        "Too few of the approvals count any more, but I could not stop the merge that waits for the pipeline: "
        f"{reason} Cancel the auto-merge in GitLab."
    )


def merge_disarmed(sha: str) -> str:
    """Say that GitLab does not wait any more to merge what was approved."""
    return (
        f"`{sha[:8]}` was approved, but GitLab waits no longer to merge it: somebody cancelled that, or changed the "
        "merge request. Nothing is merged. Approve again if it shall be."
    )


def still_armed(person: str, reason: str) -> str:
    """Say that an approval was taken back and the merge waits all the same."""
    return (
        f"{quoted(person)} took the approval back, but I could not stop the merge that waits for the pipeline: "
        f"{reason} Cancel the auto-merge in GitLab."
    )


def rejected(person: str) -> str:
    """Say that the draft was turned down."""
    return f"Closed, as {quoted(person)} asked. Ask me again whenever you want another draft."


def another_is_open(link: str, mention: str) -> str:
    """Say why a draft that somebody opened again is not proposed again."""
    return (
        f"I don't propose this draft again while {link} of the same conversation is open. To have this one instead, "
        f"write `{mention} reject` there, then close this one and open it again."
    )


def no_proposal(mention: str) -> str:
    """Say that there is nothing to talk about yet."""
    return f"There is no draft in this conversation yet. `{mention} generate` makes one."


def merge_request_link(iid: int, url: str) -> str:
    """Return a link to a merge request that does not ping."""
    return f"[merge request {iid}]({url})"


def merged_by_person(branch: str, sha: str) -> str:
    """Say that somebody merged the draft in GitLab, without the bot."""
    return f"Merged `{sha[:8]}` into {quoted(branch)} in GitLab itself, not by me."
