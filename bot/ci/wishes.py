"""What a person asked for, read from their words without a model, and applied to the facts."""

import re

from bot.domain import Fact, Unit, Wishes

_TOOLS = {
    "python": "python", "node": "node", "nodejs": "node", "node.js": "node", "go": "go", "golang": "go",
    "rust": "rust", "java": "java", "jdk": "java", "openjdk": "java",
}  # fmt: skip
_SERVICES = {
    "postgres": ("postgres", "18"), "postgresql": ("postgres", "18"), "mysql": ("mysql", "8.4"),
    "mariadb": ("mariadb", "11.8"), "redis": ("redis", "8"), "valkey": ("valkey/valkey", "8"),
    "mongo": ("mongo", "8"), "mongodb": ("mongo", "8"), "rabbitmq": ("rabbitmq", "4"),
}  # fmt: skip
_PARTS = {
    "lint": "lint", "linting": "lint", "linter": "lint", "linters": "lint", "test": "test", "tests": "test",
    "testing": "test", "build": "build", "coverage": "coverage", "cache": "cache", "caching": "cache",
    "image": "image", "junit": "report", "report": "report", "reports": "report",
}  # fmt: skip
_EXTRAS = {
    "nightly": "nightly", "every night": "nightly", "daily": "nightly", "schedule": "nightly",
    "scheduled": "nightly", "sast": "sast", "security": "security", "secret detection": "secrets",
}  # fmt: skip
_DOCKER = r"(?:docker\s?file|docker|container|containers)"
_DONT = r"(?:don't|do not|never)"
_DOING = r"(?:want|need|add|use|run|test|build|make|create|include|deploy)(?: it)?(?: with| in| on)?"
_NOT = (
    rf"(?:without|no|not|skip|drop|remove|leave out|instead of|rather than|no need for|{_DONT} {_DOING})"
    r"(?: an?| the| any)?"
)
_TWICE_NOT = re.compile(rf"\b{_DONT} (?:skip|drop|remove|leave out|forget)\b")
_ITEM = r"(?:(?:an?|the|any) )?[\w.+-]+"
_ITEMS = rf"({_ITEM}(?:, {_ITEM})*)"
# Lists of what is not wanted: "no lint, tests or docker", "without docker and postgres". A version says that the last
# word is wanted, and behind "and" the sentence may go on: "without lint and test with postgres".
_LISTS = (
    re.compile(rf"\b({_NOT}) {_ITEMS},? (?:or|nor) ({_ITEM})(?![\w.+-]| v?\d)"),
    re.compile(rf"\b(without|{_DONT} {_DOING}) {_ITEMS} and ([\w+-]+)(?=\s*(?:$|[.,;:!?)\n]|please\b|but\b))"),
)
_VERSION = r"(\d+(?:\.\d+){0,2})"
_LEVELS = {"python": 2, "go": 2, "rust": 2, "node": 1, "java": 1}


def read_wishes(words: str) -> Wishes:
    """Read versions, services, parts to leave out and extras from a person's words."""
    text = _plain(words)
    without = _without(text)
    return Wishes(
        versions=_versions(text),
        services=tuple(service for service in _services(text) if service),
        dockerfile=_dockerfile(text),
        without=without,
        extras=tuple(dict.fromkeys(name for word, name in _EXTRAS.items() if _asked(text, word))),
        words=words,
    )


def apply_wishes(unit: Unit, wishes: Wishes) -> Unit:
    """Return the unit as the person wants it: their words weigh more than what the repository says."""
    facts = [fact for fact in unit.facts if not _is_left_out(fact.name, wishes)]
    facts = [_with_version(fact, unit.ecosystem, wishes) for fact in facts]
    if unit.ecosystem in wishes.versions and not any(fact.name == "version" for fact in facts):
        facts.append(_wished("version", wishes.versions[unit.ecosystem]))
    named = {_service_name(fact.value) for fact in facts if fact.name == "service"}
    wished = [service for service in wishes.services if _service_name(service) in named or unit.first("test")]
    replaced = {_service_name(service) for service in wished}
    facts = [fact for fact in facts if fact.name != "service" or _service_name(fact.value) not in replaced]
    facts += [_wished("service", service) for service in wished]
    if wishes.dockerfile and not unit.first("deployable") and unit.first("start"):
        facts.append(_wished("deployable", "yes"))
    return Unit(root=unit.root, ecosystem=unit.ecosystem, facts=tuple(facts))


