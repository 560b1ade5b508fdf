"""One Python project, from its manifests and from what other CI runs."""

import re

from bot.domain import Evidence, Unit
from bot.survey import versions
from bot.survey.docker import image_version
from bot.survey.ended import end_of_life, told
from bot.survey.facts import Facts
from bot.survey.non_root import STARTS_POSTGRES, add_test_user
from bot.survey.other_ci.model import OtherCi, all_commands
from bot.survey.parsing import string, strings, table
from bot.survey.python.deploying import add_deployment
from bot.survey.python.environments import nox_pythons, tox_names
from bot.survey.python.installing import add_installation
from bot.survey.python.linting import add_linting
from bot.survey.python.locked import newest_built
from bot.survey.python.manifest import MANIFESTS, Manifest, read_manifest
from bot.survey.python.project import Project
from bot.survey.python.static_files import add_static_files
from bot.survey.python.system import add_git
from bot.survey.python.testing import TEST_FILES, add_testing, test_tool
from bot.survey.tree import Folder

_SCM = frozenset({"setuptools-scm", "hatch-vcs", "versioneer", "setuptools-git-versioning", "versioningit", "pbr"})
_SCM |= frozenset({"poetry-dynamic-versioning", "uv-dynamic-versioning", "dunamai", "flit-scm", "vcs-versioning"})


# Python among other languages may be a script that serves them.
_OTHER_SOURCES = r".*\.(?:[ch]|cc|cpp|rs|go|java|kt|rb|php|cs|[jt]sx?|ex|swift|hs|jl|R|pl|lua|zig|scala|clj|sh|bats|tf)"


def survey_python(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the Python unit of a folder, None when nothing there says Python."""
    manifest = read_manifest(folder)
    if not (_is_python(manifest) or _is_bare(folder, ci)):
        return None
    facts = Facts()
    facts.add("language", "python", "there are Python manifests", _main_evidence(folder))
    for name in MANIFESTS:
        if folder.has(name) and name != "manage.py":
            facts.add("manifest", folder.full(name), "it declares the project", Evidence(path=folder.full(name)))
    version = _add_version(facts, manifest, ci)
    project = Project(manifest=manifest, ci=ci, version=version, facts=facts)
    add_testing(project)
    add_installation(project)
    add_linting(project)
    _add_test_user(project)
    add_deployment(project)
    add_static_files(project)
    _add_git_depth(project)
    add_git(project)
    return facts.unit(folder.root, "python")


def _add_test_user(project: Project) -> None:
    every, folder = project.manifest.everything, project.folder
    files = [name for name in (*MANIFESTS, *folder.names(r"[\w.-]*requirements[\w.-]*\.txt")) if folder.has(name)]
    name = next((each for each in sorted(every) if each in STARTS_POSTGRES), "postgresql")
    file = next((each for each in files if re.search(name.replace("-", "[-_.]"), folder.text(each))), "pyproject.toml")
    required = every | {each for each in STARTS_POSTGRES if each.replace("-", ".") in every}
    where = folder.evidence(file, name, name.replace("-", "."), name.replace("-", "_"))
    add_test_user(project.facts, required, where, all_commands(project.runs()))


def _is_python(manifest: Manifest) -> bool:
    """A pyproject.toml that only configures tools, beside no Python file, is no project."""
    folder = manifest.folder
    if folder.first("setup.py", "Pipfile", "manage.py", "setup.cfg") or folder.names(r"requirements[\w.-]*\.txt"):
        return True
    if manifest.is_package or folder.first("noxfile.py", "uv.lock", "poetry.lock", "pdm.lock"):
        return True
    return bool(folder.under(r"(?:[\w-]+/)?[\w-]+\.py")) if folder.first("pyproject.toml", "tox.ini") else False


def _is_bare(folder: Folder, ci: OtherCi) -> bool:
    """Say whether a repository without any manifest holds scripts with tests, or other CI tests it with Python."""
    if folder.root or not folder.under(TEST_FILES):
        return False
    tested = any(
        command.kind == "test" and test_tool(command.line) in {"pytest", "unittest"} and "py" in command.line
        for command in all_commands(ci.runs("python", "", ""))
    )
    if tested:
        return True
    # A folder with requirements of its own is the project then, and its scripts are none of the top's.
    own = {
        path.split("/")[0] for path in folder.under(r"[\w.-]+/(?:requirements\.txt|pyproject\.toml|setup\.py|Pipfile)")
    }
    scripts = [path for path in folder.under(r".*\.py") if path.split("/")[0] not in own]
    return len(scripts) > 1 and not folder.under(_OTHER_SOURCES)


def _main_evidence(folder: Folder) -> Evidence:
    return Evidence(path=folder.full(folder.first(*MANIFESTS) or "tox.ini"))


def _add_version(facts: Facts, manifest: Manifest, ci: OtherCi) -> str:
    folder = manifest.folder
    file = folder.first(".python-version", "runtime.txt", ".tool-versions", "mise.toml", ".mise.toml")
    exact = _pinned(folder, file)
    classified = _classified(manifest)
    seen = ci.versions("python") or _in_image(folder, bool(classified))
    tested = [version for version, _ in seen if re.match(r"3\.\d", version)]
    known = tested or classified
    spec = _range(manifest.python)
    version = versions.choose("python", spec=spec, matrix=known, exact=exact)
    least = versions.floor(spec)
    evidence = [manifest.python_evidence] if manifest.python else []
    evidence += [where for found, where in seen if versions.short("python", found) == version][:1]
    if exact:
        evidence.append(folder.evidence(file, exact))
    why = _why(version, manifest.python, tested, exact)
    built = None if tested or exact else newest_built(folder)
    if built and versions.number(built.version) < versions.number(version) and versions.allows(spec, built.version):
        version, evidence = built.version, [built.where, *evidence]
        why = f"the lock has no {built.package} built for a newer one"
    why, sure = told("python", version, why, _sure(evidence))
    facts.add("version", version, why, *evidence, confidence=sure)
    facts.add("version_floor", least, f"the project declares {manifest.python}", manifest.python_evidence)
    return version


def _in_image(folder: Folder, names_newer: bool) -> tuple[tuple[str, Evidence], ...]:
    """Return what the Dockerfile runs on; an ended version only where the project names no supported one."""
    version, where = image_version(folder, "python")
    if version and names_newer and end_of_life("python", versions.short("python", version)):
        return ()
    return ((version, where),) if version else ()


def _range(spec: str) -> str:
    """Return a range as Python understands it; a bare "3.6" of a Pipfile or Poetry's caret is a minimum."""
    caret = re.sub(r"\^\s*3", ">=3", spec)
    return f">={caret}" if re.fullmatch(r"\s*\d[\d.]*\s*", caret) else re.sub(r"\s+\|\s+", " || ", caret)


def _sure(evidence: list[Evidence]) -> float:
    return 1.0 if len(evidence) > 1 else 0.9 if evidence else 0.5


def _why(version: str, spec: str, tested: list[str], exact: str) -> str:
    if version in tested:
        return "it is the newest supported version that other CI or the Dockerfile runs" + (
            f", and the project wants {spec}" if spec else ""
        )
    if exact and versions.short("python", exact) == version:
        return "a version file pins it"
    if tested and exact:
        return f"it is the nearest version still supported, while a version file names {exact}"
    if spec:
        return f"it is a supported version inside {spec}"
    return "nothing is declared, so it is the default" if not tested else "it is the nearest version still supported"


def _pinned(folder: Folder, file: str) -> str:
    """Return the version a version file names."""
    text = folder.text(file) if file else ""
    pattern = (
        r"python(?:-|\s+|\s*=\s*\"?)(\d+\.\d+(?:\.\d+)?)" if not file.startswith(".py") else r"^(\d+\.\d+(?:\.\d+)?)"
    )
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1) if found else ""


