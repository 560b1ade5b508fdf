"""Whatever people, files and models write, it is read to an end: the command parser, the check ladder, the renderer."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ci.checks import check
from bot.proposals.command import Command, FreeText, Unknown, read_command
from bot.replies.render import MAX_CHARACTERS, safe
from tests.fuzz.conftest import examples

TOP = Path(__file__).parents[2]
MEGABYTES, SECONDS = 1500, 240

WORDS = [
    *(
        "@pipewright",
        "@pipewright-bot",
        "help",
        "generate",
        "approve",
        "status",
        "undo",
        "please",
        "why did it fail on",
    ),
    *("set up CI", "0123abc", "\n", "\n\n", " ", ",", ">", ">>>\n", "`", "```\n", "~~~", "    ", "<code>", "</code>"),
    *("<!--", "-->", "[", "](", ")", "![", "\\", "&#64;", "*", "_", "|", "\t", "\u200b", "\u202e", "\x00", "é", "😀"),
]
SNIPPETS = [
    *("test:", "  script:", "    - echo", " - ", ": ", "&a ", "*a", "<<: *a", "!reference [a, b]", "{", "}", "[", "]"),
    *("'", '"', "|", ">", "#", "---\n", "...\n", "\n", "\n  ", "stages:", "include:", "  local: x.yml", "image:"),
    *("rules:", "  - if: $X == ", "=~ /(a+)+$/", "variables:", "extends: test", "needs: [test]", "parallel:"),
    *("  matrix:", "!!python/object:os.system", "!!binary", "? ", "%YAML 1.2\n", "\t", "\x00", "\ufeff", "1e999"),
    *("0o777", "2001-99-99", "~", "null", ".inf", "default:", "cache:", "a: &a [*a]", "trigger:", "spec:\n"),
]


# What YAML 1.1 takes for the end of a line, as libyaml does, GitLab's reader.
LINE_BREAKS = re.compile("[\n\r\x85\u2028\u2029]")


def glued(pieces: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces) | st.text(max_size=6), max_size=30).map("".join)


@examples(400)
@given(glued(WORDS))
def test_every_note_is_read_as_something(text: str) -> None:
    read = read_command(text, ("pipewright", "pipewright-bot"))
    assert read is None or isinstance(read, Command | FreeText | Unknown)
    if "@pipewright" not in text.lower():
        assert read is None


@examples(300)
@given(glued(SNIPPETS))
def test_every_file_is_checked_to_an_end(text: str) -> None:
    for finding in check(text):
        assert finding.message
        assert finding.line is None or 1 <= finding.line <= len(LINE_BREAKS.findall(text)) + 2


@examples(300)
@given(glued(WORDS) | glued(SNIPPETS), st.integers(1, 400))
def test_every_text_is_rendered_within_bounds(text: str, times: int) -> None:
    assert len(safe(text * times).markdown) <= MAX_CHARACTERS + 1000


def bounded() -> None:
    """Let the kernel end whatever takes too much memory or time of the processor: no clock is watched."""
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 2**20, MEGABYTES * 2**20))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
MERGES = "b0: &b0 {x0: 1, y0: 1}\n" + "".join(
    f"b{n}: &b{n}\n  <<: [*b{n - 1}, *b{n - 1}, *b{n - 1}]\n  x{n}: 1\n" for n in range(1, 30)
)
BOMBS = {
    "aliases of aliases": ALIASES,
    "merges of merges": MERGES,
    "an alias of itself": "a: &a [*a]\ntest: *a\n",
    "a mapping in itself": "a: &a {b: *a}\ntest: {script: *a}\n",
    "a hundred thousand lists in each other": "a: " + "[" * 100_000 + "]" * 100_000,
    "mappings in each other": "a: " + "{a: " * 20_000 + "1" + "}" * 20_000,
    "blocks in each other": "".join(" " * n + "a:\n" for n in range(1_400)),
    "brackets that never close": "a: " + "[" * 900_000,
    "a scalar of two megabytes": "test:\n  script: " + "x" * 1_900_000,
    "a key of two megabytes": "x" * 1_900_000 + ": 1\n",
    "a hundred thousand jobs": "".join(f"j{n}: {{script: x}}\n" for n in range(60_000)),
    "jobs that extend each other in a long row": "a0: {script: x}\n"
    + "".join(f"a{n}: {{extends: a{n - 1}}}\n" for n in range(1, 3_000)),
    "jobs that extend two others each, row upon row": "a0: {script: x}\nb0: {script: x}\n"
    + "".join(f"{one}{n}: {{extends: [a{n - 1}, b{n - 1}]}}\n" for n in range(40, 0, -1) for one in "ab"),
    "jobs that need each other": "".join(f"a{n}: {{script: x, needs: [a{(n + 1) % 500}]}}\n" for n in range(500)),
    "a regular expression that never ends": "test: {script: x, rules: [{if: '$X =~ /" + "(a+)+" * 200 + "$/'}]}\n",
    "a number of many digits": "test: {script: x, retry: " + "9" * 100_000 + "}\n",
    "hexadecimal of many digits": "test: {script: x, retry: 0x" + "f" * 500_000 + "}\n",
    "sexagesimal of many digits": "test: {script: x, retry: " + "59:" * 50_000 + "59}\n",
    "a date that is none": "test: {script: x, variables: {A: 2001-99-99T99:99:99Z}}\n",
    "a matrix of billions": "test: {script: x, parallel: {matrix: [{"
    + ", ".join(f"V{n}: [1,2,3,4,5,6,7,8,9]" for n in range(10))
    + "}]}}\n",
    "references in a circle": "a: {script: !reference [b, script]}\nb: {script: !reference [a, script]}\n",
    "zeros": "\x00" * 100_000,
    "documents without end": "---\na: 1\n" * 50_000,
    "tabs": "\t" * 500_000,
    "quotes": '"' * 500_001,
    "anchors": "".join(f"a{n}: &a{n} 1\n" for n in range(60_000)),
}


TEXTS = {
    "quotes in quotes": ">" * 20_000 + " @pipewright help",
    "lists in lists": "".join("  " * n + "- x\n" for n in range(3_000)) + "@pipewright help",
    "brackets": "[" * 20_000,
    "brackets and parentheses": "[a](" * 20_000,
    "stars": "*a_" * 20_000,
    "backticks": "".join("`" * (n % 200) + " " for n in range(20_000)),
    "images": "![" * 100_000,
    "tags": "<a " * 100_000,
    "comments": "<!--" * 100_000,
    "mentions": "@pipewright " * 100_000,
    "slashes": "/close\n" * 100_000,
    "entities": "&#64;" * 100_000,
    "blanks": " " * 1_000_000,
    "lines": "\n" * 1_000_000,
    "links": "https://x.test/" * 60_000,
    "one word": "a" * 1_000_000,
    "tables": "|a" * 200_000 + "\n" + "|-" * 200_000,
    "names of secrets": "password=" * 100_000,
    "dots": "glpat-" + "." * 1_000_000,
    "keys that never began": ("QUJD+/8=\n" * 20 + "-----END RSA " + "PRIVATE KEY----\n") * 2_000,
    "keys that never end": ("-----BEGIN RSA " + "PRIVATE KEY-----") * 20_000,
    "web tokens": "eyJ" + "a" * 500_000,
    "polite words": "@pipewright " + "please " * 2_800,
    "plain wishes": "@pipewright create " + "a " * 9_900,
    "plain questions": "@pipewright why did " + "it " * 6_000,
}
LINT = """
from bot.cli.lint import in_one_line, lint
from bot.domain import CannotError
from tests.fuzz.test_fuzz_readers import BOMBS
for name, text in BOMBS.items():
    print("reading", name, flush=True)
    open(".gitlab-ci.yml", "w").write(text)
    try:
        for finding in lint(".gitlab-ci.yml"):
            in_one_line(finding)
    except CannotError as refused:
        print(refused)
