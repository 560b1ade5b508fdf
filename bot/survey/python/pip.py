"""Installing with pip: what the testing job of other CI installs, else what the project declares."""

import itertools
import re
from collections.abc import Iterator

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.parsing import read_toml, string, table
from bot.survey.python.manifest import Manifest, names, test_names
from bot.survey.python.project import Project, pip_install
from bot.survey.tree import Folder

_FILES = r"(?:requirements[-_.]?)?(?:dev|test|tests|testing|ci|development)[-_.]?(?:requirements)?\.(?:txt)"
_PLUGINS = {
    r"--cov\b": "pytest-cov",
    r"(?<![\w-])-n[ =]?(?:auto|\d)": "pytest-xdist",
    r"--timeout\b|^timeout\s*=": "pytest-timeout",
    r"asyncio_mode": "pytest-asyncio",
    r"DJANGO_SETTINGS_MODULE": "pytest-django",
    r"--mypy\b": "pytest-mypy",
    r"--benchmark": "pytest-benchmark",
    r"--flake8\b": "pytest-flake8",
    r"--black\b": "pytest-black",
    r"--randomly|--random-order": "pytest-randomly",
    r"^mocked?-|mocker": "pytest-mock",
}


def pip_lines(project: Project) -> Iterator[tuple[str, str, Evidence]]:
    """Install as the testing job does, and whatever the declarations add to it."""
    manifest, folder = project.manifest, project.folder
    copied = [command for command in project.before_tests() if _is_pip_line(project, command.line)]
    for command in copied:
        yield _plain_pip(command.line), "other CI installs it so", command.evidence
    text = " ".join(command.line for command in copied)
    if not copied:
        for line, evidence in _declared(manifest):
            text += f" {line}"
            yield line, "it is declared", evidence
    missing = _missing(project, text)
    if missing:
        yield (
            pip_install(*missing),
            "the tests need it and nothing else installs it",
            folder.evidence("pyproject.toml", missing[0]),
        )


def _is_pip_line(project: Project, line: str) -> bool:
    words = commands.words(line) if line else None
    if not words or commands.kind(line) != "install":
        return False
    found = commands.core(words)
    if found[:1] == ["uv"] and found[1:3] == ["pip", "install"]:
        return True
    if found[:2] not in (["pip", "install"], ["pip3", "install"]):
        return words[0].endswith("python") and "setup.py" in line
    files = [after for flag, after in itertools.pairwise(found) if flag in {"-r", "-c", "--requirement"}]
    only_itself = set(found[2:]) <= {"-U", "--upgrade", "pip", "-q"}
    wheels = any(re.search(r"dist/|\*", word) for word in found)
    return not only_itself and not wheels and all(project.folder.has(file) for file in files)


def _plain_pip(line: str) -> str:
    """Let uv's pip interface install into the image's own interpreter."""
    return re.sub(r"^(python\d? -m )?uv pip install(?! --system)", "pip install", line).replace(" --system", "")


def _declared(manifest: Manifest) -> Iterator[tuple[str, Evidence]]:
    """Return pip commands for what the project declares: requirement files, the package, its test extras or groups."""
    folder = manifest.folder
    files = folder.names(_FILES) + [
        f"requirements/{name}" for name in sorted(_files_under(folder)) if re.fullmatch(_FILES, name)
    ]
    files += [name for name in ("tests/requirements.txt", "test/requirements.txt") if folder.has(name)]
    first = ["requirements.txt"] if folder.has("requirements.txt") else []
    chosen = [*first, *sorted(files, key=lambda name: "test" not in name)[:1]]
    if chosen:
        yield pip_install(*[part for name in chosen for part in ("-r", name)]), folder.evidence(chosen[-1])
    if manifest.is_package:
        extras = test_names(manifest.extras)
        target = f".[{','.join(extras)}]" if extras else "."
        where = folder.evidence(folder.first("pyproject.toml", "setup.cfg", "setup.py"), *extras)
        yield pip_install("-e", target), where
    groups = test_names(manifest.groups)
    if groups and "dependency-groups" in manifest.pyproject:
        yield "pip install --upgrade 'pip>=25.1'", folder.evidence("pyproject.toml", "[dependency-groups]")
        yield (
            pip_install(*[f"--group={name}" for name in groups]),
            folder.evidence("pyproject.toml", "[dependency-groups]"),
        )


def _files_under(folder: Folder) -> set[str]:
    return folder.tree.names(folder.full("requirements"))


def _missing(project: Project, installed: str) -> list[str]:
    """Return the test tools that no command above installs."""
    manifest, folder = project.manifest, project.folder
    tools = project.facts.all("test_tool")
    known = set(names(re.split(r"[\s'\"]+", installed)))
    for name in re.findall(r"-r\s*(\S+)", installed):
        known |= names(folder.text(name).splitlines())
    known |= manifest.dependencies
    known = known.union(
        *(found for name, found in (manifest.extras | manifest.groups).items() if name in re.split(r"[\W]+", installed))
    )
    needed = ["pytest"] if "pytest" in tools else []
    if "coverage run" in " ".join(project.facts.all("test")):
        needed.append("coverage")
    if needed:
        needed += _plugins(folder, " ".join(project.facts.all("test")))
    return [each for each in needed if each not in known]


def _plugins(folder: Folder, test: str) -> list[str]:
    """Return the pytest plugins that the configured options need."""
    pyproject = table(read_toml(folder.text("pyproject.toml")), "tool", "pytest", "ini_options")
    options = "\n".join(f"{key} = {value}" for key, value in pyproject.items())
    text = "\n".join(
        [options, folder.text("pytest.ini"), test, string(table(folder.ini("setup.cfg"), "tool:pytest").get("addopts"))]
    )
    return [plugin for pattern, plugin in _PLUGINS.items() if re.search(pattern, text, re.MULTILINE)]
