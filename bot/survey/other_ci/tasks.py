"""Task runners that no image brings along: calls of just and Task are replaced by what they run."""

import re
from collections.abc import Iterator, Sequence

from msgspec import structs

from bot.survey.other_ci.model import Job, Step
from bot.survey.parsing import read_yaml, string, strings, table
from bot.survey.tree import Tree

_JUST = ("justfile", "Justfile", ".justfile")
_TASK = ("Taskfile.yml", "Taskfile.yaml", "taskfile.yml", "taskfile.yaml")
_CALL = re.compile(r"^([ \t]*)(just|task)[ \t]+([\w:-]+)[ \t]*$", re.MULTILINE)
_MAX_DEPTH = 4


def unfold_tasks(tree: Tree, jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Return the jobs with the lines of recipes in place of their calls."""
    known = {"just": dict(_just_recipes(tree)), "task": dict(_task_recipes(tree))}
    if not any(known.values()):
        return tuple(jobs)
    return tuple(structs.replace(job, steps=tuple(_unfolded(step, known) for step in job.steps)) for job in jobs)


def _unfolded(step: Step, known: dict[str, dict[str, list[str]]], depth: int = 0) -> Step:
    def lines(match: re.Match[str]) -> str:
        margin, tool, name = match.groups()
        recipe = known[tool].get(name, [])
        return "\n".join(margin + line for line in recipe) if recipe else match.group(0)

    script = _CALL.sub(lines, step.script)
    if script == step.script or depth >= _MAX_DEPTH:
        return step
    return _unfolded(structs.replace(step, script=script), known, depth + 1)


def _just_recipes(tree: Tree) -> Iterator[tuple[str, list[str]]]:
    """Return the recipes without parameters; what they depend on comes first."""
    text = next((tree.text(name) for name in _JUST if tree.text(name)), "")
    for found in re.finditer(r"^@?([\w-]+)\s*:(?!=)([^\n]*)\n((?:[ \t]+[^\n]*\n?|\n)*)", text, re.MULTILINE):
        needed = [f"just {name}" for name in re.findall(r"[\w-]+", found.group(2).partition("#")[0])]
        body = [line.strip().lstrip("@-") for line in found.group(3).splitlines() if line.strip()]
        if not any("{{" in line or line.startswith("#!") for line in body):
            yield found.group(1), [*needed, *body]


def _task_recipes(tree: Tree) -> Iterator[tuple[str, list[str]]]:
    """Return the tasks whose commands need no templates; what they depend on comes first."""
    file = next((name for name in _TASK if tree.text(name)), "")
    for name, body in table(tree.parsed(file, read_yaml, "YAML") if file else {}, "tasks").items():
        given = body.get("cmds") or body.get("cmd") if isinstance(body, dict) else body
        lines = [_line(each) for each in (given if isinstance(given, list) else strings(given))]
        needed = [f"task {each}" for each in strings(table(body).get("deps"))] if isinstance(body, dict) else []
        if not any("{{" in line for line in lines):
            yield name, [*needed, *(line for line in lines if line)]


def _line(command: object) -> str:
    if isinstance(command, dict):
        return f"task {string(command.get('task'))}" if command.get("task") else string(command.get("cmd"))
    return string(command)
