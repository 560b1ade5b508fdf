"""CircleCI: jobs with their images, the commands they call and the matrices of the workflows."""

import re
from collections.abc import Iterator

from bot.survey.other_ci.images import image_versions, is_service, public_image
from bot.survey.other_ci.model import Job, Row
from bot.survey.other_ci.packages import apt_packages
from bot.survey.other_ci.scripts import DELIVERS, as_matrix, rows_of, services_of, setting, steps_of, variables_of
from bot.survey.parsing import read_yaml, string, table
from bot.survey.tree import Tree

PATTERN = r"\.circleci/config\.ya?ml"
_PARAMETER = r"<<\s*(?:parameters|matrix|pipeline\.parameters)\.([\w-]+)\s*>>"
_ORB_INSTALLS = {"pip": "pip install -r requirements.txt", "pipenv": "pipenv install --dev", "poetry": "poetry install"}
_NODE_INSTALLS = {"npm": "npm ci", "yarn": "yarn install", "yarn-berry": "yarn install", "pnpm": "pnpm install"}


def read_circle(tree: Tree, path: str) -> Iterator[Job]:
    """Return the jobs of a configuration, except those that deliver."""
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    for name, body in table(data, "jobs").items():
        if isinstance(body, dict) and not DELIVERS.search(name):
            yield _job(path, text, data, name, body)


def _job(path: str, text: str, data: dict[str, object], name: str, body: dict[str, object]) -> Job:
    rows = _rows(data, name, body)
    names = list(rows[0])
    executor = body.get("executor")
    called = string(table(executor).get("name")) if isinstance(executor, dict) else string(executor)
    containers = [*_containers(body.get("docker")), *_containers(table(data, "executors", called).get("docker"))]
    images = [as_matrix(string(each.get("image")), _PARAMETER, names) for each in containers]
    scripts = [as_matrix(line, _PARAMETER, names) for line in _scripts(data, body.get("steps"))]
    variables = variables_of(body.get("environment")) | variables_of(containers[0].get("environment") if images else {})
    return Job(
        path=path,
        name=name,
        rows=rows,
        steps=steps_of(path, text, scripts, string(body.get("working_directory")).removeprefix("~/project")),
        versions=image_versions(path, text, images[0]) if images else (),
        services=tuple(
            (public_image(image), where)
            for image, where in services_of(path, text, [each for each in images[1:] if is_service(each)])
        ),
        service_settings=tuple(
            found
            for each in containers[1:]
            for name, value in variables_of(each.get("environment")).items()
            for found in setting(path, text, name, value)
        ),
        variables=variables,
        packages=apt_packages(path, text, scripts),
    )


def _containers(listed: object) -> list[dict[str, object]]:
    return [table(each) for each in (listed if isinstance(listed, list) else []) if table(each).get("image")]


def _rows(data: dict[str, object], name: str, body: dict[str, object]) -> tuple[Row, ...]:
    """Return the defaults of a job's parameters with the values every workflow calls it with."""
    parameters = table(data, "parameters") | table(body, "parameters")
    defaults = {key: string(table(given).get("default")) for key, given in parameters.items()}
    rows = [
        {**defaults, **row} for given in _calls(data, name) for row in rows_of(table(given, "matrix", "parameters"))
    ]
    plain = [{**defaults, **variables_of(given)} for given in _calls(data, name) if "matrix" not in given]
    return tuple(rows or plain or [defaults])


def _calls(data: dict[str, object], name: str) -> Iterator[dict[str, object]]:
    for workflow in table(data, "workflows").values():
        jobs = table(workflow).get("jobs")
        for each in jobs if isinstance(jobs, list) else []:
            if isinstance(each, dict) and name in each:
                yield table(each, name)


def _scripts(data: dict[str, object], steps: object, depth: int = 0) -> Iterator[str]:
    """Return the commands of the steps, those of the file's own commands in place of their calls."""
    for step in steps if isinstance(steps, list) and depth < 5 else []:
        for key, given in table(step).items():
            if key == "run":
                yield string(table(given).get("command")) if isinstance(given, dict) else string(given)
            elif key in {"python/install-packages", "node/install-packages"}:
                yield _orb(key, string(table(given).get("pkg-manager")))
            elif key in table(data, "commands"):
                yield from _scripts(data, table(data, "commands", key).get("steps"), depth + 1)
        if isinstance(step, str) and step in table(data, "commands"):
            yield from _scripts(data, table(data, "commands", step).get("steps"), depth + 1)
        elif isinstance(step, str) and step.endswith("/install-packages"):
            yield _orb(step, "")


def _orb(name: str, manager: str) -> str:
    """Return the command that the official orbs run for a package manager."""
    known = _ORB_INSTALLS if name.startswith("python") else _NODE_INSTALLS
    return known.get(re.sub(r"^auto$", "", manager) or next(iter(known)), "")
