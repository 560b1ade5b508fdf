"""What a model gives a tool: mended where it is beyond doubt, held to the schema, and the complaint is clear."""

import pytest

from bot.agent.arguments import fitted
from bot.agent.tool import Tool
from bot.domain import ToolError, ToolSpec

URL = "https://gitlab.example.com/g/p"
EDITS: dict[str, object] = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "op": {"type": "string", "enum": ["set_image", "delete_job"]},
            "job": {"type": "string"},
            "times": {"type": "integer", "minimum": 1},
        },
        "required": ["op", "job"],
        "additionalProperties": False,
    },
}


def tool(*, writes: bool = False, required: tuple[str, ...] = (), **properties: dict[str, object]) -> Tool:
    schema: dict[str, object] = {"type": "object", "properties": properties, "required": list(required or properties)}
    spec = ToolSpec(name="a_tool", description="", parameters=schema)
    return Tool(spec=spec, call=str, has_effect=writes, defaults={"repo_url": URL} if "repo_url" in properties else {})


TEXT: dict[str, object] = {"type": "string"}
STATUS = tool(repo_url=TEXT, branch=TEXT, limit={"type": "integer"}, required=("repo_url",))
READ = tool(path=TEXT)
EDIT = tool(edits=EDITS, dry={"type": "boolean"}, required=("edits",), writes=True)
WRITE = tool(repo_url=TEXT, writes=True)
DELETE = {"op": "delete_job", "job": "lint"}


@pytest.mark.parametrize(
    ("on", "given", "meant"),
    [
        pytest.param(STATUS, {"branch": "main"}, {"repo_url": URL, "branch": "main"}, id="the address is known"),
        pytest.param(
            STATUS, {"branch": None, "limit": "5", "repo_url": "None"}, {"repo_url": URL, "limit": 5}, id="types off"
        ),
        pytest.param(STATUS, {"repo_url": "", "branch": "", "limit": 5.0}, {"repo_url": URL, "limit": 5}, id="empty"),
        pytest.param(
            STATUS, {"branch": "main", "recursive": True}, {"repo_url": URL, "branch": "main"}, id="one too many"
        ),
        pytest.param(READ, {"path": ""}, {"path": ""}, id="an empty text that is asked for"),
        pytest.param(WRITE, {"action": "a_tool", "action_input": {"repo_url": "U"}}, {"repo_url": "U"}, id="wrapped"),
        pytest.param(READ, {"parameters": {"path": "a"}}, {"path": "a"}, id="wrapped once more"),
        pytest.param(READ, {"path": "a\\u0026b.yml"}, {"path": "a&b.yml"}, id="escaped for HTML"),
        pytest.param(READ, {"path": "u\u0308ber-😀.yml"}, {"path": "über-😀.yml"}, id="one spelling"),
        pytest.param(EDIT, {"edits": [DELETE]}, {"edits": [DELETE]}, id="a list of objects"),
        pytest.param(
            EDIT, {"edits": '[{"op": "delete_job", "job": "lint"}]'}, {"edits": [DELETE]}, id="JSON in a text"
        ),
        pytest.param(
            EDIT, {"edits": "[{'op': 'delete_job', 'job': 'lint'}]"}, {"edits": [DELETE]}, id="Python in a text"
        ),
        pytest.param(
            EDIT, {"edits": [{**DELETE, "times": "2"}]}, {"edits": [{**DELETE, "times": 2}]}, id="a number inside"
        ),
        pytest.param(EDIT, {"edits": [{**DELETE, "times": None}]}, {"edits": [DELETE]}, id="a null inside"),
        pytest.param(
            EDIT, {"edits": [DELETE], "dry": "True"}, {"edits": [DELETE], "dry": True}, id="a truth in a text"
        ),
        pytest.param(EDIT, {"edits": [DELETE], "dry": ""}, {"edits": [DELETE]}, id="no truth at all"),
    ],
)
def test_what_is_beyond_doubt_is_mended(on: Tool, given: dict[str, object], meant: dict[str, object]) -> None:
    assert fitted(on, given) == meant


@pytest.mark.parametrize(
    ("on", "given", "complaint"),
    [
        pytest.param(READ, {}, "path is missing", id="missing"),
        pytest.param(READ, {"path": 7}, "path must be of the type string, not 7", id="a number for a text"),
        pytest.param(READ, {"path": {"type": "string"}}, "path must be of the type string", id="a descriptor"),
        pytest.param(READ, {"path": "a\ufffd"}, "no name has", id="half a character"),
        pytest.param(READ, {"path": "a\u202egnp.yml"}, "no name has", id="turned around"),
        pytest.param(READ, {"type": "object", "properties": {"path": {"value": "a"}}}, "no arguments", id="the schema"),
        pytest.param(STATUS, {"limit": "many"}, 'limit must be of the type integer, not "many"', id="no number"),
        pytest.param(STATUS, {"limit": 12345678901234567000}, "limit is too large a number", id="beyond exactness"),
        pytest.param(
            WRITE, {"repo_url": "U", "force": True}, "no arguments force; it takes repo_url", id="a write is exact"
        ),
        pytest.param(WRITE, {"note": "then commit"}, "no arguments note", id="a sentence"),
        pytest.param(EDIT, {}, "edits is missing", id="no list"),
        pytest.param(EDIT, {"edits": "delete lint"}, 'edits must be of the type array, not "delete lint"', id="words"),
        pytest.param(
            EDIT,
            {"edits": [{"op": "drop", "job": "a"}]},
            'edits[0].op must be one of set_image, delete_job, not "drop"',
            id="enum",
        ),
        pytest.param(EDIT, {"edits": [{"op": "delete_job"}]}, "edits[0] needs job", id="a field missing"),
        pytest.param(
            EDIT, {"edits": [{**DELETE, "times": 0}]}, "edits[0].times: 0 is less than the minimum", id="bounds"
        ),
        pytest.param(EDIT, {"edits": [DELETE, "x"]}, "edits[1] must be of the type object", id="not an object"),
        pytest.param(EDIT, {"edits": [{**DELETE, "why": "x"}]}, "'why' was unexpected", id="an unknown field"),
    ],
)
def test_what_is_wrong_is_said(on: Tool, given: dict[str, object], complaint: str) -> None:
    with pytest.raises(ToolError) as wrong:
        fitted(on, given)
    assert complaint in str(wrong.value)


def test_every_missing_argument_is_named_once() -> None:
    with pytest.raises(ToolError) as wrong:
        fitted(tool(a=TEXT, b=TEXT), {})
    assert str(wrong.value) == "the arguments of a_tool are wrong: a, b is missing. Mend them and call again"