"""
READ_AND_RENDER = """
from bot.proposals.command import read_command
from bot.replies.render import MAX_CHARACTERS, safe
from tests.fuzz.test_fuzz_readers import TEXTS
for name, text in TEXTS.items():
    print("reading", name, flush=True)
    read_command(text, ("pipewright",))
    assert len(safe(text, ("https://gitlab.test",)).markdown) < 5 * MAX_CHARACTERS  # GitLab takes 1 000 000
"""


LOCKS = {
    "edges that never end": '[[package]]\nname = "x"\n' + '{ name = "' * 100_000,
    "wheels without an ending": '[[package]]\nname = "x"\n' + "-cp312-cp312" * 80_000,
    "tags without an ending": '[[package]]\nname = "x"\n-cp312-cp3a' + ".a" * 400_000,
    "tables in a line": "a = {" * 200_000,
    "markers": '[[package]]\nname = "x"\nmarker = ' + "python_version " * 60_000,
    "packages": '[[package]]\nname = "x"\n' * 40_000,
}
SURVEY = """
from bot.domain import Snapshot
from bot.survey.report import survey
from tests.fuzz.test_fuzz_readers import LOCKS
project = "[project]\\nname = 'x'\\nversion = '1'\\n"
for name, text in LOCKS.items():
    print("reading", name, flush=True)
    for lock in ("poetry.lock", "uv.lock", "pdm.lock"):
        files = {"pyproject.toml": project, lock: text}
        assert survey(Snapshot(paths=tuple(sorted(files)), texts=files)).units
