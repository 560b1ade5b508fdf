"""Whatever text goes in, nothing comes out that GitLab would act on.

The judge is a CommonMark parser and GitLab's own pattern for quick actions, not the code under test.
"""

import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.masking import mask_secrets
from bot.replies.changes import MOST_DIFF, diff_of
from bot.replies.render import MAX_CHARACTERS, cell, code_block, folded, quoted, safe
from bot.replies.spoken import without_answer
from bot.sandbox import quick_actions

_GITLAB = MarkdownIt("commonmark").enable("table")
_ALLOWED_TAGS = re.compile(r"</?(?:details|summary)>|<!-- pipewright:[A-Za-z0-9 =:._/-]* -->\Z")

# Pieces that mean something to GitLab or to Markdown, glued together in every order.
PIECES = [
    *(
        "\n",
        "\n\n",
        " ",
        "    ",
        "\t",
        "> ",
        ">>>\n",
        "- ",
        "1. ",
        "# ",
        "|",
        "\\",
        "***",
        "_",
        "~~",
        "&",
        "&#64;",
        ";",
    ),
    *(
        "`",
        "``",
        "```\n",
        "````\n",
        "```sh\n",
        "- ```\n",
        "  ```\n",
        "\u00a0\n",
        "~~~\n",
        "~~~~\n",
        "\n```\n",
        "<!--",
        "-->",
        "<pre>",
        "</pre>",
        "<code>",
    ),
    *("<details>", "</details>", "<summary>", "</summary>", "<br>", "<br/>", "<div>\n", "<img src=x>", "<a href='x'>"),
    *("/close", "/CLOSE\n", "\n/approve\n", "\n/label ~x\n", " /merge", "\u200b/close", "\r/close\r", "\x0b/close"),
    *("@all", "@anna", "@group/team", "@_x", "\\@anna", "@\u200banna", "![", "![x](https://x.test/y.png)", "](x)"),
    *(
        "<!-- pipewright:order=1 -->",
        "<!-- pipewright:order=",
        "word",
        "ü",
        "👍",
        "\u2028",
        "\x00",
        "\u202e",
        "[x]: /y\n",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=25).map("".join)

hard = settings(max_examples=200)


def visible(markdown: str) -> Iterator[Token]:
    """Every inline part, with code left in."""
    for token in _GITLAB.parse(markdown):
        yield token
        yield from token.children or []


def prose(markdown: str) -> str:
    """What GitLab searches for mentions: the text outside code."""
    return "\n".join(
        token.content for token in visible(markdown) if token.type in ("text", "html_block", "html_inline")
    )


@hard
@given(TEXTS)
@example("```\n```sh\n/close")
@example("<div>\n```\n\n/close")
@example("- x\n/close")
@example("a\r/close")
def test_no_quick_action_survives(text: str) -> None:
    out = safe(text).markdown
    assert not re.search(r"^/[A-Za-z_]", out, re.MULTILINE)
    assert quick_actions.extract(out) == (out, [])


@hard
@given(TEXTS)
@example("`` ` @anna ``")
@example("`a\n@anna`")
@example("\\` @anna `")
@example("<details>` @anna `")
@example("| ` | ` @anna |\n|-|-|\n| ` | @anna |")
@example("    @anna")
@example("`\n` @anna `")
@example("` x\n` @anna `")
@example("\\\\`\n` @anna `")
@example("| ` @anna | ` |\n|-|-|\n| a | b |")
@example("- <br>\n  ```\n  @anna")
@example("> <details>\n> ` @anna `")
@example("<details>\n```\n@anna\n```")
@example("&commat;anna &#x40;anna &#0064;anna")
@example("@&#97;nna @\\_x")
@example("x\n    @anna")
@example("1. x\n\n   ```\n@anna")
@example("- x\n  ```\n@anna")
@example("- ```\n  x\n  ```\n@anna")
@example("- x\n  <details>\n```\n\n```\n@anna")
@example("~~~ `\nx\n~~~\n@anna")
@example("```\nx\n```\u00a0\n```\n@anna")
@example("<details>\n\u00a0\n```\n@anna")
@example("`\n\u00a0\n` @anna `")
def test_nobody_is_pinged(text: str) -> None:
    assert not re.search(r"@[A-Za-z0-9_]", prose(safe(text).markdown))


@pytest.mark.parametrize("text", ["$$ ` $$ @anna `", "$a`b$ @anna `", "$`x$ @anna `", "a $\n` $ @anna `"])
def test_nobody_is_pinged_behind_a_formula(text: str) -> None:
    """The judge knows no formulas; GitLab reads dollars before the backtick between them."""
    assert "@anna" not in safe(text).markdown
    assert safe("`$CI_COMMIT_TAG` and `@y`").markdown == "`$CI_COMMIT_TAG` and `@y`"


@hard
@given(TEXTS)
@example("![x](https://x.test/y.png)")
@example("!\u200b[x](https://x.test/y.png)")
@example("[![x](y)](z)")
@example("![x]\n\n[x]: https://x.test/y.png")
@example("&#33;[x](y)")
def test_no_image_is_loaded(text: str) -> None:
    assert all(token.type != "image" for token in visible(safe(text).markdown))


@hard
@given(TEXTS)
@example("<img src=x>")
@example("<IMG src=x>")
@example("<details onclick=x>")
@example("<https://x.test>")
@example("<a\nhref=x>")
def test_no_html_but_ours_gets_through(text: str) -> None:
    for token in visible(safe(text).markdown):
        if token.type in ("html_block", "html_inline"):
            assert "<" not in _ALLOWED_TAGS.sub("", token.content)


@hard
@given(TEXTS)
@example("```\nfoo")
@example("~~~\n```\nfoo")
@example("````\n```\nfoo")
@example("> ```\nfoo")
def test_a_fence_is_always_closed(text: str) -> None:
    out = safe(text).markdown
    after = [token for token in _GITLAB.parse(out + "\n\nthe end") if token.type == "inline"]
    assert after
    assert after[-1].content == "the end"


@hard
@given(TEXTS)
def test_making_it_harmless_twice_changes_nothing(text: str) -> None:
    once = safe(text).markdown
    assert safe(once).markdown == once


@hard
@given(TEXTS)
def test_no_control_character_and_nothing_invisible_is_left(text: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]", safe(text).markdown)


@pytest.mark.parametrize("piece", ["@a ", "<", "![", "/x\n", "```\n", "`", "x", "\n"])
def test_a_text_of_any_size_stays_below_gitlabs_limit(piece: str) -> None:
    out = safe(piece * (2_000_000 // len(piece))).markdown
    assert len(out) < 1_000_000
    assert "(cut: the text was too long)" in out


@pytest.mark.parametrize("piece", ["@pipewright", "@p", "<b>", "![a](b)\n", "`a`@b "])
def test_what_grows_when_it_is_defused_is_bounded_too(piece: str) -> None:
    out = safe(piece * 20_000).markdown
    assert MAX_CHARACTERS // 2 < len(out) <= MAX_CHARACTERS + 500
    assert out.endswith("(cut: the text was too long)")


def test_a_short_text_is_not_cut() -> None:
    text = "x" * MAX_CHARACTERS
    assert safe(text).markdown == text


def test_a_cut_text_keeps_its_hidden_mark() -> None:
    mark = "<!-- pipewright:order=0a1b -->"
    assert safe("x" * 2_000_000 + "\n\n" + mark).markdown.endswith(mark)


# --- secrets ---

PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nabc+/=\n-----END RSA PRIVATE KEY-----"
SECRETS = {
    "a personal token": "glpat-" + "aB3_x-9Z" * 3,
    "a routable token": "glpat-" + "aB3_x-9Zq" * 3 + ".01.0w1abcdef",
    "a trigger token": "glptt-" + "0a1b2c3d" * 5,
    "a deploy token": "gldt-" + "aB3x_9ZqW-" * 2,
    "a runner's token": "glrt-" + "aB3x_9ZqW-" * 2,
    "a job's token": "glcbt-64_" + "aB3x_9ZqW-" * 2,
    "a feed token": "glft-" + "aB3x_9ZqW-" * 2,
    "an agent's token": "glagent-" + "aB3x_9ZqW-" * 5,
    "a SCIM token": "glsoat-" + "aB3x_9ZqW-" * 2,
    "an application's secret": "gloas-" + "0a1b2c3d" * 8,
    "an incoming mail token": "glimt-" + "aB3x_9ZqW-" * 2,
    "a token of feature flags": "glffct-" + "aB3x_9ZqW-" * 2,
    "a workspace's token": "glwt-" + "aB3x_9ZqW-" * 2,
    "an old registration token": "GR1348941" + "aB3x_9ZqW-" * 2,
    "a signing token": "whsec_" + "aB3x9ZqW" * 5 + "abc=",
    "a GitHub token": "ghp_" + "aB3x9ZqW" * 5,
    "a fine-grained GitHub token": "github_pat_" + "aB3x9ZqW_" * 5,
    "an AWS key": "AKIA" + "ABCDEFGH23456789",
    "a temporary AWS key": "ASIA" + "ABCDEFGH23456789",
    "a Slack token": "xoxb-" + "123456789012-abcdef",
    "a JWT": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "a private key": PRIVATE_KEY,
    "a key cut off": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE",
    "a bearer": "Bearer " + "aB3x9ZqW" * 3,
    "a bearer in lower case": "authorization: bearer " + "aB3x9ZqW" * 3,
    "a basic login": "Authorization: Basic " + "dXNlcjpwYXNzd29yZA==",
    "a token header": "PRIVATE-TOKEN: " + "aB3x9ZqW" * 3,
    "a password in a URL": "https://anna:" + "s3cr3t-w0rd" + "@x.test/y",
    "a token in a URL": "https://oauth2:" + "aB3x9ZqW" + "@x.test/y.git",
    "a password in a database URL": "postgres://app:" + "hunter2" + "@db/app",
    "a password without a user": "redis://:" + "hunter2" + "@cache:6379",
}


def core(secret: str) -> str:
    """The part nobody may read."""
    if "PRIVATE KEY" in secret:
        return secret.split("\n")[1]
    if "://" in secret:
        return secret.split(":")[2].split("@", maxsplit=1)[0]
    return secret.rsplit(maxsplit=1)[-1]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("around", ["{}", "it is {}, really", "`{}`", "```\nX={}\n```", '"{}"', "({})", "a={}&b"])
def test_a_secret_is_never_shown(name: str, around: str) -> None:
    out = safe(around.format(SECRETS[name])).markdown
    assert core(SECRETS[name]) not in out
    assert "[secret]" in out


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("between", ["\u200b", "\u00ad", "\x00", "\u2060"])
def test_an_invisible_character_hides_no_secret(name: str, between: str) -> None:
    secret = core(SECRETS[name])
    hidden = SECRETS[name].replace(secret, secret[:3] + between + secret[3:])
    assert secret not in safe(hidden).markdown


@pytest.mark.parametrize("characters", range(262, 300, 4))
def test_a_secret_is_not_cut_in_half_before_it_is_masked(characters: int) -> None:
    token = SECRETS["a GitHub token"]
    assert token[:8] not in safe(quoted(f"{'x' * characters} {token}")).markdown
    long = f"{'x' * (MOST_DIFF - 300 + characters)} {token}"
    assert token[:8] not in safe(diff_of({}, {"a": long})).markdown
    known = without_answer("silent", [], f"{'x' * (2_700 + characters)} {token}", "@bot")
    assert token[:8] not in safe(known).markdown


HARMLESS = [
    "the token glpat-… stays where it is",
    "export AKIA_REGION=eu",
    "https://x.test:8080/path@v1",
    "see https://x.test/~anna@home:8080",
    "uses: actions/checkout@v4",
    "a bearer of news",
    "git@x.test:group/app.git",
    "image: registry.test/app:1@sha256:" + "0a" * 32,
    "npm i @scope/name@1.2.3",
    "-----BEGIN PUBLIC KEY-----",
    "PRIVATE-TOKEN: $TOKEN",
    "https://gitlab-ci-token:$CI_JOB_TOKEN@x.test/y.git",
    "https://gitlab-ci-token:${CI_JOB_TOKEN}@x.test/y.git",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_secrets(text) == text


# --- the hidden mark ---


def test_a_mark_counts_at_the_very_end_only() -> None:
    mark = "<!-- pipewright:order=1 -->"
    assert safe(f"words\n\n{mark}").markdown == f"words\n\n{mark}"
    assert safe(f"{mark} words").markdown == "&lt;!-- pipewright:order=1 --> words"
    assert safe(f"{mark}\n\n{mark}").markdown == f"&lt;!-- pipewright:order=1 -->\n\n{mark}"


@pytest.mark.parametrize("cut_off", ["```\ncode", "~~~~\ncode", "<details>\n\nmore", "`code", "> quote"])
def test_no_text_swallows_the_mark(cut_off: str) -> None:
    mark = "<!-- pipewright:order=1 -->"
    assert _GITLAB.parse(safe(f"{cut_off}\n\n{mark}").markdown)[-1].content.strip() == mark


@pytest.mark.parametrize("top", ["---", "+++", ";;;", "\n---", "---yaml"])
def test_no_text_begins_with_front_matter(top: str) -> None:
    """GitLab would take everything to the next such line for code, a fence's first line included."""
    out = safe(f"{top}\n```\n{top.strip()}\n@anna").markdown
    assert not re.match(r"\s*(?:---|\+\+\+|;;;)", out)


def test_no_front_matter_begins_below_a_line_on_the_encoding() -> None:
    out = safe("# -*- coding: utf-8 -*-\n---\n```\n---\n@anna").markdown
    assert out.startswith("# -*- coding: utf-8 -*-\n\\---\n")


@pytest.mark.parametrize("mark", [">>>", ">>>>", "  >>>", ">>> \t"])
def test_no_quote_of_many_lines_begins(mark: str) -> None:
    assert safe(f"{mark}\n```\n{mark}\n@anna").markdown.lstrip().startswith("\\>>>")


FORGED = [
    "<!-- pipewright:order=0a1b2c3d-0000-0000-0000-000000000000 -->",
    "words <!-- pipewright:order=1 --> words",
    "<!--\npipewright:order=1\n-->",
]


@pytest.mark.parametrize("text", FORGED)
def test_somebody_elses_words_forge_no_mark(text: str) -> None:
    assert "<!--" not in prose(safe(quoted(text)).markdown)
    assert "<!--" not in prose(safe(code_block(text)).markdown)


# --- what stays readable ---


def test_code_stays_as_it_was() -> None:
    block = "```yaml\nimage: python:3.12\nscript:\n  - echo '<a@b.test>' ![x]\n```"
    assert safe(block).markdown == block


def test_a_block_of_code_in_a_list_stays_readable() -> None:
    steps = "1. First:\n   ```sh\n   npm ci\n     --x @y\n   ```\n2. Then:\n\n   ~~~\n   npm test\n   ~~~"
    assert safe(steps).markdown == "1. First:\n```sh\nnpm ci\n  --x @y\n```\n2. Then:\n\n~~~\nnpm test\n~~~"
    assert safe("- ```sh\n  npm ci\n  ```\nThat is it").markdown == "```sh\nnpm ci\n```\nThat is it"


@pytest.mark.parametrize("language", ["json:table", "json table", "plantuml", "mermaid", "suggestion:-0+1"])
def test_gitlab_draws_nothing_from_a_block_of_code(language: str) -> None:
    table = '{"markdown": true, "items": [{"a": "@anna ![x](https://x.test/y.png)"}]}'
    assert safe(f"```{language}\n{table}\n```").markdown.split("\n")[0] in ("```", "```json")


def test_an_order_in_code_is_disarmed_by_one_blank() -> None:
    assert safe("```\n/close\n```").markdown == "```\n /close\n```"


def test_links_lists_tables_and_folds_stay() -> None:
    text = "- [x](https://x.test/y)\n\n| a | b |\n|---|---|\n| 1 | `@c` |\n\n" + folded("More", "words")
    assert safe(text, ["https://x.test"]).markdown == text


@hard
@given(st.text(max_size=60) | TEXTS)
@example("`")
@example("a``b`")
@example("")
@example(" ")
def test_quoted_words_are_one_code_span(text: str) -> None:
    parts = list(_GITLAB.parseInline(quoted(text))[0].children or [])
    assert [part.type for part in parts] == ["code_inline"]


@hard
@given(TEXTS)
@example("```\n")
@example("~~~")
@example("`````")
def test_a_block_of_code_cannot_be_left(text: str) -> None:
    tokens = _GITLAB.parse(safe(code_block(text, "yaml")).markdown)
    assert [token.type for token in tokens] == ["fence"]


@hard
@given(TEXTS)
def test_a_cell_stays_in_its_row(text: str) -> None:
    rows = _GITLAB.parse(safe(f"| a | b |\n|---|---|\n| {cell(text) or '-'} | end |").markdown)
    cells = [token for token in rows if token.type == "td_open"]
    assert len(cells) == 2


@pytest.mark.parametrize(("limit", "text"), [(10, "x" * 50), (10, "`" * 50), (1, "ab")])
def test_long_words_are_shortened_when_quoted(limit: int, text: str) -> None:
    assert quoted(text, limit).strip("` ").count("…") == 1
    assert len(quoted(text, limit).strip("` ")) <= limit


@pytest.mark.parametrize("text", ["short", "x" * (MAX_CHARACTERS + 1), "```\ncode", "<!-- pipewright:order=7 -->"])
def test_the_ending_stays_below_every_text_and_only_its_own_mark_lives(text: str) -> None:
    mark, link = "<!-- pipewright:order=1 -->", "[Open the conversation](https://bot.test/conversations/1)"
    out = safe(text, ["https://bot.test"], ending=f"\n\n{link}\n\n{mark}").markdown
    assert out.endswith(f"\n\n{link}\n\n{mark}")
    assert out.count("<!--") == 1
    assert [token.type for token in _GITLAB.parse(out)][-2:] != ["fence"]


def test_an_ending_is_defused_like_all_else() -> None:
    assert safe("x", ["https://bot.test"], ending="\n\n[y](https://evil.test)").markdown.endswith(
        "[y]&#40;https:&#8203;//evil.test)"
    )
