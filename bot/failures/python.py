"""Fixes for Python packages that nothing installs: from its own lists first, else known tools of tests."""

import re

from bot.failures.catalogue import packages
from bot.failures.diagnosis import Diagnosis, Fix
from bot.failures.job_text import JobText
from bot.failures.scene import Scene

_INSTALLERS = (
    (r"\buv (?:sync|run)\b", "uv pip install", "uv run"),
    (r"\bpoetry (?:install|run)\b", "poetry run pip install", "poetry run"),
    (r"\bpdm (?:install|sync|run)\b", "pdm run pip install", "pdm run"),
    (r"\bpipenv (?:install|sync|run)\b", "pipenv run pip install", "pipenv run"),
)  # fmt: skip
_OWN_ROOMS = re.compile(r"\b(?:tox|nox|hatch)\b")  # these make environments that a job cannot reach into
_REQUIREMENTS = re.compile(
    r"(?:^|/)(?:[\w-]*requirements[\w.-]*|requirements/[\w.-]+|constraints-test|test-deps)\.(?:txt|in)$"
)
_GOES = re.compile(r"(?m)(?:^|&& |; )(?:cd|pushd) ")
_EXTRA = re.compile(r"^[ \t]*[\"']?([\w-]+)[\"']?\s*=\s*\[([^\]]*)\]", re.MULTILINE)


def runner_of(job: JobText) -> str:
    """Return what runs a command inside the project's environment, such as "poetry run"; nothing for plain pip."""
    script = "\n".join(job.commands)
    return next((run for sign, _, run in _INSTALLERS if re.search(sign, script)), "")


def add_package(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    """Install what a module or a plugin comes with."""
    job = scene.job_of(diagnosis)
    if "plugin" in diagnosis.details:
        package = packages().plugins.get(diagnosis.details["plugin"])
        return _installed(diagnosis, job, [package]) if package else None
    module = diagnosis.details.get("module", "").partition(".")[0]
    return _own_module(diagnosis, scene, job, module) or _foreign_module(diagnosis, scene, job, module)


def install_tool(diagnosis: Diagnosis, job: JobText, package: str) -> Fix | None:
    """Install a tool of Python with whatever the job installs packages with."""
    return _installed(diagnosis, job, [package], is_tool=True)


def _own_module(diagnosis: Diagnosis, scene: Scene, job: JobText, module: str) -> Fix | None:
    """The project's own package is found once it is installed, or once its folder is on the path."""
    places = [root for root in ("", "src/") if _has(scene, f"{root}{module}/", f"{root}{module}.py")]
    if not module or not places:
        return None
    script = "\n".join(job.commands)
    is_installed = re.search(
        r"(?:pip3?|uv pip) install [^\n]*(?:-e |--editable )?['\"]?\.(?:\[|['\"]?(?:\s|$))", script
    )
    has_manifest = any(path in scene.paths for path in ("pyproject.toml", "setup.py"))
    if has_manifest and not is_installed and not runner_of(job) and not _OWN_ROOMS.search(script):
        edits = job.before(diagnosis.command, "pip install -e .")
        return Fix(edits=edits, title=f"Install the project before {job.name} runs")
    if job.variable("PYTHONPATH") is not None:
        return None
    from bot.ci.edit import SetVariable

    path = "$CI_PROJECT_DIR/src" if places == ["src/"] else "$CI_PROJECT_DIR"
    edit = SetVariable(job=job.name, name="PYTHONPATH", value=path)
    return Fix(edits=(edit,), title=f"Let {job.name} find the module {module}")


def _has(scene: Scene, folder: str, file: str) -> bool:
    return any(path == file or path.startswith(folder) for path in scene.paths)


def _foreign_module(diagnosis: Diagnosis, scene: Scene, job: JobText, module: str) -> Fix | None:
    package = packages().modules.get(module, module.replace("_", "-"))
    if not module or _OWN_ROOMS.search("\n".join(job.commands)):
        return None
    listed = _listed(scene, job, package)
    if listed:
        edits = job.before(diagnosis.command, listed)
        return Fix(edits=edits, title=f"Install what the project lists for {module}")
    return _installed(diagnosis, job, [package]) if module in packages().modules else None


def _listed(scene: Scene, job: JobText, package: str) -> str:
    """Return how to install the list of the project that names a package and that the job does not install yet."""
    script = "\n".join(job.commands)
    if runner_of(job):
        return ""
    named = re.compile(rf"(?im)^[ \t]*[\"']?{re.escape(package).replace('-', '[-_.]')}\b")
    for path in scene.paths:
        if _REQUIREMENTS.search(path) and path not in script and named.search(scene.read(path) or ""):
            # Behind a change of folder only the whole path leads there.
            return f'pip install -r "$CI_PROJECT_DIR/{path}"' if _GOES.search(script) else f"pip install -r {path}"
    manifest = scene.read("pyproject.toml") or ""
    part = manifest.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    within = re.compile(rf"[\"']{re.escape(package).replace('-', '[-_.]')}\b", re.IGNORECASE)
    for extra, listing in _EXTRA.findall(part):
        if within.search(listing) and not re.search(rf"\[[^\]]*\b{re.escape(extra)}\b", script):
            return f'pip install -e ".[{extra}]"'
    return ""


def _installed(diagnosis: Diagnosis, job: JobText, wanted: list[str], *, is_tool: bool = False) -> Fix | None:
    script = "\n".join(job.commands)
    if not job.exists or (not is_tool and _OWN_ROOMS.search(script)):
        return None
    installer = next((install for sign, install, _ in _INSTALLERS if re.search(sign, script)), "pip install")
    names = " ".join(f'"{name}"' if "<" in name else name for name in wanted)
    edits = job.before(diagnosis.command, f"{installer} {names}")
    return Fix(edits=edits, title=f"Install {names} for {job.name}".replace('"', ""))
