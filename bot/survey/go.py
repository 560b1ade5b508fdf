"""Go modules."""

import re
from collections.abc import Sequence

from bot.domain import Evidence, Unit
from bot.survey import commands, versions
from bot.survey.facts import Facts
from bot.survey.golangci import CONFIGS, add_golangci
from bot.survey.makefile import NAMES, recipes, runs_program, unfolded
from bot.survey.other_ci.model import Command, OtherCi, all_commands
from bot.survey.other_ci.services import add_services
from bot.survey.tree import Folder

_ALIASES = {"stable": "1.27", "oldstable": "1.26", "^1": "1.27", "1.x": "1.27", "1": "1.27", "latest": "1.27"}
_PLUGIN_FREE = re.compile(r"-coverprofile[= ]\$\S+|\s-json\b")
_GO_LINTERS = frozenset(
    {"staticcheck", "revive", "errcheck", "govulncheck", "nilaway", "gosec", "golint", "ineffassign"}
)
# What a recipe may do that a job in a plain image cannot.
_OUTSIDE = re.compile(
    r"\b(docker|podman|curl|wget|sudo|brew|kubectl|minikube|npm|yarn|xargs)\b|golangci|staticcheck"
    r"|golint|go install|go get"
)

# Programs that recipes call by their bare names, though no image of Go has them.
_LACKING = re.compile(
    r"(?m)^[@ -]*(?:\w+=\S+ )*(?:golint|gotestsum|staticcheck|goimports|golangci-lint|mockgen|ginkgo|richgo|gocyclo)\b"
)


