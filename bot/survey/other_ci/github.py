"""GitHub Actions: workflows that run on a push or a pull request, one level of local actions and workflows deep."""

import itertools
import re
from collections.abc import Iterator

from bot.domain import Evidence
from bot.survey.other_ci.model import Job, Row, Step, resolve
from bot.survey.other_ci.packages import apt_packages
from bot.survey.other_ci.scripts import setting
from bot.survey.other_ci.started import started, started_settings
from bot.survey.parsing import read_yaml, string, strings, table
from bot.survey.tree import Tree, find

MAX_ROWS = 100
_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
_WRONG_WORKFLOW = re.compile(
    r"release|publish|deploy|codeql|scorecard|stale|label|dependabot|dependency|renovate|docs?\b|pages|benchmark"
    r"|fuzz|nightly|scheduled|wheels|cifuzz|spell|audit|triage|greet|semgrep|snyk|backport|downstream|update"
    r"|chatops|commitlint|committed|codspeed|jsr|windows|macos|emscripten|pyodide|wasm|android|cygwin|msys"
    # As whole words or their beginnings: an async client, a block cipher, hmac and aiosql are tested.
    r"|(?<![a-z])(?:sync|lock|cla\b|mac\.|ios(?![a-z]))|auto-?fix|auto-?format"
)
# Files and jobs that run the tests as everybody does, and those that run them in some other way.
_MAIN = re.compile(r"(?<![a-z])(tests?|unit|ci|main|build|package|pythonpackage|node|go|rust|check)(?![a-z])")
_ASIDE = re.compile(
    r"(?<![a-z])(old|oldest|min|mins|minimum|minimums|minimal|lowest|legacy|integration|e2e|acceptance|smoke|coverage|cov"
    r"|actions?|conda|dev|devdeps|upstream|nightly|bench|perf|docs?|lint|linter|linting|style|compat|downgrade)(?![a-z])"
)
_SETUP = {
    "actions/setup-python": ("python", "python-version"),
    "actions/setup-node": ("node", "node-version"),
    "actions/setup-go": ("go", "go-version"),
    "actions/setup-java": ("java", "java-version"),
    "pdm-project/setup-pdm": ("python", "python-version"),
    "astral-sh/setup-uv": ("python", "python-version"),
    "dtolnay/rust-toolchain": ("rust", "toolchain"),
    "actions-rs/toolchain": ("rust", "toolchain"),
    "actions-rust-lang/setup-rust-toolchain": ("rust", "toolchain"),
    "pnpm/action-setup": ("pnpm", "version"),
    "oven-sh/setup-bun": ("bun", "bun-version"),
    "golangci/golangci-lint-action": ("golangci-lint", "version"),
    "pnpm/setup": ("pnpm", "version"),
    "shivammathur/setup-php": ("php", "php-version"),
    "ruby/setup-ruby": ("ruby", "ruby-version"),
    "actions/setup-dotnet": ("dotnet", "dotnet-version"),
    "erlef/setup-beam": ("elixir", "elixir-version"),
    "haskell-actions/setup": ("haskell", "ghc-version"),
    "julia-actions/setup-julia": ("julia", "version"),
    "denoland/setup-deno": ("deno", "deno-version"),
    "hashicorp/setup-terraform": ("terraform", "terraform_version"),
    "gradle/actions/setup-gradle": ("gradle", "gradle-version"),
}
# Actions that stand for a command.
_ACTION_COMMANDS = {
    "pre-commit/action": "pre-commit run --all-files",
    "golangci/golangci-lint-action": "golangci-lint run",
    "psf/black": "black --check .",
    "astral-sh/ruff-action": "ruff check",
    "chartboost/ruff-action": "ruff check",
    "actions-rs/cargo": "cargo {command} {args}",
}
_REUSABLE_COMMANDS = (
    (re.compile(r"/tox\.ya?ml@"), "tox"),
    (re.compile(r"/pre-commit\.ya?ml@"), "pre-commit run --all-files"),
)


def read_github(tree: Tree) -> Iterator[Job]:
    """Return the jobs of every workflow that checks changes: those that test plainly before variants of the tests."""
    yield from sorted(
        _every_job(tree), key=lambda job: (_rank(job.path.rpartition("/")[2]), job.path, _is_aside(job.name))
    )


def _rank(file: str) -> int:
    """Return 0 for a workflow named after the tests, 2 for one named after something beside them."""
    name = file.lower()
    return 2 if _ASIDE.search(name) else 0 if _MAIN.search(name) else 1


def _is_aside(job: str) -> bool:
    name = job.lower()
    return _ASIDE.search(name) is not None and not re.search(r"(?<![a-z])tests?$", name)


def _every_job(tree: Tree) -> Iterator[Job]:
    for path in sorted(tree.snapshot.texts):
        if not _WORKFLOW.fullmatch(path) or _WRONG_WORKFLOW.search(path.rpartition("/")[2].lower()):
            continue
        workflow = tree.parsed(path, read_yaml, "YAML")
        if _checks_changes(workflow.get("on")):
            yield from _jobs(tree, path, workflow)


