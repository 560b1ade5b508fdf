"""Collecting the facts of one unit."""

from bot.domain import Evidence, Fact, Unit


class Facts:
    """A growing list of facts; the same value of a name is kept once, where it was first believed."""

    def __init__(self) -> None:
        self._facts: list[Fact] = []

    def add(self, name: str, value: str, because: str, *evidence: Evidence, confidence: float = 1.0) -> None:
        """Note a fact; an empty value is no fact. `because` ends the sentence "<value>, because …"."""
        if not value or value in self.all(name):
            return
        fact = Fact(name=name, value=value, because=because, evidence=evidence, confidence=confidence)
        self._facts.append(fact)

    def first(self, name: str) -> str:
        """Return the first value of a fact, or nothing."""
        return next((fact.value for fact in self._facts if fact.name == name), "")

    def all(self, name: str) -> list[str]:
        """Return every value of a fact, in order."""
        return [fact.value for fact in self._facts if fact.name == name]

    def named(self, name: str) -> list[Fact]:
        """Return every fact of a name, in order."""
        return [fact for fact in self._facts if fact.name == name]

    def unit(self, root: str, ecosystem: str) -> Unit:
        """Return the unit that has these facts."""
        return Unit(root=root, ecosystem=ecosystem, facts=tuple(self._facts))
