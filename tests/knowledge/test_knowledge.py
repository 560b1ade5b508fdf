"""The index of templates in a real Chroma, embedded and on a server."""

import fcntl
import json
import math
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from bot.ci.catalog import default_templates_dir, load_catalog
from bot.domain import CannotError, UnreachableError
from bot.knowledge.chroma import open_collection
from bot.knowledge.embed import OllamaEmbedder, StaticEmbedder
from bot.knowledge.knowledge import Document, IndexReport, Knowledge, Passage, search_words
from bot.knowledge.names import Question, named
from bot.knowledge.owner import own
from bot.knowledge.rank import Candidate, mixed, ranked, tokens
from bot.knowledge.shelf import PAUSE_SECONDS, Shelf
from bot.library.documents import template_documents
from bot.parts import open_knowledge
from bot.settings import read_settings
from tests.world.chroma_server import ChromaServer as Server
from tests.world.wire import HUNG_UP, SILENT, Wire, WireServer


class CountingEmbedder:
    """Turns a text into the counts of three letters, and remembers what it was given."""

    def __init__(self, name: str = "letters", length: int = 3) -> None:
        self.name = name
        self.given: list[str] = []
        self._letters = "abcdefgh"[:length]

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.given.extend(texts)
        return [[float(text.count(letter)) + 0.1 for letter in self._letters] for text in texts]


def document(
    name: str, text: str = "", *, content_hash: str = "1", kind: str = "template", **metadata: str
) -> Document:
    return Document(id=name, text=text or name, content_hash=content_hash, kind=kind, metadata=metadata)


def names(passages: Sequence[Passage]) -> list[str]:
    return [passage.id for passage in passages]


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def knowledge(tmp_path: Path, embedder: CountingEmbedder) -> Knowledge:
    return Knowledge.open(data_dir=tmp_path, chroma_url=None, embedder=embedder)


def test_only_what_changed_is_embedded_again(knowledge: Knowledge, embedder: CountingEmbedder) -> None:
    assert knowledge.index([document("a"), document("b"), document("c")]) == IndexReport(
        changed=3, removed=0, unchanged=0
    )
    embedder.given.clear()
    report = knowledge.index([document("a"), document("b", "bbb", content_hash="2"), document("d")])
    assert report == IndexReport(changed=2, removed=1, unchanged=1)
    assert embedder.given == ["bbb", "d"]
    assert set(names(knowledge.search("a"))) == {"a", "b", "d"}


def test_the_index_outlives_the_program(tmp_path: Path, knowledge: Knowledge) -> None:
    knowledge.index([document("a")])
    fresh = CountingEmbedder()
    again = Knowledge.open(data_dir=tmp_path, chroma_url=None, embedder=fresh)
    assert again.index([document("a")]) == IndexReport(changed=0, removed=0, unchanged=1)
    assert fresh.given == []
    assert again.search("a")[0].content_hash == "1"


def test_an_empty_index_finds_nothing(knowledge: Knowledge, embedder: CountingEmbedder) -> None:
    assert knowledge.index([]) == IndexReport(changed=0, removed=0, unchanged=0)
    assert embedder.given == []
    assert knowledge.search("a") == ()


def test_everything_can_be_taken_out(knowledge: Knowledge) -> None:
    knowledge.index([document("a")])
    assert knowledge.index([]).removed == 1
    assert knowledge.search("a") == ()


def test_the_likest_come_first_and_no_more_than_asked_for(knowledge: Knowledge) -> None:
    knowledge.index([document("as", "aaaa"), document("bs", "bbbb"), document("abs", "aaab"), document("cs", "cccc")])
    found = knowledge.search("aa", limit=2)
    assert names(found) == ["as", "abs"]
    assert found[0].score > found[1].score


@pytest.mark.parametrize(
    ("where", "found"),
    [
        pytest.param(None, {"a", "b", "c"}, id="none"),
        pytest.param({"kind": "template"}, {"a", "b"}, id="one value"),
        pytest.param({"ecosystem": ["python", "go"]}, {"a", "c"}, id="one of several values"),
        pytest.param({"kind": "template", "ecosystem": ["python", "go"]}, {"a"}, id="two conditions"),
        pytest.param({"kind": "song"}, set(), id="a value nothing has"),
        pytest.param({"colour": "red"}, set(), id="a key nothing has"),
    ],
)
def test_facts_filter_before_likeness_ranks(
    knowledge: Knowledge, where: dict[str, str | Sequence[str]] | None, found: set[str]
) -> None:
    knowledge.put(
        [
            document("a", kind="template", ecosystem="python"),
            document("b", kind="template", ecosystem="node"),
            document("c", kind="pipeline", ecosystem="go"),
        ]
    )
    assert set(names(knowledge.search("a", where=where))) == found


