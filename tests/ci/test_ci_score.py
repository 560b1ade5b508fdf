"""The scorecard and the pins: what a draft says of its checks, its tools' versions, and what keeps them fresh."""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bot.ci.digests import about_digests, dockerfile_with_digests, named_digests
from bot.ci.freshness import how_to_keep_fresh, pinned_in
from bot.ci.score import rung, with_rung
from bot.domain import Composition, Finding, Surroundings, Unit
from bot.domain.pins import pins
from bot.replies.render import safe
from bot.replies.scorecard import scorecard

Composed = Callable[..., Composition]
UV = {
    "package_manager": "uv",
    "version": "3.13",
    "install": ("pip install uv==0.13.9", "uv sync"),
    "test": "uv run pytest",
}
SHA = "sha256:" + "ab" * 32


def test_the_table_of_pins_is_dated_and_the_only_place_of_its_versions() -> None:
    table = pins()
    said = date.fromisoformat(table.as_of)
    versions = [f"{name}=={tool.version}" for name, tool in table.tools.items()]
    versions += [f"{name}:{tag}" for name, tag in table.images.items() if name not in {"docker", "alpine"}]
    texts = [path.read_text() for path in Path("templates").rglob("*.j2")]

    assert said.year == 2026
    assert [version for version in versions for text in texts if version in text] == []


def test_a_draft_tells_each_rung_its_evidence_and_its_pins(composed: Composed, unit: Callable[..., Unit]) -> None:
    card = composed(unit("python", **UV)).score
    assert card is not None

    assert {each.name: each.result for each in card.ladder} == {
        "yaml": "passed", "schema": "passed", "semantics": "passed", "policy": "passed",
        "scripts": "not asked", "gitlab": "not asked",
    }  # fmt: skip
    assert (card.facts, card.with_evidence) == (5, 0)
    assert "uv 0.13.9" in card.pins
    assert card.pins_as_of == pins().as_of


def test_a_failed_rung_counts_what_it_found() -> None:
    findings = [Finding(rung="schema", message="no"), Finding(rung="policy", message="old", is_error=False)]

    assert (rung("schema", findings).result, rung("schema", findings).errors) == ("failed", 1)
    assert (rung("policy", findings).result, rung("policy", findings).warnings) == ("passed", 1)
    assert with_rung(None, rung("policy", findings)) is None


def test_the_card_reaches_gitlab_folded_and_whole(composed: Composed, unit: Callable[..., Unit]) -> None:
    composition = composed(unit("python", **UV), paths=("renovate.json",))
    card = with_rung(composition.score, rung("gitlab", (), by="GitLab's lint"))
    shown = safe(scorecard(card), ()).markdown

    assert shown.startswith("<details><summary>Scorecard</summary>")
    assert "| GitLab itself accepts it | passed (by GitLab's lint) |" in shown
    assert "| the scripts of its jobs | not asked |" in shown
    assert "Tool pins as of 2026-11-23: uv 0.13.9." in shown
    assert "customManagers" in shown
    assert scorecard(None) == ""


FILES = {
    ".gitlab-ci.yml": "a:\n  image: alpine:3.24\n  script:\n    - pip install uv==0.13.9 pip-audit==2.10.1\n"
    "    - go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0\n    - pip install nox==1.0\n"
}


def test_only_pins_of_the_table_are_told() -> None:
    assert pinned_in(FILES) == ("golangci-lint 2.15.0", "pip-audit 2.10.1", "uv 0.13.9", "alpine:3.24")
    assert pinned_in({"a": "pip install uv==0.13.91"}) == ()
    assert how_to_keep_fresh({"a": "make"}, ("renovate.json",)) == ""


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (("renovate.json",), "Renovate updates `image:`"),
        ((".github/dependabot.yml",), "Dependabot keeps a Dockerfile fresh"),
        (("README.md",), "Nothing in this repository updates them"),
    ],
)
def test_what_keeps_them_fresh_depends_on_the_repository(paths: tuple[str, ...], told: str) -> None:
    assert how_to_keep_fresh(FILES, paths).startswith(told)


def test_the_manager_for_renovate_finds_the_pins_it_is_for() -> None:
    told = how_to_keep_fresh(FILES, (".renovaterc",))
    managers = json.loads(told.split("`")[-2])["customManagers"]
    found = {}
    for manager in managers:
        for pattern in manager["matchStrings"]:
            for match in re.finditer(pattern.replace("(?<", "(?P<"), FILES[".gitlab-ci.yml"]):
                found[match["depName"]] = (manager["datasourceTemplate"], match["currentValue"])

    assert found["uv"] == ("pypi", "0.13.9")
    assert found["github.com/golangci/golangci-lint/v2"] == ("go", "v2.15.0")


def test_digests_come_from_the_repository_alone_and_what_it_does_not_know_is_told(
    composed: Composed, unit: Callable[..., Unit]
) -> None:
    texts = {"Dockerfile": f"FROM docker.io/library/python:3.13-slim@{SHA} AS build\n"}
    asked = composed(unit("python", **UV), texts=texts, surroundings=Surroundings(wants_digests=True))
    plain = composed(unit("python", **UV), texts=texts)

    assert f"image: python:3.13-slim@{SHA}" in asked.files[".gitlab-ci.yml"]
    assert "sha256" not in plain.files[".gitlab-ci.yml"]
    without = composed(unit("python", **UV), surroundings=Surroundings(wants_digests=True))
    assert any("names none for `python:3.13-slim`" in remark for remark in without.assumptions)
    assert not any("by digest" in remark for remark in asked.assumptions)


def test_two_digests_for_one_tag_are_none_and_a_dockerfile_takes_them_too() -> None:
    other = "sha256:" + "cd" * 32
    assert named_digests({"a": f"golang:1.27@{SHA}", "b": f"golang:1.27@{other}"}) == {}
    known = named_digests({"a": f"golang:1.27@{SHA}", "b": "golang:1.26@sha256:short"})

    assert known == {"golang:1.27": SHA}
    assert dockerfile_with_digests("FROM golang:1.27 AS build\nFROM scratch\n", known).startswith(
        f"FROM golang:1.27@{SHA} AS build\n"
    )
    assert about_digests([f"FROM golang:1.27@{SHA}\n"], known) == ""
