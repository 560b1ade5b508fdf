"""Where projects are now, many in one call: projects are moved, renamed, closed to us and deleted."""

from collections.abc import Sequence

from msgspec import Struct

from bot.domain import UnreachableError
from bot.gitlab.transport import Transport

_MOST_PROJECTS = 100
_PROJECTS = "query($ids:[ID!]){projects(ids:$ids,first:100){nodes{id fullPath visibility}}}"


class Whereabouts(Struct, frozen=True, kw_only=True):
    """A project's path and who may see it: private, internal or public."""

    path: str
    visibility: str


class Projects:
    """Looking for many projects at once."""

    transport: Transport

    def whereabouts(self, project_ids: Sequence[int]) -> dict[int, Whereabouts]:
        """Return where projects are, by id; one that is gone, or that our account may not see, is left out."""
        found: dict[int, Whereabouts] = {}
        for start in range(0, len(project_ids), _MOST_PROJECTS):
            found |= self._whereabouts(project_ids[start : start + _MOST_PROJECTS])
        return found

    def _whereabouts(self, project_ids: Sequence[int]) -> dict[int, Whereabouts]:
        variables = {"ids": [f"gid://gitlab/Project/{each}" for each in project_ids]}
        answer = self.transport.ask(f"{self.transport.url}/api/graphql", {"query": _PROJECTS, "variables": variables})
        nodes = ((answer.get("data") or {}).get("projects") or {}).get("nodes")
        if answer.get("errors") or nodes is None:
            # No answer must never look like "all of them are gone".
            raise UnreachableError("GitLab", str(answer.get("errors") or "an answer without projects")[:200])
        return {
            int(node["id"].rsplit("/", 1)[-1]): Whereabouts(path=node["fullPath"], visibility=node["visibility"])
            for node in nodes
        }
