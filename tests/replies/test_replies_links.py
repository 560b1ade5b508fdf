"""Links stay on the instance and references ping nobody, whatever the text and however it is nested.

The judge is a CommonMark parser, GitLab's patterns for references, and a plain pattern for what it links by itself.
"""

import html
import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.replies.render import quoted, safe

HOME = "https://gitlab.test"
HOMES = [HOME, "https://bot.test/pipewright"]
_GITLAB = MarkdownIt("commonmark").enable("table")
_LINKED_BY_ITSELF = re.compile(r"(?:[a-z][a-z0-9+.-]*://|(?<![/\w])www\.)[^\s<]*", re.IGNORECASE)
_REFERENCE = re.compile(r"[#!&$](?=\d)|\bGL-(?=\d)|\[(?:issue|work_item|epic|vulnerability):\d")
# docs.gitlab.com/administration/issue_closing_pattern: the default, for an issue named by its address
_CLOSING = re.compile(
    r"\b(?:[Cc]los(?:e[sd]?|ing)|[Ff]ix(?:e[sd]|ing)?|[Rr]esolv(?:e[sd]?|ing)|[Ii]mplement(?:s|ed|ing)?):? +"
    r"(?:issues? +)?https://gitlab\.test/\S+/issues/\d+"
)
_OF_HOME = re.compile(r"https://(?:gitlab\.test|bot\.test/pipewright)(?=[/?#]|[^\w@:.-]|[.:]?$)", re.IGNORECASE)

