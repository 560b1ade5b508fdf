"""Level 8: whether red means something: a repository is broken on purpose, and its test job must notice."""

import re
from pathlib import Path

from msgspec import Struct

# Which files hold tests, what in them is an assertion, and what turns it round.
_PYTHON = r"(?:test_.*|.*_test|tests?)\.py"
_SCRIPT = r".*\.(?:test|spec)\.[cm]?[jt]sx?|(?:.*/)?(?:__tests__|tests?|spec)/.*\.[cm]?[jt]sx?|tests?\.[cm]?js"
_RULES: tuple[tuple[str, str, str], ...] = (
    (_PYTHON, r"^(\s+)assert (?!not\b)([^,\n(\[{\"']+)$", r"\1assert not (\2)"),
    (_PYTHON, r"\bself\.assertEqual\(", "self.assertNotEqual("),
    (_PYTHON, r"\bself\.assertEquals\(", "self.assertNotEqual("),
    (_SCRIPT, r"\)\.toBe\(", ").not.toBe("),
    (_SCRIPT, r"\bassert\.strictEqual\(", "assert.notStrictEqual("),
    (_SCRIPT, r"\bassert\.equal\(", "assert.notEqual("),
    (_SCRIPT, r"\bassert\.deepStrictEqual\(", "assert.notDeepStrictEqual("),
    (_SCRIPT, r"\)\.toEqual\(", ").not.toEqual("),
    (_SCRIPT, r"\)\.to\.equal\(", ").to.not.equal("),
    (_SCRIPT, r"\bt\.is\(", "t.not("),
    (r".*_test\.go", r"^(func Test\w+\((\w+) \*testing\.T\) \{)$", r'\1\n\t\2.Error("broken on purpose")'),
    (r".*\.rs", r"\bassert_eq!\(", "assert_ne!("),
    (
        r".*Tests?\.(?:java|kt)",
        r"(@Test\b[^{;}]*\{)",
        r'\1\n        if (true) throw new AssertionError("broken on purpose");',
    ),
    (r".*\.(?:c|cc|cpp|cxx)", r"\bREQUIRE\(", "REQUIRE_FALSE("),
    (r".*\.(?:c|cc|cpp|cxx)", r"\bEXPECT_EQ\(", "EXPECT_NE("),
    (r".*\.(?:c|cc|cpp|cxx)", r"\bassert\((?!0)", "assert(!"),
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
    every = re.finditer(pattern, text, re.MULTILINE)
    found = next((each for each in every if not _is_in_comment(text, each.start())), None)
    if not found:
        return None
    after = found.expand(instead) if "\\" in instead else instead
    file.write_text(text[: found.start()] + after + text[found.end() :], encoding="utf-8", errors="surrogateescape")
    return Mutation(
        path=path, line=text.count("\n", 0, found.start()) + 1, before=found[0].strip(), after=after.strip()
    )


def _is_in_comment(text: str, position: int) -> bool:
    """Whether a comment begins before a place on its line: what is changed there breaks nothing."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return re.match(r"\s*(?://|#|\*|/\*)", line) is not None or "//" in line


def _is_test(path: str) -> bool:
    return re.search(r"(?i)test|spec", path) is not None and "fixture" not in path
