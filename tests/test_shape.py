"""The house keeps its shape: short modules and functions, each library behind its own door, no drawers.

The bounds stand a little above the longest of today, so that growth is noticed where it begins.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
MODULES = sorted(path.relative_to(TOP).as_posix() for path in (TOP / "bot").rglob("*.py"))
STAND_IN = "bot/sandbox/"
PAGES = sorted([*TOP.glob("*.md"), *(TOP / "docs").glob("*.md")])
LONGEST_README = 200

# (the stand-in lists GitLab's many keys, which makes its modules and functions long)
LONGEST_MODULE, LONGEST_MODULE_OF_STAND_IN = 380, 470
LONGEST_FUNCTION, LONGEST_FUNCTION_OF_STAND_IN = 50, 55
LONGEST_OF_NINE_IN_TEN = 20

# A library, and the only places that may import it.
DOORS = {
    "gitlab": ("bot/gitlab/",),
    "requests": ("bot/gitlab/",),
    "authlib": ("bot/gitlab/",),
    "cryptography": ("bot/web/door/",),
    "opentelemetry": ("bot/tracing.py",),
    "ollama": ("bot/llm/", "bot/knowledge/"),
    "chromadb": ("bot/knowledge/",),
    "psycopg_pool": ("bot/store/", "bot/tasks/"),
    "psycopg": ("bot/store/", "bot/tasks/"),
    "procrastinate": ("bot/tasks/",),
    "litestar": ("bot/web/",),
    "uvicorn": ("bot/main.py",),
    "click": ("bot/cli/",),
    "pygit2": ("bot/sandbox/",),
}
# The web tells a text that cannot be stored, and a database that is away, from other mishaps by their errors.
ERRORS_OF_STORE = {"DataError", "InterfaceError", "OperationalError"}
# The one outermost catch and its apology; the look for what was missed, which must not end the worker; the web's front,
# which hands what broke to litestar's, the web's outermost; the stand-in's pool, which would swallow it without a word.
BROAD_CATCHES = {
    "bot/tasks/carrying.py": 2,
    "bot/tasks/worker.py": 1,
    "bot/web/front.py": 1,
    "bot/sandbox/server.py": 1,
}
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base", "core", "lib"}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((TOP / module).read_text(encoding="utf-8"))


def functions(module: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def imports(module: str) -> Iterator[tuple[str, str]]:
    """Every imported library with the name taken from it, imports inside functions too."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (((node.module or "").split(".")[0], alias.name) for alias in node.names)


def test_there_is_a_house() -> None:
    assert len(MODULES) > 100


def test_every_module_says_what_it_is_for() -> None:
    assert [module for module in MODULES if not ast.get_docstring(tree(module))] == []


def test_no_module_is_too_long() -> None:
    def bound(module: str) -> int:
        return LONGEST_MODULE_OF_STAND_IN if module.startswith(STAND_IN) else LONGEST_MODULE

    sizes = {module: len((TOP / module).read_text(encoding="utf-8").splitlines()) for module in MODULES}
    assert {module: size for module, size in sizes.items() if size > bound(module)} == {}


def test_no_function_is_too_long() -> None:
    def bound(module: str) -> int:
        return LONGEST_FUNCTION_OF_STAND_IN if module.startswith(STAND_IN) else LONGEST_FUNCTION

    long = [(module, name, size) for module in MODULES for name, size in functions(module) if size > bound(module)]
    assert long == []


def test_nine_functions_in_ten_fit_into_one_look() -> None:
    sizes = sorted(size for module in MODULES for _, size in functions(module))
    assert sizes[len(sizes) * 9 // 10] <= LONGEST_OF_NINE_IN_TEN


def test_nothing_catches_everything_but_the_outermost() -> None:
    found: Counter[str] = Counter()
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            names = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)} if node.type else {""}
            found[module] += bool(names & {"", "Exception", "BaseException"})
    assert +found == BROAD_CATCHES


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_is_imported_behind_its_door_only(library: str) -> None:
    doors = DOORS[library]
    strangers = {
        (module, name)
        for module in MODULES
        for imported, name in imports(module)
        if imported == library and not module.startswith(doors)
    }
    if library.startswith("psycopg"):
        strangers = {pair for pair in strangers if not (pair[0].startswith("bot/web/") and pair[1] in ERRORS_OF_STORE)}
    assert strangers == set()
    assert any(imported == library for module in MODULES for imported, _ in imports(module)), "it has a door at all"


def test_there_is_no_drawer() -> None:
    names = {part for module in MODULES for part in Path(module).with_suffix("").parts}
    assert names & DRAWERS == set()


def test_nothing_is_patched_in_the_tests_of_our_own() -> None:
    """A test that replaces our own functions proves nothing about the rest."""
    patched = [
        path.name
        for path in (TOP / "tests").rglob("*.py")
        if re.search(r"""(?:mock\.patch|monkeypatch\.setattr)\(\s*["']bot\.""", path.read_text(encoding="utf-8"))
    ]
    assert patched == []


# --- beside the house ---


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_by_hash_and_names_no_index(name: str) -> None:
    text = (TOP / name).read_text(encoding="utf-8")
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|@ file:", text) == []
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) > 50
    unpinned = [block.splitlines()[0] for block in blocks if "==" not in block or "--hash=sha256:" not in block]
    assert unpinned == []


def test_the_readme_stays_short() -> None:
    assert len((TOP / "README.md").read_text(encoding="utf-8").splitlines()) <= LONGEST_README


def test_every_make_command_of_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        page.name: set(re.findall(r"(?:^|`)make ([a-z-]+)\b", page.read_text(encoding="utf-8"), re.MULTILINE))
        for page in PAGES
    }
    assert {"demo", "test"} <= named["README.md"]
    assert set().union(*named.values()) - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TOP)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", page.read_text(encoding="utf-8"))
    for path, _, heading in (link.partition("#") for link in map("".join, links) if "://" not in link):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not heading or heading in _headings(target), heading


def _headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitLab makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_map_of_the_house_names_every_room() -> None:
    text = (TOP / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {Path(module).parts[1].removesuffix(".py") for module in MODULES} - {"__init__", "__main__"}
    assert [room for room in sorted(rooms) if not re.search(rf"\b{room}\b", text)] == []


def test_whoever_makes_text_harmless_says_which_links_may_live() -> None:
    calls = [
        node
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "safe"
    ]
    assert calls
    assert [ast.unparse(call) for call in calls if len(call.args) + len(call.keywords) < 2] == []
