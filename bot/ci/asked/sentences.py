"""What an operation did, in a sentence for people; names are code, so that nothing in them is acted upon."""

from collections.abc import Callable, Sequence

from bot.ci.asked.operation import Operation
from bot.ci.asked.when import in_words


def sentence(operation: Operation) -> str:
    """Return what was done, such as "added the job `e2e`, which runs in scheduled pipelines"."""
    return _SENTENCES[operation.operation](operation)


def code(text: str) -> str:
    """Return a text as code that cannot be left."""
    flat = " ".join(text.replace("`", "'").split())
    return f"`{flat if len(flat) <= 80 else flat[:79] + '…'}`"


def _list(texts: Sequence[str]) -> str:
    coded = [code(text) for text in texts]
    return " and ".join([", ".join(coded[:-1]), coded[-1]] if len(coded) > 1 else coded)


def _added_job(one: Operation) -> str:
    parts = [f"added the job {code(one.job)}"]
    if one.like:
        parts.append(f"set up like {code(one.like)}")
    if one.services:
        parts.append(f"with {_list(one.services)} beside it")
    if one.when:
        parts.append(f"which runs {_when(one)}")
    return ", ".join(parts)


def _when(one: Operation) -> str:
    paths = () if one.operation == "add_job" else one.paths
    words = in_words(one.when, one.values, paths)
    return words if set(one.when) <= {"always", "never", "manual"} and not paths else f"only {words}"


def _services(one: Operation) -> str:
    return _list(one.services or [each for each in (one.image, one.value, one.name) if each][:1])


def _job(one: Operation) -> str:
    return code(one.job) if one.job else "every job"


def _pairs(one: Operation) -> str:
    return _list([f"{name}={value}" for name, value in one.pairs.items()])


def _paths(one: Operation) -> str:
    return _list(one.paths or one.values)


_SENTENCES: dict[str, Callable[[Operation], str]] = {
    "add_job": _added_job,
    "remove_job": lambda one: f"removed the job {code(one.job)}",
    "rename_job": lambda one: f"renamed the job {code(one.job)} to {code(one.value)}",
    "set_image": lambda one: f"set the image of {_job(one)} to {code(one.image or one.value)}",
    "set_script": lambda one: f"rewrote the {one.name or 'script'} of {_job(one)}",
    "add_script": lambda one: f"added {_list(one.script)} to the {one.name or 'script'} of {_job(one)}",
    "remove_script": lambda one: f"took {_list(one.script)} out of {_job(one)}",
    "add_service": lambda one: f"put {_services(one)} beside {_job(one)}",
    "remove_service": lambda one: f"took {_services(one)} away from {_job(one)}",
    "set_variable": lambda one: f"set {_pairs(one)} for {_job(one)}",
    "remove_variable": lambda one: f"removed the variable {code(one.name)} of {_job(one)}",
    "run_when": lambda one: f"let {_job(one)} run {_when(one)}",
    "skip_when": lambda one: f"kept {_job(one)} from running {in_words(one.when, one.values)}",
    "set_versions": lambda one: f"let {_job(one)} run once for each of {_list(one.values)}",
    "set_needs": lambda one: f"let {_job(one)} {f'wait only for {_list(one.needs)}' if one.needs else 'start at once'}",
    "set_stage": lambda one: f"moved {_job(one)} into the stage {code(one.stage or one.value)}",
    "add_stage": lambda one: f"added the stage {code(one.stage or one.value)}",
    "remove_stage": lambda one: f"removed the stage {code(one.stage or one.value)}",
    "set_artifacts": lambda one: f"let {_job(one)} keep {_paths(one)}",
    "set_cache": lambda one: f"let {_job(one)} cache {_paths(one)}",
    "set_option": lambda one: f"set {code(one.name)} of {_job(one)} to {code(one.value)}",
    "set_tags": lambda one: f"let {_job(one)} run on runners with the tags {_list(one.values)}",
    "set_environment": lambda one: f"let {_job(one)} deploy to {code(one.name)}",
    "set_pipelines": lambda one: f"let pipelines run only {in_words(one.when, one.values)}",
    "add_include": lambda one: f"included {code(one.value)}",
    "remove_include": lambda one: f"no longer included {code(one.value)}",
    "docker_base": lambda one: f"built the image from {code(one.image or one.value)}",
    "docker_packages": lambda one: f"added the system packages {_list(one.values)} to the image",
    "docker_env": lambda one: f"set {_pairs(one)} in the image",
    "docker_port": lambda one: f"let the container listen on port {code(one.value)}",
    "docker_command": lambda one: f"started the container with {code(one.value or ' && '.join(one.script))}",
    "docker_run": lambda one: f"added {_list(one.script)} to the build of the image",
    "docker_copy": lambda one: f"copied {code(one.value)} into the image",
    "docker_user": lambda one: f"let the container run as {code(one.value)}",
    "docker_healthcheck": lambda one: f"checked the container's health with {code(one.value or one.script[0])}",
    "docker_ignore": lambda one: f"left {_paths(one)} out of the image",
}
