"""Hooks of pre-commit that bring nothing along, but call what is installed already."""

from collections.abc import Iterator

from bot.survey import commands
from bot.survey.parsing import string, strings, table
from bot.survey.tree import Folder

# What no image of Python has, nor can a requirement bring it.
_FOREIGN = frozenset(
    """npm npx pnpm yarn bun bunx node deno cargo rustfmt go gofmt docker terraform tflint helm mvn gradle dotnet bundle
    php composer swift""".split()
)
_MANAGERS = frozenset("uv poetry pdm pipenv hatch".split())


def skipping(folder: Folder) -> str:
    """Return the assignment that keeps pre-commit from hooks whose programs are not there, or nothing."""
    names = [name for name, words in _called(folder) if words[0] in _FOREIGN]
    return f"SKIP={','.join(names)} " if names else ""


def call_the_project(folder: Folder) -> bool:
    """Say whether a hook calls a tool that is installed with the project."""
    return any(
        words[0] in _MANAGERS or words[0].startswith("python") or commands.kind(" ".join(words)) in {"lint", "test"}
        for _, words in _called(folder)
        if words[0] not in _FOREIGN
    )


def _called(folder: Folder) -> Iterator[tuple[str, list[str]]]:
    """Yield the id and the words of every such hook that runs when all files are checked."""
    repositories = folder.yaml(".pre-commit-config.yaml").get("repos")
    for entry in repositories if isinstance(repositories, list) else []:
        hooks = table(entry).get("hooks") if string(table(entry).get("repo")) == "local" else []
        for hook in hooks if isinstance(hooks, list) else []:
            given = table(hook)
            words, stages = string(given.get("entry")).split(), strings(given.get("stages"))
            is_called = string(given.get("language")) in {"system", "unsupported"}
            if words and is_called and (not stages or {"commit", "pre-commit"} & set(stages)):
                yield string(given.get("id")), words