def _checks_changes(triggers: object) -> bool:
    names = strings(triggers) or list(table(triggers))
    if "workflow_call" in names and "release" not in names:
        return True
    push = table(triggers, "push")
    if "push" in names and push and "tags" in push and "branches" not in push:
        return "pull_request" in names
    return bool({"push", "pull_request", "merge_group", "pull_request_target"} & set(names))


def _jobs(tree: Tree, path: str, workflow: dict[str, object]) -> Iterator[Job]:
    text = tree.text(path)
    common = _variables(workflow.get("env"))
    folder = string(table(workflow, "defaults", "run").get("working-directory"))
    for name, body in table(workflow, "jobs").items():
        if not isinstance(body, dict) or re.search(r"release|publish|deploy|\bdocs?\b", name.lower()):
            continue
        rows = tuple(row for row in _rows(table(body, "strategy", "matrix")) if _on_linux(body, row))[:MAX_ROWS]
        if not rows or _needs_an_event(string(body.get("if"))):
            continue
        if _needs_artifacts(body):
            continue
        place = _Place(tree, path, text, string(table(body, "defaults", "run").get("working-directory")) or folder)
        yield place.job(name, body, rows, common)


def _needs_an_event(condition: str) -> bool:
    """Say whether a job only runs for releases, tags, schedules or one branch."""
    return (
        re.search(r"refs/|github\.event_name == '(release|schedule|push)'|github\.repository|secrets\.", condition)
        is not None
    )


def _needs_artifacts(body: dict[str, object]) -> bool:
    """Say whether a job works on what an earlier job built: its commands mean little without that."""
    steps = body.get("steps")
    return any(
        string(table(step).get("uses")).startswith("actions/download-artifact")
        for step in (steps if isinstance(steps, list) else [])
    )


def _rows(matrix: dict[str, object]) -> list[Row]:
    """Expand a matrix as GitHub does: the product, then `include` extends rows or adds one."""
    keys = {
        key: values for key, value in matrix.items() if key not in {"include", "exclude"} and (values := _values(value))
    }
    product = itertools.islice(itertools.product(*keys.values()), MAX_ROWS)
    rows: list[dict[str, str]] = [
        {name: item for key, value in zip(keys, combination, strict=True) for name, item in _named(key, value).items()}
        for combination in product
    ]
    rows = rows if keys else []
    rows = [row for row in rows if not any(_matches(row, each) for each in _entries(matrix.get("exclude")))]
    base = list(rows)
    for extra in _entries(matrix.get("include")):
        shared = [key for key in extra if key.partition(".")[0] in keys]
        fitting = [row for row in base if all(row.get(key, extra[key]) == extra[key] for key in shared)]
        if base and fitting and (shared or not keys):
            for row in fitting:
                row.update({key: value for key, value in extra.items() if key not in shared})
        elif base and not shared:
            for row in base:
                row.update(extra)
        else:
            rows.append(extra)
    return _filled(rows) or [{}]


def _filled(rows: list[dict[str, str]]) -> list[Row]:
    """Give every row all keys: to GitHub, what a row does not set is an empty text."""
    known = dict.fromkeys(key for row in rows for key in row)
    return [{key: row.get(key, "") for key in known} for row in rows]


