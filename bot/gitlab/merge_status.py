"""Why GitLab does not merge, with the mend: each `detailed_merge_status` (docs.gitlab.com/api/merge_requests)."""

_WHY = {
    "approvals_syncing": "GitLab is still counting approvals. Approve again in a minute",
    "checking": "GitLab is still working out whether it can be merged. Approve again in a minute",
    "ci_must_pass": "this project wants a pipeline that passed. Approve again once it is green",
    "ci_still_running": (
        "its pipeline has not ended: it runs, or somebody has to start a job of it by hand. Approve again once it is "
        "green"
    ),
    "commits_status": "the branch has no commit that the target lacks, so there is nothing to merge. Close it",
    "conflict": "it conflicts with the target branch. Ask me for a new draft, or resolve the conflict and approve that",
    "discussions_not_resolved": "this project wants every thread resolved first. Resolve them and approve again",
    "draft_status": "it is marked as a draft again. Mark it ready and approve again",
    "jira_association_missing": (
        "this project wants a Jira issue named in the title or description. Name one and approve again"
    ),
    "locked_lfs_files": "a file of it is locked in Git LFS. Whoever locked it can unlock it; then approve again",
    "locked_paths": "a path of it is locked. Whoever locked it can unlock it; then approve again",
    "merge_request_blocked": "another merge request has to be merged first. Merge that one and approve again",
    "merge_time": "it may not be merged before a set time. Approve again then",
    "need_rebase": "this project wants it rebased onto the target branch. Ask me for a new draft, or rebase it",
    "not_approved": (
        "this project's approval rules in GitLab want more approvals. Whoever they name has to approve in GitLab"
    ),
    "not_open": "it is not open any more. Ask me for a new draft if you still want one",
    "preparing": "GitLab is still preparing it. Approve again in a minute",
    "requested_changes": "a reviewer requested changes. Once the reviewer agrees, approve again",
    "security_policy_pipeline_check": "a security policy wants a pipeline that passed. Approve again once it is green",
    "security_policy_violations": "it breaks a security policy of this project. The merge request's page names it",
    "status_checks_must_pass": (
        "an external status check has not passed. The merge request's page names it; then approve again"
    ),
    "title_regex": "its title does not follow this project's rule. Change the title and approve again",
    "unchecked": "GitLab has not yet worked out whether it can be merged. Approve again in a minute",
}

# What ends by itself, so that an armed merge need not be told about.
_PASSING = frozenset(
    "approvals_syncing checking ci_must_pass ci_still_running merge_time preparing security_policy_pipeline_check "
    "status_checks_must_pass unchecked".split()
)


def waits_for_person(status: str) -> bool:
    """Tell whether somebody has to act before it can be merged: since 17.7 GitLab arms a merge all the same."""
    return status in _WHY and status not in _PASSING


def not_now(status: str) -> str:
    """Say that it is not merged, and why."""
    return f"GitLab does not allow the merge now: {why_not_mergeable(status)}"


def why_not_mergeable(status: str) -> str:
    """Return the end of the sentence "GitLab does not allow the merge now: …", with the status in brackets."""
    words = _WHY.get(status)
    return f"{words} (`{status}`)." if words else f"it says `{status}`."


def may_not_merge(branch: str) -> str:
    """Say that it is the bot's own account which lacks the right."""
    return f"my account may not merge into `{branch}`. Give it the role Maintainer, or merge yourself."
