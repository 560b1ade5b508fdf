"""How the tools are described to the model: flat schemas, written by hand."""

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
    "Return the text of one file of the default branch.",
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
