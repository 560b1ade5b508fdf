"""Everything other CI systems say, in one value."""

from bot.survey.other_ci.github import read_github
from bot.survey.other_ci.model import OtherCi
from bot.survey.other_ci.others import read_others
from bot.survey.tree import Tree


def read_other_ci(tree: Tree) -> OtherCi:
    """Return the jobs of all systems; GitHub's workflows first, stale files of others come last."""
    return OtherCi(jobs=(*read_github(tree), *read_others(tree)))
