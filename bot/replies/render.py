"""The one way to GitLab for any text: defuses whatever GitLab would act on.

GitLab executes quick actions in whatever the bot's account writes, notifies people who are mentioned, loads
images and renders HTML (docs.gitlab.com/user/project/quick_actions, /user/markdown). A text of a model, a
repository or a person may hold any of these, so everything passes here once, last.
"""

import re
from collections.abc import Iterator

from bot.domain import SafeText

MAX_CHARACTERS = 60_000
_CUT = "\n\n… (cut: the text was too long)"

_INVISIBLE = re.compile("[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_QUICK_ACTION = re.compile(r"^/(?=[A-Za-z_])")
_INDENTED_QUICK_ACTION = re.compile(r"^(\s+)/(?=[A-Za-z_])")
_MENTION = re.compile(r"@(?=[A-Za-z0-9_])")
_TAG = re.compile(r"<(?!/?(?:details|summary|br)\s*/?>)(?!!-- pipewright:[A-Za-z0-9 =:._/-]* -->)(?=[A-Za-z/!?])")
# Inside an HTML line, and behind an escaped backtick, backticks make no code: such a line is prose throughout.
_NO_CODE_SPANS = re.compile(r"</?(?:details|summary|br)\b|\\`")
_FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")

_SECRETS = (
    re.compile(r"\b(?:glpat|gldt|glrt|glcbt|glptt|glft|glimt|glagent|glsoat|gloas|GR1348941)-?[A-Za-z0-9_.=-]{16,}"),
    re.compile(r"\bwhsec_[A-Za-z0-9+/=]{20,}"),
    re.compile(r"\b(?:ghp|gho|ghu|ghs|ghr|github_pat)_[A-Za-z0-9_]{20,}"),
    re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)


def safe(markdown: str) -> SafeText:
    """Return the text with everything GitLab would act on made harmless."""
    text = mask_secrets(_plain(markdown))
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS] + _CUT
    return SafeText("\n".join(_defused_lines(text)))


def mask_secrets(text: str) -> str:
    """Replace known shapes of tokens, keys and passwords in URLs by `[secret]`."""
    for shape in _SECRETS:
        text = shape.sub("[secret]", text)
    return text


def quoted(text: str, limit: int = 300) -> str:
    """Return somebody's words as one harmless inline code span."""
    flat = " ".join(_plain(text).split())
    flat = flat if len(flat) <= limit else flat[: limit - 1] + "…"
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") or not flat else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def code_block(text: str, language: str = "") -> str:
    """Return a fenced block that the text cannot break out of."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def folded(title: str, body: str) -> str:
    """Return a section that is closed until somebody opens it."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def cell(text: str) -> str:
    """Return text that fits into a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _plain(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", _INVISIBLE.sub("", text))


def _defused_lines(text: str) -> Iterator[str]:
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            closes = mark is not None and mark["mark"].startswith(fence) and not mark["info"].strip()
            fence = "" if closes else fence
            # Older extractors do not see fences longer than three marks: a blank in front disarms the line.
            yield _QUICK_ACTION.sub(" /", line)
            continue
        if mark is not None:
            fence = mark["mark"]
            yield line
            continue
        yield _defused_line(line)
    if fence:
        yield fence


def _defused_line(line: str) -> str:
    line = _QUICK_ACTION.sub(r"\\/", line)
    line = _INDENTED_QUICK_ACTION.sub(r"\1\\/", line)
    if _NO_CODE_SPANS.search(line):
        return _defused_prose(line)
    parts: list[str] = []
    position = 0
    for span in _CODE_SPAN.finditer(line):
        parts += [_defused_prose(line[position : span.start()]), span.group()]
        position = span.end()
    return "".join([*parts, _defused_prose(line[position:])])


def _defused_prose(text: str) -> str:
    text = _TAG.sub("&lt;", text)
    text = text.replace("![", "&#33;[")
    return _MENTION.sub("@&#8203;", text)
