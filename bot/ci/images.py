"""Names of container images: where they come from, and how a house's mirror is put before them."""

import re

# Those of Docker Hub's official images that pipelines use most: behind a mirror they are known by their last part.
OFFICIAL = frozenset(
    "alpine amazoncorretto busybox clojure composer dart debian docker eclipse-temurin elixir erlang golang gradle"
    " haskell httpd julia mariadb maven memcached mongo mysql nginx node openjdk perl php postgres python r-base"
    " rabbitmq redis ruby rust swift ubuntu".split()
)
_PUBLIC_HOSTS = frozenset(
    "docker.io index.docker.io ghcr.io quay.io gcr.io mcr.microsoft.com public.ecr.aws registry.gitlab.com"
    " registry.k8s.io".split()
)
_PROXY = re.compile(r"\$\{?CI_DEPENDENCY_PROXY_(?:DIRECT_)?GROUP_IMAGE_PREFIX\}?")


def is_of_docker_hub(image: str) -> bool:
    """Tell whether an image is pulled from Docker Hub, for its name has no host before it."""
    first, slash, _ = image.partition("/")
    if not image or "$" in image.partition(":")[0]:
        return False
    return not slash or not ("." in first or ":" in first or first == "localhost")


def mirrored(image: str, mirror: str) -> str:
    """Return the image's name behind the mirror; one that is not Docker Hub's stays."""
    if not mirror or not is_of_docker_hub(image):
        return image
    return f"{mirror}/{image}" if "/" not in image else f"{mirror.removesuffix('/library')}/{image}"


def mirror_of(image: str) -> tuple[str, str] | None:
    """Return mirror and official name of an image that may be a mirrored one, such as `host/hub/python:3.13`."""
    prefix, slash, last = image.rpartition("/")
    name = re.split(r"[:@]", last)[0]
    if not slash or name not in OFFICIAL:
        return None
    host = prefix.partition("/")[0]
    if _PROXY.fullmatch(prefix):
        return prefix, name
    is_host = "." in host or ":" in host
    return (prefix, name) if is_host and "$" not in prefix and host not in _PUBLIC_HOSTS else None
