"""Reads a person's words as a command: pure, deaf to quotes and code.

The grammar is `@bot WORD rest`. Polite plain orders ("please set up CI") are read as `generate` too, so that
the most wished-for thing needs no model.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import Struct

from bot.domain.places import NAME_LETTERS, mention_of

CommandName = Literal["help", "generate", "status", "approve", "reject", "retry", "cancel", "undo", "explain", "repair"]
NAMES: tuple[CommandName, ...] = (
    "help", "generate", "status", "approve", "reject", "retry", "cancel", "undo", "explain", "repair",
)  # fmt: skip

_ALIASES: dict[str, CommandName] = {
    "merge": "approve",
    "lgtm": "approve",
    "regenerate": "generate",
    "close": "reject",
    "fix": "repair",
    "revert": "undo",
}


class Command(Struct, frozen=True, kw_only=True):
    """An order the bot carries out without a model; `rest` is what followed the word.

    Only `generate` takes more than the rest of its line.
    """

    name: CommandName
    rest: str = ""


class Unknown(Struct, frozen=True, kw_only=True):
    """A lone word that looks like a mistyped command."""

    word: str
    guess: CommandName


class FreeText(Struct, frozen=True, kw_only=True):
    """Anything else: for the model."""

    text: str


Order = Command | Unknown | FreeText

# An order stands near the top; a megabyte of text must not cost seconds of pattern matching.
_READ_AT_MOST = 20_000

# An escaped "\\@" and an entity call nobody, so both stay as they were written.
_MARKDOWN = MarkdownIt("commonmark").disable(["escape", "entity"])
# GitLab's own quote, not CommonMark's; one that nobody closed goes on to the end. What looks so in a fence is code.
_LONG_QUOTE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)|\Z)"
    r"|^ {0,3}(?P<quote>>{3,})[ \t]*\n.*?(?:^ {0,3}(?P=quote)>*[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
# What GitLab shows as code at the top of a text (lib/gitlab/front_matter.rb).
_FRONT_MATTER = re.compile(
    r"\A(?:[^\n]*coding:[^\n]*\n)?\s*^(?P<mark>---|\+\+\+|;;;)[^\n]*\n.*?^(?:(?P=mark)|\.{3})[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
# Signs that part an order from the name and from what follows, in other scripts than ours too.
_AROUND = " \t\n.,!?:;()|-–—―>=→⇒，。、：；！？（）،؛؟۔"
# What turns the direction of writing, and the like: it stands in names and orders without being seen.
_HIDDEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please|pls|kindly|(?:could|can|would|will) you|i(?:'d| would) like you to)\b[\s,!:]*)+",
    re.IGNORECASE,
)
_PLAIN_GENERATE = re.compile(
    r"^(?:set ?up|create|add|make|write|build|generate|give (?:us|me)|prepare|propose|configure|bootstrap)\s+"
    r"(?:(?:a|an|the|some|us|me|our|this|new|working|gitlab|for|project|repo(?:sitory)?)\s+)*"
    r"(?:ci/cd\b|cicd\b|\.?gitlab-ci(?:\.ya?ml)?\b|ci\b|pipelines?\b|continuous integration\b)"
    r"(?:[ -](?:pipelines?|config(?:uration)?|files?|ya?ml|jobs?)\b)*"
    # The status, a badge or a schedule of a pipeline is another wish, and so is a faster one.
    r"(?! +(?!(?:for|with|without|that|which|using|via|on|in|at|to|and|or|but|so|then|as|from|only|use|run|please|pls|"
    r"thanks|thank|here|now|again|today|asap|bitte|für|mit|pour|avec|para|con|per)\b)[a-z])(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN_EXPLAIN = re.compile(
    r"^(?:explain )?(?:why|what)(?:['’]s)? (?:(?:is|are|was|were|did|does|do|has|have|went|goes|made|makes|broke|"
    r"happened)\b ?)*"
    r"(?:(?:it|this|that|the|our|my|to|with|in|ci|pipelines?|jobs?|builds?|tests?|draft)\b ?)*"
    r"(?:fail(?:ed|s|ing)?|red|broken|break|broke|wrong)?\b ?"
    r"(?:(?:on|in|for|with|of) (?:the )?(?:branch |job |pipeline )?(?P<where>[\w./#:-]+))?"
    r"(?: (?:fail(?:ed|s|ing)?|red|broken))?(?: again)?[ ?!.]*$",
    re.IGNORECASE,
)
_PLAIN_EXPLAIN_PLACE = re.compile(
    r"^(?:explain )?why (?:(?:is|was|did|does|has) )?(?:the )?(?P<where>[\w./#:-]+) (?:branch |job |pipeline )?"
    r"(?:(?:gone|turn|turned|become|still|always|now) )?(?:fail(?:ed|s|ing)?|red|broken|break)[ ?!.]*$",
    re.IGNORECASE,
)
_ABOUT_FAILURE = re.compile(r"fail|\bred\b|broke|\bbreak|wrong|happened", re.IGNORECASE)
_PLAIN_PLACES = frozenset("it this that the ci pipeline pipelines job jobs build builds test tests draft".split())


def visible_text(text: str) -> str:
    """Return the words of a Markdown text without quotes, blocks of code and HTML, a blank line between its blocks.

    Words in code that call nobody are kept with their marks: they name branches, jobs and commits.
    """
    blocks: list[str] = []
    quotes = 0
    # A description comes with the line ends of a browser's form.
    plain = _FRONT_MATTER.sub("", text.replace("\r\n", "\n"))
    for token in _MARKDOWN.parse(_LONG_QUOTE.sub(lambda found: found[0] if found["fence"] else "", plain)):
        quotes += {"blockquote_open": 1, "blockquote_close": -1}.get(token.type, 0)
        if token.type == "inline" and not quotes:
            blocks.append(_words(token.children or []))
    return "\n\n".join(blocks)


def _words(parts: Sequence[Token]) -> str:
    words: list[str] = []
    in_code = False
    for part in parts:
        if part.type == "html_inline":
            in_code = part.content.lower().startswith("<code") or (in_code and part.content.lower() != "</code>")
        elif part.type == "text" and not in_code:
            words.append(part.content)
        elif part.type in ("softbreak", "hardbreak"):
            words.append("\n")
        elif part.type == "code_inline" and "@" not in part.content:
            words.append(f"`{part.content}`")
        elif part.type in ("code_inline", "image"):
            words.append(" ")
    return "".join(words)


def read_command(text: str, names: tuple[str, ...]) -> Order | None:
    """Read the first mention of one of `names` (without @) and what follows; None when there is no mention.

    Of several orders in one note only the first is read.
    """
    read = text[:_READ_AT_MOST]
    mention = mention_of(names, not_after="\\") + "[:,]?"
    before, *after = re.split(mention, visible_text(read), flags=re.IGNORECASE)
    if not after:
        return None
    words = next((part for part in after if re.search(r"\w", part)), before + after[-1])
    return read_order(words, whole=read.strip())


def stands_too_far_down(text: str, names: tuple[str, ...]) -> bool:
    """Tell whether a line begins with one of `names` (without @) below what is read."""
    pattern = "|".join(re.escape(name) for name in names)
    return bool(re.search(rf"^@(?:{pattern})(?![{NAME_LETTERS}])", text[_READ_AT_MOST:], re.IGNORECASE | re.MULTILINE))


def read_order(words: str, *, whole: str = "") -> Order:
    """Read the words after the mention; `whole` is what the model gets to see."""
    asked = _POLITE.sub("", _HIDDEN.sub("", words).strip(_AROUND)).strip()
    if not asked:
        return Command(name="help")
    head, _, rest = asked.partition("\n")
    first, tail = [*head.split(maxsplit=1), ""][:2]
    word = first.strip(_AROUND).lstrip("/").lower()
    name = _ALIASES.get(word, word)
    tail = tail if name == "approve" else _SIGNS.sub("", tail)
    if name in NAMES and _reads_as_command(name, tail):
        if name in _CHANGES and _IS_QUESTION.match(words.strip()):
            return Unknown(word=f"{word}?", guess=name)
        return Command(name=name, rest=_wishes(f"{tail}\n{rest}") if name == "generate" else tail.strip(" .!"))
    plain = _PLAIN_GENERATE.match(asked)
    if plain is not None:
        return Command(name="generate", rest=_wishes(plain["rest"]).strip(" .!\n"))
    return _plain_explain(asked) or _guess(asked, word) or FreeText(text=whole or words)


_LEADS: Mapping[str, tuple[str, ...]] = {
    "status": ("of ", "on ", "for ", "please", "branch ", "pipeline "),
    "explain": ("of ", "on ", "please", "branch ", "job ", "pipeline "),
}
_COURTESIES = frozenset("please pls thanks thank you now again why".split())
_CHANGES = frozenset[CommandName]({"approve", "reject", "retry", "cancel", "undo", "repair"})
# "Could you approve, please?" is an order all the same.
_IS_QUESTION = re.compile(r"(?!.*\byou\b)[^?？؟\n]*[?？؟]", re.IGNORECASE)


_OBJECTS: Mapping[str, str] = {
    "help": "commands",
    "approve": "draft|merge request|mr",
    "reject": "draft|merge request|mr",
    "retry": "pipeline|failed jobs",
    "cancel": "pipeline",
    "repair": "pipeline|draft",
}


def _reads_as_command(name: str, tail: str) -> bool:
    """Tell `approve` from "approve of the idea?": short commands take at most one plain argument."""
    if name == "generate":
        return True
    rest = tail.strip(" .!")
    if name in ("status", "explain"):
        return rest.lower().startswith(_LEADS[name]) or len(words_without(_CODE.sub("name", rest), _COURTESIES)) <= 1
    if name == "undo":
        return bool(_LAST_CHANGE.fullmatch(rest))
    no_more = rf"(?:(?:please|it|this|thanks|thank you|now|(?:the|this|that) (?:{_OBJECTS[name]}))\b[ ,]*)*"
    return bool(re.fullmatch(no_more, rest, re.IGNORECASE) or _SHA.fullmatch(rest))


def words_without(words: str, fillers: frozenset[str]) -> list[str]:
    """Return what may be a name: the words without their punctuation, and without those that only lead to one."""
    said = [word.strip(f".,!?`'{_MARKS}") for word in words.split()]
    return [word for word in said if word and word.lower() not in fillers]


def name_in_marks(words: str) -> str | None:
    """Return the first name that stands in code or in quotes."""
    found = re.search(rf"[`'{_MARKS}]([^`'{_MARKS}]+)[`'{_MARKS}]", words)
    return found[1].strip() if found else None


def _wishes(words: str) -> str:
    return words.replace("`", "").strip()


def _plain_explain(asked: str) -> Command | None:
    """Read "why did it fail on main?"; what else one may ask about failures is for the model."""
    found = _PLAIN_EXPLAIN.match(asked) or _PLAIN_EXPLAIN_PLACE.match(asked)
    if found is None or _ABOUT_FAILURE.search(asked) is None:
        return None
    where = found["where"] or ""
    return Command(name="explain", rest="" if where.lower() in _PLAIN_PLACES else where)


_LAST_CHANGE = re.compile(
    r"(?:(?:it|that|this|(?:the |your |my )?last (?:change|edit|one)|please|again)[ ,]*)*", re.IGNORECASE
)
_SHA = re.compile(r"(?P<mark>`?)[0-9a-f]{7,64}(?P=mark)", re.IGNORECASE)
_MARKS = '"“”„«»「」『』'
_CODE = re.compile(rf"`[^`]*`|[{_MARKS}][^{_MARKS}]*[{_MARKS}]")
# Emoji and the like at the end of a line say nothing of what is wanted; beside an approval they might say "no".
_SIGNS = re.compile(r"(?:(?:^|\s+)(?::\w+:?|[^\w\s`\"“”»]+))+$")


def commit_named(rest: str) -> str | None:
    """Return the commit that `approve` names, if any."""
    named = rest.strip(" .!`").lower()
    return named if _SHA.fullmatch(named) else None


def _guess(asked: str, word: str) -> Unknown | None:
    if len(asked.split()) > 2 or word in NAMES:
        return None
    close = get_close_matches(word, NAMES, n=1, cutoff=0.7)
    return next((Unknown(word=word, guess=name) for name in NAMES if name in close), None)
