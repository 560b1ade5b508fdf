"""The graph of a pipeline's jobs: which job stands where, what it waits for, and a drawing that is whole."""

from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.web.pages.drawing import drawn, in_words
from bot.web.pages.graph import MOST_JOBS, graph_of

SVG = "{http://www.w3.org/2000/svg}"
CI = """
stages: [lint, test, deploy]
.quick: {needs: []}
lint: {stage: lint, script: [a]}
unit: {extends: .quick, stage: test, script: [a]}
cover: {stage: test, script: [a], needs: [{job: unit}, {project: x/y, job: z, ref: main, artifacts: true}]}
"deploy <b> & co": {stage: deploy, script: [a]}
early: {stage: .pre, script: [a]}
plain: {script: [a]}
"""


def test_jobs_stand_in_their_stages_and_behind_what_they_need() -> None:
    graph = graph_of(CI)
    assert graph.stages == ((".pre", 0, 0), ("lint", 1, 1), ("test", 2, 3), ("deploy", 4, 4))
    assert {job.name: job.column for job in graph.jobs} == {
        "lint": 1, "unit": 2, "cover": 3, "deploy <b> & co": 4, "early": 0, "plain": 2,
    }  # fmt: skip
    assert {job.name: job.needs for job in graph.jobs} == {
        "lint": None, "unit": (), "cover": ("unit",), "deploy <b> & co": None, "early": None, "plain": None,
    }  # fmt: skip


def test_the_drawing_says_in_words_what_it_shows() -> None:
    graph = graph_of(CI, {"lint": "success", "unit": "failed", "cover 1/2": "success", "cover 2/2": "running"})
    words = in_words(graph)
    assert "lint in stage lint, after the stages before, passed." in words
    assert "unit in stage test, at once, failed." in words
    assert "cover in stage test, after unit, running." in words
    svg = ElementTree.fromstring(drawn(graph, "g"))
    assert svg.get("role") == "img"
    labels = (svg.get("aria-labelledby") or "").split()
    assert [svg.find(f".//*[@id='{label}']").text for label in labels] == ["6 jobs in 4 stages", words]  # type: ignore[union-attr]
    assert [group.get("class") for group in svg.findall(f"{SVG}g")][:3] == ["job success", "job failed", "job running"]


@pytest.mark.parametrize(
    "text", ["", None, "a: [", "- 1", "x: {script: [a], needs: x}", "[]", "stages: 7\nx: {script: a}"]
)
def test_what_is_no_pipeline_is_drawn_as_far_as_it_goes(text: str | None) -> None:
    ElementTree.fromstring(drawn(graph_of(text), "g"))


def test_jobs_that_need_each_other_in_a_circle_are_drawn_all_the_same() -> None:
    circle = "a: {script: [x], needs: [b]}\nb: {script: [x], needs: [c]}\nc: {script: [x], needs: [a, c]}\n"
    assert len(ElementTree.fromstring(drawn(graph_of(circle), "g")).findall(f"{SVG}g")) == 3


def test_a_chain_of_many_jobs_is_drawn_in_time() -> None:
    jobs = {
        f"j{n}": {"script": ["x"], "needs": [f"j{m}" for m in range(max(0, n - 40), n)]} for n in range(MOST_JOBS + 5)
    }
    graph = graph_of(yaml.safe_dump(jobs))
    assert (len(graph.jobs), graph.left_out) == (MOST_JOBS, 5)
    assert max(job.column for job in graph.jobs) > 20


names = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=30).filter(
    lambda name: not name.startswith(".") and name.strip() == name
)


@given(
    st.dictionaries(
        names, st.tuples(st.sampled_from(["build", "test", "deploy", "odd"]), st.lists(names, max_size=3)), max_size=8
    )
)
def test_every_drawing_is_whole_and_no_two_jobs_share_a_place(jobs: dict[str, tuple[str, list[str]]]) -> None:
    text = yaml.safe_dump(
        {name: {"script": ["x"], "stage": stage, "needs": needs} for name, (stage, needs) in jobs.items()}
    )
    graph = graph_of(text)
    svg = ElementTree.fromstring(drawn(graph, "g"))
    boxes = [(int(box.get("x", "")), int(box.get("y", ""))) for box in svg.iter(f"{SVG}rect")]
    assert len(set(boxes)) == len(boxes) == len(graph.jobs)
    width, height = int(svg.get("width", "")), int(svg.get("height", ""))
    assert all(0 <= x < width and 0 <= y < height for x, y in boxes)
