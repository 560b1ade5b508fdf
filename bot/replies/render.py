"""The one way to GitLab for any text: defuses whatever GitLab would act on.

GitLab executes quick actions in whatever the bot's account writes, notifies people who are mentioned, loads
images and renders HTML (docs.gitlab.com/user/project/quick_actions, /user/markdown). A text of a model, a
repository or a person may hold any of these, so everything passes here once, last.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from bot.domain import SafeText
from bot.masking import mask_secrets
from bot.replies.links import PART, closing_nothing, kept_home

MAX_CHARACTERS = 60_000
_CUT = "\n\n… (cut: the text was too long)"
_SPARE = 500  # for what is said of the cut, and what ends a fence that was cut

_INVISIBLE = re.compile("[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_QUICK_ACTION = re.compile(r"^/(?=[A-Za-z_])")
_INDENTED_QUICK_ACTION = re.compile(r"^(\s+)/(?=[A-Za-z_])")
# A name may hide behind an escape or an entity, and so may the @ itself.
_MENTION = re.compile(r"@(?=[A-Za-z0-9_.\\]|&(?!#8203;))")
# An image, or a page of a wiki, whose address may lead anywhere. A zero-width space parts them: behind a backslash an
# entity in the place of a sign would be shown, and its digits name an issue.
_BEFORE_A_BRACKET = re.compile(r"[!\[](?=\[)")
# Folded sections are ours, and only at the very start of a line: inside lists and quotes HTML swallows fences.
_TAG = re.compile(r"<(?!/?(?:details|summary)>)(?=[A-Za-z/!?])")
_FOLD = re.compile(r"<(?=/?(?:details|summary)>)")
_FOLD_LINE = re.compile(r"^</?(?:details|summary)>")
# GitLab reads `---` at the top (below a line on the encoding, too) as front matter and three or more `>` as a quote of
# many lines, around fences even (lib/gitlab/front_matter.rb; comrak's multiline_block_quotes).
_FRONT_MATTER = re.compile(r"\A((?:[^\n]*coding:[^\n]*\n)?\s*)(?=---|\+\+\+|;;;)")
_LONG_QUOTE = re.compile(r"^( {0,3})(?=>{3,}[ \t]*$)")
# Behind an escaped backtick, and beside a tag, backticks may make no code.
_NO_CODE_SPANS = re.compile(r"</?(?:details|summary)>|\\`")
# Beside the code of a line these may pair otherwise: a formula in dollars takes backticks in (comrak's math_dollars).
_PAIRED = re.compile(r"[`$]")
_BLANK = " \t"  # for Markdown; a no-break space is a word
_FENCE = re.compile(
    r"^(?P<item> {0,3}(?:[-*+]|\d{1,9}[.)]) {1,4}(?! ))? {0,3}(?P<mark>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$"
)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_CELL_END = re.compile(r"(?<!\\)\|")
_OWN_MARK = re.compile(r"(<!-- pipewright:[A-Za-z0-9 =:._/-]* -->)\s*\Z")

# GitLab draws diagrams, suggestions, and tables whose cells are Markdown (Banzai::Filter::JsonTableFilter), from what
# is code to us: only languages that it merely colours keep their names.
_COLOURED = frozenset(
    "bash c c# c++ clojure console cpp cs csharp css dart diff docker dockerfile elixir go gradle groovy haskell hcl "
    "html ini java javascript js json jsx kotlin lua make makefile markdown md nginx perl php plaintext powershell "
    "properties py python r rb rs ruby rust scala sh shell sql swift terraform text toml ts tsx txt typescript xml "
    "yaml yml zsh".split()
)

Prose = Callable[[str], str]


def safe(markdown: str, homes: Sequence[str] = (), *, ending: str = "") -> SafeText:
    """Return the text with everything GitLab would act on made harmless; links live only to addresses in `homes`.

    The bot's hidden mark stays where it is the very last thing; anywhere else it would be somebody's forgery. The
    `ending` (our own words, then the mark) stays below a text that is cut because it is too long.
    """
    text, last = mask_secrets(_plain(markdown)), mask_secrets(_plain(ending))
    body, mark = (text, "") if last else _parted(text)
    prose = partial(_defused_prose, homes=homes)
    words, last_mark = _parted(last)
    lines = _bounded(_FRONT_MATTER.sub(r"\1\\", body), prose)
    lines += _defused_lines(words, prose) if words else ()
    return SafeText(closing_nothing("\n".join(lines)) + mark + last_mark)


def _bounded(body: str, prose: Prose) -> list[str]:
    """Defuse, and cut what is too long then: a name alone grows by seven characters."""
    room = MAX_CHARACTERS
    while True:
        lines = [*_defused_lines(body if len(body) <= room else body[:room] + _CUT, prose)]
        length = sum(len(line) + 1 for line in lines)
        if length <= MAX_CHARACTERS + _SPARE:
            return lines
        room = room * MAX_CHARACTERS // length


def _parted(text: str) -> tuple[str, str]:
    """Return the text without the hidden mark at its end, and the mark."""
    found = _OWN_MARK.search(text)
    return (text[: found.start()].rstrip("\n"), f"\n\n{found[1]}") if found else (text, "")


def quoted(text: str, limit: int = 300) -> str:
    """Return somebody's words as one harmless inline code span; half a secret would be no secret to `safe`."""
    flat = " ".join(mask_secrets(_plain(text)).split())
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


