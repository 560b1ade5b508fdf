"""Logs of jobs are reduced to what the failed command said, in bounded memory, with secrets masked."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.failures.trace import LONGEST_LINE, excerpt, read_trace

ESC = "\x1b"
START = f"section_start:1764000000:{{}}\r{ESC}[0K"
END = f"section_end:1764000009:{{}}\r{ESC}[0K"


def section(name: str, text: str) -> str:
    return f"{START.format(name)}{ESC}[0K{ESC}[36;1m{name}{ESC}[0;m\n{text}{END.format(name)}"


def command(text: str) -> str:
    return f"{ESC}[32;1m$ {text}{ESC}[0;m\n"


FAILED = f"{ESC}[31;1mERROR: Job failed: exit code 2\n{ESC}[0;m"


def read(text: str, size: int = 10_000) -> list[str]:
    raw = text.encode()
    return [line.text for line in read_trace(raw[at : at + size] for at in range(0, len(raw), size)).lines]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("", [], id="no log at all"),
        pytest.param("only this", ["only this"], id="without a runner's frame"),
        pytest.param(f"{ESC}[31mred{ESC}[0m and {ESC}[1;4mbold{ESC}[m\n", ["red and bold"], id="colours"),
        pytest.param("10%\r50%\r100% done\n", ["100% done"], id="a progress bar"),
        pytest.param("windows\r\n", ["windows"], id="windows line ends"),
        pytest.param(f"{ESC}]8;;http://x{ESC}\\link{ESC}]8;;{ESC}\\\n", ["link"], id="terminal links"),
        pytest.param("2026-11-25T10:00:00.123456Z 01O hello\n2026-11-25T10:00:00.2Z 01O+world\n",
                     ["world"], id="timestamps, a line drawn over"),
        pytest.param("2026-11-25T10:00:00.123456Z 01E failed\n", ["failed"], id="timestamps of the error stream"),
        pytest.param(section("step_script", command("make") + "old\n" + command("make test") + "new\n") + FAILED,
                     ["new"], id="only what the last command said"),
        pytest.param(section("step_script", command("make") + "told\n") + section("after_script", "bye\n") + FAILED,
                     ["told"], id="what comes after the script says nothing"),
        pytest.param(section("get_sources", "fatal: no\n") + FAILED,
                     ["get_sources", "fatal: no"], id="before it"),
        pytest.param(section("step_script", command("yarn test") + "$ jest\nfails\n") + FAILED,
                     ["$ jest", "fails"], id="a tool that shows commands of its own"),
        pytest.param("\x00\x07bell\n", ["bell"], id="control characters"),
        pytest.param(b"\xff\xfe broken".decode("latin-1"), ["ÿþ broken"], id="odd letters"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_log_is_reduced(text: str, kept: list[str], size: int) -> None:
    assert read(text, size) == kept


def test_the_frame_of_the_failure_is_known() -> None:
    log = section("step_script", command("pip install x") + "ok\n" + command("pytest -q") + "E  boom\n") + FAILED
    trace = read_trace([log.encode()])
    assert (trace.command, trace.section, trace.exit_code) == ("pytest -q", "step_script", 2)
    assert excerpt(trace) == "$ pytest -q\nE  boom\nERROR: Job failed: exit code 2"


def test_secrets_are_masked() -> None:
    log = (
        command("curl -H 'PRIVATE-TOKEN: glpat-0123456789abcdefghij' x") + "remote: https://me:hunter22@host.example/\n"
    )
    log += "-----BEGIN RSA PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY-----\nend\n"
    shown = excerpt(read_trace([log.encode()]))
    assert not [secret for secret in ("glpat-0", "hunter22", "abc", "def") if secret in shown]
    assert "end" in shown


def test_a_long_log_is_read_in_bounded_memory() -> None:
    def pieces() -> Iterator[bytes]:
        yield command("make -j").encode()
        yield b"a.c:1:1: error: the first one\n"
        for _ in range(20):
            yield b"noise of a compiler, line after line\n" * 20_000
        yield b"x" * 2_000_000 + b"\nmake: *** [all] Error 2\n"

    trace = read_trace(pieces())
    assert trace.length == 400_004
    assert len(trace.lines) < 300
    assert max(len(line.text) for line in trace.lines) <= LONGEST_LINE
    shown = excerpt(trace, told=2)
    assert "error: the first one" in shown
    assert "…" in shown
    assert "Error 2" in shown


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_no_bytes_are_too_odd(pieces: list[bytes]) -> None:
    trace = read_trace(pieces)
    assert all("\x1b" not in line.text and "\n" not in line.text for line in trace.lines)
    assert all(len(line.text) <= LONGEST_LINE for line in trace.lines)
