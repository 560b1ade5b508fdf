"""What is said about a pipeline that does not get on: what it waits for, and who can mend that how."""

from collections.abc import Sequence

from bot.replies.render import quoted

NO_RUNNER = (
    "no runner is online for this project. A Maintainer can enable instance runners, or register one, under "
    "*Settings › CI/CD › Runners*"
)
RUNNERS_UNSEEN = (
    "I may not look at this project's runners. Somebody who may should see under *Settings › CI/CD › Runners* whether "
    "one is online that takes its jobs"
)
BUSY = (
    "runners are online and fit, so they are busy, or this group has used up its compute minutes. It goes on by itself "
    "when one is free"
)
RESOURCE = (
    "another pipeline holds the resource group that its next job wants. It goes on by itself when that one is done"
)


def no_runner_with(job: str, tags: Sequence[str]) -> str:
    """Say which tags no runner has."""
    wanted = ", ".join(quoted(tag) for tag in tags)
    return (
        f"{quoted(job)} asks for a runner with the tags {wanted}, and none of those online has them. Tell me the right "
        "tags and I change the job, or let a Maintainer give a runner these tags"
    )


def waiting(link: str, cause: str) -> str:
    """Say why a pipeline does not begin, or not go on."""
    return f"⏳ The {link} has been waiting for a while: {cause}."


def running(link: str, jobs: Sequence[str], mention: str) -> str:
    """Say that a pipeline runs for longer than one would expect."""
    names = ", ".join(quoted(job) for job in jobs) or "no job"
    return (
        f"⏳ The {link} has been running for a long time ({names} runs). Its log tells whether it hangs; "
        f"`{mention} cancel` stops it, and a job's `timeout` would do so by itself."
    )


def manual(link: str, jobs: Sequence[str]) -> str:
    """Say that a pipeline waits for a person."""
    names = ", ".join(quoted(job) for job in jobs) or "a job"
    return f"⏸ The {link} waits for you: {names} has to be started by hand, and nothing goes on until then."
