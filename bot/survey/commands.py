"""Telling shell commands apart: what installs, tests, lints, builds, and what must never be copied."""

import re
import shlex
from functools import lru_cache

KINDS = ("install", "test", "lint", "build", "other")

# Words that publish, deploy, upload or need a person's secrets, and tools that do nothing else.
_NEVER = re.compile(
    r"(?<![\w-])(publish|deploy|upload|login|semantic-release|codecov|coveralls|release:\w+|sonar\w*)(?![\w.])"
    r"|\bgit (push|commit|tag|clone|config|fetch|checkout)|coverage[- ]badge|\bcargo (publish|login)|--version\b"
    r"|\bpip (list|freeze|check|uninstall)"
)
_NEVER_TOOLS = frozenset(
    """twine goreleaser gh hub aws gcloud kubectl helm heroku netlify vercel surge ssh scp rsync gpg curl wget docker
    docker-compose podman eval changeset cibuildwheel codecov coveralls semantic-release sh bash""".split()
)
_WRAPPERS = frozenset("uv poetry pdm pipenv hatch rye pixi".split())
_SKIPPED = frozenset("sudo time nice exec xvfb-run npx bunx command".split())
_TESTS = frozenset(
    """pytest py.test tox nox unittest nose nosetests nose2 stestr trial jest vitest mocha ava tap tape jasmine karma
    ctest gotestsum bats nyc c8 playwright cypress zope-testrunner xunit phpunit rspec tsd""".split()
)
_BESIDE_TESTS = frozenset({("nyc", "report"), ("nyc", "merge"), ("c8", "report"), ("playwright", "install")})
_LINTS = frozenset(
    """ruff flake8 black isort mypy pyright pylint pycodestyle pydocstyle pyflakes bandit pre-commit prek vulture
    codespell eslint prettier tsc biome oxlint standard xo stylelint markdownlint golangci-lint staticcheck gofmt
    golint yamllint shellcheck clang-format clang-tidy cppcheck ktlint detekt knip check-manifest
    interrogate pytype pyre ty doc8 attw flake8-docstrings autopep8 yapf publint size-limit
    zizmor actionlint typos cargo-deny py_compile compileall phpstan psalm phpcs php-cs-fixer pint""".split()
)
_TEST_WORD = re.compile(
    r"(^|[-_:./])(tests?|unit|specs?|check|ci|coverage|cov|verify|pytest|py3?\d*|py)(?=$|[-_:./\d])"
)
# The build as a CI runs it is no test.
_BUILD_OF_CI = re.compile(r"(build|compile|bundle)[-_:]ci")
# What gets things ready for tests runs none.
_BEFORE_TESTS = re.compile(
    r"(prepare|setup|set-up|install|bootstrap|clean|generate|download|fetch)[-_:](unit[-_:]?)?tests?"
    r"([-_:](deps|dependencies|requirements|data|fixtures|env))?"
)
_TEST_SCRIPT = re.compile(r"(^|[-_])(unit)?tests?[-_.]|(?<!la)(?<!con)tests?\.(sh|bash)$")
_LINT_WORD = re.compile(
    r"lint|format|fmt|style|typing|types?\b|typecheck|type-check|mypy|pyright|bandit|flake|black|ruff|isort|eslint|prettier"
    r"|pre-?commit|tsc|vet|attw|size|knip|spell|phpstan|psalm|phpcs|check[-:_](?:type|lint|format|fmt|style)"
)
# Scripts to rule them all: script/test, scripts/lint and the like, by the name alone.
OWN_SCRIPT = re.compile(r"(?:\./)?(?:scripts?|ci)/[\w-]+")
_OTHER_WORD = re.compile(
    r"docs?\b|doc[-_]|bench|release|manifest|watch|debug|fuzz|mutation|update|deploy|publish|stress|perf|e2e"
)


def words(line: str) -> list[str] | None:
    """Return the words of a plain command; None when the line needs more of a shell than words and quotes."""
    if re.search(r"[$`\\\n\0]|\$\{\{", line):
        return None
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";<>|&()")
    lexer.commenters = "#"
    lexer.whitespace_split = True
    try:
        found = list(lexer)
    except ValueError:
        return None
    if any(word and set(word) <= set(";<>|&()") for word in found):
        return None
    return found or None


