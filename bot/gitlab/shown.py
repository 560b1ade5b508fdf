"""Which issues and merge requests GitLab shows to our account, many in one call."""

from collections.abc import Collection, Sequence
from typing import Any

from bot.domain import Noteable, UnreachableError
from bot.gitlab.transport import Transport

# GitLab counts a query's complexity, up to 250; each of these adds less than 6.
_MOST_IN_ONE = 30
_FIELDS = {"issue": "issue", "merge_request": "mergeRequest"}

Place = tuple[str, Noteable]


class Shown:
    """Looking whether things are there for us."""

    transport: Transport

    def shown(self, wanted: Collection[Place]) -> frozenset[Place]:
        """Return those that GitLab shows us, of issues and merge requests by their project's path."""
        places = sorted(set(wanted), key=lambda place: (place[0], place[1].kind, place[1].iid))
        pieces = [places[start : start + _MOST_IN_ONE] for start in range(0, len(places), _MOST_IN_ONE)]
        return frozenset(place for piece in pieces for place in self._shown(piece))

    def _shown(self, places: Sequence[Place]) -> list[Place]:
        variables: dict[str, Any] = {}
        for number, (path, noteable) in enumerate(places):
            variables |= {f"p{number}": path, f"i{number}": str(noteable.iid)}
        asked = {"query": _query([noteable for _, noteable in places]), "variables": variables}
        answer = self.transport.ask(f"{self.transport.url}/api/graphql", asked)
        data = answer.get("data")
        if answer.get("errors") or data is None:
            # No answer must look neither like "you may" nor like "there is none".
            raise UnreachableError("GitLab", str(answer.get("errors") or "an answer without data")[:200])
        return [place for number, place in enumerate(places) if _is_there(data.get(f"n{number}"))]


def _query(noteables: Sequence[Noteable]) -> str:
    declared = ",".join(f"$p{number}:ID!,$i{number}:String!" for number in range(len(noteables)))
    asked = " ".join(
        f"n{number}:project(fullPath:$p{number}){{{_FIELDS[noteable.kind]}(iid:$i{number}){{iid}}}}"
        for number, noteable in enumerate(noteables)
    )
    return f"query({declared}){{{asked}}}"


def _is_there(project: dict[str, Any] | None) -> bool:
    return bool(project) and any(value is not None for value in (project or {}).values())
