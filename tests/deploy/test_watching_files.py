"""The dashboard and the alerts ask for nothing that `/metrics` does not tell, and every alert says what to do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.store.pool import Pool
from tests.web.house import open_house

TOP = Path(__file__).parents[2]
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((TOP / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
BOARD: dict[str, Any] = json.loads((TOP / "deploy/grafana/pipewright.json").read_text(encoding="utf-8"))
ASKED = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]] + [one["expr"] for one in ALERTS]
LABELS = {
    "pipewright_deliveries_total": {"result"},
    "pipewright_gitlab_calls_total": {"route", "status"},
    "pipewright_gitlab_seconds_total": {"route"},
    "pipewright_orders": {"state"},
    "pipewright_seconds": {"step", "quantile"},
    "pipewright_repairs_total": {"outcome"},
}


@pytest.fixture
def told(database: str, pool: Pool, tmp_path: Path) -> str:
    """What `/metrics` says after some deliveries of every kind."""
    with open_house(database, tmp_path) as house, house.browser() as client:
        for headers, body in (({"X-Gitlab-Token": "secret"}, b"{}"), ({"X-Gitlab-Token": "secret"}, b"["), ({}, b"{}")):
            client.post("/webhooks/gitlab", content=body, headers=headers)
        return client.get("/metrics").text


def test_everything_that_is_asked_for_is_told(told: str) -> None:
    known = set(re.findall(r"^# TYPE (\w+) ", told, re.MULTILINE))
    asked = set(re.findall(r"\bpipewright_\w+", " ".join(ASKED)))
    assert asked
    assert asked - known == set()
    for name, labels in re.findall(r"\b(pipewright_\w+)\{([^}]*)\}", " ".join(ASKED)):
        assert set(re.findall(r"(\w+)(?:=~?|!=)", labels)) <= LABELS[name], (name, labels)
    for labels in re.findall(r"\bby \(([^)]*)\)", " ".join(ASKED)):
        assert set(labels.split(", ")) <= set().union(*LABELS.values()), labels
    for name, labels in LABELS.items():
        for sample in re.findall(rf"^{name}\{{([^}}]*)\}}", told, re.MULTILINE):
            assert set(re.findall(r'(\w+)="', sample)) == labels


def test_the_answers_the_alerts_wait_for_are_told_before_there_are_any(database: str, tmp_path: Path) -> None:
    """Of a counter that was not there before, Prometheus takes what it begins with for nothing new."""
    with open_house(database, tmp_path) as house, house.browser() as client:
        told = client.get("/metrics").text
    for result in ("failed", "malformed", "unauthorized"):
        assert f'pipewright_deliveries_total{{result="{result}"}} 0' in told.splitlines()


def test_the_answers_the_alerts_wait_for_are_counted_under_these_names(told: str) -> None:
    counted = dict(re.findall(r'^pipewright_deliveries_total\{result="(\w+)"\} (\S+)$', told, re.MULTILINE))
    assert counted == {"failed": "0", "ignored": "1", "malformed": "1", "unauthorized": "1"}
    waited_for = {
        word for expr in ASKED for words in re.findall(r'result=~?"([^"]+)"', expr) for word in words.split("|")
    }
    assert waited_for == {"malformed", "unauthorized", "failed"}
    states = {word for expr in ASKED for words in re.findall(r'state=~?"([^"]+)"', expr) for word in words.split("|")}
    assert states <= set(re.findall(r'^pipewright_orders\{state="(\w+)"\}', told, re.MULTILINE))


def test_every_alert_is_listed_with_what_to_do() -> None:
    page = (TOP / "docs/administration.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(Pipewright\w+)` \| (.+) \|$", page, re.MULTILINE)
    assert [name for name, _ in listed] == [one["alert"] for one in ALERTS]
    assert all(one["annotations"]["summary"] and one["labels"]["severity"] in ("critical", "warning") for one in ALERTS)


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    assert BOARD["schemaVersion"] >= 36
    assert {panel["type"] for panel in BOARD["panels"]} <= {"stat", "timeseries"}
    numbers = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in BOARD["panels"]]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in BOARD["panels"])
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in BOARD["panels"])


def _depth(expr: str) -> int:
    return expr.count("(") - expr.count(")")


def test_no_question_is_cut_off() -> None:
    assert [expr for expr in ASKED if _depth(expr) or expr.count("{") != expr.count("}") or expr.count('"') % 2] == []