def core(found: list[str]) -> list[str]:
    """Return the words from the tool on: without assignments, `uv run`, `python -m`, `npx` and the like."""
    rest = list(found)
    while rest:
        if re.fullmatch(r"[A-Za-z_]\w*=.*", rest[0]) or rest[0] in _SKIPPED:
            rest = rest[1:]
            while rest and rest[0].startswith("-"):
                rest = rest[1:]
        elif len(rest) > 1 and rest[0] in _WRAPPERS and rest[1] == "run":
            inner = _after_options(rest[2:])
            if rest[0] == "hatch" and inner and inner[0] not in _TESTS | _LINTS and inner[0] != "python":
                return ["hatch", "run", *inner]
            rest = inner
        elif len(rest) > 2 and re.fullmatch(r"(.*/)?python[\d.]*", rest[0]) and _module_at(rest):
            rest = rest[_module_at(rest) :]
        elif len(rest) > 2 and rest[0] == "coverage" and rest[1] == "run":
            rest = _after_coverage(rest[2:])
        elif len(rest) > 1 and rest[0] in {"yarn", "pnpm"} and rest[1] in {"exec", "dlx"}:
            rest = rest[2:]
        else:
            break
    return rest


def _module_at(found: list[str]) -> int:
    """Return where the module of `python -X dev -m module` stands, 0 when there is none."""
    for position, word in enumerate(found[1:-1], 1):
        if word == "-m":
            return position + 1
        if not word.startswith("-") and found[position - 1] not in {"-X", "-W"}:
            return 0
    return 0


def _after_options(found: list[str]) -> list[str]:
    """Skip the options of `uv run`; those with a value take it along."""
    valued = {"--group", "--extra", "--with", "-p", "--python", "--package", "--env-file", "--with-requirements", "-e"}
    rest = found
    while rest and rest[0].startswith(("-", "+")):
        rest = rest[2:] if rest[0] in valued else rest[1:]
    return rest


def _after_coverage(found: list[str]) -> list[str]:
    rest = found
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        rest = rest[1:]
    return rest[1:] if rest[:1] == ["-m"] else rest


@lru_cache(maxsize=4096)
def kind(line: str) -> str:
    """Return what a command line does: install, test, lint, build, other, or "" when it must not be copied."""
    found = words(line)
    if found is None or is_forbidden(line):
        return ""
    rest = core(found)
    if not rest:
        return "other"
    if rest[0] in _NEVER_TOOLS:
        return ""
    if OWN_SCRIPT.fullmatch(rest[0]):
        return name_kind(rest[0].rpartition("/")[2])
    return _kind(rest[0].rpartition("/")[2], rest[1:])


def is_forbidden(line: str) -> bool:
    """Say whether a line publishes, deploys, uploads or fetches something; to install what uploads is no upload."""
    plain = re.sub(r"(?<= )(?:codecov|coveralls)(?= |$)", "", line) if re.search(r"\bpip install ", line) else line
    return _NEVER.search(plain) is not None


def _kind(tool: str, rest: list[str]) -> str:
    plain = _plain_kind(tool, rest)
    if plain:
        return plain
    if tool.endswith(".py") or re.fullmatch(r"python[\d.]*", tool):
        return _kind_of_script([tool, *rest] if tool.endswith(".py") else rest)
    if tool in {"npm", "yarn", "pnpm", "bun", "node", "deno"}:
        return kind_of_script_runner(tool, rest)
    if tool in {"make", "gmake", "just", "task", "invoke", "doit"}:
        return _kind_of_names([word for word in rest if not word.startswith("-") and "=" not in word])
    if tool == "composer" and rest[:1] not in (["validate"], ["install"], ["update"]):
        return _kind_of_names(rest[:1])
    if tool == "hatch" and rest[:1] == ["run"]:
        return _kind_of_hatch(rest[1:])
    return _by_table(_TABLES.get(tool, {}), rest)


def _kind_of_hatch(rest: list[str]) -> str:
    """Judge `hatch run SCRIPT`; in `ENV:python -m pip` the environment's name says nothing about what runs there."""
    if not rest:
        return "other"
    script = rest[0].rpartition(":")[2]
    return kind(shlex.join([script, *rest[1:]])) if script in {"python", "pip", "uv"} else name_kind(rest[0])


def _plain_kind(tool: str, rest: list[str]) -> str:
    """Judge a tool that does one thing only."""
    if tool in _LINTS:
        return "lint"
    if tool in {"tox", "nox"}:
        return _kind_of_environments(rest)
    if tool in _TESTS:
        # These prepare the tests or tell of them.
        return "other" if (tool, *rest[:1]) in _BESIDE_TESTS else "test"
    if tool in {"pyinstaller", "pyproject-build", "build", "cmake"}:
        return "build"
    if tool in {"mvn", "mvnw", "gradle", "gradlew"}:
        return _kind_of_java(rest)
    if tool.endswith((".sh", ".bash")):
        return "test" if _TEST_SCRIPT.search(tool) else "other"
    if tool in {"pip", "pip3", "pipx", "apt-get", "apt"}:
        return "install" if "install" in rest else "other"
    return ""


