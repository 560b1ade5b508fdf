"""Rust crates and workspaces."""

import re
from collections.abc import Sequence

from bot.domain import Evidence, Unit
from bot.survey import commands, versions
from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command, OtherCi, all_commands
from bot.survey.other_ci.services import add_services
from bot.survey.parsing import string, table
from bot.survey.rust_serving import add_deployment, binary
from bot.survey.tree import Folder

_NATIVE = {
    "openssl-sys": ("pkg-config", "libssl-dev"),
    "libdbus-sys": ("pkg-config", "libdbus-1-dev"),
    "alsa-sys": ("pkg-config", "libasound2-dev"),
    "libudev-sys": ("pkg-config", "libudev-dev"),
    "pq-sys": ("libpq-dev",),
    "mysqlclient-sys": ("default-libmysqlclient-dev",),
    "prost-build": ("protobuf-compiler",),
    "cmake": ("cmake",),
    "fontconfig-sys": ("pkg-config", "libfontconfig1-dev"),
    "yeslogic-fontconfig-sys": ("pkg-config", "libfontconfig1-dev"),
    "bindgen": ("libclang-dev",),
    "gtk-sys": ("pkg-config", "libgtk-3-dev"),
}
_MAX_TESTS = 3
# Options of a run that tests everything; others pick a part or a variant.
_WHOLE = frozenset(
    """cargo test --workspace --all --all-features --all-targets --locked --verbose -v --release --no-fail-fast --tests
    --no-default-features --no-run --quiet -q --""".split()
)


# Tests with each feature on its own; a power set of features takes hours.
_HACK = _WHOLE | {"hack", "--each-feature", "--no-dev-deps", "--keep-going"}
# What sqlx learned of the database, so that its macros need none; without a word they ask the one that is named.
_QUERIES = r"(?:.*/)?(?:\.sqlx/query-[0-9a-f]+\.json|sqlx-data\.json)"
_NIGHTLY = "rustup toolchain install nightly --profile minimal --component rustfmt"
_HACK_INSTALL = "cargo install cargo-hack@0.6.46 --locked"


