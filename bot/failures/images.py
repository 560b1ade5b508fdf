"""Another version of an image: which one a failure asks for, and how its tag is written."""

import re

from bot.survey.versions import LINES, allows, choose

_REPOSITORIES = {
    "python": ("python",), "node": ("node",), "go": ("golang",), "rust": ("rust",), "ruby": ("ruby",), "php": ("php",),
    "java": ("eclipse-temurin", "amazoncorretto", "openjdk", "ibm-semeru-runtimes"), "dotnet": ("sdk",),
}  # fmt: skip
# Images of build tools carry the language's version behind a word of their own.
_INSIDE = {"java": r"(?<=temurin-)\d+|(?<=corretto-)\d+|(?<=openjdk-)\d+|(?<=jdk)\d+", "python": r"(?<=python)\d+\.\d+"}
# Releases of Debian and Ubuntu that newer versions are no longer built for.
_RETIRED = re.compile(r"-(?:buster|stretch|jessie|bullseye|bookworm|focal|bionic|xenial|jammy)\b|(?<=alpine)3\.\d+")
_LEADING = re.compile(r"^v?(\d+(?:\.\d+)*)")


def language_of(image: str) -> str:
    """Return the language an image is of, or nothing."""
    name = image.rpartition("/")[2].partition(":")[0]
    return next((language for language, names in _REPOSITORIES.items() if name in names), "")


def with_version(image: str, language: str, wanted: str) -> str | None:
    """Return the image with a version that satisfies `wanted`; None where no such version or tag is known."""
    version = choose(language, spec=wanted)
    if not wanted or not allows(wanted, version):
        return None
    changed = _with_tag(image, language, version)
    return changed if changed != image else None


def nearest(image: str) -> str | None:
    """Return the image with a tag that exists: the nearest known version, plain where the rest is unknown."""
    language = language_of(image)
    tag = image.rpartition("/")[2].partition(":")[2]
    found = _LEADING.match(tag)
    if not language or found is None or "@" in tag:  # a digest names one image, whatever the tag says
        return None
    known = LINES[language].supported
    asked = ".".join(found[1].split(".")[: LINES[language].parts])
    version = asked if asked in known else _newest_below(known, asked)
    rest = tag[found.end() :]
    is_sure = rest in ("", "-slim", "-alpine") and asked not in known
    name = image[: len(image) - len(tag)]
    changed = name + version + (rest if is_sure else "-alpine" if "alpine" in rest else "")
    return changed if changed != image else None


def _newest_below(known: tuple[str, ...], asked: str) -> str:
    number = [int(part) for part in asked.split(".")]
    below = [each for each in known if [int(part) for part in each.split(".")] <= number]
    return below[-1] if below else known[0]


def _with_tag(image: str, language: str, version: str) -> str:
    if "$" in image or "@" in image:
        return image
    folder, slash, last = image.rpartition("/")
    name, colon, tag = last.partition(":")
    if name in _REPOSITORIES[language]:
        tag = _LEADING.sub(version, tag) if _LEADING.match(tag) else version
        return f"{folder}{slash}{name}:{_RETIRED.sub('', tag)}"
    inside = _INSIDE.get(language)
    if inside and re.search(inside, tag):
        return f"{folder}{slash}{name}{colon}{_RETIRED.sub('', re.sub(inside, version, tag, count=1))}"
    return image
