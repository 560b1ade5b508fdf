"""Log lines: one JSON object each, with the order's id and never a secret."""

import json
import logging
from typing import Any
from uuid import uuid4

import pytest
import structlog

from bot import logs

TOKEN = "glpat-" + "aB3_x-9Z" * 3
SECRETS = {
    "a GitLab token": TOKEN,
    "a trigger token": "glptt-" + "0a1b2c3d" * 5,
    "a job token": "glcbt-64_" + "aB3x_9ZqW-" * 2,
    "a signing token": "whsec_" + "aB3x9ZqW" * 5,
    "a password in a URL": "postgres://app:" + "hunter2" + "@db/app",
    "a password without a user": "redis://:" + "hunter2" + "@cache",
    "a header": "PRIVATE-TOKEN: " + "aB3x9ZqW" * 3,
    "a bearer": "Bearer " + "aB3x9ZqW" * 3,
}


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def core(secret: str) -> str:
    return "hunter2" if "hunter2" in secret else secret.rsplit(maxsplit=1)[-1]


def test_a_line_is_one_object_with_time_and_level(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    structlog.get_logger().warning("something\nhappened", part="GitLab")
    (line,) = lines(capsys)
    assert {key: line[key] for key in ("event", "level", "part")} == {
        "event": "something\nhappened",
        "level": "warning",
        "part": "GitLab",
    }
    assert line["timestamp"].endswith("Z")


def test_every_line_about_an_order_names_it_and_no_other_does(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    log, order = structlog.get_logger(), uuid4()
    log.info("before")
    with logs.about_order(order):
        log.info("inside")
        log.warning("still inside")
    log.info("after")
    assert [line.get("order") for line in lines(capsys)] == [None, str(order), str(order), None]


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_written(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    log = structlog.get_logger()
    log.info(f"with {SECRETS[name]} inside")
    log.info("a value", detail=SECRETS[name])
    log.info("deeper", detail={"header": [SECRETS[name]]})
    try:
        raise ValueError(f"with {SECRETS[name]} inside")
    except ValueError as error:
        log.error("an error", exc_info=error)
        log.error("the error itself", error=error)
    written = capsys.readouterr().out
    assert core(SECRETS[name]) not in written
    assert written.count("[secret]") >= 5


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("before", ["\n", "\t", "\u00a0", "\x7f", "\x1b[31m", "\x1b[0;1m"])
def test_what_is_escaped_before_a_secret_does_not_hide_it(
    name: str, before: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("json")
    structlog.get_logger().info(
        "it is", detail=f"it is:{before}{SECRETS[name]}", shown=repr(f"{before}{SECRETS[name]}")
    )
    written = capsys.readouterr().out
    assert core(SECRETS[name]) not in written
    assert written.count("[secret]") == 2


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_written_by_a_library(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    logging.getLogger("some.library").warning("could not reach %s", SECRETS[name])
    written = capsys.readouterr()
    assert "could not reach" in written.err + written.out
    assert core(SECRETS[name]) not in written.err + written.out


def test_a_person_reads_the_console_form(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("console")
    structlog.get_logger().info("something happened", token=TOKEN)
    written = capsys.readouterr().out
    assert "something happened" in written
    assert TOKEN not in written


def test_details_for_debugging_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    structlog.get_logger().debug("a detail")
    assert lines(capsys) == []


def test_odd_characters_break_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    structlog.get_logger().info("odd", text="\x00\n\ud800\u2028")
    assert len(capsys.readouterr().out.splitlines()) == 1