_TABLES: dict[str, dict[str, str]] = {
    "go": {"test": "test", "vet": "lint", "fmt": "lint", "build": "build", "mod": "install", "get": "install"},
    "cargo": {
        "test": "test",
        "nextest": "test",
        "clippy": "lint",
        "fmt": "lint",
        "build": "build",
        "hack": "other",
    },
    "uv": {"sync": "install", "pip": "install", "build": "build"},
    "poetry": {"install": "install", "build": "build"},
    "pdm": {"install": "install", "sync": "install", "build": "build", "test": "test", "lint": "lint"},
    "pipenv": {"install": "install", "sync": "install"},
    "composer": {"validate": "lint", "install": "install", "update": "install"},
    "hatch": {"test": "test", "build": "build", "fmt": "lint", "env": "install"},
    "setup.py": {"test": "test", "install": "install", "develop": "install"},
    "meson": {"test": "test", "setup": "build", "compile": "build"},
}


def _kind_of_java(rest: list[str]) -> str:
    """Judge Maven and Gradle by their goals and tasks."""
    skips = any(re.match(r"-D(skip\w*Tests?|maven\.test\.skip)|test$", word) and word != "test" for word in rest)
    goals = [word.rpartition(":")[2] for word in rest if not word.startswith("-")]
    if (
        not skips
        and "-x" not in rest
        and any(re.fullmatch(r"\w*[tT]ests?|verify|check|build|install", each) for each in goals)
    ):
        return "test"
    if any(re.fullmatch(r"spotless\w*|\w*lint\w*|detekt|checkstyle\w*|pmd\w*|spotbugs\w*", each) for each in goals):
        return "lint"
    return "build" if {"package", "compile", "assemble", "jar", "classes", "install", "build"} & set(goals) else "other"


def _by_table(table: dict[str, str], rest: list[str]) -> str:
    first = next((word for word in rest if not word.startswith(("-", "+"))), "")
    return table.get(first, "other")


def _kind_of_script(rest: list[str]) -> str:
    """Judge `python something.py …`: Django's tests, setup.py, or a script named after tests."""
    if not rest:
        return "other"
    name = rest[0].rpartition("/")[2]
    if name == "manage.py":
        return "test" if rest[1:2] == ["test"] else "other"
    if name == "setup.py":
        return _by_table(_TABLES["setup.py"], rest[1:])
    return "test" if re.fullmatch(r"(run_?)?tests?\w*\.py|\w*_tests?\.py|runtests\.py", name) else "other"


def _kind_of_environments(rest: list[str]) -> str:
    """Judge tox and nox by their environments: only those named after lint, types or docs are no tests."""
    if {"--notest", "-n", "--install-only"} & set(rest):
        return "other"
    names: list[str] = []
    for position, word in enumerate(rest):
        if word in {"-e", "-s", "-f", "--session", "--sessions"}:
            names += [name for each in rest[position + 1 : position + 2] for name in each.split(",")]
        elif re.fullmatch(r"-[es]\S+", word):
            names.append(word[2:])
    if not names:
        return "test"
    if all(_LINT_WORD.search(name) for name in names):
        return "lint"
    aside = [name for name in names if name == "dev" or _OTHER_WORD.search(name) or "build" in name]
    return "other" if aside == names else "test"


def kind_of_script_runner(tool: str, rest: list[str]) -> str:
    """Judge npm, yarn, pnpm, bun, node and deno by their verb or by the name of the script."""
    names = [word for word in rest if not word.startswith("-") and "=" not in word]
    if tool == "node":
        return "test" if "--test" in rest or any(_TEST_WORD.search(name) for name in names[:1]) else "other"
    if tool == "deno":
        return {"test": "test", "lint": "lint", "fmt": "lint"}.get(names[0] if names else "", "other")
    if not names:
        return "install" if tool == "yarn" else "other"
    if names[0] in {"ci", "install", "i", "add", "clean-install", "install-clean"}:
        return "install"
    if names[0] in {"run", "run-script", "exec"}:
        names = names[1:]
    if names[:1] == ["t"]:
        return "test"
    first = [names[0]] if names else []
    if first and first[0] in _LINTS | _TESTS:
        return "lint" if first[0] in _LINTS else "test"
    return _kind_of_names(first)


def _kind_of_names(names: list[str]) -> str:
    """Judge scripts and make targets by their names; the strictest wins."""
    if not names:
        return "build"
    found = {name_kind(name) for name in names}
    return next((each for each in ("test", "lint", "build", "install") if each in found), "other")


def name_kind(name: str) -> str:
    """Return the kind of a script, target or session by its name."""
    if _LINT_WORD.search(name):
        return "lint"
    if _OTHER_WORD.search(name) or _BEFORE_TESTS.fullmatch(name):
        return "other"
    if _TEST_WORD.search(name) and not _BUILD_OF_CI.fullmatch(name):
        return "test"
    if re.search(r"build|compile|dist|bundle|^all$|package|^prepack$", name):
        return "build"
    return "install" if re.search(r"install|deps|setup|bootstrap|develop", name) else "other"
