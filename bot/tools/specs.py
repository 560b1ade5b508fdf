"""How the tools are described to the model: flat schemas, written by hand."""

from bot.ci.asked import NAMES, WHEN
from bot.domain import ToolSpec

_REPO_URL: dict[str, object] = {"type": "string", "description": "web address of this conversation's project"}


def _spec(name: str, description: str, **properties: dict[str, object]) -> ToolSpec:
    schema: dict[str, object] = {"type": "object", "properties": properties, "required": list(properties)}
    return ToolSpec(name=name, description=description, parameters=schema)


GENERATE = _spec(
    "generate_pipeline",
    "Survey the repository and compose .gitlab-ci.yml (and a Dockerfile where it is deployed). Opens nothing yet.",
    repo_url=_REPO_URL,
)
COMMIT = _spec(
    "commit_pipeline",
    "Open what generate_pipeline composed as a draft merge request. A person has to approve it; you cannot.",
    repo_url=_REPO_URL,
)
STATUS = _spec(
    "check_pipeline_status",
    "Say how the newest pipeline of a branch stands, with the failed jobs.",
    repo_url=_REPO_URL,
    branch={"type": "string", "description": "name of the branch"},
)
READ_FILE = _spec(
    "read_file",
    "Return the text of one file: of the draft where it holds the file, else of the default branch.",
    path={"type": "string", "description": "path inside the repository"},
)
LIST_FILES = _spec(
    "list_files",
    "List the files below a folder of the default branch.",
    folder={"type": "string", "description": "folder inside the repository; empty for the top"},
)
SEARCH_TEMPLATES = _spec(
    "search_templates",
    "Find building blocks for pipelines by what they do.",
    query={"type": "string", "description": "what the block should do"},
)

_TEXT: dict[str, object] = {"type": "string"}
_LIST: dict[str, object] = {"type": "array", "items": {"type": "string"}}


def _field(schema: dict[str, object], description: str) -> dict[str, object]:
    return {**schema, "description": description}


_OPERATION: dict[str, object] = {
    "type": "object",
    "properties": {
        "operation": {"type": "string", "enum": list(NAMES)},
        "job": _field(_TEXT, "name of the job, `default` for what all jobs share, `all` for every job"),
        "like": _field(_TEXT, "add_job: the job whose setup is copied"),
        "stage": _TEXT,
        "image": _field(_TEXT, "with a version, such as python:3.12-slim"),
        "name": _field(_TEXT, "of a variable, an option, an environment, or a stage of the Dockerfile"),
        "value": _field(_TEXT, "the new value"),
        "script": _field(_LIST, "shell commands, one each"),
        "services": _field(_LIST, "images of services, such as postgres:16"),
        "variables": _field(_LIST, "each NAME=value"),
        "needs": _field(_LIST, "jobs to wait for"),
        "when": {"type": "array", "items": {"type": "string", "enum": list(WHEN)}},
        "values": _field(_LIST, "versions, tags, branches or system packages"),
        "paths": _field(_LIST, "files or folders"),
        "file": _field(_TEXT, "only if there are several Dockerfiles, or for a job of a child pipeline"),
    },
    "required": ["operation"],
}
EDIT = _spec(
    "edit_pipeline",
    "Change the pipeline or the Dockerfile of the draft (or begin a draft with the change): a list of operations, "
    "only those the person asked for. "
    "New job: add_job(job, script, when, services, like). When it runs: run_when or skip_when(job, when, paths). "
    "Versions to test: set_versions(job, values). Plain settings: set_option(job, name=timeout, retry, "
    "allow_failure, interruptible, coverage, parallel or resource_group, value). "
    "Lines: set_script, add_script, remove_script(job, script). Dockerfile: docker_base(image), "
    "docker_packages(values), docker_env(variables), docker_port(value), docker_command(value), docker_run(script).",
    operations={"type": "array", "items": _OPERATION},
)
UNDO = ToolSpec(
    name="undo",
    description="Take the last change of the draft back, when the person wants that.",
    parameters={
        "type": "object",
        "properties": {"steps": {"type": "integer", "description": "how many changes, 1 unless told"}},
        "required": [],
    },
)

_JOB: dict[str, object] = {
    "type": "object",
    "properties": {
        "job": _field(_TEXT, "short name, such as test"),
        "stage": _field({"type": "string", "enum": ["lint", "build", "test"]}, "what the job is for"),
        "image": _field(_TEXT, "public image with a version"),
        "script": _field(_LIST, "shell commands, one each"),
        "services": _field(_LIST, "images of services, such as postgres:17"),
        "paths": _field(_LIST, "files the job leaves behind"),
    },
    "required": ["job", "image", "script"],
}
DRAFT_JOBS = _spec(
    "draft_jobs",
    "Draft the jobs that check, build and test the project.",
    jobs={"type": "array", "items": _JOB},
)
