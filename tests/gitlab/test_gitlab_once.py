"""A creation has one name, whether a webhook tells of it or the REST API."""

import pytest

from bot.gitlab.once import name_of


@pytest.mark.parametrize(
    "told",
    [
        "2026-11-25 10:00:07 UTC",
        "2026-11-25T10:00:07.123Z",
        "2026-11-25T10:00:07Z",
        "2026-11-25T11:00:07.123+01:00",
        "2026-11-25T10:00:07",
    ],
)
def test_both_ways_of_writing_a_time_make_the_same_name(told: str) -> None:
    assert name_of("note", 1, 2, told) == "note:1:2:2026-11-25T10:00:07:create"


def test_a_time_nobody_can_read_still_tells_apart() -> None:
    assert name_of("note", 1, 2, "soon") != name_of("note", 1, 2, "later")
    assert name_of("note", 1, 2, "0001-01-01T00:00:00+14:00") != name_of("note", 1, 2, "9999-12-31T23:59:59-14:00")


def test_giving_and_taking_back_are_two() -> None:
    time = "2026-11-25 10:00:07 UTC"
    assert name_of("emoji", 1, 2, time, "award") != name_of("emoji", 1, 2, time, "revoke")
