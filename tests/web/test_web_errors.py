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
