"""Azure Pipelines: scripts and the tasks that stand for commands, on Linux."""

import re
from collections.abc import Iterator

from bot.domain import Evidence
from bot.survey.other_ci.images import image_versions
from bot.survey.other_ci.model import Job, Row, Step
from bot.survey.other_ci.packages import apt_packages
from bot.survey.other_ci.scripts import DELIVERS, as_matrix, variables_of
from bot.survey.parsing import read_yaml, string, table
from bot.survey.tree import Tree, find

PATTERN = r"azure-pipelines\.ya?ml|\.azure-pipelines/[^/]+\.ya?ml|\.azuredevops/[^/]+\.ya?ml"
_MACRO = r"\$\(([\w.]+)\)"
_VERSIONS = {
    "UsePythonVersion": ("python", "versionSpec"),
    "NodeTool": ("node", "versionSpec"),
    "UseNode": ("node", "version"),
    "GoTool": ("go", "version"),
    "JavaToolInstaller": ("java", "versionSpec"),
    "UseDotNet": ("dotnet", "version"),
}


def read_azure(tree: Tree, path: str) -> Iterator[Job]:
    """Return the jobs of a pipeline; a file without jobs is one."""
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    for name, body in _jobs(data, "azure"):
        rows = tuple(row for row in _rows(body, variables_of(data.get("variables"))) if _is_linux(data, body, row))
        listed = body.get("steps")
        steps = [table(step) for step in (listed if isinstance(listed, list) else [])]
        if not rows or not steps or DELIVERS.search(name):
            continue
        found = [step for each in steps if (step := _step(path, text, each, list(rows[0])))]
        container = as_matrix(_container(body.get("container")), _MACRO, list(rows[0]))
        yield Job(
            path=path,
            name=name,
            rows=rows,
            steps=tuple(found),
            versions=(*_versions(path, text, steps, list(rows[0])), *image_versions(path, text, container)),
            packages=apt_packages(path, text, [step.script for step in found]),
        )


def _jobs(body: dict[str, object], name: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Walk stages and jobs down to what has steps."""
    if "steps" in body:
        yield name, body
    for key, called in (("stages", "stage"), ("jobs", "job")):
        listed = body.get(key)
        for each in listed if isinstance(listed, list) else []:
            inner = table(each)
            yield from _jobs(inner, string(inner.get(called)) or name) if "deployment" not in inner else ()


def _rows(body: dict[str, object], common: dict[str, str]) -> list[Row]:
    own = {**common, **variables_of(body.get("variables"))}
    matrix = table(body, "strategy", "matrix")
    return [{**own, **variables_of(row)} for row in matrix.values() if isinstance(row, dict)] or [own]


def _is_linux(data: dict[str, object], body: dict[str, object], row: Row) -> bool:
    pool = string(table(body, "pool").get("vmImage")) or string(table(data, "pool").get("vmImage"))
    system = re.sub(_MACRO, lambda match: row.get(match.group(1), ""), pool).lower()
    return not re.search(r"windows|macos|vs20", system)


def _container(value: object) -> str:
    return string(table(value).get("image")) if isinstance(value, dict) else string(value)


def _step(path: str, text: str, step: dict[str, object], names: list[str]) -> Step | None:
    inputs = table(step, "inputs")
    script = string(step.get("script")) or string(step.get("bash")) or string(inputs.get("script"))
    script = script or _task(string(step.get("task")).partition("@")[0], inputs)
    if not script:
        return None
    return Step(
        script=as_matrix(script, _MACRO, names),
        folder=string(step.get("workingDirectory")) or string(inputs.get("workingDirectory")),
        condition="" if "condition" not in step or "succeeded" in string(step.get("condition")) else "unknown",
        evidence=find(path, text, script.splitlines()[0], f"task: {string(step.get('task'))}"),
        variables=variables_of(step.get("env")),
    )


def _task(name: str, inputs: dict[str, object]) -> str:
    """Return the command a task stands for."""
    if name == "Maven":
        return f"mvn {string(inputs.get('goals')) or 'package'}"
    if name == "Gradle":
        return f"./gradlew {string(inputs.get('tasks')) or 'build'}"
    if name == "DotNetCoreCLI":
        return f"dotnet {string(inputs.get('command'))} {string(inputs.get('arguments'))}".strip()
    if name == "Npm":
        return f"npm {string(inputs.get('customCommand')) or string(inputs.get('command')) or 'install'}"
    return ""


def _versions(
    path: str, text: str, steps: list[dict[str, object]], names: list[str]
) -> Iterator[tuple[str, str, Evidence]]:
    for step in steps:
        language, option = _VERSIONS.get(string(step.get("task")).partition("@")[0], ("", ""))
        version = string(table(step, "inputs").get(option))
        if version:
            yield language, as_matrix(version, _MACRO, names), find(path, text, f"{option}: {version}", version)
