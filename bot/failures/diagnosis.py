"""The nouns of this room: what is known about a failure, and what would mend it."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from bot.ci.edit import Edit

Nature = Literal["pipeline", "project", "infrastructure", "security", "unknown"]


class Diagnosis(Struct, frozen=True, kw_only=True):
    """Why a job failed. `kind` is the class from the catalogue, or "unknown".

    `nature` says whose failure it is: only one of the pipeline may be mended by the bot. `told` is the line of the log
    that gave it away, `excerpt` the region to show, `details` what the line named. Two failures with the same
    `fingerprint` are the same failure of the same job. `words` are a model's, where no class fits.
    """

    kind: str
    title: str
    nature: Nature
    why: str
    job: str
    fingerprint: str
    advice: str = ""
    fix: str = ""
    language: str = ""
    wanted: str = ""
    told: str = ""
    command: str = ""
    excerpt: str = ""
    details: Mapping[str, str] = {}
    words: str = ""


class Fix(Struct, frozen=True, kw_only=True):
    """What mends a failure: typed edits, to be made one after the other, and how a commit's first line calls them."""

    edits: tuple[Edit, ...]
    title: str
