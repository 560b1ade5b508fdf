"""Many threads may read the same struct for the first time at once."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bot
from bot.domain.known import known

_HOUSE = Path(bot.__file__).parent
_READERS = {"msgspec.convert", "convert", "msgspec.json.decode", "msgspec.yaml.decode"}
_NO_STRUCTS = {"dict", "list", "tuple", "str", "datetime"}
# Children of a process that has not read anything yet; in each, threads read the field whose type is filled in last.
_FIRST_READINGS = """
import os, sys, threading
import msgspec
from bot.store.proposals import Proposal

last = {Proposal.__struct_fields__[-1]: object()}
begun = threading.Event()

def read():
    begun.wait()
    for _ in range(50):
        try:
            msgspec.convert(last, Proposal)
        except msgspec.ValidationError:
            continue
        raise AssertionError

sys.setswitchinterval(1e-6)
for _ in range(40):
    child = os.fork()
    if child == 0:
        threads = [threading.Thread(target=read) for _ in range(6)]
        for thread in threads:
            thread.start()
        begun.set()
        for thread in threads:
            thread.join()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        sys.exit(f"died by signal {os.WTERMSIG(status)}")
"""


def test_threads_that_read_the_same_struct_for_the_first_time_do_not_kill_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_READINGS],
        cwd=_HOUSE.parent,
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_msgspec_cannot_read_is_refused_at_import() -> None:
    with pytest.raises(TypeError):
        known(list[int] | tuple[int, ...])


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} - _NO_STRUCTS


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def _read(tree: ast.AST) -> set[str]:
    calls = [call for name, call in _calls(tree) if name in _READERS]
    kinds = [kind for call in calls for kind in call.args[1:]]
    kinds += [one.value for call in calls for one in call.keywords if one.arg == "type"]
    return {word for kind in kinds for word in _names(kind)}


def _known(tree: ast.AST) -> set[str]:
    return {word for name, call in _calls(tree) if name == "known" for kind in call.args for word in _names(kind)}


def test_every_struct_that_a_module_reads_is_known_from_its_import_on() -> None:
    modules = [path for path in sorted(_HOUSE.rglob("*.py")) if "sandbox" not in path.parts]
    trees = {path.relative_to(_HOUSE).as_posix(): ast.parse(path.read_text()) for path in modules}
    read = {name: _read(tree) for name, tree in trees.items() if _read(tree)}
    assert "store/proposals.py" in read
    assert {name: kinds - _known(trees[name]) for name, kinds in read.items() if kinds - _known(trees[name])} == {}
