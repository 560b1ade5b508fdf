"""A fixed sample of the kill points; `make crash` takes all of them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.crash.boundaries import Boundary
from tests.crash.matrix import killed, undisturbed
from tests.crash.scene import Ground
from tests.crash.stories import PLOTS, Plot

_ACCEPTED = "pipewright_take_in"  # the one statement that takes an order in

# What was once a mistake stands here, and one point of each kind.
SAMPLE: dict[str, Sequence[Boundary]] = {
    "merged": (
        Boundary("web", "commit", _ACCEPTED, 1, "after"),
        Boundary("worker", "GitLab", "POST projects/issues/notes", 1, "after"),
        Boundary("worker", "GitLab", "POST projects/merge_requests", 1, "after"),
        Boundary("worker", "GitLab", "POST projects/repository/commits", 1, "after"),
        Boundary("worker", "GitLab", "PUT projects/merge_requests/merge", 1, "after"),
        Boundary("worker", "commit", "insert pipelines", 1, "after"),
    ),
    "withdrawn": (
        Boundary("worker", "GitLab", "PUT projects/issues/notes", 1, "before"),
        Boundary("worker", "GitLab", "POST projects/merge_requests/notes", 1, "before"),
    ),
    "pushed": (Boundary("worker", "GitLab", "POST projects/merge_requests/notes", 1, "before"),),
    "closed": (Boundary("worker", "GitLab", "PUT projects/issues/notes", 3, "before"),),
    "changed": (
        Boundary("worker", "model", "a turn", 2, "before"),
        Boundary("worker", "GitLab", "POST projects/merge_requests/notes/award_emoji", 2, "before"),
    ),
    "rejected": (Boundary("worker", "GitLab", "POST projects/merge_requests/notes/award_emoji", 6, "after"),),
}


def plot_named(name: str) -> Plot:
    return next(one for one in PLOTS if one.name == name)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_kill_between_two_effects_changes_nothing_of_how_it_ends(shared: Ground, name: str) -> None:
    plot = plot_named(name)
    calm = undisturbed(shared, plot)
    assert calm.wrongs == []
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda target: (target, killed(shared, plot, target, calm.ending)), SAMPLE[name]))
    assert {str(target): run.wrongs for target, run in runs if run.wrongs} == {}
    assert [str(target) for target, run in runs if not run.was_hit] == []
