"""How a Rust program is served: by the framework that it depends on, at the port that its source names."""

import re

from bot.survey.facts import Facts
from bot.survey.listening import port_in
from bot.survey.parsing import string, table
from bot.survey.tree import Folder

_MAIN = "src/main.rs"
# Each with the port that its guides use.
_SERVERS = {"axum": "3000", "actix-web": "8080", "rocket": "8000", "warp": "3030", "poem": "3000", "tide": "8080"}


def add_deployment(facts: Facts, folder: Folder, cargo: dict[str, object]) -> None:
    """Add what is deployed: a program that depends on a framework for servers."""
    dependencies = table(cargo, "dependencies")
    framework = next((name for name in _SERVERS if name in dependencies), "")
    where = folder.evidence("Cargo.toml", framework)
    facts.add("framework", framework, "it is a dependency", where)
    if not framework or not folder.has(_MAIN):
        return
    name = string(table(cargo, "package").get("name"))
    facts.add("deployable", "yes", f"it is a program on {framework}", where, confidence=0.7)
    if re.fullmatch(r"[\w-]+", name):
        start = f"target/release/{binary(cargo, name)}"
        facts.add("start", start, "the build writes the program there", where, confidence=0.7)
    port, words = port_in(folder.text(_MAIN))
    if port:
        facts.add("port", port, "the program names it", folder.evidence(_MAIN, words, port), confidence=0.8)
    else:
        facts.add("port", _SERVERS[framework], f"it is the usual port of {framework}", where, confidence=0.4)


def binary(cargo: dict[str, object], name: str) -> str:
    """Return the name of a crate's first program, which is that of the crate unless it says otherwise."""
    bins = cargo.get("bin")
    first = bins[0] if isinstance(bins, list) and bins and isinstance(bins[0], dict) else {}
    own = string(first.get("name"))
    return own if re.fullmatch(r"[\w-]+", own) else name
