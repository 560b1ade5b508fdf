"""Stories in a real browser: sign in, read, talk, say Yes and No, and what a person without rights is told."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from bot.sandbox.state import Issue
from tests.world.browser import PATIENCE_MS, Reader, open_browser, reader
from tests.world.scripted_ollama import C, E, F, Stream, action
from tests.world.town import Story, Town

expect.set_options(timeout=PATIENCE_MS)
Readers = Callable[..., AbstractContextManager[Reader]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def window(browser: Browser, town: Town) -> Readers:
    return partial(reader, browser, town.address)


def drafted(story: Story) -> str:
    """Let a draft be asked for in an issue, and return the conversation's address, as the reply tells it."""
    issue = story.issue("We have no CI")
    story.ask("@pipewright generate", of=issue)
    return conversation_of(story, issue)


def conversation_of(story: Story, issue: Issue) -> str:
    link = re.search(r"\[Open the conversation\]\((\S+)\)", story.answers(issue)[-1].body)
    assert link is not None, "every reply links to its conversation"
    assert link[1].startswith(story.town.address)
    return link[1].removeprefix(story.town.address)


def test_a_person_follows_the_link_signs_in_and_reads(story: Story, window: Readers) -> None:
    path = drafted(story)
    with window() as mia:
        mia.open(path)
        expect(mia.page.get_by_role("heading", name="Sign in")).to_be_visible()
        mia.page.get_by_role("link", name="Sign in with GitLab").click()
        mia.page.get_by_role("button", name=story.developer.username).click()
        mia.page.wait_for_url(f"**{path}")
        expect(mia.page.get_by_role("heading", name="We have no CI")).to_be_visible()
        expect(mia.page.get_by_role("img", name="job")).to_be_visible()
        expect(mia.page.get_by_text("passed").first).to_be_visible()
        assert "stages:" in mia.page.locator("details.file pre").first.inner_text()
        mia.page.get_by_role("link", name="Files, facts and differences").click()
        expect(mia.page.get_by_text("because pytest is configured or required").first).to_be_visible()
        assert mia.shifted() < 0.1


def test_a_stranger_sees_nothing_of_it(story: Story, window: Readers) -> None:
    path = drafted(story)
    with window() as sam:
        sam.expected = ("404",)
        sam.sign_in(story.stranger)
        expect(sam.page.get_by_role("heading", name="Conversations")).to_be_visible()
        assert story.project.path not in sam.page.content()
        sam.open(path)
        expect(sam.page.get_by_role("heading", name="Not found")).to_be_visible()
        assert "We have no CI" not in sam.page.content()
        sam.open(f"/projects/{story.project.id}")
        expect(sam.page.get_by_role("heading", name="Not found")).to_be_visible()


def test_a_yes_merges_the_commit_shown_and_the_page_follows_by_itself(story: Story, window: Readers) -> None:
    path = drafted(story)
    with window() as max_, window() as rob:
        rob.sign_in(story.reporter)
        rob.open(path)
        expect(rob.page.get_by_text("one must be allowed to merge into main")).to_be_visible()
        expect(rob.page.get_by_role("button", name="Yes")).to_have_count(0)
        expect(rob.page.get_by_role("button", name="No")).to_have_count(0)
        max_.sign_in(story.maintainer)
        max_.open(path)
        sha = story.head(story.request.source_branch)
        expect(max_.page.get_by_text(f"Merge {sha[:8]}?")).to_be_visible()
        max_.page.get_by_role("button", name=f"Yes, merge {sha[:8]}").click()
        expect(max_.page.get_by_role("heading", name="Draft committed")).to_be_visible()
        expect(rob.page.get_by_role("heading", name="Draft committed")).to_be_visible()
        expect(rob.page.get_by_text("with Yes on this page")).to_be_visible()
    story.settle()
    assert (story.request.state, story.request.last_sha or sha) == ("merged", sha)


def test_a_no_closes_the_draft(story: Story, window: Readers) -> None:
    path = drafted(story)
    with window() as mia:
        mia.sign_in(story.developer)
        mia.open(path)
        expect(mia.page.get_by_role("button", name="Yes")).to_have_count(0)
        mia.page.get_by_role("button", name="No, close the draft").click()
        expect(mia.page.get_by_role("heading", name="Draft rejected")).to_be_visible()
    assert story.request.state == "closed"


