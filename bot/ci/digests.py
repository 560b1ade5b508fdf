"""Names images with the digest that the repository itself tells, where the rules ask for it: no registry is asked."""

import re
from collections.abc import Iterable, Mapping, Sequence

import yaml
from msgspec import structs

from bot.ci.parts import Part

_NAMED = re.compile(r"(?<![\w./-])((?:[\w.-]+(?::\d+)?/)?[\w./-]+:[\w][\w.-]*)@(sha256:[0-9a-f]{64})(?![0-9a-f])")
_IN_JOB = re.compile(r"(?m)^(\s+(?:- )?(?:image: |name: |- ))([^\s#'\"@]+:[^\s#'\"@]+)$")
_FROM = re.compile(r"(?mi)^(FROM\s+(?:--\S+\s+)*|COPY\s+--from=)([^\s@]+:[^\s@]+)")


def named_digests(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the digest of each image that the files of a repository name with one; two different ones are none."""
    found: dict[str, set[str]] = {}
    for text in texts.values():
        for image, digest in _NAMED.findall(text):
            found.setdefault(image.removeprefix("docker.io/").removeprefix("library/"), set()).add(digest)
    return {image: next(iter(digests)) for image, digests in found.items() if len(digests) == 1}


def with_digests(parts: Iterable[Part], known: Mapping[str, str]) -> tuple[Part, ...]:
    """Return the parts with the digests of images that are known."""
    return tuple(_pinned(part, known) for part in parts)


def dockerfile_with_digests(text: str, known: Mapping[str, str]) -> str:
    """Return a Dockerfile whose base images carry the digests that are known."""
    return _FROM.sub(lambda found: found[1] + _image(found[2], known), text)


def about_digests(texts: Sequence[str], known: Mapping[str, str]) -> str:
    """Say which images stayed at their tag, and why; "" where all carry a digest."""
    text = "\n".join(texts)
    images = [found[2] for pattern in (_IN_JOB, _FROM) for found in pattern.finditer(text)]
    left = sorted({image for image in images if _image(image, known) == image})
    if not left:
        return ""
    named = ", ".join(f"`{image}`" for image in left)
    return (
        f"`.pipewright.yml` asks for images by digest; this repository names none for {named}, and I ask no registry, "
        "so these keep their tag: Renovate's preset `docker:pinDigests` pins them"
    )


def _pinned(part: Part, known: Mapping[str, str]) -> Part:
    text = _IN_JOB.sub(lambda found: found[1] + _image(found[2], known), part.text)
    return (
        part if text == part.text else structs.replace(part, text=text, body=next(iter(yaml.safe_load(text).values())))
    )


def _image(image: str, known: Mapping[str, str]) -> str:
    digest = known.get(image)
    return f"{image}@{digest}" if digest else image
