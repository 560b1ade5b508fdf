"""The scripts of a package.json: what they end in, and which of them test, lint and build."""

import re

from bot.survey import commands
from bot.survey.parsing import string, table

_DEFAULT_TEST = re.compile(r"no test specified|Error: no tests?|^\s*(exit 0|true|echo [^&|;]*)\s*$", re.IGNORECASE)
_RUNNERS = (
    ("vitest", r"\bvitest\b"),
    ("jest", r"\bjest\b|react-scripts test|tsdx test"),
    ("mocha", r"\bmocha\b"),
    ("ava", r"\bava\b"),
    ("tap", r"\b(tap|borp|tape)\b"),
    ("node-test", r"\bnode\b.* --test\b|\bnode --test\b|\bbnt\b"),
)
_CALL = re.compile(
    r"(?:npm|pnpm|yarn|bun)(?: --?[\w=-]+)* (?:run(?:-script)? )?(?:--?[\w=-]+ )*([\w:.-]+)"
    r"|\b(?:run-[sp]|npm-run-all)((?: [\w:.*-]+)+)"
)
_BROWSERS = re.compile(
    r"\b(playwright|cypress|puppeteer|karma|web-test-runner|wtr|nightwatch|testcafe|ng e2e|ng test|wdio)\b"
)
_REPORTS = re.compile(r"codecov|coveralls|sonar|upload|report-coverage")
_WRITES = re.compile(r"--fix\b|--write\b|-w\b|--apply")
# Scripts that a workspace's packages are asked for without saying which tool they use.
_OF_WORKSPACES = frozenset({"lint", "typecheck", "type-check", "check-types"})
_MAX_DEPTH = 5


def scripts_of(package: dict[str, object]) -> dict[str, str]:
    """Return the scripts with sane names; others cannot be put into a command line."""
    found = table(package, "scripts")
    return {
        name: string(line) for name, line in found.items() if re.fullmatch(r"[\w][\w:.@/-]*", name) and string(line)
    }


def leaves(scripts: dict[str, str], name: str, depth: int = 0) -> str:
    """Return the commands a script ends in, the scripts it calls unfolded."""
    line = scripts.get(name, "")
    if depth > _MAX_DEPTH or not line:
        return line

    def unfold(match: re.Match[str]) -> str:
        called = [match.group(1)] if match.group(1) else match.group(2).split()
        known = [leaves(scripts, each, depth + 1) for each in called if each in scripts and each != name]
        return " && ".join(known) if known else match.group(0)

    return _CALL.sub(unfold, line)[:5000]


def is_real_test(scripts: dict[str, str], name: str) -> bool:
    """Say whether a script tests something: npm's own placeholder does not."""
    line = scripts.get(name, "")
    return bool(line) and not _DEFAULT_TEST.search(line)


def needs_browser(scripts: dict[str, str], name: str) -> bool:
    """Say whether a script starts a browser, which a plain image does not have."""
    return starts_browser(leaves(scripts, name))


def starts_browser(line: str) -> bool:
    """Say whether a command line starts a browser."""
    return _BROWSERS.search(line) is not None


def delegates(scripts: dict[str, str], name: str) -> bool:
    """Say whether a script only calls that of other packages of the workspace."""
    return re.search(r"--filter\b|--workspaces?\b|\b(turbo|lerna|nx)\b|pnpm -r\b", leaves(scripts, name)) is not None


def runner(text: str) -> str:
    """Return the test tool behind the commands of a script."""
    return next((name for name, pattern in _RUNNERS if re.search(pattern, text)), "npm-script")


def test_script(scripts: dict[str, str]) -> str:
    """Return the script to test with: `test` unless it needs a browser while a narrower one does not."""
    names = [
        name
        for name in (*_made_for_ci(scripts), "test", "test:unit", "unit", "test:run", "tests", "spec", *_parts(scripts))
        if is_real_test(scripts, name)
    ]
    calm = [
        name
        for name in names
        if not needs_browser(scripts, name) and "--watch" not in leaves(scripts, name).replace("--watch=false", "")
    ]
    return next(iter(calm), names[0] if names else "")


def _parts(scripts: dict[str, str]) -> list[str]:
    """Return the scripts that `test` calls and that end in a test tool: one of them may need no browser."""
    called = [name for found in _CALL.findall(scripts.get("test", "")) for name in (found[0], *found[1].split())]
    return [name for name in called if name in scripts and runner(leaves(scripts, name)) != "npm-script"]


def _made_for_ci(scripts: dict[str, str]) -> list[str]:
    """Return the scripts named for a CI, unless they report to a service."""
    return [name for name in ("test:ci", "test-ci", "ci:test") if not _REPORTS.search(leaves(scripts, name))]


def lint_scripts(scripts: dict[str, str]) -> list[str]:
    """Return the scripts that check without changing files, leaving out those that another one calls."""
    wanted = re.compile(
        r"test:(lint|format)|(check[:-])?(lint|eslint|oxlint|format|fmt|prettier|types?|typecheck|type-check|tsc|style|biome)"
        r"([:-](check|types?|js|ts|css|eslint|prettier|all|ci|unused))?"
    )
    named = [name for name in scripts if wanted.fullmatch(name)]
    checks = [name for name in named if _is_check(scripts, name)]
    return [name for name in checks if not any(name != other and _calls(scripts, other, name) for other in checks)]


def _is_check(scripts: dict[str, str], name: str) -> bool:
    text = leaves(scripts, name)
    if _WRITES.search(text) or needs_browser(scripts, name):
        return False
    if re.match(r"(format|fmt|prettier)", name) and not re.search(
        r"--check|--list-different|-l\b|-c\b|format:check", text
    ):
        return False
    is_known = lint_tool(text) != "" or (name in _OF_WORKSPACES and delegates(scripts, name))
    return is_known and not (re.match(r"(types?|tsc)", name) and "noEmit" not in text and "--build" in text)


def _calls(scripts: dict[str, str], caller: str, called: str) -> bool:
    return (
        re.search(rf"(run|yarn|pnpm|-[sp]|npm-run-all)\b.*(?<![\w:-]){re.escape(called)}(?![\w:-])", scripts[caller])
        is not None
    )


def lint_tool(text: str) -> str:
    """Return the linter behind the commands of a script."""
    tools = (
        "eslint",
        "biome",
        "prettier",
        "tsc",
        "xo",
        "standard",
        "oxlint",
        "stylelint",
        "ts-standard",
        "next lint",
        "ng lint",
        "tslint",
        "jshint",
        "knip",
    )
    return next(
        (
            re.sub("(?:next|ng) lint", "eslint", tool)
            for tool in tools
            if re.search(rf"(?<![\w-])(vue-)?{tool}(?![\w-])", text)
        ),
        "",
    )


def called_script(line: str) -> str:
    """Return the script a command such as `yarn run test:unit --ci` calls, or nothing."""
    found = [word for word in commands.words(line) or [] if not word.startswith("-")]
    if found[:1] not in (["npm"], ["yarn"], ["pnpm"], ["bun"]):
        return ""
    rest = found[2:] if found[1:2] and found[1] in {"run", "run-script"} else found[1:]
    return "test" if rest[:1] == ["t"] else "".join(rest[:1])
