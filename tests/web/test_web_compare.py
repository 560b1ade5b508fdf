"""What differs between two states of a draft: every line is told once, and both ways of showing it agree."""

from hypothesis import given
from hypothesis import strategies as st

from bot.web.pages.compare import MOST_LINES, Row, differences, one_below_the_other

OLD = {"ci": "a\nb\nc\n", "gone": "x\n", "same": "y\n"}
NEW = {"ci": "a\nB\nc\nd\n", "new": "z\n", "same": "y\n"}


def test_each_file_that_differs_is_named_with_how() -> None:
    assert [(each.path, each.kind, each.added, each.removed) for each in differences(OLD, NEW)] == [
        ("ci", "changed", 2, 1),
        ("gone", "removed", 0, 1),
        ("new", "added", 1, 0),
    ]


def test_side_by_side_a_changed_line_faces_what_it_became() -> None:
    (hunk,) = differences(OLD, NEW)[0].hunks
    assert hunk == (
        Row(kind="same", old_number=1, old="a", new_number=1, new="a"),
        Row(kind="changed", old_number=2, old="b", new_number=2, new="B"),
        Row(kind="same", old_number=3, old="c", new_number=3, new="c"),
        Row(kind="added", new_number=4, new="d"),
    )


def test_one_below_the_other_what_went_stands_above_what_came() -> None:
    (hunk,) = differences({"f": "a\nb\n"}, {"f": "c\nd\ne\n"})[0].hunks
    assert [(row.kind, row.old or row.new) for row in one_below_the_other(hunk)] == [
        ("removed", "a"),
        ("removed", "b"),
        ("added", "c"),
        ("added", "d"),
        ("added", "e"),
    ]


def test_a_file_that_is_too_long_is_said_to_be() -> None:
    (found,) = differences({"f": ""}, {"f": "x\n" * (MOST_LINES + 1)})
    assert (found.is_too_long, found.hunks) == (True, ())


texts = st.lists(st.sampled_from(["a", "b", "c", "", "  d"]), max_size=30).map("\n".join)


@given(texts, texts)
def test_no_line_is_lost_or_doubled(old: str, new: str) -> None:
    found = differences({"f": old}, {"f": new})
    rows = [row for each in found for hunk in each.hunks for row in hunk]
    flat = [row for each in found for hunk in each.hunks for row in one_below_the_other(hunk)]
    for side, lines in (("old", old.splitlines()), ("new", new.splitlines())):
        told = {getattr(row, f"{side}_number"): getattr(row, side) for row in rows if getattr(row, side) is not None}
        assert all(lines[number - 1] == text for number, text in told.items())
        again = {getattr(row, f"{side}_number"): getattr(row, side) for row in flat if getattr(row, side) is not None}
        assert again == told
    if old.splitlines() != new.splitlines():
        assert any(row.kind != "same" for row in rows)
