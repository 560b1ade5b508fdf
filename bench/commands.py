"""How alike two shell commands are: the same tool, on the same targets, with the same flags."""

import re
import shlex
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

_RUNNERS = re.compile(
    r"(?:poetry|pipenv|bundle|mise) (?:run|exec) |pdm run (?:-v )?"
    r"|uv run (?:--(?:locked|frozen|no-sync|all-extras|all-groups) |--(?:group|extra|with|python) \S+ )*"
    r"|(?:npx|pnpm exec|yarn exec|bunx|time|sudo|pipx run|nyc|c8) (?:--(?:no-install|yes|reporter=\S+) )*"
    r"|python[\d.]* -m |php (?:-d ?\S+ )*|(?:cross-env )?(?:[A-Z_][A-Z0-9_]*=\S* )+"
)
# Flags that change what is printed, what is cached or how strictly a lock is kept, not what is done.
_REPORTING = re.compile(
    r"--?(?:v+|q+|s|r|e|E|n|U|B|race|cover\S*|short|verbose|quiet|colou?r\S*|console\S*|no-transfer-progress|ntp"
    r"|batch-mode|errors|show-version|cov\S*|junit\S*|reporter\S*|test-reporter\S*|format\S*|log-junit|no-progress"
    r"|no-ansi|no-interaction|prefer-\S+|progress|no-audit|no-fund|immutable|frozen-lockfile|locked|frozen|ci|parallel"
    r"|j\S*|upgrade|editable|if-present|collect\S*|show-diff-on-failure|print-errorlogs|output-on-failure|no-cache-dir"
    r"|ignore-scripts|include|cache|all-files|no-daemon|continue|verify|build"
    r"|no-restore|DskipTests|all|)(?:=\S+)?"
)
_WITH_VALUE = frozenset(
    """-C -p -j --test-dir --verbosity --logger --results-directory --jobs --retry --parallel --junitfile
    --log-junit --junit-xml --junitxml --basetemp""".split()
)
_WITH_VALUE_OF = {"cmake": frozenset({"-B", "-S"})}
# The value says how, not on what; that the flag is there does count.
_CHOICES = {"dotnet test": frozenset({"--configuration", "-c"})}
# Both bring what the lock names; one of them refuses when it is out of date.
_INSTALLS_TOO = frozenset({"pipenv", "pdm", "poetry"})
_ALIASES = {
    "py.test": "pytest", "pip3": "pip", "mvnw": "mvn", "gradlew": "gradle", "gotestsum": "go test", "pipx": "pip",
    "gofmt": "go fmt",
}  # fmt: skip
_NAMED_ALONE = {
    "uv",
    "pre-commit",
    "golangci-lint",
    "shellcheck",
    "gem build",
    "helm lint",
    "helm package",
    "docker build",
}
_WITH_VERBS = frozenset("go cargo pip dotnet mix terraform composer bundle docker helm lein meson gem".split())
_NO_TARGET = re.compile(
    r"tox-gh(?:-actions)?|setuptools|wheel|pip|hatch-vcs|coveralls|codecov|\.+|-+|\./\.\.\.|all|run|clean|py(?:thon)?"
    r"|v?\d[\d.]*\+?|\+.*|\$.*|x86|tests?-"
)
_VERSION = re.compile(r"(?<=py)3?\.?\d{1,2}\b|(?<=[-=y])3\.\d+\b|==[\w.*]+|(?<=\w)@[\d.]+$")
_STEPS = frozenset("cd mkdir export set echo corepack chmod true if then fi exit".split())
_SCRIPT_RUNNERS = frozenset({"npm", "yarn", "pnpm", "bun"})


class Leaf(Struct, frozen=True):
    """A command stripped of its runner, of flags that only change the report, and of versions."""

    tool: str
    targets: frozenset[str]
    flags: frozenset[str]


def likeness(one: str, other: str) -> float:
    """Return 1 for the same command, 0.8 for the same tool and targets, 0.5 for the same tool, else 0."""
    left, right = leaf(one), leaf(other)
    if not left.tool or not right.tool:
        return 0.0
    if _names_only_the_tool(left, right) or _names_only_the_tool(right, left):
        return 1.0
    if left.tool != right.tool:
        return 0.0
    if not (_covers(left.targets, right.targets) or _covers(right.targets, left.targets)):
        return 0.5
    return 1.0 if left.flags == right.flags else 0.8