def survey_rust(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the Rust unit of a folder with a Cargo.toml: a crate, or a workspace as one unit."""
    cargo = folder.toml("Cargo.toml")
    if not ("package" in cargo or "workspace" in cargo):
        return None
    if _serves_another(folder, cargo):
        return None
    facts = Facts()
    where = folder.evidence("Cargo.toml", "[package]", "[workspace]")
    facts.add("language", "rust", "there is a Cargo.toml", where)
    facts.add("manifest", folder.full("Cargo.toml"), "it declares the crate or the workspace", where)
    version = _add_version(facts, folder, cargo)
    facts.add("package_manager", "cargo", "there is a Cargo.toml", where)
    if folder.has("Cargo.lock"):
        facts.add(
            "lockfile", folder.full("Cargo.lock"), "it pins every crate", Evidence(path=folder.full("Cargo.lock"))
        )
    runs = ci.runs("rust", version, folder.root)
    _add_tests(facts, folder, cargo, runs)
    _add_lint(facts, folder, cargo, runs)
    _add_build(facts, folder, cargo, runs)
    _add_needs(facts, folder)
    add_services(facts, folder, ci)
    add_deployment(facts, folder, cargo)
    return facts.unit(folder.root, "rust")


def _serves_another(folder: Folder, cargo: dict[str, object]) -> bool:
    """Say whether a crate below another language's project is an extension of it, built and tested by that."""
    bindings = {"pyo3", "napi", "neon", "rustler", "magnus", "wasm-bindgen"} & set(table(cargo, "dependencies"))
    parents = [folder.root.rsplit("/", depth)[0] for depth in range(1, folder.root.count("/") + 1)]
    above = [Folder(folder.tree, parent) for parent in (*parents, "")] if folder.root else []
    return bool(bindings) and any(each.first("pyproject.toml", "setup.py", "package.json", "mix.exs") for each in above)


def _add_version(facts: Facts, folder: Folder, cargo: dict[str, object]) -> str:
    """Use stable, unless the toolchain file pins a number: then cargo insists on it."""
    file = folder.first("rust-toolchain.toml", "rust-toolchain")
    text = folder.text(file) if file else ""
    channel = string(table(folder.toml(file), "toolchain").get("channel")) if "[" in text else text.strip()
    least = string(table(cargo, "package").get("rust-version")) or string(
        table(cargo, "workspace", "package").get("rust-version")
    )
    if re.fullmatch(r"1\.\d+(\.\d+)?", channel):
        facts.add("version", channel, f"{file} pins it", folder.evidence(file, channel))
    else:
        # The newest stable release builds everything older crates ask for.
        version = versions.LINES["rust"].default
        why = "the stable toolchain builds what asks for an older one" if least else "it is the stable toolchain"
        facts.add("version", version, why, folder.evidence("Cargo.toml", "rust-version", "edition"), confidence=0.9)
    facts.add(
        "version_floor",
        least if re.fullmatch(r"\d[\d.]*", least) else "",
        "rust-version says so",
        folder.evidence("Cargo.toml", "rust-version"),
    )
    return facts.first("version")


def _is_workspace(cargo: dict[str, object]) -> bool:
    return "workspace" in cargo and ("package" not in cargo or bool(table(cargo, "workspace").get("members")))


def _add_tests(facts: Facts, folder: Folder, cargo: dict[str, object], runs: list[list[Command]]) -> None:
    for run in runs:
        lines = {line: command for command in run if (line := _test_line(command))}
        if all("--no-run" in line for line in lines):
            continue  # that compiles the tests; the job that runs them comes
        for line, command in list(lines.items())[:_MAX_TESTS]:
            facts.add("test", line, "other CI runs it", command.evidence)
        break
    if not facts.first("test"):
        options = [" --workspace"] if _is_workspace(cargo) else []
        options += [" --locked"] if folder.has("Cargo.lock") else []
        where = folder.evidence("Cargo.toml", "[workspace]" if options else "[package]")
        facts.add("test", "cargo test" + "".join(options), "cargo tests every crate", where, confidence=0.9)
    if any(line.startswith("cargo hack ") for line in facts.all("test")):
        facts.add("prepare", _HACK_INSTALL, "the tests are run through it", *facts.named("test")[0].evidence)
    facts.add("test_tool", "cargo-test", "of the test command", folder.evidence("Cargo.toml"))


def _test_line(command: Command) -> str:
    found = commands.core(commands.words(command.line) or [])
    if found[:2] == ["cargo", "hack"] and {"test", "--each-feature"} <= set(found) <= _HACK:
        return command.line
    if command.kind != "test":
        return ""
    if found[:2] == ["cargo", "nextest"]:
        return " ".join(
            [
                "cargo test",
                *[word for word in found[3:] if word in {"--workspace", "--all-features", "--locked", "--all"}],
            ]
        )
    return command.line if found[:2] == ["cargo", "test"] and _without_exceptions(found) <= _WHOLE else ""


def _without_exceptions(found: Sequence[str]) -> set[str]:
    """Return the words of a command but what it leaves out, a crate or a test: the rest is still tested whole."""
    pairs = zip(["", *found], found, strict=False)
    return {word for before, word in pairs if not {"--exclude", "--skip"} & {before, word}}


def _add_lint(facts: Facts, folder: Folder, cargo: dict[str, object], runs: list[list[Command]]) -> None:
    """Add the formatter and clippy where CI runs them or the repository configures them."""
    every = all_commands(runs)
    fmt = next((each for each in every if re.match(r"cargo (?:\+nightly )?fmt\b.*--check", each.line)), None)
    config = folder.first("rustfmt.toml", ".rustfmt.toml")
    default = "" if every else "it comes with Rust, and nothing says otherwise"
    if fmt or config or default:
        where = fmt.evidence if fmt else folder.evidence(config or "Cargo.toml", "[package]", "[workspace]")
        facts.add(
            "lint",
            fmt.line if fmt else "cargo fmt --all -- --check",
            "other CI runs it" if fmt else "it is configured" if config else default,
            where,
            confidence=1.0 if fmt else 0.6,
        )
        facts.add("lint_tool", "rustfmt", "of the lint command", where)
    clippy = next((each for each in every if re.match(r"cargo clippy\b", each.line)), None)
    config = folder.first("clippy.toml", ".clippy.toml")
    configured = config or table(cargo, "lints", "clippy") or table(cargo, "workspace", "lints", "clippy")
    if clippy or configured or default:
        where = clippy.evidence if clippy else folder.evidence(config or "Cargo.toml", "clippy", "[package]")
        facts.add(
            "lint",
            clippy.line if clippy else f"cargo clippy{' --workspace' if _is_workspace(cargo) else ''} --all-targets",
            "other CI runs it" if clippy else "it is configured" if configured else default,
            where,
            confidence=0.9 if clippy else 0.6,
        )
        facts.add("lint_tool", "clippy", "of the lint command", where)
    if facts.first("lint"):
        where = folder.evidence("Cargo.toml", "[package]", "[workspace]")
        if not (fmt or clippy or configured or folder.first("rustfmt.toml", ".rustfmt.toml")):
            facts.add("lint_advisory", "yes", "nothing says that the sources keep to them", where, confidence=0.6)
        facts.add("lint_install", "rustup component add clippy rustfmt", "the image holds the compiler alone", where)
    if fmt and "+nightly" in fmt.line:
        facts.add("lint_install", _NIGHTLY, "options of rustfmt that no release knows yet are set", fmt.evidence)


def _add_build(facts: Facts, folder: Folder, cargo: dict[str, object], runs: list[list[Command]]) -> None:
    """Build as other CI does; else a program as it is shipped, and a library as it is developed."""
    name = string(table(cargo, "package").get("name"))
    is_binary = folder.has("src/main.rs") or bool(cargo.get("bin"))
    built = next((each for each in all_commands(runs) if _is_whole_build(each)), None)
    options = " --release" if is_binary else ""
    options += " --workspace" if _is_workspace(cargo) else ""
    options += " --locked" if folder.has("Cargo.lock") else ""
    line = built.line if built else f"cargo build{options}"
    where = built.evidence if built else folder.evidence("Cargo.toml", "[[bin]]", "[package]", "[workspace]")
    facts.add("build", line, "other CI runs it" if built else "cargo builds every crate", where, confidence=0.9)
    if is_binary and re.fullmatch(r"[\w-]+", name):
        kind = "release" if "--release" in line else "debug"
        path = f"target/{kind}/{binary(cargo, name)}"
        facts.add("artifact", path, "the build writes the program there", where, confidence=0.8)


def _is_whole_build(command: Command) -> bool:
    found = command.line.split()
    return found[:2] == ["cargo", "build"] and set(found[2:]) <= _WHOLE


def _add_needs(facts: Facts, folder: Folder) -> None:
    for path in folder.under(_QUERIES)[:1]:
        facts.add("checked_queries", "yes", "sqlx keeps what it knows of the database there", folder.evidence(path))
    lock = folder.text("Cargo.lock")
    for crate, packages in _NATIVE.items():
        if f'name = "{crate}"\n' in lock and not (crate == "openssl-sys" and 'name = "openssl-src"\n' in lock):
            for package in packages:
                facts.add(
                    "system_package", package, f"{crate} needs it", folder.evidence("Cargo.lock", f'name = "{crate}"')
                )
