"""A project's files and what surrounds it, in one call where GitLab answers both at once."""

from collections.abc import Sequence
from typing import Any

from bot.gitlab.answers import RefusedError
from bot.gitlab.repository import BLOBS, MOST_PATHS, Repository, texts_in
from bot.gitlab.surroundings import AROUND, RUNNERS, Around, Instance, instance_in

_QUERY = (
    "query($p:ID!,$ref:String,$paths:[String!]!){" + AROUND + " project(fullPath:$p){" + RUNNERS + " " + BLOBS + "}}"
)


class Whole(Repository, Around):
    """What a proposal is made from."""

    def texts_and_instance(self, project_path: str, ref: str, paths: Sequence[str]) -> tuple[dict[str, str], Instance]:
        """Return the texts of files by path, and what GitLab tells of itself and of the project's runners.

        What it cannot answer at once (too many files, too much text, too old) it is asked for separately.
        """
        answer = self._both(project_path, ref, paths) if 0 < len(paths) <= MOST_PATHS else {}
        if not _holds_files(answer):
            return self.texts(project_path, ref, paths), self.instance(project_path)
        return texts_in(answer), instance_in(answer)

    def _both(self, project_path: str, ref: str, paths: Sequence[str]) -> dict[str, Any]:
        url = f"{self.transport.url}/api/graphql"
        variables = {"p": project_path, "ref": ref, "paths": list(paths)}
        try:
            answer: dict[str, Any] = self.transport.ask(url, {"query": _QUERY, "variables": variables})
        except RefusedError:
            return {}
        return answer


def _holds_files(answer: dict[str, Any]) -> bool:
    """Runners are shown to maintainers only: an error about nothing else leaves the files whole."""
    project = (answer.get("data") or {}).get("project") or {}
    errors = answer.get("errors") or ()
    return "repository" in project and all((error.get("path") or ())[:2] == ["project", "runners"] for error in errors)
