"""JavaScript and TypeScript: managers, scripts, versions."""

import json
from collections.abc import Callable, Mapping

import pytest

from bot.domain import Survey, Unit

Look = Callable[[Mapping[str, str]], Unit]


def package(**values: object) -> str:
    return json.dumps({"name": "a", "scripts": {"test": "jest"}, "devDependencies": {"jest": "1"}} | values, indent=2)


@pytest.mark.parametrize(
    ("files", "manager", "install"),
    [
        pytest.param({"package.json": package(), "package-lock.json": ""}, "npm", ("npm ci",), id="npm with a lock"),
        pytest.param({"package.json": package()}, "npm", ("npm install",), id="npm without a lock cannot use ci"),
        pytest.param(
            {"package.json": package(), "yarn.lock": "# yarn lockfile v1\n"},
            "yarn1",
            ("npm install --global --force yarn@1.22.22", "yarn install --frozen-lockfile"),
            id="yarn 1 by the header of its lock",
        ),
        pytest.param(
            {"package.json": package(), "yarn.lock": "__metadata:\n  version: 8\n"},
            "yarn-berry",
            ("npm install --global --force @yarnpkg/cli-dist@4.18.1", "yarn install --immutable"),
            id="yarn berry by the header of its lock",
        ),
        pytest.param(
            {"package.json": package(packageManager="yarn@4.4.1"), "yarn.lock": ""},
            "yarn-berry",
            ("npm install --global --force @yarnpkg/cli-dist@4.4.1", "yarn install --immutable"),
            id="yarn berry by packageManager",
        ),
        pytest.param(
            {"package.json": package(packageManager="pnpm@9.15.0+sha512.abc"), "pnpm-lock.yaml": ""},
            "pnpm",
            ("npm install --global pnpm@9.15.0", "pnpm install --frozen-lockfile"),
            id="pnpm by packageManager with a hash",
        ),
        pytest.param(
            {"package.json": package(), "pnpm-lock.yaml": "lockfileVersion: '6.0'\n"},
            "pnpm",
            ("npm install --global pnpm@8", "pnpm install --frozen-lockfile"),
            id="pnpm's major by its lock",
        ),
        pytest.param(
            {"package.json": package(), "bun.lock": ""},
            "bun",
            ("npm install --global bun@1", "bun install --frozen-lockfile"),
            id="bun",
        ),
    ],
)
def test_managers(unit_of: Look, files: dict[str, str], manager: str, install: tuple[str, ...]) -> None:
    unit = unit_of(files)
    assert (unit.first("package_manager"), unit.all("install")) == (manager, install)


@pytest.mark.parametrize(
    ("scripts", "test", "tool"),
    [
        pytest.param({"test": "vitest run"}, "npm test", "vitest", id="vitest"),
        pytest.param({"test": "npm run unit", "unit": "mocha"}, "npm test", "mocha", id="a script behind a script"),
        pytest.param({"test": "node --test"}, "npm test", "node-test", id="the runner of Node.js"),
        pytest.param({"test": "run-s lint unit", "lint": "eslint .", "unit": "ava"}, "npm test", "ava", id="run-s"),
        pytest.param(
            {"test": "cypress run", "test:unit": "jest"}, "npm run test:unit", "jest", id="no browser if avoidable"
        ),
        pytest.param({"test": 'echo "Error: no test specified" && exit 1'}, None, None, id="npm's placeholder"),
        pytest.param({"build": "tsc"}, None, None, id="no test at all"),
    ],
)
def test_test_scripts(unit_of: Look, scripts: dict[str, str], test: str | None, tool: str | None) -> None:
    unit = unit_of({"package.json": package(scripts=scripts)})
    assert (unit.first("test"), unit.first("test_tool")) == (test, tool)


