"""Outcomes that are not success."""


class SkipError(Exception):
    """Nothing to do; the reason is logged and nobody is told."""


class CannotError(Exception):
    """The order cannot be carried out; the message ends the sentence "I can't do that: …" and is told."""


class LostError(Exception):
    """Somebody else may be carrying out this order by now, so nothing more of it is done here."""


class ToolError(Exception):
    """The model asked for something impossible; the message tells it what to do instead."""


class UnreachableError(Exception):
    """An outside part did not answer; waiting can help.

    `part` is GitLab, Ollama, Chroma or PostgreSQL. `effect_possible` is true when a write may have happened.
    `retry_after` are the seconds for which the part itself asked to be left alone.
    """

    def __init__(self, part: str, detail: str, *, effect_possible: bool = False, retry_after: int = 0) -> None:
        super().__init__(f"{part} did not answer: {detail}")
        self.part = part
        self.effect_possible = effect_possible
        self.retry_after = retry_after
