"""Proposes the edits that mend a failure of the pipeline; None where a person has to."""

import re
from collections.abc import Callable, Mapping

from msgspec import structs

from bot.ci.edit import AddStage, Edit, SetImage, SetNeeds, SetVariable, apply
from bot.domain import CannotError
from bot.failures import images, python, scripts, services
from bot.failures.catalogue import packages
from bot.failures.diagnosis import Diagnosis, Fix
from bot.failures.job_text import JobText
from bot.failures.scene import Scene

MakeFix = Callable[[Diagnosis, Scene], Fix | None]


def propose(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    """Return the fix of a failure, whose edits are known to fit the text; None where there is none."""
    make = _FIXES.get(diagnosis.fix)
    if make is None or diagnosis.nature != "pipeline":
        return None
    if diagnosis.job and not scene.job_of(diagnosis).exists:
        return None  # an included file or a parallel name holds the job
    try:
        fix = make(diagnosis, scene)
        return fix if fix and fix.edits and applied(scene.text, fix) != scene.text else None
    except CannotError:  # the file writes the place in a way that the editor rightly leaves alone
        return None


def applied(text: str, fix: Fix) -> str:
    """Return the pipeline's text after a fix."""
    for edit in fix.edits:
        text = apply(text, edit)
    return text


def _system_package(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    job, known = scene.job_of(diagnosis), packages()
    header, library = diagnosis.details.get("header", ""), _library(diagnosis)
    found = known.headers.get(header) or known.headers.get(header.rpartition("/")[2]) or known.libraries.get(library)
    bare = library.removeprefix("lib").partition(".so")[0]
    found = found or known.libraries.get(bare) or known.libraries.get(f"lib{bare}")
    package = getattr(found, job.distribution, "") if found and job.distribution else ""
    if not package or package in "\n".join(job.commands):
        return None
    return Fix(edits=job.install(package), title=f"Install {package} for {job.name}")


def _library(diagnosis: Diagnosis) -> str:
    names = ("library", "mysql", "linker", "compiler", "other")
    return next((diagnosis.details[name] for name in names if name in diagnosis.details), "")


def _image_version(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    job = scene.job_of(diagnosis)
    image = images.with_version(job.image, diagnosis.language, diagnosis.wanted) if job.image else None
    if image is None:
        return None
    return Fix(edits=(SetImage(job=job.name, image=image),), title=f"Run {job.name} in {image}")


def _image_tag(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    job = scene.job_of(diagnosis)
    named = diagnosis.details.get("image", "")
    if not job.image or (named and named.removeprefix("docker.io/").removeprefix("library/") != job.image):
        return None
    image = images.nearest(job.image)
    return Fix(edits=(SetImage(job=job.name, image=image),), title=f"Run {job.name} in {image}") if image else None


def _set(name: str, value: str, title: str) -> MakeFix:
    def fix(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
        job = scene.job_of(diagnosis)
        if job.variable(name) == value:
            return None
        return Fix(edits=(SetVariable(job=job.name, name=name, value=value),), title=f"{title} {job.name}")

    return fix


def _node_options(option: str, title: str) -> MakeFix:
    def fix(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
        job = scene.job_of(diagnosis)
        before = job.variable("NODE_OPTIONS") or ""
        if option.partition("=")[0] in "\n".join((before, *job.commands)):
            return None
        edit = SetVariable(job=job.name, name="NODE_OPTIONS", value=f"{before} {option}".strip())
        return Fix(edits=(edit,), title=f"{title} {job.name}")

    return fix


def _line(line: str, title: str) -> MakeFix:
    def fix(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
        job = scene.job_of(diagnosis)
        wanted = line.format(**diagnosis.details)
        if wanted in job.commands:
            return None
        return Fix(edits=job.before(diagnosis.command, wanted), title=f"{title} {job.name}")

    return fix


def _executable(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    file = diagnosis.details.get("file", "")
    name = file.removeprefix("./")
    found = [path for path in scene.paths if path == name or path.endswith("/" + name)]
    if scene.paths and not found:
        return None
    if len(found) == 1 and found[0] != name:  # the command itself may be what goes into its folder
        file = f'"$CI_PROJECT_DIR/{found[0]}"'
    named = structs.replace(diagnosis, details={**diagnosis.details, "file": file})
    return _line("chmod +x {file}", f"Let {name} be executed in")(named, scene)


def _submodules(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    if scene.paths and ".gitmodules" not in scene.paths:
        return None
    return _set("GIT_SUBMODULE_STRATEGY", "recursive", "Fetch submodules for")(diagnosis, scene)


def _git_lfs(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    job = scene.job_of(diagnosis)
    if job.variable("GIT_LFS_SKIP_SMUDGE") == "1":
        return _set("GIT_LFS_SKIP_SMUDGE", "0", "Fetch large files for")(diagnosis, scene)
    if not job.distribution or "git-lfs" in "\n".join(job.commands):
        return None
    return Fix(edits=job.install("git-lfs"), title=f"Install git-lfs for {job.name}")


def _apt_update(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    job = scene.job_of(diagnosis)
    if any(re.search(r"\bapt(?:-get)? (?:-\S+ )*update\b", line) for line in job.commands):
        return None
    # What stands in front, such as sudo, is meant for both commands.
    pattern = re.compile(r"(?<![\w-])((?:sudo |-\w+ |\w+=\S+ )*)apt(-get)?(?= (?:-\S+ )*install\b)")
    edits = job.rewritten(lambda line: pattern.sub(r"\1apt\2 update && \g<0>", line, count=1))
    return Fix(edits=edits, title=f"Fetch the lists of packages in {job.name}") if edits else None


def _browsers(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    job = scene.job_of(diagnosis)
    run = "" if "python" in job.image else "npx "
    return _line(f"{run}playwright install --with-deps", "Install the browsers for")(diagnosis, scene)


def _optional_need(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    name, needed = diagnosis.details.get("job", ""), diagnosis.details.get("needed", "")
    job = JobText(scene.text, name)
    needs = job.body.get("needs")
    if not isinstance(needs, list) or not JobText(scene.text, needed).exists:
        return None  # nothing of that name: a typing error, not a rule
    return Fix(edits=(SetNeeds(job=job.name, needs=[_optional(each, needed) for each in needs]),),
               title=f"Let {job.name} run where {needed} does not")  # fmt: skip


def _optional(need: object, needed: str) -> str | Mapping[str, object]:
    if need == needed:
        return {"job": needed, "optional": True}
    if isinstance(need, dict):
        return {**need, "optional": True} if need.get("job") == needed else need
    return str(need)


def _add_stage(diagnosis: Diagnosis, _: Scene) -> Fix | None:
    stage = diagnosis.details.get("stage", "")
    edits: tuple[Edit, ...] = (AddStage(stage=stage),) if stage else ()
    return Fix(edits=edits, title=f"List the stage {stage}") if stage else None


_FIXES: Mapping[str, MakeFix] = {
    "system_package": _system_package,
    "image_version": _image_version,
    "image_tag": _image_tag,
    "python_package": python.add_package,
    "command": scripts.missing_command,
    "similar_script": scripts.similar_script,
    "npm_install": scripts.npm_install,
    "service": services.provide,
    "executable": _executable,
    "git_depth": _set("GIT_DEPTH", "0", "Fetch the whole history for"),
    "submodules": _submodules,
    "git_lfs": _git_lfs,
    "safe_directory": _line('git config --global --add safe.directory "$CI_PROJECT_DIR"', "Trust the checkout in"),
    "break_system_packages": _set("PIP_BREAK_SYSTEM_PACKAGES", "1", "Let pip install in"),
    "utf8": _set("LANG", "C.UTF-8", "Use UTF-8 in"),
    "node_memory": _node_options("--max-old-space-size=4096", "Give Node.js more memory in"),
    "openssl_legacy": _node_options("--openssl-legacy-provider", "Let Node.js use the old hash in"),
    "browsers": _browsers,
    "apt_update": _apt_update,
    "optional_need": _optional_need,
    "add_stage": _add_stage,
}
