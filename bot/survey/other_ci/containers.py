"""Bitbucket, Drone, Woodpecker and Cirrus: systems whose steps are images with lists of commands."""

import re
from collections.abc import Iterator

from bot.survey.other_ci.images import image_versions, is_service
from bot.survey.other_ci.model import Job
from bot.survey.other_ci.packages import apt_packages
from bot.survey.other_ci.scripts import DELIVERS, as_matrix, rows_of, services_of, steps_of, variables_of
from bot.survey.parsing import read_yaml, string, strings, table
from bot.survey.tree import Tree

BITBUCKET = r"bitbucket-pipelines\.yml"
DRONE = r"\.drone\.ya?ml|\.woodpecker\.ya?ml|\.woodpecker/[^/]+\.ya?ml"
CIRRUS = r"\.cirrus\.yml"
_VARIABLE = r"\$\{?(\w+)\}?"


def read_bitbucket(tree: Tree, path: str) -> Iterator[Job]:
    """Return the steps of the default pipeline and of those for pull requests and branches."""
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    known = table(data, "definitions", "services")
    for number, step in enumerate(_bitbucket_steps(data.get("pipelines"))):
        if _delivers(step):
            continue
        image = _image(step.get("image")) or _image(data.get("image"))
        asked = [name for name in strings(step.get("services")) if name != "docker"]
        images = [_image(table(known, name).get("image")) or name for name in asked]
        scripts = strings(step.get("script"))
        yield Job(
            path=path,
            name=string(step.get("name")) or f"step {number + 1}",
            steps=steps_of(path, text, scripts),
            versions=image_versions(path, text, image),
            services=services_of(path, text, images),
            packages=apt_packages(path, text, scripts),
        )


def _bitbucket_steps(node: object) -> Iterator[dict[str, object]]:
    """Walk pipelines, stages and parallel groups; a pipeline for tags delivers and is left out."""
    if isinstance(node, list):
        for each in node:
            yield from _bitbucket_steps(each)
        return
    for key, inner in table(node).items():
        if key == "step":
            yield table(inner)
        elif key not in {"tags", "custom", "definitions"}:
            yield from _bitbucket_steps(inner)


def _delivers(step: dict[str, object]) -> bool:
    return "deployment" in step or DELIVERS.search(string(step.get("name"))) is not None


def left_out(tree: Tree, path: str) -> Iterator[tuple[str, str]]:
    """Return the lines of steps that were not read because they deliver or wait for a person, each with its step."""
    data = tree.parsed(path, read_yaml, "YAML")
    if re.fullmatch(BITBUCKET, path):
        named = [(string(step.get("name")), step) for step in _by_hand(data.get("pipelines"))]
        key = "script"
    elif re.fullmatch(DRONE, path):
        named = [each for each in _named(data.get("steps") or data.get("pipeline")) if DELIVERS.search(each[0])]
        key = "commands"
    else:
        return
    for name, step in named:
        yield from ((name, line) for line in strings(step.get(key)))


def _by_hand(node: object, is_apart: bool = False) -> Iterator[dict[str, object]]:
    """Walk Bitbucket's pipelines to the steps that deliver, and to all of those for tags and of the custom ones."""
    if isinstance(node, list):
        for each in node:
            yield from _by_hand(each, is_apart)
        return
    for key, inner in table(node).items():
        if key == "step" and (is_apart or _delivers(table(inner))):
            yield table(inner)
        elif key != "step":
            yield from _by_hand(inner, is_apart or key in {"tags", "custom"})


def read_drone(tree: Tree, path: str) -> Iterator[Job]:
    """Return the steps of Drone's first pipeline, or of a workflow of Woodpecker."""
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    rows = rows_of(data.get("matrix"))
    services = [_image(body.get("image")) for _, body in _named(data.get("services"))]
    for name, body in _named(data.get("steps") or data.get("pipeline")):
        image = as_matrix(_image(body.get("image")), _VARIABLE, list(rows[0]))
        if DELIVERS.search(name) or "commands" not in body:
            continue
        scripts = [as_matrix(line, _VARIABLE, list(rows[0])) for line in strings(body.get("commands"))]
        yield Job(
            path=path,
            name=name,
            rows=rows,
            steps=steps_of(path, text, scripts),
            versions=image_versions(path, text, image),
            services=services_of(path, text, [each for each in services if is_service(each)]),
            variables=variables_of(body.get("environment")),
            packages=apt_packages(path, text, scripts),
        )


def read_cirrus(tree: Tree, path: str) -> Iterator[Job]:
    """Return the tasks that run in a container."""
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    for name, body in data.items():
        image = string(table(body, "container").get("image")) or string(table(data, "container").get("image"))
        if not re.search(r"(^|_)task$", name) or not image or DELIVERS.search(name):
            continue
        scripts = [line for key, value in table(body).items() if key.endswith("script") for line in strings(value)]
        yield Job(
            path=path,
            name=name.removesuffix("_task"),
            steps=steps_of(path, text, scripts),
            versions=image_versions(path, text, image),
            variables=variables_of(table(body).get("env")),
            packages=apt_packages(path, text, scripts),
        )


def _named(value: object) -> Iterator[tuple[str, dict[str, object]]]:
    """Return the entries of a list with names, or of a table by name."""
    if isinstance(value, list):
        yield from ((string(table(each).get("name")), table(each)) for each in value)
    else:
        yield from ((name, table(body)) for name, body in table(value).items())


def _image(value: object) -> str:
    return string(table(value).get("name")) if isinstance(value, dict) else string(value)