def test_a_yes_to_what_was_superseded_meanwhile_is_told_so_and_merges_nothing(story: Story, window: Readers) -> None:
    issue = story.issue("We have no CI")
    story.ask("@pipewright generate", of=issue)
    with window() as max_:
        max_.expected = ("ERR_FAILED",)
        max_.sign_in(story.maintainer)
        max_.page.route("**/live?*", lambda route: route.abort())  # the page stays as it was looked at
        max_.open(conversation_of(story, issue))
        story.ask("@pipewright generate with python 3.12", of=issue)
        max_.page.get_by_role("button", name="Yes").click()
        story.settle()
        max_.page.unroute("**/live?*")
        max_.open(conversation_of(story, issue))
        expect(max_.page.get_by_text("superseded by a newer one")).to_be_visible()
    assert story.request.state == "opened"


def test_an_answer_comes_word_by_word(story: Story, window: Readers) -> None:
    path = drafted(story)
    said = action("final", text="There are three files in this project, and one of them is a test, which is well.")
    pieces: list[Any] = [piece for at in range(0, len(said), 4) for piece in (C(said[at : at + 4]), 0.1)]
    story.town.ollama.say(Stream([*pieces, F()]))
    with window() as mia:
        mia.sign_in(story.developer)
        mia.open(path)
        mia.page.get_by_label("Write to the bot").fill("which files are there?")
        mia.page.keyboard.press("Control+Enter")
        expect(mia.page.locator("#answering")).to_contain_text("There are three")
        expect(mia.page.locator("#live")).to_contain_text("which is well")
        expect(mia.page.locator("#answering")).to_be_hidden()
        expect(mia.page.get_by_label("Write to the bot")).to_have_value("")


def test_a_model_that_is_away_is_said_in_the_talk(story: Story, window: Readers) -> None:
    path = drafted(story)
    story.town.ollama.say(*[E(500, "llama-server process has terminated: exit status 1")] * 3)
    with window() as mia:
        mia.sign_in(story.developer)
        mia.open(path)
        mia.page.get_by_label("Write to the bot").fill("which files are there?")
        mia.page.get_by_role("button", name="Send").click()
        expect(mia.page.locator("#live")).to_contain_text("cannot load the model")
        expect(mia.page.locator("#answering")).to_be_hidden()
        expect(mia.page.get_by_role("button", name="Send")).to_be_enabled()


def test_a_job_that_ends_is_seen_without_reloading(story: Story, window: Readers) -> None:
    issue = story.issue("We have no CI")
    with window() as mia, story.jobs_held():
        mia.sign_in(story.developer)
        story.comment(issue, "@pipewright generate")
        story.until(lambda: bool(story.project.pipelines) and "Here is the draft" in story.answer(issue))
        mia.open(conversation_of(story, issue))
        expect(mia.page.locator(".graph .job.running").first).to_be_visible()
        story.world.jobs_may_end.set()
        expect(mia.page.locator(".graph .job.running")).to_have_count(0)
        expect(mia.page.locator(".graph .job.success").first).to_be_visible()
    story.settle()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_sticks_out(story: Story, window: Readers, scheme: str) -> None:
    issue = story.issue("We have no CI")
    story.ask("@pipewright generate", of=issue)
    story.ask("@pipewright generate without lint", of=issue)
    story.maintainer.is_admin = True
    path = conversation_of(story, issue)
    with window(color_scheme=scheme) as max_:
        max_.expected = ("404",)
        max_.open("/sign-in")
        assert max_.serious() == []
        max_.sign_in(story.maintainer)
        max_.open(path)
        proposal = max_.page.get_by_role("link", name="Files, facts and differences").get_attribute("href") or ""
        places = [path, proposal]
        if scheme == "light":  # dark differs in its colours only
            places += ["/", f"{proposal}?view=unified", f"/projects/{story.project.id}", "/operator", "/no"]
            places += [f"{path}/earlier", f"{path}/states", "/api"]
        for place in places:
            max_.page.set_viewport_size({"width": 390, "height": 800})
            max_.open(place)
            assert max_.width() <= 390, place
            assert max_.shifted() < 0.1, place
            max_.page.set_viewport_size({"width": 1100, "height": 900})
            assert max_.serious() == [], place


def test_on_a_narrow_phone_no_table_scrolls_sideways_and_every_hint_is_read_whole(
    story: Story, window: Readers
) -> None:
    path = drafted(story)
    with window(viewport={"width": 360, "height": 760}) as max_:
        max_.sign_in(story.maintainer)
        for place in (path, f"/projects/{story.project.id}"):
            max_.open(place)
            max_.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
            tables = max_.page.locator(".wide:has(table)")
            assert tables.count() > 0
            assert tables.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length") == 0, place
        max_.open("/")
        hints = max_.page.locator("#words, #project, #asked_by")
        assert hints.evaluate_all(_CUT_HINTS) == []


