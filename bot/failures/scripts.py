"""Fixes of what a job calls: scripts and targets under another name, tools that need a word in front of them."""

import json
import re
from difflib import get_close_matches

from bot.failures.catalogue import packages
from bot.failures.diagnosis import Diagnosis, Fix
from bot.failures.job_text import JobText
from bot.failures.python import install_tool, runner_of
from bot.failures.scene import Scene

_OTHER_WORK = re.compile(r"watch|dev|serve|start|fix|write|update|publish|deploy|release|clean|bench|pre|post")
_TARGET = re.compile(r"^([A-Za-z][\w.-]*)\s*:(?!=)", re.MULTILINE)
_RECIPE = re.compile(r"^([a-z][\w-]*)(?:\s+\S+)*:", re.MULTILINE)
_BINARIES = {
    "tsc": "typescript",
    "ng": "@angular/cli",
    "playwright": "@playwright/test",
    "vue-cli-service": "@vue/cli-service",
}
_NODE_INSTALL = re.compile(
    r"\b(?:npm (?:ci|i|install)|yarn(?: install)?$|yarn install|pnpm (?:i|install)|bun install)\b"
)


def similar_script(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    """Call the script that does exist and has nearly the same name; several such leave the choice to a person."""
    job, name = scene.job_of(diagnosis), diagnosis.details.get("script", "")
    known = _targets(scene) if diagnosis.kind == "missing_target" else _package_scripts(scene)
    alike = _alike(name, [each for each in known if not _OTHER_WORK.search(each)])
    if not name or len(alike) != 1:
        return None
    pattern = re.compile(rf"(?<![\w:./-]){re.escape(name)}(?![\w:./-])")
    edits = job.rewritten(lambda line: pattern.sub(alike[0], line) if _calls(line) else line)
    return Fix(edits=edits, title=f"Call {alike[0]}, which exists, instead of {name}") if edits else None


def missing_command(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    """Install a command's package, or call it through the tool that knows where it is."""
    job, name = scene.job_of(diagnosis), diagnosis.details.get("command", "")
    package = packages().commands.get(name)
    if not job.exists:
        return None
    if package is not None and package.pip and (run := runner_of(job)) and f"{name}" not in run:
        return _called_through(job, name, run)
    if package is not None and package.corepack and ("node" in job.image or job.distribution):
        return _with_corepack(diagnosis, job, package.corepack)
    if package is not None and package.pip and ("python" in job.image or not job.distribution):
        return install_tool(diagnosis, job, package.pip)
    system = getattr(package, job.distribution, "") if package is not None and job.distribution else ""
    if system:
        return Fix(edits=job.install(system), title=f"Install {system} for {job.name}")
    return _node_tool(diagnosis, scene, job, name)


def npm_install(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    """Without a lock file only `npm install` can install."""
    if any(path.endswith(("package-lock.json", "npm-shrinkwrap.json")) for path in scene.paths):
        return None
    edits = scene.job_of(diagnosis).rewritten(lambda line: re.sub(r"\bnpm ci\b", "npm install", line))
    return Fix(edits=edits, title="Install without a lock file, as there is none") if edits else None


def _with_corepack(diagnosis: Diagnosis, job: JobText, name: str) -> Fix | None:
    if "node" not in job.image.rpartition("/")[2]:
        return None
    edits = job.before(
        diagnosis.command, f"npm install --global {name}" if name == "pnpm" else f"npm install --global {name} --force"
    )
    return Fix(edits=edits, title=f"Install {name} for {job.name}")


def _node_tool(diagnosis: Diagnosis, scene: Scene, job: JobText, name: str) -> Fix | None:
    """A tool of the project's own packages is found by npx once they are installed."""
    manifest = _package_json(scene)
    listed = {**_mapping(manifest, "dependencies"), **_mapping(manifest, "devDependencies")}
    if _BINARIES.get(name, name) not in listed:
        return None
    if not any(_NODE_INSTALL.search(line) for line in job.commands):
        install = "npm ci" if "package-lock.json" in scene.paths else "npm install"
        has_other = any(path in scene.paths for path in ("yarn.lock", "pnpm-lock.yaml", "bun.lock"))
        edits = () if has_other else job.before(diagnosis.command, install)
        return Fix(edits=edits, title=f"Install the project's packages before {name} runs") if edits else None
    return _called_through(job, name, "npx")


def _called_through(job: JobText, name: str, run: str) -> Fix | None:
    """Put e.g. `npx` in front where the command begins a line or a part of one."""
    pattern = re.compile(rf"(^|&& |; |\|\| )({re.escape(name)})(?=\s|$)")
    edits = job.rewritten(lambda line: pattern.sub(rf"\g<1>{run} \2", line))
    return Fix(edits=edits, title=f"Call {name} through {run}") if edits else None


def _calls(line: str) -> bool:
    return re.search(r"\b(?:npm|yarn|pnpm|bun|make|task|just|composer|gradle|gradlew|nox)\b", line) is not None


def _alike(name: str, known: list[str]) -> list[str]:
    """Return the nearest names: one letter off, singular and plural, or with a part such as `:unit` behind it."""
    parts = [each for each in known if each.split(":")[0] == name or each.split("-")[0] == name]
    close = get_close_matches(name, known, n=2, cutoff=0.75)
    return close[:1] if close else parts


def _package_json(scene: Scene) -> dict[str, object]:
    try:
        found = json.loads(scene.read("package.json") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _mapping(holder: dict[str, object], key: str) -> dict[str, object]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def _package_scripts(scene: Scene) -> list[str]:
    return [str(name) for name in _mapping(_package_json(scene), "scripts")]


def _targets(scene: Scene) -> list[str]:
    """Return what make, just or task could do."""
    makefile = next((text for name in ("GNUmakefile", "makefile", "Makefile") if (text := scene.read(name))), "")
    justfile = next((text for name in ("justfile", "Justfile") if (text := scene.read(name))), "")
    return [*_TARGET.findall(makefile), *_RECIPE.findall(justfile)]