def _plain(words: str) -> str:
    """Return the words in small letters, each of those that are not wanted with its own "without"."""
    text = re.sub(r"[^\S\n]+", " ", words.lower().replace("’", "'"))
    text = _TWICE_NOT.sub("with", text)
    for listed in _LISTS:
        text = listed.sub(_denied_each, text)
    return text


def _denied_each(found: "re.Match[str]") -> str:
    return ", ".join(f"without {item}" for item in (*found[2].split(", "), found[3]))


def _versions(text: str) -> dict[str, str]:
    versions: dict[str, str] = {}
    for word, tool in _TOOLS.items():
        match = re.search(rf"(?<![\w.-]){re.escape(word)}(?: version)?[ :=@-]*v?{_VERSION}(?![\w])", text)
        if match:
            number = match.group(1).removeprefix("1.") if tool == "java" else match.group(1)
            versions[tool] = ".".join(number.split(".")[: _LEVELS[tool]])
    return versions


def _services(text: str) -> list[str]:
    found: dict[str, str] = {}
    for word, (image, default) in _SERVICES.items():
        match = re.search(rf"(?<![\w-]){word}(?![\w-])(?:[ :=@-]*v?{_VERSION})?", text)
        if match and not re.search(rf"{_NOT} {word}\b", text):
            found.setdefault(image, f"{image}:{match.group(1) or default}")
    return list(found.values())


def _dockerfile(text: str) -> bool | None:
    if re.search(rf"\b{_NOT} {_DOCKER}\b", text):
        return False
    if re.search(rf"\b(?:with|add|want|need|write|make|create|and)(?: an?| the)? {_DOCKER}\b", text):
        return True
    return None


def _without(text: str) -> tuple[str, ...]:
    found = [part for word, part in _PARTS.items() if re.search(rf"\b{_NOT} {word}\b(?! (?:fail|error))", text)]
    found += ["lint"] if re.search(r"\b(?:only|just) (?:the )?tests?\b", text) else []
    return tuple(dict.fromkeys(found))


def asked_for(words: str, phrase: str) -> bool:
    """Tell whether a person's words hold a phrase, and not only to say that they do not want it."""
    return _asked(_plain(words).replace("\n", " "), re.escape(phrase))


def _asked(text: str, word: str) -> bool:
    return bool(re.search(rf"\b{word}\b", text)) and not re.search(rf"\b{_NOT} {word}\b", text)


_PART_FACTS = {
    "lint": {"lint", "lint_tool", "lint_install", "lint_version"}, "test": {"test", "test_tool"},
    "build": {"build", "artifact"}, "coverage": {"coverage"}, "image": {"deployable", "dockerfile"},
}  # fmt: skip


def _is_left_out(name: str, wishes: Wishes) -> bool:
    if wishes.dockerfile is False and name in _PART_FACTS["image"]:
        return True
    return any(name in _PART_FACTS.get(part, ()) for part in wishes.without)


def _with_version(fact: Fact, ecosystem: str, wishes: Wishes) -> Fact:
    wanted = wishes.versions.get(ecosystem)
    return _wished("version", wanted) if fact.name == "version" and wanted else fact


def _service_name(image: str) -> str:
    return image.rsplit("/", 1)[-1].split(":", 1)[0]


def _wished(name: str, value: str) -> Fact:
    return Fact(name=name, value=value, because="you asked for it")
