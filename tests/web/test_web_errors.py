"""What breaks on our side is told with an id, and the log tells the cause under the same id."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.web.house import House, open_house


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database, tmp_path) as opened:
        yield opened


def break_lists(house: House) -> None:
    with house.pool.connection() as connection:
        connection.execute("alter table conversations rename column title to lost")


def test_a_program_is_told_the_id_under_which_the_cause_is_logged(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.token('mia')}"}
    assert house.browser().get("/api/v1/conversations", headers=headers).status_code == 200
    break_lists(house)
    with capture_logs() as logged:
        answer = house.browser().get("/api/v1/conversations", headers=headers)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("application/problem+json")
    told = answer.json()
    assert (told["status"], told["title"]) == (500, "Internal Server Error")
    broken = [line for line in logged if line["event"] == "a request broke"]
    assert [line["error_id"] for line in broken] == [told["error_id"]]
    assert "title" in str(broken[0]["exc_info"])
    assert f"under the id {told['error_id']}" in told["detail"]
    assert "column" not in answer.text, "what broke is for the log alone"


def test_a_reader_is_told_the_same_on_a_page(house: House) -> None:
    browser = house.signed_in("mia")
    break_lists(house)
    with capture_logs() as logged:
        answer = browser.get("/")
    error_id = next(line["error_id"] for line in logged if line["event"] == "a request broke")
    assert (answer.status_code, f"under the id {error_id}" in answer.text) == (500, True)
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("before", ["wrong", "1_00000000-0000-0000-0000-000000000000%0A"])
@pytest.mark.parametrize("place", ["conversations", "pipelines"])
def test_a_mark_that_is_none_is_called_so(house: House, place: str, before: str) -> None:
    headers = {"Authorization": f"Bearer {house.token('mia')}"}
    answer = house.browser().get(f"/api/v1/{place}?before={before}", headers=headers)
    assert (answer.status_code, "leave it out to begin" in answer.text) == (400, True)


@pytest.mark.parametrize("address", ["https://[", "https://[::1/team/app", "https://\u2100.test/team/app"])
def test_an_address_that_cannot_be_read_is_not_on_our_gitlab(house: House, address: str) -> None:
    headers = {"Authorization": f"Bearer {house.token('mia')}"}
    answer = house.browser().post("/api/v1/pipeline/status", headers=headers, json={"repo_url": address})
    assert (answer.status_code, "Give the address or the path" in answer.text) == (422, True)


@pytest.mark.parametrize("place", ["chat", "pipeline/status"])
def test_a_body_that_is_nested_too_deeply_is_called_so(house: House, place: str) -> None:
    headers = {"Authorization": f"Bearer {house.token('mia')}", "Content-Type": "application/json"}
    answer = house.browser().post(f"/api/v1/{place}", headers=headers, content='{"a":' + "[" * 5000)
    assert (answer.status_code, "nested too deeply" in answer.text) == (400, True)
