"""What a fix may look at: the pipeline's text, and the repository it runs in."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.failures.diagnosis import Diagnosis
from bot.failures.job_text import JobText


@dataclass(frozen=True)
class Scene:
    """The pipeline at the failed commit, every path of the repository, and a way to read a file of it."""

    text: str
    paths: tuple[str, ...] = ()
    read: Callable[[str], str | None] = lambda _: None

    def job_of(self, diagnosis: Diagnosis) -> JobText:
        """Return the failed job as the file has it."""
        return JobText(self.text, diagnosis.job)
