"""Keeps links on the instance: whatever leads elsewhere, or would ping another issue, stays readable but dead.

A zero-width space, written as an entity, parts what GitLab would recognise (docs.gitlab.com/user/markdown: links,
URL auto-linking, GitLab-specific references).
"""

import re
from collections.abc import Sequence

PART = "&#8203;"
# An entity may hide any letter of an address or a reference; those that we write ourselves are known to be harmless,
# unless behind a backslash, where they are none and their digits a number.
_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot);|(?<!\\&)#8203;|(?<=\]&)#(?:58|40);)(?=#?[A-Za-z0-9]{1,32};)")
_REFERENCE = re.compile(r"([#!$]|\bGL-)(?=\d)(?!(?<=&#)(?:8203|58|40);)")
# A merge closes the issues that a description, or a commit, names behind such a word (docs: default closing pattern).
# GitLab looks for them before it reads any Markdown, so in code too (Gitlab::ClosingIssueExtractor).
_CLOSING = re.compile(
    r"\b(clos|fix|resolv|implement)(e[sd]?|ing|s|ed)?(:?) +"
    r"(?=(?:issues? +)?(?:https?://|[\w./-]*#\d|(?-i:[A-Z][A-Z0-9_]+-\d)))",
    re.IGNORECASE,
)
_NO_BREAK = "\u00a0"
_EPIC = re.compile(r"&(?:amp;)?(?=\d)")
_BRACKETED = re.compile(
    r"\[(?=(?:issue|work_item|epic|merge_request|snippet|vulnerability|feature_flag|contact)\b[^\]]*:)", re.IGNORECASE
)
_WWW = re.compile(r"(?<![/A-Za-z0-9])www\.", re.IGNORECASE)
_RELATIVE = r"\]\((?:#[\w-]*|/(?![/\\])[^\s()<>\\&]*|\.{0,2}/?[\w-][\w./-]*(?:#[\w-]*)?)\)"
# What ends the host of an address: not an @, a further label or another port, which would lead elsewhere.
_END = r"(?=[/?#)\]\s,;!'\"`*|]|[.:]?(?:\s|$))"


def kept_home(text: str, homes: Sequence[str]) -> str:
    """Return prose (no code in it) whose only live links lead to one of the addresses in `homes`, or are relative."""
    text = _ENTITY.sub("&amp;", text).replace("]:", "]&#58;")
    text = _targets(homes).sub(_parted, text)
    text = _BRACKETED.sub(f"[{PART}", _WWW.sub(f"www{PART}.", text))
    return _REFERENCE.sub(rf"\1{PART}", _EPIC.sub(f"&amp;{PART}", text))


def closing_nothing(text: str) -> str:
    """Return the text, code as well, with a no-break space behind what would close an issue: it looks the same."""
    return _CLOSING.sub(rf"\1\2\3{_NO_BREAK}", text)


def _targets(homes: Sequence[str]) -> re.Pattern[str]:
    """Match what may stay first, so that what is left of the alternatives leads elsewhere."""
    known = "|".join(re.escape(home.rstrip("/")) for home in homes) or r"(?!)"
    inline = rf"\]\((?:{known}){_END}[^\s()<>\\]*\)"
    bare = rf"(?<!\]\()(?<![A-Za-z0-9+.-])(?:{known}){_END}"
    return re.compile(rf"(?P<live>{inline}|{bare}|{_RELATIVE})|(?P<inline>\]\()|:(?=\\?/\\?/)", re.IGNORECASE)


def _parted(found: re.Match[str]) -> str:
    if found["live"]:
        return found.group()
    return "]&#40;" if found["inline"] else f":{PART}"
