"""The stand-in's parser against what Ollama's own was seen to make of the same words."""

import json
import re
from typing import Any

import pytest

from tests.world.tool_parser import ToolParser

NAMES = (
    "generate_pipeline", "commit_pipeline", "check_pipeline_status", "edit_pipeline", "read_file", "list_files",
    "search_templates", "explain_failure",
)  # fmt: skip
A = '{"name": "generate_pipeline", "parameters": {"repo_url": "U"}}'
B = '{"name": "commit_pipeline", "parameters": {"repo_url": "U"}}'
UNKNOWN = '{"name": "deploy_app", "parameters": {}}'
CALL_A: tuple[str, Any] = ("generate_pipeline", {"repo_url": "U"})
CALL_B: tuple[str, Any] = ("commit_pipeline", {"repo_url": "U"})


def parsed(*tokens: str) -> tuple[list[tuple[str, Any]], str]:
    """Return the calls and the whole text."""
    parser = ToolParser(NAMES)
    pieces = [piece for token in tokens for piece in parser.feed(token)]
    text = "".join(piece for piece in pieces if isinstance(piece, str)) + parser.rest()
    return [piece for piece in pieces if isinstance(piece, tuple)], text


def split(text: str) -> list[str]:
    """Cut a text about as a model's tokens are."""
    return re.findall(r'\w+|\s+|"}|[^\w\s]', text)


@pytest.mark.parametrize(
    ("written", "calls", "text"),
    [
        pytest.param(A, [CALL_A], "", id="a call"),
        pytest.param(A.replace("parameters", "arguments"), [CALL_A], "", id="arguments"),
        pytest.param('{"type":"function","function":' + A + "}", [CALL_A], "", id="wrapped"),
        pytest.param(json.dumps({"name": CALL_A[0], "parameters": json.dumps(CALL_A[1])}), [CALL_A], "", id="text"),
        pytest.param("\n\n" + A, [CALL_A], "\n\n", id="blanks before"),
        pytest.param(A.replace("generate_pipeline", "generate_pipeline_for_repo"), [CALL_A], "", id="a longer name"),
        pytest.param(
            '{"thought": "I should use list_files first", "name": "read_file", "parameters": {"path": "README.md"}}',
            [("list_files", {"path": "README.md"})], "", id="named in a thought",
        ),
        pytest.param(
            '{"parameters": {"note": "then commit_pipeline"}, "name": "generate_pipeline"}',
            [("commit_pipeline", {"note": "then commit_pipeline"})], "", id="named in a note",
        ),
        pytest.param(
            '{"answer": "I used generate_pipeline already"}',
            [("generate_pipeline", {"answer": "I used generate_pipeline already"})], "", id="an answer",
        ),
        pytest.param(
            '{"tool": "generate_pipeline", "repo_url": "U"}',
            [("generate_pipeline", {"tool": "generate_pipeline", "repo_url": "U"})], "", id="the whole object",
        ),
        pytest.param('{"tool_calls": [' + A + ", " + B + "]}", [CALL_A], "", id="only the first of a list"),
        pytest.param(A + " That is it.", [CALL_A], "", id="prose swallowed"),
        pytest.param('{"name": "list_files"}', [], '{"name": "list_files"}', id="no parameters"),
        pytest.param(UNKNOWN, [], UNKNOWN, id="unknown"),
        pytest.param(A[:-1], [], A[:-1], id="a brace short"),
        pytest.param("Sure! " + A, [], "Sure! " + A, id="amid prose"),
        pytest.param("```json\n" + A + "\n```", [], "```json\n" + A + "\n```", id="in a fence"),
    ],
)  # fmt: skip
def test_what_becomes_of_words(written: str, calls: list[tuple[str, Any]], text: str) -> None:
    assert parsed(*split(written)) == (calls, text)


def test_two_calls_are_two_when_their_braces_come_in_one_token() -> None:
    assert parsed(A + "\n", B[:-2], "}}") == ([CALL_A, CALL_B], "")


def test_the_second_call_leaks_when_its_braces_come_apart() -> None:
    calls, text = parsed(A, "\n", B[:-2], "}", "}")
    assert calls == [CALL_A]
    assert text == "}\n" + B


def test_a_list_of_calls_ends_in_junk() -> None:
    assert parsed('[{"', A[2:], "]") == ([], "[" + A + ']{"')
