"""What libraries log looks like our own lines and hides the same secrets."""

import json
import logging

import pytest

from bot import logs


def test_a_library_s_line_is_json_without_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    logging.getLogger("psycopg.pool").warning("cannot reach %s", "postgresql://bot:geheim@db/bot")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "cannot reach postgresql://[secret]@db/bot"
    assert line["level"] == "warning"