def _classified(manifest: Manifest) -> list[str]:
    """Return the versions the classifiers or the tox environments name."""
    project = strings(table(manifest.pyproject, "project").get("classifiers"))
    cfg = string(table(manifest.setup_cfg, "metadata").get("classifiers")).splitlines()
    lines = project + cfg + strings(manifest.setup.get("classifiers"))
    found = [match.group(1) for line in lines if (match := re.search(r"Python :: (3\.\d+)", line))]
    found += [f"3.{minor}" for name in tox_names(manifest.folder) for minor in re.findall(r"\bpy3\.?(\d{1,2})\b", name)]
    found += nox_pythons(manifest.folder)
    # Classifiers name old versions and are rarely kept up to date: they only help when they reach a supported one.
    return found if set(found) & set(versions.LINES["python"].supported) else []


def _add_git_depth(project: Project) -> None:
    manifest = project.manifest
    required = strings(table(manifest.pyproject, "build-system").get("requires")) + strings(
        manifest.setup.get("setup_requires")
    )
    build = " ".join(required).lower().replace("_", "-")
    by = next((name for name in sorted(_SCM) if name in build), "")
    if not by and ("use_scm_version" in manifest.setup or "versioneer" in manifest.folder.text("setup.cfg")):
        by = "setuptools-scm" if "use_scm_version" in manifest.setup else "versioneer"
    if not by:
        return
    where = manifest.folder.evidence("pyproject.toml", by, by.replace("-", "_"))
    project.facts.add("git_depth", "0", f"{by} takes the version from tags", where)
    project.facts.add("system_package", "git", f"{by} asks git for the version", where)
