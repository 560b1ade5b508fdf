"""What a compose file starts for developers, and what it tells the code about that."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from bot.domain import Evidence
from bot.survey.other_ci.images import is_service
from bot.survey.other_ci.scripts import setting
from bot.survey.parsing import string, strings, table
from bot.survey.service_images import service_image, service_kind, short_name
from bot.survey.tree import Folder

SAMPLES = (".env.test", ".env.example", ".env.sample", ".env.dist", ".env.template")
_FILES = r"(?:docker-)?compose(?:[.-](?:test|tests|ci|dev|override))?\.ya?ml"
# A variable that says where something is: what comes before is also said of its port, its user and so on.
_PLACE = re.compile(r"([A-Z0-9_]+?)(?:HOST(?:NAME)?|SERVER|ADDR(?:ESS)?|ENDPOINT|URL|URI|DSN)S?")
_BESIDE = re.compile(r"_?(?:PORT|NAME|DB(?:_?NAME)?|DATABASE(?:_?NAME)?|USER(?:_?NAME)?)")
_PASSWORD = re.compile(r"_?PASS(?:WORD|WD)?")


class Neighbour(Struct, frozen=True, kw_only=True):
    """A service, each NAME=value that tells the code where it is, and what it starts with as far as it is known."""

    image: str
    why: str
    where: Evidence
    variables: tuple[str, ...] = ()
    settings: tuple[tuple[str, Evidence], ...] = ()


def from_compose(folder: Folder) -> Iterator[Neighbour]:
    """Return the databases of the compose files here, else at the top, with the addresses the others are given."""
    top = Folder(folder.tree, "")
    place = next((each for each in (folder, top) if each.names(_FILES)), folder)
    for file in sorted(place.names(_FILES), key=_by_purpose):
        found = list(_in_compose(place, file))
        if found:
            yield from found
            return


def _by_purpose(file: str) -> tuple[bool, bool]:
    """Put a compose file for tests first, and one that only overrides another last."""
    return ("test" not in file and "ci" not in file.split("."), "override" in file)


def _in_compose(place: Folder, file: str) -> Iterator[Neighbour]:
    services = table(place.yaml(file), "services")
    sample = _sample(place)
    told = {name: _environment(body, sample) for name, body in services.items()}
    images = {name: _filled(string(table(body).get("image")), sample) for name, body in services.items()}
    known = {name: image for name, image in images.items() if is_service(image) and "$" not in image}
    others = [variables for name, variables in told.items() if name not in known]
    for name, image in known.items():
        where = place.evidence(file, string(table(services, name).get("image")))
        path, text = place.full(file), place.text(file)
        settings = [each for key, value in told[name].items() for each in setting(path, text, key, value)]
        yield Neighbour(
            image=service_image(image) or image,
            why=f"{file} starts it for development",
            where=where,
            variables=tuple(_told(name, image, others, {line.partition("=")[2] for line, _ in settings})),
            settings=tuple(settings),
        )


def _sample(place: Folder) -> dict[str, str]:
    """Return the variables of a sample of .env, which compose reads by itself once it is copied."""
    file = next((name for name in SAMPLES if place.has(name)), "")
    lines = re.findall(r"^(?:export )?([A-Z][A-Z0-9_]*)=(.*)$", place.text(file) if file else "", re.MULTILINE)
    return {name: value.strip().strip("'\"") for name, value in lines}


def _filled(value: str, sample: Mapping[str, str]) -> str:
    """Fill in ${NAME} and ${NAME:-default} as compose does; what nobody knows stays as it is written."""

    def known(match: re.Match[str]) -> str:
        name, default = match.groups()
        return sample.get(name, match.group(0) if default is None else default)

    return re.sub(r"\$\{(\w+)(?::?-([^${}]*))?\}", known, value)


def _environment(body: object, sample: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of one service: its own, and those of the sample where a file of them is handed in."""
    given = table(body).get("environment")
    written = dict(line.partition("=")[::2] for line in strings(given))
    written |= {name: string(value) for name, value in table(given).items()}
    plain = {name: _filled(value, sample) for name, value in written.items()}
    return {**(sample if table(body).get("env_file") else {}), **plain}


def _told(name: str, image: str, others: list[dict[str, str]], passwords: set[str]) -> Iterator[str]:
    """Return what the other services are told of this one, each variable once, with the address it has in a job."""
    found: dict[str, str] = {}
    for variables in others:
        for key in [key for key, value in variables.items() if _points_to(key, value, name)]:
            found.setdefault(key, _moved(variables[key], name, image))
            for other, value in _beside(key, variables, service_kind(image), passwords):
                found.setdefault(other, value)
    yield from (f"{key}={value}" for key, value in found.items())


def _points_to(key: str, value: str, name: str) -> bool:
    """Say whether a variable names a service: in an address, or alone where the variable asks for a place."""
    if "$" in value or re.fullmatch(r"[A-Z][A-Z0-9_]*", key) is None:
        return False
    if re.match(rf"(?:jdbc:)?\w[\w+]*://(?:[^@/\s]*@)?{re.escape(name)}(?=[:/]|$)", value):
        return True
    return _PLACE.fullmatch(key) is not None and re.fullmatch(rf"{re.escape(name)}(?::\d+)?", value) is not None


def _moved(value: str, name: str, image: str) -> str:
    host = re.escape(name)
    return re.sub(rf"(?<=[@/]){host}(?=[:/]|$)|^{host}(?=(?::\d+)?$)", short_name(image), value)


def _beside(key: str, variables: Mapping[str, str], kind: str, passwords: set[str]) -> Iterator[tuple[str, str]]:
    """Return the port, the name and the user that are told with a place; a password only if the database has it."""
    found = _PLACE.fullmatch(key)
    whose = found.group(1).rstrip("_") if found else ""
    for name, value in variables.items() if whose else ():
        rest = name.removeprefix(whose)
        if rest == name or "$" in value or not value:
            continue
        if _BESIDE.fullmatch(rest):
            yield name, value
        elif _PASSWORD.fullmatch(rest) and kind == "postgres":
            yield name, "postgres"
        elif _PASSWORD.fullmatch(rest) and value in passwords:
            yield name, value