_CUT_HINTS = """all => all.filter(one => {
    const style = getComputedStyle(one), pen = document.createElement("canvas").getContext("2d");
    pen.font = style.font;
    const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(one.placeholder).width > room;
}).map(one => one.id)"""


def test_the_colours_follow_the_system_until_somebody_chooses(window: Readers, story: Story) -> None:
    def is_dark(one: Reader) -> bool:
        return bool(one.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 18, 23)")

    with window(color_scheme="dark") as mia:
        mia.open("/sign-in")
        assert is_dark(mia)
        mia.page.get_by_label("Colours").select_option("light")
        assert not is_dark(mia)
        mia.page.reload()
        assert not is_dark(mia)
        mia.page.get_by_label("Colours").select_option("")
        assert is_dark(mia)


def test_everything_can_be_done_by_keyboard(story: Story, window: Readers) -> None:
    path = drafted(story)
    with window() as max_:
        max_.sign_in(story.maintainer)
        max_.open(path)
        max_.page.keyboard.press("Tab")
        expect(max_.page.get_by_role("link", name="Skip to the content")).to_be_focused()
        max_.page.keyboard.press("Enter")
        yes = max_.page.get_by_role("button", name="Yes")
        for _ in range(30):
            max_.page.keyboard.press("Tab")
            if yes.evaluate("element => element === document.activeElement"):
                break
        expect(yes).to_be_focused()
        assert yes.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
        max_.page.keyboard.press("Enter")
        expect(max_.page.get_by_role("heading", name="Draft committed")).to_be_visible()
    assert story.request.state == "merged"


def test_without_scripts_one_reads_writes_and_decides(story: Story, window: Readers) -> None:
    path = drafted(story)
    with window(java_script_enabled=False) as max_:
        max_.sign_in(story.maintainer)
        max_.open(path)
        expect(max_.page.get_by_text("UTC").first).to_be_visible()
        max_.page.get_by_label("Write to the bot").fill("status")
        max_.page.get_by_role("button", name="Send").click()
        story.settle()
        max_.open(path)
        expect(max_.page.get_by_text("The draft merge request")).to_be_visible()
        max_.page.get_by_role("button", name="No").click()
        story.settle()
    assert story.request.state == "closed"


def test_times_are_those_of_the_reader(story: Story, window: Readers) -> None:
    path = drafted(story)
    with window(timezone_id="Asia/Tokyo", locale="en-GB") as mia:
        mia.sign_in(story.developer)
        mia.open(path)
        shown = mia.page.locator("time").first
        expect(shown).not_to_contain_text("UTC")
        hour = mia.page.evaluate("value => new Date(value).getUTCHours()", shown.get_attribute("datetime"))
        assert re.search(rf"\b{(hour + 9) % 24:02}:\d\d$", shown.inner_text())


def test_a_conversation_begins_on_the_project_page(story: Story, window: Readers) -> None:
    with window() as mia:
        mia.sign_in(story.developer)
        mia.open(f"/projects/{story.project.id}")
        expect(mia.page.get_by_text("No draft yet")).to_be_visible()
        mia.page.get_by_label("Begin a conversation").fill("generate")
        mia.page.get_by_role("button", name="Send").click()
        expect(mia.page.get_by_role("heading", name="generate")).to_be_visible()
        expect(mia.page.get_by_role("heading", name="Draft proposed")).to_be_visible()
        mia.open("/")
        mia.page.get_by_label("Project", exact=True).first.fill(story.project.path)  # others' open projects stay out
        mia.page.get_by_label("Search").fill("gener")
        expect(mia.page.get_by_role("link", name="generate")).to_be_visible()
        mia.page.get_by_label("Search").fill("unheard")
        expect(mia.page.get_by_text("Nothing fits")).to_be_visible()


def test_the_operators_page_is_for_operators(story: Story, window: Readers) -> None:
    with window() as mia:
        mia.expected = ("403",)
        mia.sign_in(story.developer)
        expect(mia.page.get_by_role("link", name="Operator")).to_have_count(0)
        mia.open("/operator")
        expect(mia.page.get_by_text("This page is for GitLab's administrators")).to_be_visible()