def test_linters_are_scripts_that_only_check(unit_of: Look) -> None:
    scripts = {
        "lint": "eslint .",
        "lint:fix": "eslint --fix .",
        "format": "prettier --write .",
        "format:check": "prettier --check .",
    }
    assert unit_of({"package.json": package(scripts=scripts)}).all("lint") == ("npm run lint", "npm run format:check")


@pytest.mark.parametrize(
    ("files", "version"),
    [
        pytest.param({"package.json": package(engines={"node": ">=0.10"})}, "24", id="a useless floor"),
        pytest.param({"package.json": package(engines={"node": "^22.13.0"})}, "22", id="a caret"),
        pytest.param({"package.json": package(), ".nvmrc": "lts/jod\n"}, "22", id="a name of a release line"),
        pytest.param({"package.json": package(), ".nvmrc": "v18.17.0\n"}, "18", id="a version that ended lately"),
        pytest.param({"package.json": package(), ".nvmrc": "v10\n"}, "22", id="a version long past its end"),
        pytest.param({"package.json": package()}, "24", id="nothing declared"),
    ],
)
def test_version(unit_of: Look, files: dict[str, str], version: str) -> None:
    assert unit_of(files).first("version") == version


def test_a_workspace_is_one_unit(unit_of: Look) -> None:
    unit = unit_of({"package.json": package(workspaces=["packages/*"]), "packages/a/package.json": package()})
    assert unit.root == ""


def test_a_stub_beside_sources_of_c_is_no_project(unit_of: Look) -> None:
    unit = unit_of({"package.json": '{"name": "x"}', "Makefile": "test:\n\t./run\n", "a.c": ""})
    assert unit.ecosystem == "cpp"


def test_two_locks_are_worth_a_question(look: Callable[[Mapping[str, str]], Survey]) -> None:
    found = look({"package.json": package(), "yarn.lock": "# yarn lockfile v1\n", "package-lock.json": ""})
    assert "yarn.lock" in (found.question or "")


def test_a_server_with_a_start_script_is_deployable(unit_of: Look) -> None:
    unit = unit_of({"package.json": package(dependencies={"express": "4"}, scripts={"start": "node server.js"})})
    assert (unit.first("deployable"), unit.first("start"), unit.first("port")) == ("yes", "npm run start", "3000")


@pytest.mark.parametrize(
    ("config", "own", "needs"),
    [
        pytest.param("next.config.ts", "devDependencies", "everything", id="a TypeScript for development"),
        pytest.param("next.config.ts", "dependencies", None, id="a TypeScript that stays"),
        pytest.param("next.config.mjs", "devDependencies", None, id="no TypeScript"),
    ],
)
def test_next_reads_its_configuration_by_typescript(unit_of: Look, config: str, own: str, needs: str | None) -> None:
    package = {"scripts": {"start": "next start"}, "dependencies": {"next": "15"}, "devDependencies": {}}
    package[own]["typescript"] = "5"
    assert unit_of({"package.json": json.dumps(package), config: ""}).first("runs_with") == needs


@pytest.mark.parametrize(
    ("lock", "script", "test"),
    [
        ("package-lock.json", "jest --watchAll", "npm test -- --watchAll=false"),
        ("yarn.lock", "NODE_ENV=test jest --watch --coverage", "yarn test --watchAll=false"),
        ("pnpm-lock.yaml", "jest --ci --watch", "pnpm test --watchAll=false"),
        ("package-lock.json", "jest --watchAll=false", "npm test"),
        ("package-lock.json", "jest --watchAll && node after.js", "npm test"),
    ],
)
def test_jest_that_waits_for_changes_is_told_to_end(unit_of: Look, lock: str, script: str, test: str) -> None:
    assert unit_of({"package.json": package(scripts={"test": script}), lock: ""}).all("test") == (test,)


def test_the_linter_of_angular_is_one(unit_of: Look) -> None:
    unit = unit_of({"package.json": package(scripts={"build": "ng build", "lint": "ng lint"})})
    assert (unit.all("lint"), unit.all("lint_tool")) == (("npm run lint",), ("eslint",))


