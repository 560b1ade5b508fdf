"""Replaces secrets by `[secret]` in whatever people may read: notes, pages, log lines."""

import math
import re
from collections import Counter

_MASK = "[secret]"
_SHAPES = (
    re.compile(r"\b(?:glpat|gldt|glrt|glcbt|glptt|glft|glimt|glagent|glsoat|gloas|GR1348941)-?[A-Za-z0-9_.=-]{12,}"),
    re.compile(r"\bwhsec_[A-Za-z0-9+/=]{12,}"),
    re.compile(r"\b(?:ghp|gho|ghu|ghs|ghr|github_pat)_[A-Za-z0-9_]{20,}"),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\b(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{40,}|dckr_pat_[A-Za-z0-9_-]{20,})"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    re.compile(r"\bbearer\s+(?=[A-Za-z0-9._~+/=-]*\d)[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE),
    re.compile(r"\bauthorization\W{1,6}basic\s+[A-Za-z0-9+/=]{8,}", re.IGNORECASE),
    re.compile(r"\b(?:private|job|deploy|x-gitlab)-token[\"'\\]*\s*[:=,]\s*[\"'\\]*[^\s\"'\\$,\[]{8,}", re.IGNORECASE),
    re.compile(r"(?<=://)[^/\s:@\"]*:(?!\$\w+@|\$\{\w+\}@)[^/\s@\"]+(?=@)"),
)
# A value beside a word for secrets; only one that looks like chance is masked, for files name harmless ones too.
_NAMED = re.compile(
    r"(?P<name>(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|credential|private[_-]?key)"
    r"[A-Za-z0-9_-]{0,40}[\"'\\]*\s*[:=]\s*[\"'\\]*)(?P<value>[A-Za-z0-9+/=_.~!@#%^*-]{16,})",
    re.IGNORECASE,
)
_LONG_HEX = re.compile(r"(?=.*\d)[0-9a-f]{24,}", re.IGNORECASE)
_CHANCE_BITS = 3.5  # a character of English words carries about three, one of random base64 more than four


def mask_secrets(text: str) -> str:
    """Replace known shapes of tokens and keys, passwords in URLs, and random-looking values named as secrets."""
    for shape in _SHAPES:
        text = shape.sub(_MASK, text)
    return _NAMED.sub(_masked_when_random, text)


def secrets_in(text: str) -> list[str]:
    """Return what `mask_secrets` would replace."""
    shaped = [found.group() for shape in _SHAPES for found in shape.finditer(text)]
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