def _covers(one: frozenset[str], other: frozenset[str]) -> bool:
    """Say whether the targets are the same, or patterns of files that match each of the other's and are all used."""
    globs = {target for target in one if "*" in target}
    rest = other - one
    matched = all(any(fnmatchcase(target, each) for each in globs) for target in rest)
    return one - globs <= other and matched and all(any(fnmatchcase(t, each) for t in other) for each in globs)


def best(ways: Sequence[str], others: Iterable[str]) -> float:
    """Return how alike any of the ways to say a command is to the most similar of the others."""
    known = list(others)
    return max((likeness(way, other) for way in ways for other in known), default=0.0)


def leaf(command: str) -> Leaf:
    """Read one simple command; nothing that does any work gives an empty tool."""
    words = _words(_stripped(_asked(command.strip().lstrip("("))))
    if not words or words[0] in _STEPS:
        return Leaf("", frozenset(), frozenset())
    tool, rest = _tool(words)
    with_value = _WITH_VALUE | _WITH_VALUE_OF.get(tool, frozenset())
    taking = with_value | _CHOICES.get(tool, frozenset())
    rest = [word for before, word in zip(["", *rest], rest, strict=False) if before not in taking]
    flags = {word for word in rest if word.startswith("-")}
    targets = {word.rstrip("/") for word in rest if not word.startswith("-")}
    return Leaf(
        tool,
        frozenset(target for target in targets if not _NO_TARGET.fullmatch(target)),
        frozenset(flag for flag in flags if flag not in with_value and not _REPORTING.fullmatch(flag)),
    )


def _asked(command: str) -> str:
    """Return the command that gets its files from a list, or whose output a test looks at; git's list is `.`."""
    command = re.sub(r"^[^|]*\| *xargs (?:-\S+ )*", "", command)
    found = re.match(r'(?:test|\[) -[zn] "?\$\((.*?)\)"?(?: *\])?$', command)
    return re.sub(r"\$\(git ls-files[^()]*\)", ".", found[1]) if found else command


def split(lines: Iterable[str]) -> list[str]:
    """Return the simple commands in shell lines, without those that only prepare."""
    pieces = [_inner(piece.strip()) for line in lines for piece in re.split(r"\n|&&|;|\|\|", line)]
    return [piece for piece in pieces if piece and leaf(piece).tool]


def _inner(piece: str) -> str:
    """Take a subshell's half of a pair of brackets off."""
    piece = piece.removeprefix("(") if piece.count("(") > piece.count(")") else piece
    return (piece.removesuffix(")") if piece.count(")") > piece.count("(") else piece).strip()


def _names_only_the_tool(one: Leaf, other: Leaf) -> bool:
    """A note that says "uv" means whatever uv does; "shellcheck" alone would do nothing, so it means any files."""
    return one.tool in _NAMED_ALONE and not one.flags and not one.targets and other.tool == one.tool


def _stripped(command: str) -> str:
    text, before = f"{' '.join(command.split())} ", ""
    while text != before:
        before, text = text, _RUNNERS.sub("", text, count=1) if _RUNNERS.match(text) else text
    return text.strip()


def _words(text: str) -> list[str]:
    try:
        return shlex.split(_VERSION.sub("", text))
    except ValueError:  # a quote that is not closed: notes are not always shell
        return text.split()


def _tool(words: list[str]) -> tuple[str, list[str]]:
    """The scripts of package.json, and the verbs of go, cargo and others, are tools of their own."""
    name = words[0].removeprefix("./").rpartition("/")[2]
    name, rest = _ALIASES.get(name, name), words[1:]
    if name in _SCRIPT_RUNNERS:
        verb = next((word for word in rest if word != "run" and not word.startswith("-")), "install")
        is_install = verb in {"ci", "install", "i"}
        return ("install", []) if is_install else ("script", [verb])
    if name == "cmake" and "--build" in rest:
        return "make", [word for word in rest[2:] if word.startswith("-")]
    if name in _INSTALLS_TOO and rest[:1] == ["sync"]:
        rest = ["install", *rest[1:]]
    if name in _WITH_VERBS and rest:
        return f"{name} {rest[0]}", rest[1:]
    return name, rest
