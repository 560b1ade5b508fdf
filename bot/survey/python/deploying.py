"""Whether a Python project is something one deploys, and how it starts."""

import re

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.other_ci.model import all_commands
from bot.survey.python.environments import tox_packaging_environments
from bot.survey.python.project import Project
from bot.survey.tree import Folder

_WEB = (
    "django",
    "fastapi",
    "flask",
    "starlette",
    "litestar",
    "aiohttp",
    "tornado",
    "sanic",
    "quart",
    "streamlit",
    "falcon",
)
_SERVERS = ("gunicorn", "uvicorn", "waitress", "hypercorn", "daphne", "uwsgi")
_APPS = (
    "main.py",
    "app.py",
    "wsgi.py",
    "asgi.py",
    "server.py",
    "app/main.py",
    "src/main.py",
    "app/__init__.py",
    "src/app.py",
)
_APP = re.compile(
    r"^(\w+)\s*(?::\s*\w+\s*)?=\s*(?:\w+\.)?(FastAPI|Flask|Starlette|Litestar|create_app|make_app)\(", re.MULTILINE
)
_FACTORY = re.compile(r"^def ((?:create|make|get)_app)\(([^)]*)\)", re.MULTILINE)


def add_deployment(project: Project) -> None:
    """Add framework, deployable, start, port and build."""
    facts, folder, manifest = project.facts, project.folder, project.manifest
    framework = next((name for name in _WEB if name in manifest.dependencies), "")
    own_name = _project_name(project)
    if framework and framework != own_name:
        facts.add(
            "framework",
            framework,
            f"{framework} is a dependency",
            folder.evidence(_file_with(folder, framework), framework),
        )
    procfile = re.search(r"^web:\s*(.+?)\s*$", folder.text("Procfile"), re.MULTILINE)
    start, where = _start(project, framework)
    if procfile:
        start, where = _reachable(procfile.group(1)), folder.evidence("Procfile", "web:")
    if start:
        facts.add("deployable", "yes", "it has a command that starts it", where, confidence=0.8)
        facts.add("start", start, "it serves the application", where, confidence=0.8)
        facts.add("port", _port(start), "the start command or the framework says so", where, confidence=0.6)
    if manifest.is_package and not start and manifest.backend:
        _add_build(project)
    elif not manifest.is_package:
        _add_program(project)


def _reachable(start: str) -> str:
    """Let a command of a Procfile listen to the outside: its platform says where by a variable that is not set here."""
    line = re.sub(r"\$\{?PORT(?::-?\d+)?\}?", "8000", start)
    if re.match(r"gunicorn\b", line) and not re.search(r"\s(--bind|-b|--config|-c)\b", line):
        return f"{line} --bind 0.0.0.0:8000"
    if re.match(r"uvicorn\b", line) and "--host" not in line:
        return f"{line} --host 0.0.0.0"
    return line


def _project_name(project: Project) -> str:
    name = project.manifest.pyproject.get("project")
    return str(name.get("name", "")).lower() if isinstance(name, dict) else ""


def _file_with(folder: Folder, word: str) -> str:
    files = ("pyproject.toml", "requirements.txt", "Pipfile", "setup.py", "setup.cfg")
    return next((file for file in files if word in folder.text(file).lower()), "requirements.txt")


def _start(project: Project, framework: str) -> tuple[str, Evidence]:
    folder = project.folder
    server = next((each for each in _SERVERS if each in project.manifest.dependencies), "")
    if framework == "django" and folder.has("manage.py"):
        wsgi = next(iter(folder.under(r"[\w]+/wsgi\.py")), "")
        module = wsgi.removesuffix(".py").replace("/", ".")
        if module and server in {"gunicorn", ""}:
            line = f"gunicorn {module} --bind 0.0.0.0:8000" if server else "python manage.py runserver 0.0.0.0:8000"
            return line, Evidence(path=folder.full(wsgi))
    for file in dict.fromkeys((*_APPS, *folder.under(r"(?:src/)?\w+/__init__\.py"))):
        found = _APP.search(folder.text(file)) if folder.text(file) else None
        if found:
            kind = "Flask" if framework == "flask" and "create" in found.group(2) else found.group(2)
            return _serve(file, found.group(1), kind, server), folder.evidence(file, found.group(0))
    for file in dict.fromkeys((*_APPS, *folder.under(r"(?:src/)?\w+/__init__\.py"))):
        found = _FACTORY.search(folder.text(file)) if framework in {"flask", "fastapi"} else None
        if found and all("=" in each or not each.strip() or "*" in each for each in found.group(2).split(",")):
            where = folder.evidence(file, found.group(0))
            return _serve_factory(file, found.group(1), framework, server), where
    return "", Evidence(path="")


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").removeprefix("src/").replace("/", ".")


def _serve(file: str, name: str, kind: str, server: str) -> str:
    app = f"{_module(file)}:{name}"
    if kind != "Flask":
        return f"uvicorn {app} --host 0.0.0.0 --port 8000"
    lines = {"gunicorn": f"gunicorn --bind 0.0.0.0:8000 {app}", "waitress": f"waitress-serve --port=8000 {app}"}
    return lines.get(server, f"flask --app {app} run --host 0.0.0.0 --port 8000")


def _serve_factory(file: str, name: str, framework: str, server: str) -> str:
    """Return the command for a function that makes the application."""
    app = f"{_module(file)}:{name}"
    if framework == "fastapi":
        return f"uvicorn --factory {app} --host 0.0.0.0 --port 8000"
    lines = {
        "gunicorn": f"gunicorn --bind 0.0.0.0:8000 '{app}()'",
        "waitress": f"waitress-serve --port=8000 --call {app}",
    }
    return lines.get(server, f"flask --app {app} run --host 0.0.0.0 --port 8000")


def _port(start: str) -> str:
    found = re.search(r"(?::|--port[= ]|-p )(\d{2,5})\b", start)
    return found.group(1) if found else "8000"


def _add_build(project: Project) -> None:
    manager, where = project.manager()
    checks = tox_packaging_environments(project.folder) if "tox" in project.facts.all("test_tool") else []
    if checks:
        where = project.folder.evidence("tox.ini", f"[testenv:{checks[0]}]")
        project.facts.add("build", f"tox -e {checks[0]}", "tox has an environment for the package", where)
        return
    line = {"uv": "uv build", "poetry": "poetry build", "pdm": "pdm build", "hatch": "hatch build"}.get(manager, "")
    project.facts.add("build", line or "python -m build", "it is a package with a build backend", where)
    project.facts.add("artifact", "dist/", "the build writes there", where)


def _add_program(project: Project) -> None:
    """Pack scripts into one program where other CI does."""
    for command in all_commands(project.runs()):
        found = commands.core(commands.words(command.line) or [])
        if found[:1] == ["pyinstaller"]:
            project.facts.add("build", command.line, "other CI runs it", command.evidence)
            project.facts.add("artifact", "dist/", "PyInstaller writes there", command.evidence)
            project.facts.add("install", "pip install pyinstaller", "the build needs it", command.evidence)
            project.facts.add("system_package", "binutils", "PyInstaller calls objdump", command.evidence)
