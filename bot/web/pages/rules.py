"""Every setting of a project's `.pipewright.yml` as it holds: its name, its value and what that means."""

from collections.abc import Iterator

from bot.proposals.policy import Approval, Policy, Rules, Runners

_MERGE = {
    "auto": "as soon as GitLab allows it; a running pipeline is waited for",
    "on_green": "only what a pipeline has passed",
    "never": "the draft is marked ready, and a person merges",
}
_REPAIR = {"auto": "at once, at most three times", "ask": "only when somebody says repair", "off": "never"}
_VERDICTS = {
    "refuse": "a draft that brings them is refused",
    "flag": "whoever approves is told of them",
    "allow": "they are allowed without a word",
}
_RISKS = {
    "remote_includes": "files of other servers",
    "foreign_includes": "files of projects outside this top-level group",
    "foreign_triggers": "pipelines started in, or artifacts taken from, another project",
    "foreign_images": "images that neither this project nor the templates use",
    "unpinned_images": "images with no tag, or `latest`",
    "piped_scripts": "`curl … | sh` and the like",
    "printed_variables": "secrets or all variables written into the log, or sent to another server",
    "privileged_services": "`docker:dind`",
    "id_tokens": "tokens with which jobs sign in elsewhere",
}
_LISTS = {
    "paths": "a draft touches only these of its files",
    "trusted_projects": "these are no strangers",
    "trusted_registries": "images from here are no strangers'",
}

_DIGEST = {True: "images carry the digest that the repository names for them", False: "images are named by tag"}

Row = tuple[str, str, str]


def rows(policy: Policy) -> list[Row]:
    """Return each setting with its value and what it means."""
    return [
        *_approval(policy.approval),
        ("merge", policy.merge, _MERGE[policy.merge]),
        ("repair", policy.repair, f"a red pipeline of its own draft is mended {_REPAIR[policy.repair]}"),
        *_runners(policy.runners),
        ("images.digest", str(policy.images.digest).lower(), _DIGEST[policy.images.digest]),
        *_rules(policy.policy),
    ]


def _approval(approval: Approval) -> Iterator[Row]:
    own = "may approve it" if approval.requester_may_approve else "may not approve it; somebody else has to"
    people = "person has" if approval.minimum == 1 else "people have"
    emoji = " ".join(f":{name}:" for name in approval.allowed_emoji)
    yield (
        "approval.requester_may_approve",
        str(approval.requester_may_approve).lower(),
        f"who asked for a draft {own}",
    )
    yield "approval.minimum", str(approval.minimum), f"{approval.minimum} {people} to approve"
    yield "approval.allowed_emoji", emoji or "–", "these reactions approve"


def _runners(runners: Runners) -> Iterator[Row]:
    how = "with docker-in-docker" if runners.privileged else "with rootless BuildKit"
    value = "–" if runners.privileged is None else str(runners.privileged).lower()
    tags = "all jobs have these tags" if runners.tags is not None else "tags follow the runners that are online"
    yield "runners.privileged", value, f"images are built {how}"
    yield "runners.tags", _listed(runners.tags or ()), tags


def _rules(rules: Rules) -> Iterator[Row]:
    for name, what in _RISKS.items():
        verdict = getattr(rules, name)
        yield f"policy.{name}", verdict, f"{what}: {_VERDICTS[verdict]}"
    for name, what in _LISTS.items():
        yield f"policy.{name}", _listed(getattr(rules, name)), what


def _listed(values: tuple[str, ...]) -> str:
    return " ".join(values) or "–"