def test_two_embedders_do_not_mix(tmp_path: Path, knowledge: Knowledge) -> None:
    knowledge.index([document("a"), document("b")])
    other = Knowledge.open(
        data_dir=tmp_path, chroma_url=None, embedder=CountingEmbedder("ollama-x/letters:8", length=8)
    )
    assert other.search("a") == ()
    assert other.index([document("h")]).changed == 1
    assert names(other.search("h")) == ["h"]
    assert set(names(knowledge.search("a"))) == {"a", "b"}


# --- the shipped templates, with the embedder in the wheel ---


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    catalog = load_catalog(default_templates_dir())
    index = Knowledge.open(data_dir=tmp_path_factory.mktemp("index"), chroma_url=None, embedder=StaticEmbedder())
    index.index(template_documents(catalog))
    return index


@pytest.mark.parametrize(
    ("question", "template"),
    [
        ("a python project managed with uv", "python-uv"),
        ("we use poetry for our python package", "python-poetry"),
        ("test a rust crate with cargo", "rust"),
        ("go modules", "go"),
        ("java with maven", "java-maven"),
        ("gradle build", "java-gradle"),
        ("pnpm workspace", "node-pnpm"),
        ("c++ with cmake", "cpp-cmake"),
        ("build and push a docker image", "docker-image"),
    ],
)
def test_a_question_finds_its_template(templates: Knowledge, question: str, template: str) -> None:
    assert names(templates.search(question, where={"kind": "template"}, limit=1)) == [template]


@pytest.mark.parametrize("question", ["", "…", "\u200b", "x" * 50_000, "какая-то сборка"])
def test_any_question_gets_some_answer(templates: Knowledge, question: str) -> None:
    found = templates.search(question, limit=3)
    assert len(found) == 3
    assert all(math.isfinite(passage.score) for passage in found)


def test_the_embedder_in_the_wheel_is_the_same_each_time() -> None:
    first, second = StaticEmbedder().embed(["uv"]), StaticEmbedder().embed(["uv"])
    assert first == second
    assert len(first[0]) == 256


# --- words and meaning ---


def test_words_weigh_less_than_meaning_and_silent_words_nothing() -> None:
    texts = ["poetry", "maven", "cargo"]
    assert mixed("poetry", texts, [0.5, 0.5, 0.5])[0] > 0
    assert mixed("of the", texts, [0.1, 0.2, 0.9]) == mixed("", texts, [0.1, 0.2, 0.9])
    by_meaning = mixed("poetry", texts, [0.1, 0.9, 0.1])
    assert by_meaning.index(max(by_meaning)) == 1
    assert mixed("poetry", [], []) == []


@pytest.mark.parametrize(
    ("question", "name", "says"),
    [
        pytest.param("we use Poetry's lock", "poetry", True, id="before an apostrophe"),
        pytest.param("the file poetry.lock.", "poetry.lock", True, id="a file at the end of a sentence"),
        pytest.param("api/poetry.lock is there", "poetry.lock", True, id="a file in a folder"),
        pytest.param("see MyApp.sln", "*.sln", True, id="a pattern"),
        pytest.param("run it every  night", "every night", True, id="two words"),
        pytest.param("run it every other night", "every night", False, id="two words apart"),
        pytest.param("a category", "cat", False, id="a part of a word"),
        pytest.param("tests without docker please", "docker", False, id="not wanted"),
        pytest.param("ohne Docker", "docker", False, id="nicht gewünscht"),
        pytest.param("C++ and .NET", "c++", True, id="signs"),
        pytest.param("C++ and .NET", "c", False, id="signs belong to the word"),
        pytest.param("", "c", False, id="nothing"),
    ],
)
def test_a_question_says_a_name_or_not(question: str, name: str, says: bool) -> None:
    assert Question(question).says(name) is says


def test_a_rare_name_tells_more_than_a_common_one() -> None:
    pip, poetry = named("python with poetry", [("python", "pip"), ("python", "poetry")])
    assert 0 < pip < poetry


def test_facts_decide_about_what_they_know_and_words_about_the_rest() -> None:
    def candidate(name: str, *, by_facts: bool) -> Candidate:
        return Candidate(id=name, text=name, meaning=0.0, names=(name,), is_chosen_by_facts=by_facts)

    uv, pip, nightly = (
        candidate("uv", by_facts=True),
        candidate("pip", by_facts=True),
        candidate("nightly", by_facts=False),
    )
    by_words = ranked("pip please", [uv, pip, nightly])
    assert max(by_words) == by_words[1]
    by_facts = ranked("pip please", [uv, pip, nightly], fitting={"uv"})
    assert max(by_facts) == by_facts[0]
    by_both = ranked("also nightly", [uv, pip, nightly], fitting={"uv"})
    assert sorted(by_both) == [by_both[1], by_both[0], by_both[2]]