@pytest.mark.parametrize(
    ("lines", "built"),
    [
        ((), ("npm run build",)),
        (("npm run build:ci",), ("npm run build:ci",)),
        (("npm run build:ci", "npm run build"), ("npm run build",)),
        (("npm run build:image",), ("npm run build",)),
        (("npm run build:docs",), ("npm run build",)),
        (("npm run build:gone",), ("npm run build",)),
    ],
)
def test_the_build_that_other_ci_runs_is_taken_where_it_is_the_only_one(
    unit_of: Look, lines: tuple[str, ...], built: tuple[str, ...]
) -> None:
    scripts = {
        "build": "run-s db:migrate build:next",
        "build:ci": "next build",
        "build:docs": "typedoc",
        "build:image": "docker build .",
    }
    steps = "".join(f"    - run: {line}\n" for line in ("npm ci", *lines))
    ci = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"
    unit = unit_of({"package.json": package(scripts=scripts), ".github/workflows/ci.yml": ci})
    assert unit.all("build") == built


@pytest.mark.parametrize("build", ["build", "prepack"])
def test_a_build_that_other_ci_runs_first_comes_first(unit_of: Look, build: str) -> None:
    workflow = f"""\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: npm ci
      - run: npm run {build}
      - run: npm run unit
"""
    scripts = {build: "tsc", "unit": "mocha"}
    files = {"package.json": package(scripts=scripts), "package-lock.json": "", ".github/workflows/ci.yml": workflow}
    unit = unit_of(files)
    assert (unit.all("prepare"), unit.all("test")) == ((f"npm run {build}",), ("npm run unit",))


@pytest.mark.parametrize("name", ["test;id", "test$(id)", "te st"], ids=["semicolon", "substitution", "blank"])
def test_odd_script_names_never_reach_a_command(unit_of: Look, name: str) -> None:
    unit = unit_of({"package.json": package(scripts={name: "jest", "build": "tsc"})})
    assert unit.all("test") == ()


@pytest.mark.parametrize(
    ("package", "packages"),
    [
        pytest.param('"scripts": {"test": "mocha", "prepare": "git config core.hooksPath .h"}', ("git",), id="a hook"),
        pytest.param(
            '"scripts": {"test": "mocha", "posttest": "npm run x", "x": "a && make b"}', ("make",), id="after"
        ),
        pytest.param(
            '"scripts": {"test": "createdb a; psql a -f a.sql && mocha"}', ("postgresql-client",), id="a client"
        ),
        pytest.param('"scripts": {"test": "mocha", "release": "git push"}', (), id="a script nothing runs"),
        pytest.param('"scripts": {"test": "node digit.js"}', (), id="no program of that name"),
        pytest.param(
            '"scripts": {"test": "tap"}, "devDependencies": {"@npmcli/template-oss": "5"}', ("git",), id="a tool"
        ),
    ],
)
def test_programs_that_a_slim_image_lacks_are_seen(unit_of: Look, package: str, packages: tuple[str, ...]) -> None:
    assert unit_of({"package.json": f"{{{package}}}"}).all("system_package") == packages


@pytest.mark.parametrize(
    ("values", "version"),
    [
        pytest.param({}, "20", id="the newest that it works on"),
        pytest.param({"engines": {"node": ">=6 || >=8"}}, "20", id="whatever the engines allow"),
        pytest.param({"volta": {"node": "22.1.0"}}, "22", id="a version file wins"),
        pytest.param({"scripts": {"test": "uvu test"}}, "24", id="without the loader"),
    ],
)
def test_the_loader_esm_keeps_node_below_22(unit_of: Look, values: dict[str, object], version: str) -> None:
    used = {"scripts": {"test": "uvu -r esm test"}, "devDependencies": {"uvu": "0.5.6", "esm": "3.2.25"}}
    assert unit_of({"package.json": package(**(used | values))}).first("version") == version
