"""Services the tests need, told by compose files, samples of .env and settings: what a developer starts by hand."""

import re
from collections.abc import Iterator

from msgspec import Struct

from bot.domain import Evidence
from bot.survey.ended import CALLED_OUT
from bot.survey.facts import Facts
from bot.survey.other_ci.images import is_service
from bot.survey.parsing import string, strings, table
from bot.survey.service_images import service_image, short_name
from bot.survey.tree import Folder

# What a manifest names when the code speaks to a service.
_CLIENTS = {
    "postgres": r"psycopg|asyncpg|pg8000|\"(?:pg|postgres|pg-promise|slonik)\"|lib/pq|jackc/pgx|tokio-postgres"
    r"|postgresql|postgrex|Npgsql|gem ['\"]pg['\"]|ext-pgsql|sqlx|diesel|prisma|django|sqlalchemy|gorm"
    r"|typeorm|sequelize",
    "mysql": r"mysql|mariadb|prisma|django|sqlalchemy|gorm|typeorm|sequelize|sqlx|diesel",
    "redis": r"redis|bullmq?|sidekiq|celery",
    "mongo": r"mongo",
    "rabbitmq": r"pika|amqp|rabbit|celery|kombu|bunny",
    "memcached": r"memcache",
    "elasticsearch": r"elasticsearch",
}
_KINDS = {
    "postgis": "postgres",
    "pgvector": "postgres",
    "timescaledb": "postgres",
    "mariadb": "mysql",
    "valkey": "redis",
}
_SCHEMES = {
    "postgres": "postgres:18",
    "postgresql": "postgres:18",
    "mysql": "mysql:8.4",
    "redis": "redis:8",
    "mongodb": "mongo:8",
    "amqp": "rabbitmq:4",
}
_SAMPLES = (".env.test", ".env.example", ".env.sample", ".env.dist", ".env.template")
_COMPOSE = r"(?:docker-)?compose(?:[.-](?:test|tests|ci|dev|override))?\.ya?ml"
_MANIFESTS = (
    r"package\.json|pyproject\.toml|requirements[\w.-]*\.txt|Pipfile|setup\.(?:py|cfg)|go\.mod|Cargo\.toml"
    r"|pom\.xml|build\.gradle(?:\.kts)?|Gemfile|composer\.json|mix\.exs"
)
_URL = re.compile(r"^[ \t]*(?:export\s+)?([A-Z][A-Z0-9_]*)=['\"]?((\w+?)(?:\+\w+)?://[^\s'\"]+)", re.MULTILINE)


class Neighbour(Struct, frozen=True, kw_only=True):
    """A service and, if it is known, the NAME=value that tells the code where it is."""

    image: str
    why: str
    where: Evidence
    variable: str = ""


def add_neighbours(facts: Facts, folder: Folder) -> None:
    """Add service and variable for what the code speaks to; the first source that says something is believed."""
    manifests = "\n".join(folder.text(name) for name in folder.names(_MANIFESTS))
    for source in (_from_compose, _from_samples, _from_settings):
        found = _needed([each for each in source(folder) if _is_spoken_to(each.image, manifests)], manifests)
        for each in found:
            facts.add("service", each.image, each.why, each.where, confidence=CALLED_OUT)
            facts.add("variable", each.variable, "the service is reached there", each.where, confidence=CALLED_OUT)
        if found:
            return


def _needed(found: list[Neighbour], manifests: str) -> list[Neighbour]:
    """Leave databases out where the tests bring their own, or where several are offered to choose from."""
    relational = [each for each in found if service_kind(each.image) in {"postgres", "mysql"}]
    if len(relational) > 1 or re.search(r"\bh2\b|h2database|testcontainers|pg-mem|embedded-postgres", manifests):
        return [each for each in found if each not in relational]
    return found


def _is_spoken_to(image: str, manifests: str) -> bool:
    pattern = _CLIENTS.get(service_kind(image), "")
    return bool(pattern) and re.search(pattern, manifests, re.IGNORECASE) is not None


def service_kind(image: str) -> str:
    """Return what a service's image is compatible with: MariaDB answers clients of MySQL."""
    name = short_name(image)
    return "postgres" if name.startswith("postgres") else _KINDS.get(name, name)


def _from_compose(folder: Folder) -> Iterator[Neighbour]:
    """Return the databases of the compose files here, else at the top, with the addresses the others are given."""
    top = Folder(folder.tree, "")
    place = next((each for each in (folder, top) if each.names(_COMPOSE)), folder)
    for file in sorted(place.names(_COMPOSE), key=_by_purpose):
        found = list(_in_compose(place, file))
        if found:
            yield from found
            return


def _by_purpose(file: str) -> tuple[bool, bool]:
    """Put a compose file for tests first, and one that only overrides another last."""
    return ("test" not in file and "ci" not in file.split("."), "override" in file)


def _in_compose(place: Folder, file: str) -> Iterator[Neighbour]:
    services = table(place.yaml(file), "services")
    images = {name: string(table(body).get("image")) for name, body in services.items()}
    known = {name: image for name, image in images.items() if is_service(image) and "$" not in image}
    for name, image in known.items():
        variable = next((line for line in _environment(services) if _points_to(line, name)), "")
        yield Neighbour(
            image=service_image(image) or image,
            why=f"{file} starts it for development",
            where=place.evidence(file, image),
            variable=re.sub(rf"(?<=[@/]){re.escape(name)}(?=[:/]|$)", short_name(image), variable),
        )


def _environment(services: dict[str, object]) -> Iterator[str]:
    for body in services.values():
        given = table(body).get("environment")
        yield from strings(given)
        yield from (f"{name}={string(value)}" for name, value in table(given).items())


def _points_to(line: str, name: str) -> bool:
    return (
        "$" not in line and re.match(rf"[A-Z_]+=\w[\w+]*://(?:[^@/\s]*@)?{re.escape(name)}(?=[:/]|$)", line) is not None
    )


def _from_samples(folder: Folder) -> Iterator[Neighbour]:
    """Return the services behind the addresses of a sample."""
    for file in [name for name in _SAMPLES if folder.has(name)][:1]:
        for name, url, scheme in _URL.findall(folder.text(file)):
            image = _SCHEMES.get(scheme, "")
            if image and "$" not in url and "<" not in url:
                # What stands in braces is to be filled in by hand; the database of a job takes any password.
                plain = re.sub(r":[{\[][^@/]*(?=@)", "", url)
                reached = re.sub(
                    r"(?<=[@/])(?:localhost|127\.0\.0\.1|[\w-]+)(?=:\d|/)", short_name(image), plain, count=1
                )
                why, where = f"{file} names its address", folder.evidence(file, f"{name}=")
                yield Neighbour(image=image, why=why, where=where, variable=f"{name}={reached}")


def _from_settings(folder: Folder) -> Iterator[Neighbour]:
    """Return the database of Django's settings, unless they fall back on a file."""
    for path in folder.under(r"(?:[\w-]+/){0,2}settings(?:/(?:base|test|common))?\.py"):
        found = re.search(
            r"django\.db\.backends\.(postgresql|mysql)|django\.contrib\.gis\.db\.backends\.(postgis)", folder.text(path)
        )
        if found and "sqlite" not in folder.text(path):
            image = {"mysql": "mysql:8.4", None: "postgis/postgis:18-3.6"}.get(found.group(1), "postgres:18")
            yield Neighbour(image=image, why="the settings name it", where=folder.evidence(path, found.group(0)))
            return
