"""`python -m bench.turns`: what one turn of the model costs beside the model, and what a prompt is made of.

A server on loopback answers at once, in Ollama's wire format, so what is measured is ours: dividing the window, the
request, reading the stream, judging the call, storing what was said in a real PostgreSQL.
"""

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import click
from msgspec import Struct

from bot.agent.loop import Answer, Limits, Tool, run_agent
from bot.agent.prompts import default_prompts_dir, render_prompt
from bot.domain import ChatMessage
from bot.llm.ollama import Asking, OllamaModel
from bot.store import conversations, messages
from bot.store.embedded import EmbeddedPostgres
from bot.store.migrate import migrate
from bot.store.pool import Pool, open_pool
from bot.tasks import queue_schema
from bot.tools import specs

_MODEL = "llama3.1:8b"
_GOAL_MS = 15.0
_PIECES = 40
_TALK = tuple(f"Earlier the person asked number {number} about the pipeline and was answered." for number in range(8))


class Order(Struct, frozen=True):
    """A typical order: the person's words, what the model does, and how much each tool tells."""

    name: str
    words: str
    turns: tuple[dict[str, str], ...]
    result_characters: int = 400


ORDERS = (
    Order("an answer at once", "which jobs are there?", ({"action": "final", "text": "Two: lint and test."},)),
    Order(
        "a question over two files",
        "which python does the project need, and where is that said?",
        (
            {"action": "list_files", "folder": ""},
            {"action": "read_file", "path": "pyproject.toml"},
            {"action": "final", "text": "Python 3.11, says pyproject.toml."},
        ),
        3_000,
    ),
    Order(
        "a draft",
        "please set up what this project needs",
        (
            {"action": "generate_pipeline", "repo_url": ""},
            {"action": "commit_pipeline", "repo_url": ""},
            {"action": "final", "text": "The draft is open."},
        ),
        2_000,
    ),
    Order(
        "five long files",
        "compare these files",
        (*({"action": "read_file", "path": f"{name}.py"} for name in "abcde"), {"action": "final", "text": "Alike."}),
        6_000,
    ),
)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    script: list[dict[str, str]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        """Answer with the next action, in as many pieces as a model's words come in."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        written = json.dumps({"a_reason": "it is asked for", **self.server.script.pop(0)})
        step = max(1, len(written) // _PIECES)
        lines = [_line(written[at : at + step]) for at in range(0, len(written), step)] + [_line("", done=True)]
        body = "".join(lines).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


def _line(content: str, *, done: bool = False) -> str:
    chunk: dict[str, object] = {"model": _MODEL, "created_at": "2026-08-21T18:48:22Z", "done": done}
    chunk["message"] = {"role": "assistant", "content": content}
    return json.dumps(chunk | ({"done_reason": "stop"} if done else {})) + "\n"


@click.command()
@click.option("--times", default=60, show_default=True, type=click.IntRange(1, 10_000), help="Repeat each order.")
@click.option("--strict", is_flag=True, help="Exit 1 when the goal is missed.")
def main(*, times: int, strict: bool) -> None:
    """Measure the overhead of a model's turn, and show the parts of the prompts."""
    server = _Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="pipewright-turns-") as folder:
        Path(folder).chmod(0o755)
        postgres = EmbeddedPostgres(Path(folder))
        try:
            conninfo = postgres.start()
            migrate(conninfo, queue_schema())
            pool = open_pool(conninfo)
            missed = _measure(server, pool, times)
            pool.close()
        finally:
            postgres.stop()
            server.shutdown()
    sys.exit(1 if strict and missed else 0)


def _measure(server: _Server, pool: Pool, times: int) -> bool:
    model = OllamaModel([f"http://127.0.0.1:{server.server_address[1]}"], _MODEL, Asking(mode="constrained"))
    with pool.connection() as connection:
        conversation = conversations.open_for_person(
            connection, project_id=1, project_path="g/p", title="", owner_id=1, asked_by="ada"
        )
    spent: list[tuple[float, float]] = []
    answers: list[Answer] = []
    for _ in range(times):
        answers = [_answered(server, pool, conversation, model, order, spent) for order in ORDERS]
    click.echo("| overhead of a model's turn | median | p95 | goal | kept |\n| --- | --- | --- | --- | --- |")
    missed = [
        _row(f"{name} ({len(spent)} turns)", [one[at] * 1000 for one in spent])
        for at, name in enumerate(("seconds of the clock", "seconds of the processor"))
    ]
    click.echo("\nThe clock counts the others on this machine too, and the server's part.\n")
    _show_prompts(answers)
    return missed[0]


def _row(name: str, milliseconds: Sequence[float]) -> bool:
    """Show one row; tell whether it misses the goal."""
    p95 = sorted(milliseconds)[int(len(milliseconds) * 0.95)]
    verdict = "yes" if p95 <= _GOAL_MS else "NO"
    click.echo(f"| {name} | {statistics.median(milliseconds):.1f} ms | {p95:.1f} ms | {_GOAL_MS:g} ms | {verdict} |")
    return p95 > _GOAL_MS


def _answered(
    server: _Server, pool: Pool, conversation: UUID, model: OllamaModel, order: Order, spent: list[tuple[float, float]]
) -> Answer:
    """Handle one order; each turn counts from the last message stored to the next one."""
    server.script = list(order.turns)
    system = render_prompt(
        default_prompts_dir(),
        "system.md.j2",
        project_path="group/project",
        repo_url="https://gitlab.example.com/group/project",
        mention="@pipewright",
        draft="",
    )
    talk = [ChatMessage(role="system", content=system)]
    talk += [ChatMessage(role="user", content=words) for words in _TALK]
    talk.append(ChatMessage(role="user", content=order.words))
    begun = [(time.perf_counter(), time.thread_time())]

    def keep(message: ChatMessage) -> None:
        with pool.connection() as connection:
            messages.add(
                connection, conversation_id=conversation, order_id=None, role=message.role, content=message.content
            )
        if message.role == "assistant":
            spent.append((time.perf_counter() - begun[0][0], time.thread_time() - begun[0][1]))
        begun[0] = (time.perf_counter(), time.thread_time())

    answer = run_agent(model, talk, _tools(order.result_characters), Limits(turns=12), keep)
    if not answer.text:
        raise click.ClickException(f"{order.name}: {answer.stopped_by}")
    return answer


def _tools(characters: int) -> dict[str, Tool]:
    told = ("a line of a file as it stands in a repository\n" * (characters // 40 + 1))[:characters]
    all_ = (specs.GENERATE, specs.COMMIT, specs.STATUS, specs.READ_FILE, specs.LIST_FILES, specs.SEARCH_TEMPLATES)
    return {spec.name: Tool(spec=spec, call=lambda _: told) for spec in all_}


def _show_prompts(answers: Sequence[Answer]) -> None:
    """The window holds 8192 tokens; all counts are our estimate, which errs upwards."""
    click.echo(
        "| order | turns | prompt tokens, all turns | largest prompt | instructions | history | question | results |"
    )
    click.echo("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for order, answer in zip(ORDERS, answers, strict=True):
        part = answer.largest
        click.echo(
            f"| {order.name} | {answer.turns} | {answer.prompt_tokens} | {part.total} | {part.instructions} "
            f"| {part.history} | {part.question} | {part.results} |"
        )


if __name__ == "__main__":
    main()