def closed(text: str) -> str:
    """Return text in which no fence and no folded section stays open: what stands below would be part of it."""
    folds = 0

    def counted(prose: str) -> str:
        nonlocal folds
        folds += prose.count("<details>") - prose.count("</details>")
        return prose

    lines = [*_defused_lines(text, counted)]
    return "\n".join([text, *lines[text.count("\n") + 1 :], *["\n</details>"] * folds])


def cell(text: str) -> str:
    """Return text that fits into a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _plain(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", _INVISIBLE.sub("", text))


def _defused_lines(text: str, prose: Prose) -> Iterator[str]:
    """A fence moves to the start of its line, where no list can end it or begin another one in our stead."""
    fence, inset, is_html = "", 0, False
    paragraph: list[str] = []
    for line in text.split("\n"):
        if fence:
            code = re.sub(f"^ {{0,{inset}}}", "", line)
            fence = "" if _closes(fence, code) else fence
            # Older extractors do not see fences longer than three marks: a blank in front disarms the line.
            yield _QUICK_ACTION.sub(" /", code)
            continue
        found = None if is_html else _FENCE.match(line)
        if found is None and line.strip(_BLANK):
            paragraph.append(line)
            is_html = is_html or bool(_FOLD_LINE.match(line))
            continue
        yield from _defused_paragraph(paragraph, prose)
        paragraph, is_html = [], False
        fence, inset = (found["mark"], found.start("mark")) if found else ("", 0)
        yield f"{fence}{_language(found['info'])}" if found else line
    yield from _defused_paragraph(paragraph, prose)
    if fence:
        yield fence


def _language(info: str) -> str:
    word = (info.split() or [""])[0]
    return word if word.lower() in _COLOURED else ""


def _closes(fence: str, line: str) -> bool:
    found = _FENCE.match(line)
    if found is None or found["item"]:
        return False
    return found["mark"].startswith(fence) and not found["info"].strip(_BLANK)


def _defused_paragraph(lines: list[str], prose: Prose) -> Iterator[str]:
    """Code spans count only where every one ends in its line, for else they might pair across lines otherwise."""
    has_code = not any(_NO_CODE_SPANS.search(line) or _PAIRED.search(_CODE_SPAN.sub("", line)) for line in lines)
    for line in lines:
        disarmed = _QUICK_ACTION.sub(r"\\/", _LONG_QUOTE.sub(r"\1\\", line))
        disarmed = _INDENTED_QUICK_ACTION.sub(r"\1\\/", disarmed)
        if not _FOLD_LINE.match(disarmed):
            disarmed = _FOLD.sub("&lt;", disarmed)
        yield _defused_line(disarmed, prose) if has_code else prose(disarmed)


def _defused_line(line: str, prose: Prose) -> str:
    parts: list[str] = []
    position = 0
    for span in _CODE_SPAN.finditer(line):
        # In a table the end of a cell ends the code too.
        code = prose(span.group()) if _CELL_END.search(span.group()) else span.group()
        parts += [prose(line[position : span.start()]), code]
        position = span.end()
    return "".join([*parts, prose(line[position:])])


def _defused_prose(text: str, homes: Sequence[str]) -> str:
    text = _TAG.sub("&lt;", kept_home(text, homes))
    return _MENTION.sub(f"@{PART}", _BEFORE_A_BRACKET.sub(rf"\g<0>{PART}", text))