"""


SOURCES = {
    "comments that never end": "/*" * 200_000,
    "empty lines": "\n" * 400_000,
    "blanks": " " * 400_000,
    "brackets and blanks": "[ " * 200_000,
    "ports": "port " * 80_000,
    "addresses": '"0.0.0.0"' * 40_000,
    "calls": '"0.0.0.0"' + ".a()" * 100_000,
    "variables that are demanded": 'os.environ["' * 30_000,
    "variables without an end": "env('A'" * 50_000,
    "targets": "<TargetFramework>net8.0" * 20_000,
    "lists of targets": "<TargetFrameworks>" + "net8.0;" * 50_000,
    "names": "<AssemblyName>" + " " * 400_000,
    "fences without an end": "```x\n" * 80_000,
    "programs": "web: " + "a " * 200_000,
    "gems": "gem 'puma'\n" * 40_000,
    "releases": "releases: [" * 40_000,
}
SURVEY_SOURCES = r"""
from bot.domain import Snapshot
from bot.survey.report import survey
from tests.fuzz.test_fuzz_readers import SOURCES
CARGO = "[package]\nname = 'x'\n[dependencies]\naxum = '1'\n"
CMAKE = "project(x CXX)\nfind_package(Crow)\nadd_executable(x main.cpp)\n"
MANAGE = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'a.settings')\n"
for name, text in SOURCES.items():
    print("reading", name, flush=True)
    for files in (
        {"Cargo.toml": CARGO, "src/main.rs": text},
        {"CMakeLists.txt": CMAKE, "main.cpp": text, "README.md": text},
        {"requirements.txt": "django\nwhitenoise\n", "manage.py": MANAGE, "a/settings.py": text},
        {"a/a.csproj": "<Project Sdk='Microsoft.NET.Sdk.Web'>" + text},
        {"Gemfile": "gem 'sinatra'\n" + text, "Procfile": text},
        {"mix.exs": text},
        {"package.json": '{"dependencies": {"next": "1"}}', "next.config.ts": text},
    ):
        assert survey(Snapshot(paths=tuple(sorted(files)), texts=files)).units
"""


@pytest.mark.parametrize(
    ("program", "texts"),
    [(LINT, BOMBS), (READ_AND_RENDER, TEXTS), (SURVEY, LOCKS), (SURVEY_SOURCES, SOURCES)],
    ids=["lint", "notes", "locks", "sources"],
)
def test_a_bomb_takes_neither_memory_nor_time(program: str, texts: dict[str, str], tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=bounded,
    )
    assert ran.returncode == 0, ran.stdout.splitlines()[-1:] + ran.stderr.splitlines()[-3:]
    assert ran.stdout.count("reading") == len(texts)
