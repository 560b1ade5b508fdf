"""Services the tests need, told by compose files, samples of .env and settings: what a developer starts by hand."""

import re
from collections.abc import Iterator

from bot.survey.composed import SAMPLES, Neighbour, from_compose
from bot.survey.ended import CALLED_OUT
from bot.survey.facts import Facts
from bot.survey.service_images import service_kind, short_name
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
_SCHEMES = {
    "postgres": "postgres:18",
    "postgresql": "postgres:18",
    "mysql": "mysql:8.4",
    "redis": "redis:8",
    "mongodb": "mongo:8",
    "amqp": "rabbitmq:4",
}
_MANIFESTS = (
    r"package\.json|pyproject\.toml|requirements[\w.-]*\.txt|Pipfile|setup\.(?:py|cfg)|go\.mod|Cargo\.toml"
    r"|pom\.xml|build\.gradle(?:\.kts)?|Gemfile|composer\.json|mix\.exs"
)
_URL = re.compile(r"^[ \t]*(?:export\s+)?([A-Z][A-Z0-9_]*)=['\"]?((\w+?)(?:\+\w+)?://[^\s'\"]+)", re.MULTILINE)

# Read .env by themselves, and most stop where what it should say is said nowhere.
_READS_ENV = re.compile(
    r"\"(?:dotenv(?:-\w+)?|env-cmd|@nestjs/config)\"|python-(?:dotenv|decouple)|django-environ|environs|pydantic-settings"
    r"|joho/godotenv|dotenvy"
)
_TO_COPY = tuple(name for name in SAMPLES if name != ".env.test")


def add_sample(facts: Facts, folder: Folder) -> None:
    """Copy a sample of .env before the tests, as a developer does who has just cloned the repository."""
    file = next((name for name in _TO_COPY if folder.has(name)), "")
    if file and not folder.has(".env") and _READS_ENV.search(_manifests(folder)):
        why = "the code reads .env, which the repository does not hold"
        facts.add("prepare", f"cp {file} .env", why, folder.evidence(file), confidence=CALLED_OUT)


def _manifests(folder: Folder) -> str:
    return "\n".join(folder.text(name) for name in folder.names(_MANIFESTS))


def add_neighbours(facts: Facts, folder: Folder) -> None:
    """Add service and variable for what the code speaks to; the first source that says something is believed."""
    manifests = _manifests(folder)
    for source in (from_compose, _from_samples, _from_settings):
        found = _needed([each for each in source(folder) if _is_spoken_to(each.image, manifests)], manifests)
        for each in found:
            facts.add("service", each.image, each.why, each.where, confidence=CALLED_OUT)
            for line, where in each.settings:
                facts.add("service_setting", line, "it starts with it for development", where, confidence=CALLED_OUT)
            for line in each.variables:
                facts.add("variable", line, "the service is reached there", each.where, confidence=CALLED_OUT)
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


def _from_samples(folder: Folder) -> Iterator[Neighbour]:
    """Return the services behind the addresses of a sample."""
    for file in [name for name in SAMPLES if folder.has(name)][:1]:
        for name, url, scheme in _URL.findall(folder.text(file)):
            image = _SCHEMES.get(scheme, "")
            if image and "$" not in url and "<" not in url:
                # What stands in braces is to be filled in by hand; the database of a job takes any password.
                plain = re.sub(r":[{\[][^@/]*(?=@)", "", url)
                reached = re.sub(
                    r"(?<=[@/])(?:localhost|127\.0\.0\.1|[\w-]+)(?=:\d|/)", short_name(image), plain, count=1
                )
                why, where = f"{file} names its address", folder.evidence(file, f"{name}=")
                yield Neighbour(image=image, why=why, where=where, variables=(f"{name}={reached}",))


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
