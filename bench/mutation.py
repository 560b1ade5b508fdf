"""Level 8: whether red means something: a repository is broken on purpose, and its test job must notice."""

import re
from pathlib import Path

from msgspec import Struct

# Which files hold tests, what in them is an assertion, and what turns it round.
_RULES: tuple[tuple[str, str, str], ...] = (
    (r"(?:test_.*|.*_test|tests?)\.py", r"^(\s+)assert (?!not\b)([^,\n(\[{\"']+)$", r"\1assert not (\2)"),
    (r"(?:test_.*|.*_test|tests?)\.py", r"\bself\.assertEqual\(", "self.assertNotEqual("),
    (r".*\.(?:test|spec)\.[cm]?[jt]sx?|.*/tests?/.*\.[cm]?[jt]s|tests?\.[cm]?js", r"\)\.toBe\(", ").not.toBe("),
    (r".*\.[cm]?[jt]sx?", r"\bassert\.strictEqual\(", "assert.notStrictEqual("),
    (r".*\.[cm]?[jt]sx?", r"\bassert\.equal\(", "assert.notEqual("),
    (r".*\.(?:test|spec)\.[cm]?[jt]sx?", r"\)\.toEqual\(", ").not.toEqual("),
    (r".*_test\.go", r"^(func Test\w+\((\w+) \*testing\.T\) \{)$", r'\1\n\t\2.Error("broken on purpose")'),
    (r".*\.rs", r"\bassert_eq!\(", "assert_ne!("),
    (r".*Tests?\.java", r"\bassertEquals\(", "assertNotEquals("),
    (r".*\.(?:c|cc|cpp)", r"\bassert\((?!0)", "assert(!"),
)


class Mutation(Struct, frozen=True, kw_only=True):
    """One change that a good test job must notice."""

    path: str
    line: int
    before: str
    after: str


def mutate(checkout: Path, paths: list[str]) -> Mutation | None:
    """Break the first assertion of the first test file there is, in place; None when none is understood."""
    for names, pattern, instead in _RULES:
        for path in paths:
            if not re.fullmatch(names, path) and not re.fullmatch(names, path.rpartition("/")[2]):
                continue
            done = _mutate_file(checkout, path, pattern, instead)
            if done:
                return done
    return None


def _mutate_file(checkout: Path, path: str, pattern: str, instead: str) -> Mutation | None:
    file = checkout / path
    if not _is_test(path) or not file.is_file() or file.is_symlink():
        return None
    text = file.read_text(encoding="utf-8", errors="surrogateescape")
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        return None
    after = found.expand(instead) if "\\" in instead else instead
    file.write_text(text[: found.start()] + after + text[found.end() :], encoding="utf-8", errors="surrogateescape")
    return Mutation(
        path=path, line=text.count("\n", 0, found.start()) + 1, before=found[0].strip(), after=after.strip()
    )


def _is_test(path: str) -> bool:
    return re.search(r"(?i)test|spec", path) is not None and "fixture" not in path
