"""A repository of fifty thousand files costs GitLab no more calls than one of three."""

from bench.large import FILES, files_of
from tests.world.town import Town

MOST_CALLS = 12  # as for any project: eleven to the open draft, and its commit


def test_a_repository_of_fifty_thousand_files_gets_its_draft_with_as_few_calls(town: Town) -> None:
    story = town.story(files_of(FILES))
    issue = story.issue()
    before = len(story.sandbox.calls)
    story.comment(issue, "@pipewright generate")
    story.settle()
    made = story.sandbox.calls[before:]
    assert "Here is the draft" in story.answer(issue)
    until_commit = next(number for number, call in enumerate(made, 1) if call.endswith("/repository/commits"))
    assert until_commit <= MOST_CALLS
    assert sum("/repository/tree" in call for call in made) == 1
    assert "pytest" in story.file(".gitlab-ci.yml", story.request.source_branch)