PIECES = [
    *("https://evil.test/x", "HTTP://evil.test", "//evil.test", "www.evil.test", "ftp://evil.test", "javascript:x"),
    *(f"{HOME}/a/b", HOME, f"{HOME}.evil.test", f"{HOME}@evil.test", f"{HOME}:8443/x", "https://gitlab.test\\@evil"),
    *("[x](", "](", ")", "[", "]", "]:", "[x]: ", "<", ">", "<https://evil.test>", "(", ":", "/", "\\", "\\/", "&#58;"),
    *(
        "&colon;//",
        "&#x2f;",
        "&sol;",
        "&#104;ttps://evil.test",
        "https:",
        "://",
        "&amp;",
        "&",
        "#",
        "!",
        "$",
        "1",
        "12",
    ),
    *("Closes ", "fixes: ", "Resolving issue ", f"{HOME}/a/b/-/issues/7", "GL-5"),
    *("#1", "!2", "&3", "$4", "group/app#5", "&#35;6", "&num;7", "&excl;8", "&#49;", "[issue:1]", "[epic:2]", "&amp;9"),
    *(
        "`",
        "``",
        "```\n",
        "\n",
        "\n\n",
        " ",
        "> ",
        "- ",
        "|",
        "*",
        "<details>",
        "</details>",
        "word",
        "\u200b",
        "@anna",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=20).map("".join)
hard = settings(deadline=None, max_examples=300, derandomize=True)


def visible(markdown: str) -> Iterator[Token]:
    for token in _GITLAB.parse(markdown):
        yield token
        yield from token.children or []


def prose(markdown: str) -> str:
    """The text outside code, as GitLab's own filters see it; a line each part."""
    parts = (token for token in visible(markdown) if token.type in ("text", "html_block", "html_inline"))
    return "\n".join(html.unescape(token.content) if "html" in token.type else token.content for token in parts)


def hrefs(markdown: str) -> list[str]:
    return [str(token.attrs["href"]) for token in visible(markdown) if token.type == "link_open"]


def leads_away(href: str) -> bool:
    is_relative = not re.match(r"[a-z][a-z0-9+.-]*:|[/\\]{2}|/\\", href, re.IGNORECASE)
    return not is_relative and not _OF_HOME.match(href)


@hard
@given(TEXTS)
@example("[x](https://evil.test)")
@example("[x]( https://evil.test)")
@example("[x](\nhttps://evil.test)")
@example("[x](<https://evil.test>)")
@example("[x](//evil.test)")
@example("[x](/\\evil.test)")
@example("[x](&#104;ttps://evil.test)")
@example("[x](https:&#8203;//evil.test)")
@example(f"[x]({HOME}@evil.test)")
@example(f"[x]({HOME}.evil.test)")
@example(f"[x]({HOME}:8443/)")
@example("[x][1]\n\n[1]: https://evil.test")
@example("[x]\n\n[x]:\nhttps://evil.test")
@example("> [x]: https://evil.test\n\n[x]")
@example("<https://evil.test>")
@example("[x](javascript:alert(1))")
@example("[x](mailto:anna@evil.test)")
def test_no_link_leads_off_the_instance(text: str) -> None:
    assert [href for href in hrefs(safe(text, HOMES).markdown) if leads_away(href)] == []


@hard
@given(TEXTS)
@example("https://evil.test/?q=secret")
@example("https&colon;//evil.test")
@example("https:&#47;/evil.test")
@example("https:\\//evil.test")
@example("https:\\/\\/evil.test")
@example("&#104;ttps://evil.test")
@example("www.evil.test")
@example("x\n<details>\nhttps://evil.test\n</details>")
@example(f"{HOME}.evil.test {HOME}@evil.test {HOME}:99/x")
def test_gitlab_makes_no_foreign_address_a_link_by_itself(text: str) -> None:
    found = _LINKED_BY_ITSELF.findall(prose(safe(text, HOMES).markdown))
    assert [address for address in found if not _OF_HOME.match(address)] == []


@hard
@given(TEXTS)
@example("#1 !2 &3 $4 group/app#5 group/app!6 x#7 GL-8")
@example("&#35;1 &num;2 &#x23;3 &excl;4 &dollar;5 #&#49; &amp;6")
@example("&#1")
@example("\\![x](y)")
@example("\\&#8203; \\&#33;[x] ]\\&#58;")
@example("[issue:1] [work_item:2] [epic:3] [vulnerability:4]")
def test_no_reference_pings_another_issue(text: str) -> None:
    assert _REFERENCE.findall(prose(safe(text, HOMES).markdown)) == []


@hard
@given(TEXTS)
@example(f"Closes {HOME}/a/b/-/issues/7")
@example(f"> - fixes: issue {HOME}/a/b/-/issues/7")
@example(f"Implementing issues {HOME}/a/b/-/issues/7 and {HOME}/a/b/-/issues/8")
def test_no_words_in_a_description_close_an_issue_when_it_is_merged(text: str) -> None:
    assert _CLOSING.findall(prose(safe(text, HOMES).markdown)) == []


@hard
@given(TEXTS)
def test_making_it_harmless_twice_changes_nothing(text: str) -> None:
    once = safe(text, HOMES).markdown
    assert safe(once, HOMES).markdown == once


@pytest.mark.parametrize("code", ["`{}`", "```\n# {}\n```", "| a |\n|---|\n| `{}` |", "    {}"])
@pytest.mark.parametrize("words", ["closes #1", "Fix: issue a/b#1", "Resolved ABC-12", f"fixes {HOME}/a/-/issues/7"])
def test_no_code_in_a_description_closes_an_issue_when_it_is_merged(code: str, words: str) -> None:
    """GitLab looks for such words before it reads any Markdown."""
    out = safe(code.format(words), HOMES).markdown
    assert not re.search(r"(?:closes|Fix:|Resolved|fixes) +(?:issue +)?(?:[\w/]*#\d|[A-Z]+-\d|https?:)", out)
    assert " ".join(out.replace("&#8203;", "").split()) == " ".join(code.format(words).split())


def test_words_that_close_no_issue_keep_their_blanks() -> None:
    text = "`fix the build` and `closes -1`, resolves utf-8"
    assert safe(text, HOMES).markdown == text


STAYS = [
    f"[merge request 12]({HOME}/team/app/-/merge_requests/12)",
    f"See {HOME}/team/app/-/pipelines/3.",
    f"{HOME}: that is it",
    "[history](https://bot.test/pipewright/conversations/1)",
    "[above](#facts) and [file](docs/ci.md) and [page](/team/app/-/jobs/4)",
    "C# and F# cost 5 $ & more",
    "`https://evil.test` and `#1`",
    "```\ncurl https://evil.test #1\n```",
    "- [ ] a box",
    "# Heading\n\n| # | job |\n|---|---|\n| 1 | `x` |",
]


@pytest.mark.parametrize("text", STAYS)
def test_what_harms_nobody_stays_as_it_was(text: str) -> None:
    assert safe(text, HOMES).markdown == text


@pytest.mark.parametrize("text", ["https://evil.test/a", "group/app#5", "[x](https://evil.test)", "www.evil.test"])
def test_what_was_parted_is_still_readable(text: str) -> None:
    shown = prose(safe(text, HOMES).markdown).replace("\u200b", "").replace("\n", "")
    assert shown == text


@pytest.mark.parametrize("text", ["[[x|//evil.test]]", "![[//evil.test]]", "[[[//evil.test]]]"])
def test_no_page_of_a_wiki_leads_away(text: str) -> None:
    """The judge knows no such links; GitLab takes the address as it stands."""
    assert "[[" not in safe(text, HOMES).markdown


@pytest.mark.parametrize("before", ["_", "*", "~", "(", "_("])
def test_gitlab_links_no_host_behind_a_sign(before: str) -> None:
    assert safe(f"{before}www.evil.test", HOMES).markdown == f"{before}www&#8203;.evil.test"


def test_without_any_home_no_address_is_live() -> None:
    assert hrefs(safe(f"[x]({HOME}/a)").markdown) == []


@hard
@given(TEXTS)
def test_somebodys_quoted_words_hold_no_link(text: str) -> None:
    assert hrefs(safe(quoted(text), HOMES).markdown) == []
