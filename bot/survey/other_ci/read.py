"""Everything other CI systems say, in one value."""

import re
from collections.abc import Callable, Iterator

from bot.survey.other_ci import appveyor, azure, circle, containers, gitlab, jenkins, travis
from bot.survey.other_ci.github import read_github
from bot.survey.other_ci.model import Job, OtherCi
from bot.survey.other_ci.tasks import unfold_tasks
from bot.survey.tree import Tree

# Those that are likely alive come first.
_READERS: tuple[tuple[str, Callable[[Tree, str], Iterator[Job]]], ...] = (
    (gitlab.PATTERN, gitlab.read_gitlab),
    (circle.PATTERN, circle.read_circle),
    (azure.PATTERN, azure.read_azure),
    (containers.BITBUCKET, containers.read_bitbucket),
    (containers.DRONE, containers.read_drone),
    (containers.CIRRUS, containers.read_cirrus),
    (jenkins.PATTERN, jenkins.read_jenkins),
    (travis.PATTERN, travis.read_travis),
    (appveyor.PATTERN, appveyor.read_appveyor),
)


def read_other_ci(tree: Tree) -> OtherCi:
    """Return the jobs of all systems; GitHub's workflows first, stale files of others come last."""
    others = [
        job
        for pattern, read in _READERS
        for path in sorted(path for path in tree.snapshot.texts if re.fullmatch(pattern, path))
        for job in read(tree, path)
    ]
    return OtherCi(jobs=unfold_tasks(tree, (*read_github(tree), *others)))
