"""The settings in force on a project's page: every one that `.pipewright.yml` knows, with what it means."""

from msgspec import structs

from bot.proposals.policy import Approval, Images, Policy, Rules, Runners, read_policy
from bot.web.pages.render import sentence
from bot.web.pages.rules import rows


def test_no_setting_is_forgotten() -> None:
    known = {
        f"{name}.{each.name}"
        for name, kind in (("approval", Approval), ("runners", Runners), ("images", Images), ("policy", Rules))
        for each in structs.fields(kind)
    }
    assert {name for name, _, _ in rows(Policy())} == known | {"merge", "repair"}


def test_what_a_project_sets_is_what_is_shown() -> None:
    text = """
approval: {requester_may_approve: false, minimum: 2, allowed_emoji: [rocket]}
merge: never
repair: off
runners: {privileged: true, tags: [linux, big]}
images: {digest: true}
policy: {unpinned_images: refuse, id_tokens: allow, trusted_projects: [tools/ci]}
"""
    shown = {name: (value, meaning) for name, value, meaning in rows(read_policy(text))}
    assert shown["approval.requester_may_approve"] == (
        "false",
        "who asked for a draft may not approve it; somebody else has to",
    )
    assert shown["approval.minimum"] == ("2", "2 people have to approve")
    assert shown["approval.allowed_emoji"][0] == ":rocket:"
    assert shown["merge"][0] == "never"
    assert shown["repair"] == ("off", "a red pipeline of its own draft is mended never")
    assert shown["runners.privileged"] == ("true", "images are built with docker-in-docker")
    assert shown["runners.tags"][0] == "linux big"
    assert shown["images.digest"] == ("true", "images carry the digest that the repository names for them")
    assert "refused" in shown["policy.unpinned_images"][1]
    assert "allowed without a word" in shown["policy.id_tokens"][1]
    assert shown["policy.trusted_projects"][0] == "tools/ci"
    assert shown["policy.paths"][0] == "*"


def test_what_stands_between_backticks_is_shown_as_code_and_nothing_gets_through() -> None:
    assert sentence("no tag, or `latest`: <b> ``") == "no tag, or <code>latest</code>: &lt;b&gt; ``"
    assert sentence("`<script>`") == "<code>&lt;script&gt;</code>"
    assert "glpat-" not in sentence("`glpat-abcdefghij0123456789`")
