"""`python -m bench.pr_agent PYTHON`: the intake beside PR-Agent's webhook on the same machine, by turns.

PYTHON is an interpreter that has `pr-agent[gitlab]`; 0.49 needs 3.12. PR-Agent gets a comment that it knows at once to
be none of its commands, and stores nothing; each delivery to the intake is an order, durable before it is answered.
"""

import json
import os
import secrets
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bench.hammer import Job
from bench.place import NOWHERE, Place, free_port, place
from bench.webhooks import CONNECTIONS, Sender, sent, template

_ROUNDS = 7
_COUNT, _COUNT_OF_PR_AGENT = 4000, 400


@contextmanager
def _pr_agent(opened: Place, python: Path, token: str) -> Iterator[int]:
    """Run PR-Agent's webhook; its log says no more than it must."""
    port = free_port()
    settings = {
        "PORT": str(port),
        "GITLAB__URL": NOWHERE,
        "GITLAB__SHARED_SECRET": token,
        "GITLAB__PERSONAL_ACCESS_TOKEN": "none",
        "CONFIG__GIT_PROVIDER": "gitlab",
        "CONFIG__LOG_LEVEL": "INFO",
    }
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with opened.process(["pr_agent.servers.gitlab_webhook"], {**kept, **settings}, python=str(python)):
        opened.wait_for(f"http://127.0.0.1:{port}/")
        yield port


def _comment_for_pr_agent(opened: Place) -> str:
    payload = json.loads(template(opened))
    payload["merge_request"] = {"iid": 1, "url": f"{NOWHERE}/group/app/-/merge_requests/1"}
    payload["object_attributes"]["noteable_type"] = "MergeRequest"
    return json.dumps(payload)


def measure(opened: Place, python: Path) -> list[tuple[float, float]]:
    """Return, for each round, the deliveries a second of the intake and of PR-Agent."""
    token = secrets.token_urlsafe(24)
    sender, comment = Sender(opened), _comment_for_pr_agent(opened)
    with opened.web() as (_, port), _pr_agent(opened, python, token) as theirs:
        job = Job(
            port=theirs,
            path="/webhook",
            template=comment,
            signing_token=opened.signing_token,
            headers={"X-Gitlab-Token": token},
            count=_COUNT_OF_PR_AGENT,
            first=0,
            connections=CONNECTIONS,
        )
        sender.send(port, "/webhooks/gitlab", 1000)
        sent(opened, job, status=200)
        return [
            (sender.send(port, "/webhooks/gitlab", _COUNT).per_second, sent(opened, job, status=200).per_second)
            for _ in range(_ROUNDS)
        ]


@click.command()
@click.argument("python", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(*, python: Path) -> None:
    """Measure and print."""
    with place() as opened:
        rounds = measure(opened, python)
    for ours, theirs in rounds:
        click.echo(f"{ours:5.0f}/s beside {theirs:4.0f}/s: {ours / theirs:.1f} times")
    click.echo(f"median: {statistics.median(ours / theirs for ours, theirs in rounds):.1f} times PR-Agent's webhook")


if __name__ == "__main__":
    main()
