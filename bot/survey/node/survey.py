"""One Node.js project, from its package.json and from what other CI runs."""

import re
from collections.abc import Sequence

from bot.domain import Evidence, Unit
from bot.survey import commands, versions
from bot.survey.docker import image_version
from bot.survey.ended import told
from bot.survey.facts import Facts
from bot.survey.node.deploying import add_deployment
from bot.survey.node.manager import Manager, find_manager, installation
from bot.survey.node.programs import programs
from bot.survey.node.scripts import (
    called_script,
    delegates,
    is_real_test,
    leaves,
    lint_scripts,
    lint_tool,
    needs_browser,
    runner,
    scripts_of,
    starts_browser,
    test_script,
)
from bot.survey.other_ci.model import Command, OtherCi, all_commands
from bot.survey.other_ci.services import add_services
from bot.survey.parsing import string, table
from bot.survey.tree import Folder
from bot.survey.versions import NODE_NAMES

_CODENAMES = {
    **NODE_NAMES,
    "*": "24",
    "latest": "26",
    "current": "26",
    "node": "26",
    "stable": "24",
}
_MAX_LINES = 4


def survey_node(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the Node.js unit of a folder; a package.json that neither runs nor needs anything is none."""
    package = folder.json("package.json")
    scripts = scripts_of(package)
    if not (
        package.get("dependencies")
        or package.get("devDependencies")
        or is_real_test(scripts, "test")
        or "build" in scripts
    ):
        return None
    facts = Facts()
    where = folder.evidence("package.json", '"typescript"', '"name"')
    typed = folder.has("tsconfig.json") or "typescript" in _dependencies(package)
    facts.add("language", "typescript" if typed else "javascript", "of its package.json", where)
    facts.add(
        "manifest", folder.full("package.json"), "it declares the project", Evidence(path=folder.full("package.json"))
    )
    version = _add_version(facts, folder, package, ci)
    manager = find_manager(folder, package, ci)
    facts.add("package_manager", manager.name, manager.why, manager.evidence)
    facts.add("package_manager_version", manager.version, "the repository pins it", manager.evidence)
    facts.add("lockfile", manager.lock, "it pins every dependency", manager.evidence)
    runs = ci.runs("node", version, folder.root)
    for line in installation(manager, _install_in_ci(runs)):
        facts.add("install", line, f"{manager.name} manages the dependencies", manager.evidence)
    _add_tests(facts, folder, scripts, manager, runs)
    _add_lint(facts, folder, scripts, manager, runs)
    _add_build(facts, folder, scripts, manager, runs)
    _add_needs(facts, folder, package)
    add_services(facts, folder, ci)
    add_deployment(facts, folder, package, manager)
    return facts.unit(folder.root, "node")


def _dependencies(package: dict[str, object]) -> dict[str, str]:
    tables = (table(package, key) for key in ("peerDependencies", "devDependencies", "dependencies"))
    return {name: string(value) for each in tables for name, value in each.items()}


def _add_version(facts: Facts, folder: Folder, package: dict[str, object], ci: OtherCi) -> str:
    spec = string(table(package, "engines").get("node"))
    file = folder.first(".nvmrc", ".node-version", ".tool-versions", "mise.toml")
    exact = _plain(_in_file(folder, file) or string(table(package, "volta").get("node")))
    seen = [(_plain(version), where) for version, where in ci.versions("node")]
    in_image, where = image_version(folder, "node")
    seen = seen or ([(in_image, where)] if in_image else [])
    is_held = not seen and not exact and _has_old_loader(package)
    range_ = " || ".join(f"{part} <21" for part in spec.split("||")) if is_held else spec
    version = versions.choose("node", spec=range_, matrix=[found for found, _ in seen], exact=exact)
    evidence = [folder.evidence("package.json", '"node"')] if spec else []
    evidence += [where for found, where in seen if versions.short("node", found) == version][:1]
    evidence += [folder.evidence(file)] if exact and file else []
    why = "nothing is declared, so it is the default"
    if evidence:
        why = "it is the newest usable version that the repository names"
    elif seen:
        why = f"it is the supported one nearest to {seen[0][0]}, which other CI or the Dockerfile runs"
        evidence = [seen[0][1]]
    if is_held:
        why, evidence = "the loader esm works on nothing newer", [folder.evidence("package.json", '"esm"')]
    why, sure = told("node", version, why, 1.0 if len(evidence) > 1 else 0.9 if evidence else 0.5)
    facts.add("version", version, why, *evidence, confidence=sure)
    facts.add("version_floor", versions.floor(spec), f"engines says {spec}", folder.evidence("package.json", '"node"'))
    return version


def _has_old_loader(package: dict[str, object]) -> bool:
    """Say whether scripts load modules by `esm`, which was given up and breaks on Node.js 22 and newer."""
    scripts = " ".join(string(each) for each in table(package, "scripts").values())
    return re.search(r"(?:-r|--require)[ =]['\"]?esm\b", scripts) is not None


def _in_file(folder: Folder, file: str) -> str:
    text = folder.text(file) if file else ""
    if file in {".nvmrc", ".node-version"}:
        return text.strip().split("\n")[0]
    found = re.search(r"^(?:nodejs|node)\s*=?\s*\"?([\w.]+)", text, re.MULTILINE)
    return found.group(1) if found else ""


def _plain(version: str) -> str:
    """Return numbers for the names Node.js gives its versions: lts/iron, current, node."""
    name = version.strip().lower().removeprefix("lts/").removeprefix("lts-").removeprefix("v")
    return _CODENAMES.get(name, "24" if name in {"lts", "active", "-1"} else name)


def _install_in_ci(runs: list[list[Command]]) -> Command | None:
    return next((each for each in all_commands(runs) if each.kind == "install" and each.line.startswith("npm i")), None)


def _add_tests(
    facts: Facts, folder: Folder, scripts: dict[str, str], manager: Manager, runs: list[list[Command]]
) -> None:
    """Add what the first job of other CI tests with, else the script named so."""
    for run in runs:
        chosen = _test_run(run, scripts, manager)
        if chosen:
            for command in (each for each in run if _BROWSER_INSTALL.fullmatch(each.raw.strip())):
                facts.add("prepare", command.raw.strip(), "other CI fetches the browsers first", command.evidence)
            for command in _builds_before(run, chosen[0], scripts, manager):
                facts.add("prepare", command.line, "other CI builds before it tests", command.evidence)
            for command in chosen:
                script = folder.evidence("package.json", f'"{called_script(command.line)}":')
                known = called_script(command.line) in scripts
                places = (command.evidence, script) if known else (command.evidence,)
                _add_test(facts, command.line, scripts, places, 1.0, "other CI runs it")
            return
    name = test_script(scripts)
    where = folder.evidence("package.json", f'"{name}":')
    hidden = bool(name) and delegates(scripts, name) and folder.under(r".*/playwright\.config\.[cm]?[jt]s")
    if name and (needs_browser(scripts, name) or hidden):
        path = folder.full("package.json")
        folder.tree.problems[f"{path} tests"] = f"The script `{name}` of `{path}` starts a browser, so it was left out."
    elif name:
        line = manager.run(name) + _to_an_end(scripts[name], manager)
        _add_test(facts, line, scripts, (where,), 0.9, "package.json has the script")


def _to_an_end(script: str, manager: Manager) -> str:
    """Return what lets Jest end that a script starts to wait for changes: in a job it would do so until the timeout."""
    if re.fullmatch(r"(?:\w+=\S+ |cross-env )*jest(?: [^&|;]*)? --watch(?:All)?(?: [^&|;]*)?", script) is None:
        return ""
    return f"{' --' if manager.name == 'npm' else ''} --watchAll=false"


def _test_run(run: list[Command], scripts: dict[str, str], manager: Manager) -> list[Command]:
    """Return the tests of a job; units alone where others need more than a plain image."""
    tests = [each for each in run if _kind(each, scripts) == "test" and _runs_here(each, scripts, manager)]
    narrow = [each for each in tests if re.search(r"unit", each.line)]
    tests = (
        narrow if narrow and any(re.search(r"e2e|serve|integration|browser", each.line) for each in tests) else tests
    )
    return tests[:_MAX_LINES]


def _builds_before(run: list[Command], first: Command, scripts: dict[str, str], manager: Manager) -> list[Command]:
    before = run[: run.index(first)]
    return [
        command
        for command in before
        if (command.kind == "build" and _runs_here(command, scripts, manager)) or _BROWSERS.fullmatch(command.line)
    ]


# Playwright fetches its browsers and, as root, the libraries they need.
_BROWSERS = re.compile(r"(?:npx|pnpm exec|pnpm|yarn|bunx) playwright install --with-deps(?: [a-z]+)*")


def _kind(command: Command, scripts: dict[str, str]) -> str:
    """Judge a script by what it ends in: one called `check` may only lint."""
    text = leaves(scripts, called_script(command.line))
    if command.kind == "test" and text and runner(text) == "npm-script" and lint_tool(text) and not _TESTS.search(text):
        return "lint"
    return command.kind


_BROWSER_INSTALL = re.compile(r"(?:npx|yarn|pnpm(?: exec)?|bunx)(?: --?[\w-]+)* playwright install(?: [\w-]+)*")
_TESTS = re.compile(r"\btest|spec")


def _runs_here(command: Command, scripts: dict[str, str], manager: Manager) -> bool:
    """Say whether a command works with the manager that was found and calls a script that exists."""
    words = commands.words(command.line) or [""]
    tool = "yarn" if manager.name.startswith("yarn") else manager.name
    first = commands.core(words)[:1]
    if words[0] in {"npx", "node"} or first in (["node"], ["vitest"], ["jest"], ["mocha"]):
        return words[0] in {"npx", "node"} and not starts_browser(command.line)
    if words[0] not in {tool, "npm"}:
        return False
    name = called_script(command.line)
    known = is_real_test(scripts, name) or (name in scripts and command.kind != "test")
    return known and not needs_browser(scripts, name)


def _add_test(
    facts: Facts, line: str, scripts: dict[str, str], places: Sequence[Evidence], sure: float, why: str
) -> None:
    where = places[0]
    facts.add("test", line, why, *places, confidence=sure)
    name = called_script(line)
    text = leaves(scripts, name) if name in scripts else line
    if commands.kind(line) == "test":
        facts.add("test_tool", runner(text), f"`{line}` ends in it", where, confidence=sure)
    if re.search(r"\bnyc\b", text):
        facts.add("coverage", "nyc", "the test script calls it", where)
    if re.search(r"\bc8\b", text):
        facts.add("coverage", "c8", "the test script calls it", where)


def _add_lint(
    facts: Facts, folder: Folder, scripts: dict[str, str], manager: Manager, runs: list[list[Command]]
) -> None:
    from_ci = {command.line: command for command in all_commands(runs) if _is_lint(command, scripts, manager)}
    for line, command in list(from_ci.items())[:_MAX_LINES]:
        _add_lint_line(facts, line, scripts, command.evidence, 1.0, "other CI runs it")
    if from_ci:
        return
    for name in lint_scripts(scripts)[:_MAX_LINES]:
        where = folder.evidence("package.json", f'"{name}":')
        _add_lint_line(facts, manager.run(name), scripts, where, 0.7, "package.json has the script")


def _is_lint(command: Command, scripts: dict[str, str], manager: Manager) -> bool:
    if _kind(command, scripts) != "lint" or not _runs_here(command, scripts, manager):
        return False
    name = called_script(command.line)
    text = f"{command.line} {leaves(scripts, name)}" if name in scripts else command.line
    return not re.search(r"--fix\b|--write\b|size-limit|attw|publint|-w packages|@\d", text) and bool(
        lint_tool(text) or "ts-scripts" in text or delegates(scripts, name)
    )


def _add_lint_line(facts: Facts, line: str, scripts: dict[str, str], where: Evidence, sure: float, why: str) -> None:
    facts.add("lint", line, why, where, confidence=sure)
    name = called_script(line)
    tool = lint_tool(leaves(scripts, name) if name in scripts else line)
    facts.add("lint_tool", tool, f"`{line}` ends in it", where, confidence=sure)


def _add_build(
    facts: Facts, folder: Folder, scripts: dict[str, str], manager: Manager, runs: list[list[Command]]
) -> None:
    """Add the script `build`, unless other CI only runs another one: `build` may then want what no job has."""
    built = [command for command in all_commands(runs) if _builds(command, scripts, manager)]
    only = None if any(called_script(each.line) == "build" for each in built) else next(iter(built), None)
    name = called_script(only.line) if only else "build"
    if name not in scripts or _DOCKER.search(leaves(scripts, name)):
        return
    where = folder.evidence("package.json", f'"{name}":')
    if only:
        facts.add("build", only.line, "other CI runs it", only.evidence, where)
    facts.add("build", "" if only else manager.run(name), "package.json has the script", where, confidence=0.9)
    if not delegates(scripts, name):
        package = folder.json("package.json")
        facts.add("artifact", _output(folder, package), "the build writes there", where, confidence=0.6)


def _builds(command: Command, scripts: dict[str, str], manager: Manager) -> bool:
    """Say whether other CI builds the whole by a script, such as `build-local` or `build:ci`."""
    name = called_script(command.line)
    is_whole = name.startswith("build") and not _DOCKER.search(leaves(scripts, name))
    return is_whole and command.kind == "build" and _runs_here(command, scripts, manager)


_DOCKER = re.compile(r"\b(docker|publish|deploy)\b")


def _output(folder: Folder, package: dict[str, object]) -> str:
    """Return the folder a build writes to: what the package exports, or the habit of its tool."""
    dependencies = _dependencies(package)
    habits = {
        "@11ty/eleventy": "_site/",
        "next": ".next/",
        "gatsby": "public/",
        "react-scripts": "build/",
        "astro": "dist/",
        "nuxt": ".output/",
    }
    for name, output in habits.items():
        if name in dependencies:
            return output
    entry = string(package.get("main")) or string(package.get("types")) or string(package.get("module"))
    top = entry.removeprefix("./").split("/")[0]
    is_folder = "/" in entry.removeprefix("./") and re.fullmatch(r"[\w.-]+", top)
    if is_folder and not folder.under(rf"{re.escape(top)}/.*"):
        return f"{top}/"
    return "dist/"


def _add_needs(facts: Facts, folder: Folder, package: dict[str, object]) -> None:
    """Add Debian packages and variables that dependencies ask for."""
    dependencies = _dependencies(package)
    if folder.has("binding.gyp"):
        for name in ("python3", "make", "g++"):
            facts.add("system_package", name, "binding.gyp compiles an addon", folder.evidence("binding.gyp"))
    if any(re.match(r"(git\+|git:|github:|[\w-]+/[\w.-]+$)", value) for value in dependencies.values()):
        facts.add("system_package", "git", "a dependency is fetched with git", folder.evidence("package.json", "git"))
    lines = [line for name in ("prepare", "test", "lint", "build") for line in facts.all(name)]
    for name, why in programs(scripts_of(package), dependencies, lines):
        facts.add("system_package", name, why, folder.evidence("package.json", name))
    old = re.match(r"[\^~]?4\.", dependencies.get("webpack", "")) or re.match(
        r"[\^~]?[1-4]\.", dependencies.get("react-scripts", "")
    )
    if old:
        where = folder.evidence("package.json", '"webpack"', '"react-scripts"')
        facts.add(
            "variable", "NODE_OPTIONS=--openssl-legacy-provider", "webpack 4 uses a hash that OpenSSL 3 hides", where
        )
