"""The same risks in a Dockerfile: its base images and the commands that build it."""

from collections.abc import Iterator

from msgspec import structs

from bot.ci.dockerfile import instructions
from bot.ci.risks.images import named_risks, names_of
from bot.ci.risks.scripts import line_risks, logical_lines
from bot.ci.risks.trust import Trust
from bot.domain import Risk


def is_dockerfile(path: str) -> bool:
    """Tell whether a path is that of a Dockerfile, under any of its usual names."""
    name = path.rsplit("/", 1)[-1]
    return name == "Dockerfile" or name.startswith("Dockerfile.") or name.endswith(".Dockerfile")


def docker_risks(text: str, path: str, trust: Trust) -> tuple[Risk, ...]:
    """Return the risks of a Dockerfile, each once; they are of the file, not of a job."""
    found: dict[tuple[str, str], Risk] = {}
    for risk in _risks(text, trust):
        found.setdefault((risk.kind, risk.what), structs.replace(risk, jobs=(path,)))
    return tuple(found.values())


def _risks(text: str, trust: Trust) -> Iterator[Risk]:
    stages = {"scratch"}
    arguments: dict[str, tuple[str, ...]] = {}
    for each in instructions(text):
        if each.word == "ARG":
            name, _, value = each.rest.partition("=")
            arguments[name.strip()] = (value.strip().strip("\"'"),)
        elif each.word == "FROM":
            words = [word for word in each.rest.split() if not word.startswith("--")]
            bases = [name for name in names_of(words[0] if words else None, arguments) if name.lower() not in stages]
            stages |= {words[2].lower()} if len(words) == 3 else set()
            for name in bases:
                yield from named_risks(name, trust)
        elif each.word == "RUN":
            yield from line_risks(logical_lines(each.rest))
