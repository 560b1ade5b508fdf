"""What a run left behind in GitLab and in our tables."""

import hashlib

from tests.crash.scene import Scene
from tests.world.ending import Ending, held, plain


def ending(scene: Scene) -> Ending:
    """Return everything that has to be as if nothing had been killed."""
    world = scene.sandbox.world
    with world.lock:
        projects = {project.path: held(project) for project in world.projects.values()}
    return {"GitLab": projects, "tables": _tables(scene)}


def _person(column: str) -> str:
    """Leave out who pushed, which only the webhook tells: where that is lost it was somebody."""
    return f"case when signal = 'push' then '<whoever pushed>' else {column} end"


def _tables(scene: Scene) -> Ending:
    states = scene.rows("select state, count(*) from orders group by state")
    return {
        "orders of people": sorted(
            scene.rows("select kind, state, result, reply_note_id is not null from orders where kind = 'mention'")
        ),
        "unfinished or broken": sorted(row for row in states if row[0] in ("queued", "running", "broken")),
        "proposals": [
            (*row[:-1], hashlib.sha256(row[-1].encode()).hexdigest()[:12])
            for row in scene.rows(
                "select source_branch, status, change_title, merge_request_iid, pipeline_status, after_merge_status,"
                " commit_id is not null, merged_sha is not null, note_id is not null, before_id is not null,"
                " (composition -> 'files')::text from pipelines order by created_at, id"
            )
        ],
        "approvals": scene.rows(
            f"select outcome, signal, {_person('username')}, emoji, reason from approvals order by id"
        ),
        "messages": [
            (role, plain(content), calls and [call["name"] for call in calls], tool)
            for role, content, calls, tool in scene.rows(
                "select role, content, tool_calls, tool_name from messages order by id"
            )
        ],
        "repairs": scene.rows("select outcome, title, reason from repairs order by id"),
        "audit": sorted(scene.rows(f"select act, {_person('actor')}, signal from audit")),
        "taken in twice": scene.rows("select key from deliveries group by key having count(*) > 1"),
    }
