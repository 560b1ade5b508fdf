"""Images and services of jobs: whose they are, whether they stay the same, and whether they rule the machine."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.ci.checks.document import Document
from bot.ci.risks.trust import Trust
from bot.ci.risks.words import shown
from bot.domain import Risk

MOST_NAMES = 20
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

Values = Mapping[str, tuple[str, ...]]


def image_risks(body: Mapping[str, Any], variables: Values, trust: Trust) -> Iterator[Risk]:
    """Yield the risks of a job's image and services; variables that are known are put in."""
    services = body.get("services")
    for service in services if isinstance(services, list) else ():
        for name in names_of(service, variables):
            yield from _privileged(name)
            yield from named_risks(name, trust)
    for name in names_of(body.get("image"), variables):
        yield from _privileged(name)
        yield from named_risks(name, trust)


def named_risks(name: str, trust: Trust) -> Iterator[Risk]:
    """Yield the risks of an image by its name; of one that GitLab's own variables name nothing is known."""
    repository, tag, digest = _parts(name)
    if not repository or repository.startswith("$"):
        return
    if not trust.has_image(repository):
        message = f"the image {shown(name)} comes from somewhere that neither this project nor my templates use"
        yield Risk(kind="foreign_images", what=repository, message=message)
    if not digest and tag in {"", "latest"}:
        message = f"the image {shown(name)} names no version, so what runs may change from one day to the next"
        yield Risk(kind="unpinned_images", what=name, message=message)


def names_of(value: Any, variables: Values) -> list[str]:
    """Return the names an image may have, as a text or as `name:` below it."""
    name = value.get("name") if isinstance(value, dict) else value
    if not isinstance(name, str) or not name.strip():
        return []
    return list(dict.fromkeys(_expanded(name.strip(), variables, depth=0)))[:MOST_NAMES]


def _expanded(name: str, variables: Values, depth: int) -> list[str]:
    """Put in the values of variables; several where a matrix gives several."""
    known = [found for found in _VARIABLE.finditer(name) if (found[1] or found[2]) in variables]
    if not known or depth > 3:
        return [name]
    choices = [variables[found[1] or found[2]][:MOST_NAMES] for found in known]
    names: list[str] = []
    for values in itertools.islice(itertools.product(*choices), MOST_NAMES):
        text = name
        for found, value in zip(known, values, strict=True):
            text = text.replace(found.group(), value, 1)
        names += _expanded(text, variables, depth + 1)
    return names


def _parts(name: str) -> tuple[str, str, str]:
    """Return repository, tag and digest; a colon before a slash is a port."""
    bare, _, digest = name.partition("@")
    head, slash, last = bare.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{head}{slash}{last}", tag, digest


def _privileged(name: str) -> Iterator[Risk]:
    _, tag, _ = _parts(name)
    if "dind" in tag and "rootless" not in tag:
        message = f"{shown(name)} works only on privileged runners, where a job can take over the machine"
        yield Risk(kind="privileged_services", what=name, message=message)


def registries_of(document: Document) -> tuple[str, ...]:
    """Return where the images of a pipeline come from: what stands before the last part of each name."""
    default = document.data.get("default")
    holders = [document.data, *document.jobs.values(), *([default] if isinstance(default, dict) else [])]
    names = [name for body in holders for value in _named_in(body) for name in names_of(value, {})]
    return tuple(dict.fromkeys(_parts(name)[0].rpartition("/")[0] for name in names if "/" in name and "$" not in name))


def _named_in(body: Mapping[str, Any]) -> list[Any]:
    services = body.get("services")
    return [body.get("image"), *(services if isinstance(services, list) else [])]
