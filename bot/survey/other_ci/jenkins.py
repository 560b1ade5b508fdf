"""Jenkins: the shell steps of a Jenkinsfile, with the folders, images and tools around them."""

import re
from collections.abc import Iterator

from bot.survey.other_ci.images import Versions, image_versions
from bot.survey.other_ci.model import Job, Step
from bot.survey.other_ci.packages import apt_packages
from bot.survey.tree import Tree, find

PATTERN = r"(?:[^/]+/){0,2}Jenkinsfile(?:[.-][\w-]+)?"
COMMENTS = re.compile(r"/\*.*?\*/|(?<![:'\"])//[^\n]*", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<block>stage|dir)\s*\(\s*['"](?P<name>[^'"]+)['"]\s*\)\s*\{"""
    r"""|\bsh\s*\(?\s*(?:script\s*:\s*)?(?P<quote>'{3}|\"{3}|'|\")(?P<script>.+?)(?P=quote)|(?P<open>\{)|(?P<close>\})""",
    re.DOTALL,
)
_TOOL = re.compile(r"""\b(jdk|nodejs|go)\s+['"][^'"\d]*(\d+(?:\.\d+)*)""")
_ENVIRONMENT = re.compile(r"\benvironment\s*\{([^{}]*)\}")
_PAIR = re.compile(r"""^[ \t]*(\w+)\s*=\s*['"]([^'"$]*)['"]\s*$""", re.MULTILINE)


def read_jenkins(tree: Tree, path: str) -> Iterator[Job]:
    """Return one job: the stages of a Jenkinsfile share a workspace. Stages that deploy or release are left out."""
    text = tree.text(path)
    plain = COMMENTS.sub(" ", text)
    steps = tuple(_steps(path, text, plain))
    if not steps:
        return
    yield Job(
        path=path,
        name="Jenkinsfile",
        steps=steps,
        versions=_versions(path, text, plain),
        variables={name: value for block in _ENVIRONMENT.findall(plain) for name, value in _PAIR.findall(block)},
        packages=apt_packages(path, text, [step.script for step in steps]),
    )


def _steps(path: str, text: str, plain: str) -> Iterator[Step]:
    """Walk the braces: `stage` names what follows, `dir` moves it."""
    blocks: list[tuple[str, str]] = []
    for token in _TOKEN.finditer(plain):
        if token["block"]:
            blocks.append((token["block"], token["name"]))
        elif token["open"]:
            blocks.append(("", ""))
        elif token["close"]:
            blocks = blocks[:-1]
        elif not any(kind == "stage" and re.search(r"deploy|release|publish", name, re.I) for kind, name in blocks):
            folder = "/".join(name for kind, name in blocks if kind == "dir")
            yield _step(path, text, token["script"], folder)


def _step(path: str, text: str, script: str, folder: str) -> Step:
    first = script.strip().splitlines()[0] if script.strip() else ""
    return Step(script=script, folder=folder, evidence=find(path, text, first))


def _versions(path: str, text: str, plain: str) -> Versions:
    images = re.findall(r"image\s*:?\s*\(?\s*['\"]([\w./:-]+)['\"]", plain)
    named = {"jdk": "java", "nodejs": "node", "go": "go"}
    tools = [(named[tool], version, find(path, text, tool)) for tool, version in _TOOL.findall(plain)]
    return (*(entry for image in images for entry in image_versions(path, text, image)), *tools)