def _values(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _named(key: str, value: object) -> dict[str, str]:
    if isinstance(value, dict):
        return {f"{key}.{name}": string(item) for name, item in value.items()}
    return {key: string(value)}


def _entries(value: object) -> list[dict[str, str]]:
    items = value if isinstance(value, list) else []
    return [
        {name: text for key, item in entry.items() for name, text in _named(key, item).items()}
        for entry in items
        if isinstance(entry, dict)
    ]


def _matches(row: Row, entry: dict[str, str]) -> bool:
    return bool(entry) and all(row.get(key) == value for key, value in entry.items())


def _on_linux(body: dict[str, object], row: Row) -> bool:
    if row.get("experimental") == "true":
        return False
    runs_on = body.get("runs-on")
    systems = [resolve(text, row).lower() for text in strings(runs_on)]
    return not any(re.search(r"windows|macos|mac-|arm64", system) for system in systems)


def _variables(value: object) -> dict[str, str]:
    return {key: string(item) for key, item in table(value).items()}


class _Place:
    """Where the steps of one job stand, so that each can point to its line."""

    def __init__(self, tree: Tree, path: str, text: str, folder: str) -> None:
        self._tree, self._path, self._text, self._folder = tree, path, text, folder
        self._checkout = ""

    def job(self, name: str, body: dict[str, object], rows: tuple[Row, ...], common: dict[str, str]) -> Job:
        steps = list(self._expanded(body.get("steps")))
        scripts, actions = ([string(step.get(key)) for step in steps] for key in ("run", "uses"))
        packages = apt_packages(self._path, self._text, scripts)
        called = string(body.get("uses"))
        self._checkout = next((path for step in steps if (path := _checked_out_to(step))), "")
        return Job(
            path=self._path,
            name=name,
            rows=rows,
            steps=tuple(self._called(called)) + tuple(step for each in steps if (step := self._step(each))),
            versions=tuple(self._versions(steps)) + tuple(self._called_versions(body)),
            services=(*self._services(body, rows[0]), *started(self._path, self._text, scripts, actions)),
            service_settings=(
                *self._service_settings(body, rows[0]),
                *started_settings(self._path, self._text, scripts),
            ),
            variables={**common, **_variables(body.get("env"))},
            packages=packages,
        )

    def _expanded(self, steps: object) -> Iterator[dict[str, object]]:
        """Return the steps, those of a local composite action in place of its call."""
        for step in steps if isinstance(steps, list) else []:
            if not isinstance(step, dict):
                continue
            used = string(step.get("uses"))
            if not used.startswith("./"):
                yield step
                continue
            action = self._tree.parsed(f"{used.removeprefix('./').rstrip('/')}/action.yml", read_yaml, "YAML")
            inner = table(action, "runs").get("steps")
            yield from (each for each in (inner if isinstance(inner, list) else []) if isinstance(each, dict))

    def _step(self, step: dict[str, object]) -> Step | None:
        script = string(step.get("run")) or _action_command(step)
        if not script:
            return None
        return Step(
            script=script,
            folder=_inside(string(step.get("working-directory")) or self._folder, self._checkout),
            condition=string(step.get("if")),
            evidence=find(self._path, self._text, script.splitlines()[0], string(step.get("uses"))),
            variables=_variables(step.get("env")),
        )

    def _called(self, workflow: str) -> Iterator[Step]:
        """Return what a reusable workflow elsewhere is known to run, judged by its name."""
        for pattern, command in _REUSABLE_COMMANDS:
            if pattern.search(workflow):
                yield Step(script=command, evidence=find(self._path, self._text, workflow), folder=self._folder)

    def _called_versions(self, body: dict[str, object]) -> Iterator[tuple[str, str, Evidence]]:
        """Return the versions named by tox environments handed to a reusable workflow: '["py310", "py311"]'."""
        given = " ".join(string(value) for value in table(body, "with").values())
        if not _WRONG_SYSTEM.search(given):
            for major, minor in re.findall(r"\bpy(3)(\d{1,2})\b", given):
                yield "python", f"{major}.{minor}", find(self._path, self._text, f"py{major}{minor}")

    def _versions(self, steps: list[dict[str, object]]) -> Iterator[tuple[str, str, Evidence]]:
        for step in steps:
            action, _, ref = string(step.get("uses")).partition("@")
            if action not in _SETUP or not isinstance(step, dict):
                continue
            language, option = _SETUP[action]
            value = string(table(step, "with").get(option))
            if not value and action == "dtolnay/rust-toolchain":
                value = ref
            value = value or self._in_version_file(string(table(step, "with").get(f"{option}-file")))
            if action == "pnpm/setup":
                runtime = string(table(step, "with").get("runtime"))
                yield "node", runtime.removeprefix("node@"), find(self._path, self._text, runtime)
            for line in value.splitlines():
                yield language, line.strip(), find(self._path, self._text, f"{option}: {line.strip()}", option, action)

    def _in_version_file(self, path: str) -> str:
        """Return the version in a file such as `ci/.java-version`; manifests are read by those who know them."""
        text = self._tree.text(path.removeprefix("./")).strip() if path else ""
        return text if re.fullmatch(r"[\w./*-]{1,30}", text) else ""

    def _services(self, body: dict[str, object], row: Row) -> Iterator[tuple[str, Evidence]]:
        for service in table(body, "services").values():
            written = string(table(service).get("image")) or string(service)
            image = resolve(written, row)
            if image and "$" not in image:
                yield image, find(self._path, self._text, written)

    def _service_settings(self, body: dict[str, object], row: Row) -> Iterator[tuple[str, Evidence]]:
        for service in table(body, "services").values():
            for name, raw in table(service, "env").items():
                yield from setting(self._path, self._text, name, resolve(string(raw), row))


def _action_command(step: dict[str, object]) -> str:
    """Return the command that an action stands for, with what the step gives it in the place of its names."""
    command = _ACTION_COMMANDS.get(string(step.get("uses")).partition("@")[0], "")
    given = table(step, "with")
    return re.sub(r"\{(\w+)\}", lambda name: string(given.get(name.group(1))), command).strip()


def _checked_out_to(step: dict[str, object]) -> str:
    """Return the folder into which a step puts this very repository."""
    given = table(step, "with")
    is_own = string(step.get("uses")).startswith("actions/checkout@") and not given.get("repository")
    return string(given.get("path")).strip("./") if is_own else ""


def _inside(folder: str, checkout: str) -> str:
    """Return a working directory as it is in a checkout that lies at the top."""
    plain = folder.strip().removeprefix("./").rstrip("/")
    return plain.removeprefix(checkout).lstrip("/") if checkout and f"{plain}/".startswith(f"{checkout}/") else folder


_WRONG_SYSTEM = re.compile(r"windows|macos")