def test_without_an_index_words_alone_find_something() -> None:
    documents = template_documents(load_catalog(default_templates_dir()))
    assert search_words(documents, "poetry", limit=1) == ("python-poetry",)
    assert search_words([], "poetry") == ()


def test_words_are_compared_by_their_stems() -> None:
    assert tokens("Testing the C++ tests of our caches") == ("test", "c++", "test", "cach")


# --- a server ---


def test_a_server_holds_the_index_for_every_process(chroma: Server) -> None:
    embedder = CountingEmbedder("shared")
    one, other = (Knowledge.open(data_dir=None, chroma_url=chroma.url, embedder=embedder) for _ in range(2))
    assert one.index([document("a"), document("b")]).changed == 2
    assert set(names(other.search("a"))) == {"a", "b"}
    assert other.index([document("a")]) == IndexReport(changed=0, removed=1, unchanged=1)
    assert names(one.search("a")) == ["a"]


def test_a_server_that_stops_answering_is_unreachable(chroma: Server) -> None:
    embedder = CountingEmbedder("paused")
    opened = partial(open_collection, "paused", data_dir=None, chroma_url=chroma.url, answer_seconds=8.0)
    clock = [0.0]
    index = Knowledge(Shelf(opened, now=lambda: clock[0]), embedder)
    index.index([document("a")])
    chroma.pause()
    try:
        with pytest.raises(UnreachableError) as silent:
            index.search("a")
    finally:
        chroma.go_on()
    assert silent.value.part == "Chroma"
    with pytest.raises(UnreachableError, match="a moment ago"):
        index.search("a")
    clock[0] = PAUSE_SECONDS
    assert names(index.search("a")) == ["a"]
    assert index.openings == 2


@pytest.fixture
def wires() -> Iterator[WireServer]:
    server = WireServer().start()
    yield server
    server.stop()


def test_where_nobody_listens_chroma_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        index = Knowledge.open(data_dir=None, chroma_url=url, embedder=CountingEmbedder())
        with pytest.raises(UnreachableError) as silent:
            index.search("a")
    assert silent.value.part == "Chroma"


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(SILENT, id="silent"),
        pytest.param(HUNG_UP, id="hanging up"),
        pytest.param(Wire(404, "404 page not found"), id="another server"),
        pytest.param(Wire(502, "<html>Bad Gateway</html>"), id="a gateway"),
        pytest.param(Wire(200, "<html>sign in</html>"), id="a web page"),
    ],
)
def test_a_server_that_is_no_chroma_is_unreachable(wires: WireServer, wire: Wire) -> None:
    wires.script = [wire]
    with pytest.raises(UnreachableError) as silent:
        open_collection("x-y-z", data_dir=None, chroma_url=wires.url, answer_seconds=0.5)
    assert silent.value.part == "Chroma"


def test_one_kind_is_brought_up_to_date_without_touching_another(knowledge: Knowledge) -> None:
    knowledge.put([document("7", kind="example", group="acme")])
    knowledge.index([document("a"), document("b")])
    assert knowledge.index([document("a")]).removed == 1
    assert names(knowledge.search("a", where={"kind": "example"})) == ["7"]


def test_what_another_process_learned_meanwhile_is_not_removed(knowledge: Knowledge) -> None:
    knowledge.put([document("7", kind="example"), document("8", kind="example")])
    report = knowledge.index([document("7", kind="example")], "example", removes=False)
    assert report == IndexReport(changed=0, removed=0, unchanged=1)
    assert set(names(knowledge.search("a", where={"kind": "example"}))) == {"7", "8"}


def test_what_is_forgotten_is_gone_and_may_be_forgotten_twice(knowledge: Knowledge) -> None:
    knowledge.put([document("7", kind="example"), document("7")])
    for _ in range(2):
        knowledge.forget("example", ["7", "8"])
    assert [passage.metadata["kind"] for passage in knowledge.search("a")] == ["template"]


