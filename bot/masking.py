"""Replaces secrets by `[secret]` in whatever people may read: notes, pages, log lines."""

import math
import re
from collections import Counter

_MASK = "[secret]"
# A line of the log is JSON, and what Python shows is escaped: there the last letter of `\n` or `\u00a0` is no part of
# the word behind it, as little as that of what colours a terminal.
_START = r"(?:\b|(?<=\\[abfnrtv])|(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-f]{4})|(?<=\dm))"
_BREAK = r"[ \t\r]{0,4}(?:\n|\\n)[ \t]{0,40}"  # of a line, as it is or escaped
# Beside each shape what of it stands in any text that has one, without regard to case: to look for that first takes a
# tenth of the time, and every line of the log is looked through. Where case does not matter no sign has an i: a
# dotless one counts as one then.
_SHAPES = (
    (
        ("gl", "gr1348941"),
        re.compile(
            _START + r"(?:glpat|gldt|glrt|glcbt|glptt|glft|glimt|glagent|glsoat|gloas|glffct|glwt|GR1348941)-?"
            r"[A-Za-z0-9_.=-]{12,}"
        ),
    ),
    (("whsec_",), re.compile(_START + r"whsec_[A-Za-z0-9+/=]{12,}")),
    (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        re.compile(_START + r"(?:ghp|gho|ghu|ghs|ghr|github_pat)_[A-Za-z0-9_]{20,}"),
    ),
    (("akia", "asia"), re.compile(_START + r"(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    (("xox",), re.compile(_START + r"xox[abprs]-[A-Za-z0-9-]{10,}")),
    (("sk-",), re.compile(_START + r"sk-[A-Za-z0-9_-]{20,}")),
    (
        ("npm_", "pypi-", "dckr_pat_"),
        re.compile(_START + r"(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{40,}|dckr_pat_[A-Za-z0-9_-]{20,})"),
    ),
    (("eyj",), re.compile(_START + r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}")),
    (
        ("-----beg",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    ),
    # Of the last lines of a log, say: where a key began is cut off. The longest in use have a hundred lines.
    (
        ("-----end",),
        re.compile(
            rf"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/=]{{32,76}}{_BREAK}){{0,128}}(?:[A-Za-z0-9+/=]{{1,76}}{_BREAK})?"
            r"-----END [A-Z ]*PRIVATE KEY-----"
        ),
    ),
    (("bearer",), re.compile(_START + r"bearer\s+(?=[A-Za-z0-9._~+/=-]*\d)[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE)),
    (("author",), re.compile(_START + r"authorization\W{1,6}basic\s+[A-Za-z0-9+/=]{8,}", re.IGNORECASE)),
    (
        ("-token",),
        re.compile(
            _START + r"(?:private|job|deploy|x-gitlab)-token[\"'\\]*\s*[:=,]\s*[\"'\\]*[^\s\"'\\$,\[]{8,}",
            re.IGNORECASE,
        ),
    ),
    (("://",), re.compile(r"(?<=://)[^/\s:@\"]*:(?!\$\w+@|\$\{\w+\}@)[^/\s@\"]+(?=@)")),
)
# A value beside a word for secrets; only one that looks like chance is masked, for files name harmless ones too.
_NAMED_SIGNS = ("passw", "passphrase", "secret", "token", "key", "credent")
_NAMED = re.compile(
    r"(?P<name>(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|credential|private[_-]?key)"
    r"[A-Za-z0-9_-]{0,40}[\"'\\]*\s*[:=]\s*[\"'\\]*)(?P<value>[A-Za-z0-9+/=_.~!@#%^*-]{16,})",
    re.IGNORECASE,
)
_LONG_HEX = re.compile(r"(?=.*\d)[0-9a-f]{24,}", re.IGNORECASE)
_CHANCE_BITS = 3.5  # a character of English words carries about three, one of random base64 more than four


def mask_secrets(text: str) -> str:
    """Replace known shapes of tokens and keys, passwords in URLs, and random-looking values named as secrets."""
    folded = text.casefold()
    for signs, shape in _SHAPES:
        if _has_one(folded, signs):
            text = shape.sub(_MASK, text)
    return _NAMED.sub(_masked_when_random, text) if _has_one(folded, _NAMED_SIGNS) else text


def _has_one(text: str, signs: tuple[str, ...]) -> bool:
    for sign in signs:  # noqa: SIM110 - any() would make a generator for each shape of each line
        if sign in text:
            return True
    return False


def secrets_in(text: str) -> list[str]:
    """Return what `mask_secrets` would replace."""
    shaped: list[str] = []
    for _, shape in _SHAPES:  # one after another, as they are replaced: the end of a whole key is no second secret
        shaped += [found.group() for found in shape.finditer(text)]
        text = shape.sub(_MASK, text)
    return shaped + [found["value"] for found in _NAMED.finditer(text) if is_random(found["value"])]


def _masked_when_random(found: re.Match[str]) -> str:
    return f"{found['name']}{_MASK}" if is_random(found["value"]) else found.group()


def is_random(value: str) -> bool:
    """Tell whether a value looks like chance: long hexadecimal, or letters and digits without much repetition."""
    if _LONG_HEX.fullmatch(value):
        return True
    has_both = any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)
    return has_both and _bits_per_character(value) >= _CHANCE_BITS


def _bits_per_character(value: str) -> float:
    """Shannon's entropy of the characters (doi.org/10.1002/j.1538-7305.1948.tb01338.x)."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
