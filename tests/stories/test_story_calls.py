"""How often each kind of order calls GitLab: counted, so that a careless change shows."""

import pytest

from bench.calls import Calls, Scene, count
from tests.world.town import SECRET, Town

# What each takes today: a careless call more is noticed, and one less is worth a line here.
TODAY = {
    "a comment that is no order": 0,
    "help": 3,
    "status": 5,
    "from the mention to the open draft": 11,
    "from the mention to the draft's commit": 12,
}


@pytest.fixture(scope="module")
def counted(town: Town) -> list[Calls]:
    scene = Scene(town.sandbox, town.bot, town.address + "/webhooks/gitlab", SECRET, town.story().settle)
    return count(scene)


def test_no_kind_of_order_calls_gitlab_more_often_than_promised(counted: list[Calls]) -> None:
    promised = {one.kind: (len(one.made), one.most) for one in counted if one.most is not None}
    assert set(promised) >= {"a comment that is no order", "status", "from the mention to the open draft"}
    assert {kind: pair for kind, pair in promised.items() if pair[0] > (pair[1] or 0)} == {}


def test_each_order_calls_gitlab_as_often_as_it_did(counted: list[Calls]) -> None:
    """Only what is the same however fast pipelines and webhooks are: what follows them may fall together."""
    made = {one.kind: one.made for one in counted if one.kind in TODAY}
    assert {kind: len(calls) for kind, calls in made.items()} == TODAY, made


def test_whole_stories_stay_within_reason(counted: list[Calls]) -> None:
    sizes = {one.kind: len(one.made) for one in counted if one.kind not in TODAY}
    assert len(sizes) == 3
    assert {kind: size for kind, size in sizes.items() if size > 45} == {}
