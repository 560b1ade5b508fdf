"""Dockerfiles: the facts they add to a unit, and repositories that hold nothing else."""

import re
from collections.abc import Iterator, Sequence

from bot.domain import Evidence, Unit
from bot.survey.facts import Facts
from bot.survey.tree import Folder

_FROM = re.compile(r"^[ \t]*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)


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
    port = re.search(r"^[ \t]*EXPOSE\s+(\d{2,5})", folder.text(name), re.MULTILINE | re.IGNORECASE)
    if port:
        facts.add("port", port.group(1), "the Dockerfile exposes it", folder.evidence(name, port.group(0).strip()))


def add_what_it_lacks(facts: Facts, folder: Folder, name: str, artifacts: Sequence[str]) -> None:
    """Add image_lacks where a Dockerfile copies what neither the repository holds nor a job of ours makes.

    GoReleaser and the like put programs beside a Dockerfile before they build it; a build from the checkout fails.
    """
    made = {each.removeprefix("./").split("/")[0] for each in artifacts}
    tops = {path.split("/")[0] for path in folder.under(r".*")}
    for written, source in _copied(folder.text(name)):
        top = source.split("/")[0]
        if top in made | tops or any(char in top for char in "*?[$"):
            continue
        path = folder.full(name)
        facts.add("image_lacks", source, "the Dockerfile copies it", folder.evidence(name, written))
        folder.tree.problems[f"{path} copies"] = (
            f"`{path}` copies `{source}`, which is not in the repository: something else puts it there first. "
            "So no job builds the image."
        )
        return


def _copied(text: str) -> Iterator[tuple[str, str]]:
    """Return what a Dockerfile copies from the checkout, each with its line; not what comes from stages and the web."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        found = re.match(r"\s*(?:COPY|ADD)\s+((?:--\S+\s+)*)(.*)", line, re.IGNORECASE)
        if found is None or "--from" in found.group(1) or "<<" in line:
            continue
        words = [word for word in re.split(r'[\s",\[\]]+', found.group(2)) if word]
        plain = [word.removeprefix("./").strip("/") for word in words[:-1] if "://" not in word]
        yield from ((line.strip(), word) for word in plain if word not in {"", "."} and not word.startswith("git@"))


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
        found = re.search(
            rf"^[ \t]*FROM\s+(?:--\S+\s+)*(?:\S+/)?(?:{image}):(\d[\d.]*)", folder.text(name), re.M | re.I
        )
        if found:
            return found.group(1), folder.evidence(name, found.group(0).strip())
    return "", Evidence(path="")