def test_several_processes_indexing_at_once_agree_and_keep_what_was_learned(chroma: Server) -> None:
    program = (
        "import sys\n"
        "from bot.knowledge.embed import StaticEmbedder\n"
        "from bot.knowledge.knowledge import Document, Knowledge\n"
        "index = Knowledge.open(data_dir=None, chroma_url=sys.argv[1], embedder=StaticEmbedder())\n"
        "templates = [Document(id=str(n), text=f'template {n}', content_hash='2') for n in range(20)]\n"
        "index.index(templates)\n"
        "index.put([Document(id=sys.argv[2], text='learned', content_hash='1', kind='example')])\n"
        "index.index(templates)\n"
    )
    index = Knowledge.open(data_dir=None, chroma_url=chroma.url, embedder=StaticEmbedder())
    index.index([Document(id=str(number), text="old", content_hash="1") for number in range(40)])
    running = [subprocess.Popen([sys.executable, "-c", program, chroma.url, str(number)]) for number in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    assert {passage.content_hash for passage in index.search("x", where={"kind": "template"}, limit=99)} == {"2"}
    assert len(index.search("x", where={"kind": "template"}, limit=99)) == 20
    assert set(names(index.search("x", where={"kind": "example"}))) == {"0", "1", "2"}


def test_an_embedded_index_has_one_owner(tmp_path: Path, knowledge: Knowledge) -> None:
    knowledge.index([document("a")])
    program = (
        "import sys\nfrom pathlib import Path\nfrom bot.knowledge.chroma import open_collection\n"
        "open_collection('x-y-z', data_dir=Path(sys.argv[1]), chroma_url=None)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    other = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert other.returncode != 0
    assert f"belongs to another running program (process {os.getpid()})" in other.stderr
    assert "PIPEWRIGHT_CHROMA_URL" in other.stderr
    elsewhere = subprocess.run([*command[:3], str(tmp_path / "else")], timeout=120, check=False)
    assert elsewhere.returncode == 0
    with (tmp_path / "owner").open("w") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        with pytest.raises(CannotError, match="process unknown"):
            own(tmp_path)


# --- embeddings of Ollama ---


def test_ollama_embeds_all_texts_in_one_call(wires: WireServer) -> None:
    wires.script = [Wire(body=json.dumps({"embeddings": [[1, 0], [0, 1]]}))]
    embedder = OllamaEmbedder(wires.url, "nomic-embed-text")
    assert embedder.embed(["a", "b"]) == [[1, 0], [0, 1]]
    (asked,) = wires.asked
    assert (asked.method, asked.path) == ("POST", "/api/embed")
    assert asked.body == {"model": "nomic-embed-text", "input": ["a", "b"], "keep_alive": "30m"}
    assert embedder.name == "ollama-nomic-embed-text"


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        pytest.param(
            Wire(404, '{"error":"model \\"nomic-embed-text\\" not found, try pulling it first"}'), "pulling", id="404"
        ),
        pytest.param(Wire(501, '{"error":"This server does not support embeddings."}'), "not support", id="chat model"),
        pytest.param(Wire(body='{"embeddings":[]}'), "0 vectors for 2 texts", id="too few vectors"),
        pytest.param(Wire(body="{}"), "embeddings", id="no vectors"),
        pytest.param(Wire(body="[]"), "TypeError", id="a list"),
        pytest.param(Wire(body="<html>"), "JSONDecodeError", id="a web page"),
        pytest.param(HUNG_UP, "RemoteProtocolError", id="the connection dropped"),
    ],
)
def test_what_is_no_vector_is_ollamas_silence_and_not_chromas(
    tmp_path: Path, wires: WireServer, wire: Wire, words: str
) -> None:
    wires.script = [wire]
    index = Knowledge.open(data_dir=tmp_path, chroma_url=None, embedder=OllamaEmbedder(wires.url, "nomic-embed-text"))
    with pytest.raises(UnreachableError, match=words) as silent:
        index.index([document("a"), document("b")])
    assert silent.value.part == "Ollama"


def test_by_setting_ollama_turns_words_into_vectors(tmp_path: Path, wires: WireServer) -> None:
    environ = {"GITLAB_URL": "http://x", "GITLAB_TOKEN": "x", "WEBHOOK_SECRET": "x", "DATA_DIR": str(tmp_path)}
    environ |= {"EMBEDDINGS": "ollama", "EMBEDDING_MODEL": "all-minilm", "OLLAMA_URL": f"{wires.url},http://other"}
    settings = read_settings({f"PIPEWRIGHT_{name}": value for name, value in environ.items()}, env_file=None)
    index = open_knowledge(settings)
    wires.script = [
        Wire(body=json.dumps({"embeddings": [[1.0, 0.0], [0.0, 1.0]]})),
        Wire(body=json.dumps({"embeddings": [[0.1, 0.9]]})),
    ]
    index.index([document("sea"), document("hill")])
    assert names(index.search("something high")) == ["hill", "sea"]
    assert [asked.body["model"] for asked in wires.asked] == ["all-minilm", "all-minilm"]
