"""People's and the bot's Markdown as HTML: nothing runs, nothing loads, nothing leads elsewhere."""

import pytest

from bot.web.pages.markdown import shown

HOME = "https://gitlab.test"


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        pytest.param("**b** `c`", "<p><strong>b</strong> <code>c</code></p>\n", id="words"),
        pytest.param(f"[x]({HOME}/a)", f'<p><a href="{HOME}/a">x</a></p>\n', id="a link home"),
        pytest.param("a @&#8203;mia", "<p>a @mia</p>\n", id="the renderer's own parting goes"),
        pytest.param("x\n\n<!-- pipewright:order=1 -->", "<p>x</p>\n", id="the hidden mark goes"),
        pytest.param(
            "<details><summary>Why & how</summary>\n\nx\n\n</details>",
            "<details><summary>Why &amp; how</summary><p>x</p>\n</details>",
            id="a folded section",
        ),
        pytest.param(
            "<details><summary>a</summary>\n\nx", "<details><summary>a</summary><p>x</p>\n</details>", id="open"
        ),
        pytest.param("x\n\n</details>", "<p>x</p>\n", id="closed without opening"),
    ],
)
def test_what_the_bot_writes_looks_as_in_gitlab(markdown: str, html: str) -> None:
    assert shown(markdown, [HOME]) == html


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.test/p.png)",
        "[x](javascript:alert(1))",
        "[x](https://evil.test)",
        f"[x]({HOME}.evil.test/)",
        f"[x]({HOME}@evil.test/)",
        "<https://evil.test>",
        "[x][r]\n\n[r]: https://evil.test",
        "<details open ontoggle=alert(1)><summary>x</summary>",
        "<details><summary><b>x</b></summary>",
        "<a href='https://evil.test'>x</a>",
    ],
)
def test_nothing_runs_loads_or_leads_elsewhere(evil: str) -> None:
    html = shown(evil, [HOME])
    for forbidden in ("<script", "<img", "<a ", "<b>", "<details open"):
        assert forbidden not in html


def test_what_parts_a_secret_does_not_hide_it() -> None:
    token = "glpat-" + "aB3_x-9Z" * 3
    assert token not in shown(f"{token[:9]}&#8203;{token[9:]}", [HOME])


def test_a_secret_is_masked() -> None:
    assert "glpat-abc" not in shown("glpat-abcdefghijklmnopqrst", [HOME])
