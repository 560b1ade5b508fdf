"""Dockerfiles: the facts they add to a unit, and repositories that hold nothing else."""

import re

from bot.domain import Evidence, Unit
from bot.survey.facts import Facts
from bot.survey.tree import Folder

_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)


def survey_docker(folder: Folder) -> Unit | None:
    """Return a unit for a folder that has a Dockerfile."""
    if not folder.has("Dockerfile"):
        return None
    facts = Facts()
    add_dockerfile(facts, folder, "Dockerfile")
    where = Evidence(path=folder.full("Dockerfile"))
    facts.add("build", "docker build .", "the Dockerfile is what there is to build", where, confidence=0.9)
    _add_go(facts, folder)
    return facts.unit(folder.root, "docker")


def _add_go(facts: Facts, folder: Folder) -> None:
    """Say of a Go program whose Dockerfile makes up its go.mod that the image is all that can be built of it."""
    version, where = image_version(folder, "golang")
    programs = [name for name in folder.names(r"[\w-]+\.go") if re.search(r"^package main\b", folder.text(name), re.M)]
    if not programs or not version or folder.has("go.mod"):
        return
    facts.add("language", "go", "its Dockerfile builds it with Go", where)
    facts.add("package_manager", "go", "its Dockerfile builds it with Go", where, confidence=0.7)
    path = folder.full(programs[0])
    folder.tree.problems[f"{path} go.mod"] = (
        f"`{path}` has no go.mod, only its Dockerfile makes one up at each build: run `go mod init` and `go mod tidy` "
        "there and commit both files, then it can be tested and its versions stay the same."
    )


def add_dockerfile(facts: Facts, folder: Folder, name: str) -> None:
    """Add dockerfile, base_image, and the port the image exposes."""
    where = Evidence(path=folder.full(name))
    facts.add("dockerfile", folder.full(name), "it builds the image", where)
    image = base_image(folder.text(name))
    facts.add("base_image", image, "the last stage starts from it", folder.evidence(name, f"FROM {image}", image))
    port = re.search(r"^\s*EXPOSE\s+(\d{2,5})", folder.text(name), re.MULTILINE | re.IGNORECASE)
    if port:
        facts.add("port", port.group(1), "the Dockerfile exposes it", folder.evidence(name, port.group(0).strip()))


def base_image(text: str) -> str:
    """Return the image of the last stage, followed through the names of earlier stages."""
    stages = _FROM.findall(text)
    if not stages:
        return ""
    names = {name.lower(): image for image, name in stages if name}
    image: str = stages[-1][0]
    for _ in stages:
        image = names.get(image.lower(), image)
    return image


def image_version(folder: Folder, image: str) -> tuple[str, Evidence]:
    """Return the version of a language's image that the Dockerfile of a folder starts from, or nothing."""
    for name in ("Dockerfile", "docker/Dockerfile", ".docker/Dockerfile"):
        found = re.search(rf"^\s*FROM\s+(?:--\S+\s+)*(?:\S+/)?(?:{image}):(\d[\d.]*)", folder.text(name), re.M | re.I)
        if found:
            return found.group(1), folder.evidence(name, found.group(0).strip())
    return "", Evidence(path="")
