"""Images of services: which one can be pulled by everybody, and in which line where none is named."""

import re

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
_KINDS = {
    "postgis": "postgres",
    "pgvector": "postgres",
    "timescaledb": "postgres",
    "mariadb": "mysql",
    "valkey": "redis",
}
# Docker Hub serves the images of Bitnami no more; the official ones of the same programs are there.
_MOVED = re.compile(
    r"^(?:docker\.io/)?(?:library/|bitnami(?:legacy)?/(?=(?:redis|mysql|mariadb|memcached|rabbitmq)(?::|$)))"
)


def service_image(image: str) -> str:
    """Return an image that can be pulled anywhere: a bare name gets the newest line, a strange one is refused."""
    if not re.fullmatch(r"[a-z0-9][\w./-]*(:[\w.-]+)?", image):
        return ""
    image = _MOVED.sub("", image)
    name, _, tag = image.partition(":")
    if not tag or tag == "latest":
        return _DEFAULTS.get(name, image)
    return image


def short_name(image: str) -> str:
    """Return an image's last word, without the registry and the tag: the host that its service answers at."""
    return image.rpartition("/")[2].partition(":")[0]


def service_kind(image: str) -> str:
    """Return what a service's image is compatible with: MariaDB answers clients of MySQL."""
    name = short_name(image)
    return "postgres" if name.startswith("postgres") else _KINDS.get(name, name)
