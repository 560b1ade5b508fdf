"""Databases and the like: what the tests of a repository need beside it, and the variables that say where they are."""

import re
from collections.abc import Iterable

from bot.domain import Evidence
from bot.survey.facts import Facts
from bot.survey.other_ci.model import OtherCi
from bot.survey.tree import Folder

# The newest lines with an official image; an older version that another CI pins is kept as it is.
_DEFAULTS = {
    "postgres": "postgres:18",
    "mysql": "mysql:8.4",
    "mariadb": "mariadb:11",
    "redis": "redis:8",
    "mongo": "mongo:8",
    "rabbitmq": "rabbitmq:4",
    "memcached": "memcached:1",
}
_SECRET = re.compile(
    r"TOKEN|SECRET|PASS(WORD|WD)?$|KEY|CREDENTIAL|GITHUB|CODECOV|COVERALLS|CACHE|^PATH$|HOME$|RUNNER|ACTIONS", re.I
)
_ADDRESS = re.compile(r"localhost|127\.0\.0\.1|0\.0\.0\.0")


def add_services(facts: Facts, folder: Folder, ci: OtherCi, dependencies: Iterable[str] = ()) -> None:
    """Add the services of the jobs that test this folder, and their plain variables."""
    del dependencies
    for job in ci.jobs:
        kinds = {command.kind for command in job.commands(job.rows[0]) if command.folder == folder.root}
        if "test" not in kinds:
            continue
        names = []
        for image, where in job.services:
            plain = service_image(image)
            if plain:
                names.append(plain.partition(":")[0].rpartition("/")[2])
                facts.add("service", plain, "the tests of other CI run beside it", where)
        variables = dict(job.variables)
        for step in job.steps:
            variables |= step.variables
        for name, value in variables.items():
            if _is_plain(name, value):
                facts.add(
                    "variable", f"{name}={_at_service(value, names)}", "other CI sets it", Evidence(path=job.path)
                )


def service_image(image: str) -> str:
    """Return an image that can be pulled anywhere: a bare name gets the newest line, a strange one is refused."""
    if not re.fullmatch(r"[a-z0-9][\w./-]*(:[\w.-]+)?", image):
        return ""
    name, _, tag = image.partition(":")
    if not tag or tag == "latest":
        return _DEFAULTS.get(name, image)
    return image


def _is_plain(name: str, value: str) -> bool:
    """Say whether a variable may be copied: no secret, no expression, nothing of another CI."""
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) or "$" in value or "\n" in value or not value or len(value) > 200:
        return False
    is_address = "://" in value
    return is_address or not _SECRET.search(name)


def _at_service(value: str, names: list[str]) -> str:
    """In GitLab a service answers under its image's name, not on localhost."""
    if not _ADDRESS.search(value):
        return value
    scheme = (
        value.partition(":")[0]
        .replace("postgresql", "postgres")
        .replace("amqp", "rabbitmq")
        .replace("mongodb", "mongo")
    )
    name = next((each for each in names if each.startswith(scheme[:5])), names[0] if len(names) == 1 else "")
    return _ADDRESS.sub(name, value) if name else value
