"""The templates of an organisation, laid over the shipped ones: what is broken in them is named and left out."""

import re
from collections.abc import Iterator, Mapping

import jinja2
from msgspec import Struct

from bot.ci.metadata import METADATA, BrokenTemplateError, read_metadata

SHARED = "_shared/"
_LOST = re.compile(r"[\udc80-\udcff\ufffd\x00]")


class Layer(Struct, frozen=True, kw_only=True):
    """Template folders of one owner, by path such as `python-uv/jobs.yml.j2`.

    `origin` is how an answer names it: a folder, or a project and its commit.
    """

    origin: str
    texts: dict[str, str]


def folders_of(texts: Mapping[str, str]) -> list[str]:
    """Return the names of the folders, sorted."""
    return sorted({path.split("/")[0] for path in texts})


def sound_part(layer: Layer) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what can be used of a layer, and a sentence for each folder that cannot."""
    sound: dict[str, str] = {}
    complaints: list[str] = []
    for folder in folders_of(layer.texts):
        texts = {path: text for path, text in layer.texts.items() if path.startswith(folder + "/")}
        wrong = next(_complaints(folder, texts), None)
        if wrong is None:
            sound |= texts
        else:
            complaints.append(f"{wrong} (in {layer.origin}), so this folder is left out")
    return sound, tuple(complaints)


def over(texts: Mapping[str, str], layer: Mapping[str, str]) -> dict[str, str]:
    """Lay a layer over texts: its folders replace those of the same name whole, its shared files one by one."""
    replaced = tuple({path.split("/")[0] + "/" for path in layer} - {SHARED})
    return {path: text for path, text in texts.items() if not path.startswith(replaced)} | dict(layer)


def _complaints(folder: str, texts: Mapping[str, str]) -> Iterator[str]:
    yield from (f"templates/{path} is no UTF-8 text" for path, text in texts.items() if _LOST.search(text))
    yield from _of_jinja(texts)
    if folder + "/" == SHARED:
        return
    if f"{folder}/{METADATA}" not in texts:
        yield f"templates/{folder} has no {METADATA}"
        return
    try:
        metadata = read_metadata(folder, texts[f"{folder}/{METADATA}"])
    except BrokenTemplateError as broken:
        yield str(broken)
        return
    if metadata.role == "unit" and not metadata.applies_to:
        yield f"templates/{folder}/{METADATA} names no fact under `applies_to`, so it would apply to everything"


def _of_jinja(texts: Mapping[str, str]) -> Iterator[str]:
    for path, text in texts.items():
        if not path.endswith(".j2"):
            continue
        try:
            jinja2.Environment(autoescape=False).parse(text)
        except jinja2.TemplateSyntaxError as error:
            yield f"templates/{path} line {error.lineno}: {error.message}"
