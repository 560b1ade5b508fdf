"""Debian packages, services and variables a Python project needs beside its own dependencies."""

import re

from bot.survey.other_ci.services import add_services
from bot.survey.parsing import strings, table
from bot.survey.python.project import Project
from bot.survey.versions import number

# Requirements that are built against a system library, or call a program, with the Debian package for each.
_NATIVE = {
    "psycopg2": ("libpq-dev", "gcc"),
    "mysqlclient": ("default-libmysqlclient-dev", "pkg-config", "gcc"),
    "python-ldap": ("libldap2-dev", "libsasl2-dev", "gcc"),
    "pycurl": ("libcurl4-openssl-dev", "libssl-dev", "gcc"),
    "pdf2image": ("poppler-utils",),
    "pyodbc": ("unixodbc-dev", "g++"),
    "pygraphviz": ("graphviz", "libgraphviz-dev", "gcc"),
    "python-magic": ("libmagic1",),
    "gdal": ("libgdal-dev", "g++"),
    "xmlsec": ("libxmlsec1-dev", "pkg-config", "gcc"),
    "uwsgi": ("gcc", "libc6-dev"),
    "pycairo": ("libcairo2-dev", "pkg-config", "gcc"),
    "weasyprint": ("libpango-1.0-0", "libpangoft2-1.0-0"),
    "pytesseract": ("tesseract-ocr",),
    "pydub": ("ffmpeg",),
    **dict.fromkeys(("gitpython", "setuptools-scm", "versioningit", "dunamai", "setuptools-git-versioning"), ("git",)),
}


# The first release with a wheel for each Python: an older one that is pinned is compiled.
_WHEELS = {
    "psycopg2-binary": (
        ("libpq-dev", "gcc", "libc6-dev"),
        {"3.10": "2.9.2", "3.11": "2.9.5", "3.12": "2.9.9", "3.13": "2.9.10", "3.14": "2.9.11"},
    ),
}


def add_system_packages(project: Project) -> None:
    """Add system_package, service and variable."""
    facts, manifest, folder = project.facts, project.manifest, project.folder
    for name, packages in _NATIVE.items():
        if name in manifest.everything:
            for package in packages:
                facts.add("system_package", package, f"{name} needs it", folder.evidence(_file(project, name), name))
    if "pg_config" in folder.text("setup.py") + folder.text("setup.cfg"):
        facts.add("system_package", "libpq-dev", "setup.py asks pg_config", folder.evidence("setup.cfg", "pg_config"))
    _add_unwheeled(project)
    _add_compilers(project)
    if any("git+" in line for line in facts.all("install")) or re.search(
        r"git\+https?://", folder.text("requirements.txt")
    ):
        facts.add(
            "system_package", "git", "a dependency is fetched with git", folder.evidence("requirements.txt", "git+")
        )
    add_services(facts, folder, project.ci)


def _add_unwheeled(project: Project) -> None:
    """Add what a pinned release is compiled with that is older than the first wheel for this Python."""
    for name, (packages, first) in _WHEELS.items():
        file, pinned = _pinned(project, name)
        if not pinned or number(pinned) >= number(first.get(project.version, "0")):
            continue
        why = f"{name} {pinned} has no wheel for Python {project.version}, so it is compiled"
        for package in packages:
            project.facts.add("system_package", package, why, project.folder.evidence(file, name))


def _pinned(project: Project, name: str) -> tuple[str, str]:
    """Return the file that pins a package, and the version."""
    pattern = rf'(?:^{name}==|"{name}": \{{[^}}]*?"version": "==|^name = "{name}"\nversion = ")(\d[\d.]*)'
    for file in ("Pipfile.lock", "poetry.lock", "requirements.txt"):
        found = re.search(pattern, project.folder.text(file), re.MULTILINE)
        if found:
            return file, found.group(1)
    return "", ""


def _add_compilers(project: Project) -> None:
    """Add what a part written in C or Rust is compiled with."""
    facts, folder = project.facts, project.folder
    if _has_extension(project):
        where = folder.evidence("setup.py", "ext_modules")
        for package in ("gcc", "libc6-dev"):
            facts.add("system_package", package, "setup.py compiles an extension", where)
    required = " ".join(strings(table(project.manifest.pyproject, "build-system").get("requires")))
    if re.search(r"maturin|setuptools[-_]rust", required):
        where = folder.evidence("pyproject.toml", "maturin", "setuptools-rust", "setuptools_rust")
        for package in ("cargo", "gcc", "libc6-dev"):
            facts.add("system_package", package, "a part of it is written in Rust", where)


def add_git(project: Project) -> None:
    """Add git where an environment of tox or nox that is called asks for it."""
    lines = " ".join(project.facts.all("test") + project.facts.all("lint") + project.facts.all("build"))
    for runner, name in (("tox", "tox.ini"), ("tox", "pyproject.toml"), ("nox", "noxfile.py")):
        asking = re.search(r"pre-commit|check-manifest|git\+|\bgit\b", project.folder.text(name))
        if asking and re.search(rf"\b{runner} -[es]", lines):
            where = project.folder.evidence(name, asking.group(0))
            project.facts.add("system_package", "git", f"{runner} calls what asks git", where, confidence=0.8)


def _file(project: Project, name: str) -> str:
    files = ("pyproject.toml", "requirements.txt", "setup.py", "setup.cfg", "Pipfile")
    return next((file for file in files if name in project.folder.text(file)), "pyproject.toml")


def _has_extension(project: Project) -> bool:
    text = project.folder.text("setup.py")
    return re.search(r"ext_modules\s*=\s*(?!\[\s*\]|None)", text) is not None or "setuptools_rust" in text
