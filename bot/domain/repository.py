"""A repository, as read and as understood."""

from msgspec import Struct


class Snapshot(Struct, frozen=True, kw_only=True):
    """A repository at one commit: every path, and the text of the files worth reading.

    `paths` are sorted, relative, with `/`. A file that is not in `texts` was too large, binary or not wanted.
    """

    paths: tuple[str, ...]
    texts: dict[str, str] = {}

    def read(self, path: str) -> str | None:
        """Return the text of a file, or None when it is absent or was not read."""
        return self.texts.get(path)


class Evidence(Struct, frozen=True, kw_only=True):
    """Where a fact was read. `line` counts from 1."""

    path: str
    line: int | None = None
    quote: str = ""


class Fact(Struct, frozen=True, kw_only=True):
    """Something known about a unit, with its evidence.

    `name` comes from the vocabulary in `bot/survey/__init__.py`. `because` ends the sentence "<value>,
    because …". `confidence` goes from 0 (a guess) to 1 (the repository says so itself).
    """

    name: str
    value: str
    because: str
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 1.0


class Unit(Struct, frozen=True, kw_only=True):
    """One buildable thing in a repository. `root` is "" at the top, else a folder such as `services/api`."""

    root: str
    ecosystem: str
    facts: tuple[Fact, ...]

    def first(self, name: str) -> str | None:
        """Return the first value of a fact, or None."""
        return next((fact.value for fact in self.facts if fact.name == name), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a fact, in order."""
        return tuple(fact.value for fact in self.facts if fact.name == name)


class Carried(Struct, frozen=True, kw_only=True):
    """One line of another CI and what it became: a fact, something of GitLab's, or nothing; `why` says the rest."""

    where: Evidence
    job: str = ""
    became: str = ""
    why: str = ""


class Survey(Struct, frozen=True, kw_only=True):
    """What a repository is: its units, what contradicts, and the one question worth asking.

    A repository without anything recognisable has no units and says so in `remarks`. `conversion` tells line by line
    what became of another CI.
    """

    units: tuple[Unit, ...]
    remarks: tuple[str, ...] = ()
    question: str | None = None
    conversion: tuple[Carried, ...] = ()
