"""A program that acts for one person over the API, and what it expects of answers."""

from typing import Any

import httpx

from bot.sandbox import seed
from bot.sandbox.state import User
from tests.world.town import Story


class Program:
    """A program that acts for one person."""

    def __init__(self, story: Story, person: User, *scopes: str) -> None:
        with story.world.lock:
            token = seed.add_token(story.world, person, *scopes).value
        headers = {"Authorization": f"Bearer {token}"}
        self.client = httpx.Client(base_url=story.town.address, headers=headers, timeout=60, trust_env=False)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(f"/api/v1{path}", json=body, headers=headers)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.client.get(f"/api/v1{path}", params=query)

    def drafted(self, story: Story, **more: Any) -> dict[str, Any]:
        """Compose and open a draft, wait for its pipeline, and return the answer of the commit route."""
        good(self.post("/pipeline/generate", {"repo_url": story.project.path, **more}))
        answer = good(self.post("/pipeline/commit", {"repo_url": story.project.path}))
        story.settle()
        return answer


def good(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    answer = response.json()
    assert isinstance(answer, dict)
    return answer


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    told = response.json()
    assert (told["status"], told["type"], bool(told["title"])) == (status, "about:blank", True)
    assert isinstance(told, dict)
    return told
