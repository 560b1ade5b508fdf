"""What an image of another CI says: a language and its version, or a database."""

import re

from bot.domain import Evidence
from bot.survey.tree import find
from bot.survey.versions import NODE_NAMES

Versions = tuple[tuple[str, str, Evidence], ...]

_IMAGE = re.compile(
    r"(?:^|/)(python|node|golang|go|openjdk|rust|java|eclipse-temurin|amazoncorretto|php|ruby|elixir)[\w-]*"
    r":(\d[\w.]*|\$\{\{.*?\}\})"
)
_BUILDER = re.compile(r"(?:^|/)(?:maven|gradle):\S*?(?:jdk|temurin|openjdk|corretto)-?(\d+)")
_NAMED = re.compile(rf"(?:^|/)node:({'|'.join(NODE_NAMES)})\b")
_LANGUAGE = {"golang": "go", "openjdk": "java", "eclipse-temurin": "java", "amazoncorretto": "java"}
_SERVICE = re.compile(
    r"(?:^|/)(postgres|postgis|pgvector|mysql|mariadb|redis|valkey|mongo|rabbitmq|memcached|elasticsearch|opensearch"
    r"|cassandra|nats|minio|localstack|clickhouse)[\w-]*(?::|$)"
)
_VARIABLES = {
    "PYTHON_VERSION": "python",
    "NODE_VERSION": "node",
    "NODEJS_VERSION": "node",
    "GO_VERSION": "go",
    "GOLANG_VERSION": "go",
    "JAVA_VERSION": "java",
    "JDK_VERSION": "java",
    "RUBY_VERSION": "ruby",
    "PHP_VERSION": "php",
}


def image_versions(path: str, text: str, image: str) -> Versions:
    """Return the language an image is made for, with its version."""
    builder = _BUILDER.search(image)
    if builder:
        return (("java", builder.group(1), find(path, text, image)),)
    named = _NAMED.search(image)
    if named:
        return (("node", NODE_NAMES[named.group(1)], find(path, text, image)),)
    match = _IMAGE.search(image)
    if match is None:
        return ()
    name, version = match.groups()
    return ((_LANGUAGE.get(name, name), version, find(path, text, image)),)


def variable_versions(path: str, text: str, variables: dict[str, str]) -> Versions:
    """Return the versions that variables such as GO_VERSION name."""
    return tuple(
        (language, variables[name], find(path, text, f"{name}:", name))
        for name, language in _VARIABLES.items()
        if re.match(r"\d|\$\{\{", variables.get(name, ""))
    )


def is_service(image: str) -> bool:
    """Say whether an image is a database or something else tests talk to."""
    return _SERVICE.search(image) is not None


def public_image(image: str) -> str:
    """Return the public image for one of CircleCI's own: circleci/postgres:9.6-alpine is postgres:9.6-alpine."""
    return re.sub(r"^(circleci|cimg)/", "", image)