def survey_go(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the Go unit of a folder with a go.mod."""
    if not folder.has("go.mod") or _is_theme(folder):
        return None
    facts = Facts()
    module = folder.evidence("go.mod", "module ")
    facts.add("language", "go", "there is a go.mod", module)
    facts.add("manifest", folder.full("go.mod"), "it declares the module", module)
    version = _add_version(facts, folder, ci)
    facts.add("package_manager", "go", "there is a go.mod", module)
    if folder.has("go.sum"):
        facts.add("lockfile", folder.full("go.sum"), "it holds the checksums", Evidence(path=folder.full("go.sum")))
        facts.add("install", "go mod download", "the modules are fetched once", module)
    runs = ci.runs("go", version, folder.root)
    _add_tests(facts, folder, runs)
    _add_lint(facts, folder, ci, runs)
    facts.add("build", _build(folder, runs), "what the tests do not prove: it builds", module, confidence=0.9)
    _add_needs(facts, folder)
    add_services(facts, folder, ci)
    _add_deployment(facts, folder)
    return facts.unit(folder.root, "go")


def _is_theme(folder: Folder) -> bool:
    """Say whether the module holds no Go at all: themes and parts of Hugo's sites are modules too."""
    return bool(folder.under(r"(?:layouts|content)/.*|theme\.toml")) and not folder.under(r".*\.go")


def _add_version(facts: Facts, folder: Folder, ci: OtherCi) -> str:
    text = folder.text("go.mod")
    declared: list[str] = re.findall(r"^(?:go\s+|toolchain\s+go)(\d+(?:\.\d+)+)", text, re.MULTILINE)
    least = max(declared, key=versions.number, default="")
    seen = [(_ALIASES.get(version, version), where) for version, where in ci.versions("go")]
    spec = f">={least}" if least else ""
    exact = _in_file(folder)
    version = versions.choose("go", spec=spec, matrix=[found for found, _ in seen], exact=exact)
    evidence = [folder.evidence("go.mod", f"go {least}", "module ")] if least else []
    evidence += [where for found, where in seen if versions.short("go", found) == version][:1]
    why = (
        f"Go keeps old code running, and go.mod asks for {least} or newer"
        if least
        else "go.mod names no version, so it is the default"
    )
    facts.add("version", version, why, *evidence, confidence=1.0 if len(evidence) > 1 else 0.9 if evidence else 0.5)
    facts.add("version_floor", least, "go.mod says so", folder.evidence("go.mod", f"go {least}"))
    return version


def _in_file(folder: Folder) -> str:
    """Return the version that .go-version, asdf or mise names."""
    text = "\n".join(folder.text(name) for name in (".tool-versions", "mise.toml", ".mise.toml"))
    found = re.search(r"^(?:golang|go)\s*=?\s*\"?(\d[\d.]*)", text, re.MULTILINE)
    return folder.text(".go-version").strip() or (found.group(1) if found else "")


def _add_tests(facts: Facts, folder: Folder, runs: list[list[Command]]) -> None:
    is_plain = any(re.search(r"\bmake test\b(?![-.])", command.raw) for command in all_commands(runs))
    for run in runs:
        lines = {line: command for command in run if (line := _test_line(command, folder))}
        if is_plain and all(line.startswith("make ") and line != "make test" for line in lines):
            continue  # a variant of the tests, or their measuring, stands in a job of its own
        for line, command in list(lines.items())[:3]:
            facts.add("test", line, "other CI runs it", command.evidence)
        if lines:
            break
    if is_plain and not facts.first("test") and runs_program(folder, ["test"], r"\bgo test\b|gotestsum"):
        said = next(command for command in all_commands(runs) if re.search(r"\bmake test\b", command.raw))
        facts.add("test", _made("make test", ["test"], folder), "other CI runs it", said.evidence)
    if not facts.first("test"):
        _add_make_test(facts, folder)
    if not facts.first("test") and folder.under(r".*_test\.go"):
        first = folder.under(r".*_test\.go")[0]
        facts.add("test", "go test ./...", "there are test files", Evidence(path=folder.full(first)), confidence=0.9)
    if facts.first("test"):
        tool = "make" if facts.first("test").startswith("make") else "go-test"
        facts.add("test_tool", tool, "of the test command", folder.evidence("go.mod", "module "))


def _add_make_test(facts: Facts, folder: Folder) -> None:
    """Test as the Makefile does: by its own line where that is plain, so that results can be read, else by make."""
    known = recipes(folder)
    target = next((name for name in ("test", "tests", "unit-test", "test-unit") if name in known), "")
    if not target or not _is_plain_go(unfolded(folder, target)):
        return
    where = folder.evidence(folder.first(*NAMES), f"{target}:")
    lines = [line.lstrip("@- ") for line in known[target].split("\n")[1:] if line.strip()]
    plain = [line for line in lines if commands.kind(line) == "test" and line.startswith("go test")]
    if plain == lines and not known[target].split("\n")[0].strip():
        for line in plain:
            facts.add("test", line, f"`make {target}` runs it", where, confidence=0.9)
    else:
        facts.add("test", f"make {target}", "the Makefile tests it so", where, confidence=0.9)


def _is_plain_go(recipe: str) -> bool:
    """Say whether a recipe does nothing but call Go, its tests among it."""
    lines = [line.lstrip("@- ") for line in recipe.splitlines() if not re.fullmatch(r"[\w./ -]*", line.lstrip("@- "))]
    if _OUTSIDE.search(recipe) or "go test" not in recipe:
        return False
    return all(re.match(r"go (test|vet|build|fmt) |gofmt |echo ", line) for line in lines)


def _test_line(command: Command, folder: Folder) -> str:
    """Return a test command: `go test` as it is, gotestsum unwrapped, make when its target calls `go test`."""
    if command.kind != "test":
        return _test_from_raw(command.raw)
    found = commands.core(commands.words(command.line) or [])
    if found[:2] == ["go", "test"]:
        return "" if "-run" in found or "-bench" in " ".join(found) or "-fuzz" in " ".join(found) else command.line
    if found[:1] == ["gotestsum"]:
        rest = found[found.index("--") + 1 :] if "--" in found else []
        return " ".join(["go test", *rest]) if rest else "go test ./..."
    if found[:1] == ["make"] and runs_program(folder, found[1:], r"\bgo test\b|gotestsum"):
        return _made(command.line, found[1:], folder)
    return ""


def _made(line: str, targets: Sequence[str], folder: Folder) -> str:
    """Return a call of make, or the tests of its recipe alone where that calls what nothing installs."""
    recipe = "".join(unfolded(folder, target) for target in targets)
    if not _LACKING.search(recipe) or re.search(r"\bgo (?:install|get)\b|\bcurl\b", recipe):
        return line
    plain = [each.lstrip("@- ") for each in recipe.splitlines()]
    tests = [each for each in plain if each.startswith("go test") and commands.kind(each) == "test"]
    return next(iter(tests), "go test ./...")


def _test_from_raw(raw: str) -> str:
    """Understand a `go test` whose only shell parts are output redirections or package lists."""
    behind = re.match(r"(?:\S+/)?gotestsum\b.*? -- (.+)", raw)
    if behind and commands.kind(f"go test {behind.group(1)}") == "test":
        return f"go test {behind.group(1)}"
    plain = re.match(r"(go test(?: -[a-z]+(?:=[\w.]+)?)*) .*\./\.\.\.", raw)
    if plain is None or "${{" in plain.group(1):
        return "go test ./..." if re.match(r"(\S+/)?gotestsum\b", raw) else ""
    return f"{plain.group(1)} ./..."


def _add_lint(facts: Facts, folder: Folder, ci: OtherCi, runs: list[list[Command]]) -> None:
    every = all_commands(runs)
    config = folder.first(*CONFIGS)
    linter = next((command for command in every if "golangci-lint" in command.raw), None)
    if config or linter:
        add_golangci(facts, folder, ci, linter)
    for command in every:
        line, tool = _linter_run_by_go(command)
        facts.add("lint", line, "other CI runs it", command.evidence)
        facts.add("lint_tool", tool, "of the lint command", command.evidence)
    formatter = next((command for command in every if re.search(r"\bgofmt\b|\bgo fmt\b", command.raw)), None)
    vet = next((command for command in every if command.line.startswith("go vet")), None)
    if vet:
        facts.add("lint", vet.line, "other CI runs it", vet.evidence)
        facts.add("lint_tool", "govet", "of the lint command", vet.evidence)
    if formatter and _is_older_format(ci):
        where = formatter.evidence
        folder.tree.problems[f"{where.path} gofmt"] = (
            f"`{where.path}` checks the format with a Go before 1.19, which writes comments another way, so that check "
            "was left out: run `gofmt -w .` once and add it again."
        )
    elif formatter:
        line = "test -z \"$(gofmt -l $(git ls-files '*.go' ':!vendor/'))\""
        facts.add("lint", line, "other CI checks the format", formatter.evidence, confidence=0.8)
        facts.add("lint_tool", "gofmt", "of the lint command", formatter.evidence)


def _linter_run_by_go(command: Command) -> tuple[str, str]:
    """Return a linter that Go itself compiles and starts, and its name; what rewrites files checks nothing."""
    found = re.fullmatch(
        r"go (?:run (?:[\w.-]+/)+|tool (?:[\w.-]+/)*)([a-z][\w-]*)(?:@\S+)?( .*)?", command.raw.strip()
    )
    name = found.group(1) if found else ""
    plain = found is not None and name in _GO_LINTERS and not re.search(r"[$`|<>;]", command.raw)
    return (command.raw.strip(), name) if plain else ("", "")


def _is_older_format(ci: OtherCi) -> bool:
    """Say whether every Go that other CI names formats otherwise than those still supported."""
    named = [versions.number(version) for version in ci.matrix("go") if versions.number(version)]
    return bool(named) and max(named) < (1, 19)


def _build(folder: Folder, runs: list[list[Command]]) -> str:
    for command in all_commands(runs):
        if command.line.startswith("go build") and " -o " not in command.line:
            return command.line
    recipe = unfolded(folder, "build")
    if re.search(r"\bgo build\b", recipe) and not _OUTSIDE.search(recipe):
        return "make build"
    # The tests compile every package; what is left to prove is that the programs link.
    has_programs = bool(folder.under(r"cmd/(?:[\w-]+/)?[\w-]+\.go")) and not folder.has("main.go")
    return "go build ./cmd/..." if has_programs else "go build ./..."


def _add_needs(facts: Facts, folder: Folder) -> None:
    if "mattn/go-sqlite3" in folder.text("go.mod"):
        where = folder.evidence("go.mod", "mattn/go-sqlite3")
        facts.add("system_package", "gcc", "go-sqlite3 is compiled from C", where)
        facts.add("system_package", "libc6-dev", "go-sqlite3 is compiled from C", where)
    if facts.first("test").startswith("make") or facts.first("build").startswith("make"):
        facts.add("system_package", "make", "the tests are run through make", folder.evidence("Makefile"))


def _add_deployment(facts: Facts, folder: Folder) -> None:
    """A main package that listens on a port is a service; a command-line tool or a library is not deployed."""
    mains = [path for path in ("main.go", *folder.under(r"cmd/[\w-]+/main\.go")) if folder.has(path)]
    for path in mains:
        listens, port = _listens(folder.text(path))
        if listens:
            where = folder.evidence(path, listens)
            package = "." if path == "main.go" else f"./{path.rpartition('/')[0]}"
            facts.add("deployable", "yes", "its main package listens on a port", where, confidence=0.8)
            facts.add("start", f"go run {package}", "it starts the service", where, confidence=0.8)
            sure = 1.0 if port else 0.6
            facts.add(
                "port",
                port or "8080",
                "the code listens there" if port else "it is the usual one",
                where,
                confidence=sure,
            )
            return


def _listens(text: str) -> tuple[str, str]:
    """Return the call that serves, and its port where that is written down; nothing for what only calls others."""
    literal = re.search(r"(?:ListenAndServe(?:TLS)?|\.(?:Run|Start|Listen))\(\s*\"[\w.]*:(\d+)\"", text)
    if literal:
        return literal.group(0), literal.group(1)
    framework = re.search(r"\b(?:gin|echo|fiber|iris)\.(?:Default|New)\(", text)
    call = re.search(r"\.(?:Run|Start|Listen)\(" if framework else r"ListenAndServe(?:TLS)?\(", text)
    fallback = re.search(r"\bport\s*:?=\s*\":?(\d{2,5})\"|Addr:\s*\"[\w.]*:(\d+)\"", text, re.IGNORECASE)
    port = next((group for group in fallback.groups() if group), "") if fallback else ""
    return (call.group(0), port) if call else ("", "")
