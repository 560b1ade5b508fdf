"""The questions with the template each should find: read from the data file and split into two halves.

The half a question belongs to follows from a hash of it. The ranking was made looking at the first half only.
"""

import csv
import hashlib
from pathlib import Path

from msgspec import Struct

from bot.domain import Fact, Unit

FILE = Path(__file__).parent / "data" / "questions.tsv"


class Question(Struct, frozen=True, kw_only=True):
    """What a person asks, what is known of the repository (nothing, or facts), and the template that answers it."""

    words: str
    facts: dict[str, str]
    expected: str
    is_held_out: bool

    @property
    def unit(self) -> Unit | None:
        """The repository, as a survey would hand it over."""
        if not self.facts:
            return None
        facts = tuple(
            Fact(name=name, value=value, because="the question says so") for name, value in self.facts.items()
        )
        return Unit(root="", ecosystem=self.facts["ecosystem"], facts=facts)


def read_questions(file: Path = FILE) -> list[Question]:
    """Return all questions, in the file's order."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [_question(row) for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


def _question(row: dict[str, str]) -> Question:
    digest = hashlib.sha256(f"{row['question']}\t{row['facts']}".encode()).digest()
    facts = dict(pair.split("=", 1) for pair in row["facts"].split(";") if pair)
    return Question(words=row["question"], facts=facts, expected=row["expected"], is_held_out=bool(digest[0] % 2))
