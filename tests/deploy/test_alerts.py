"""Prometheus' own tool plays what is scraped, minute by minute, and says which alert is raised when."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ALERTS = Path(__file__).parents[2] / "deploy/prometheus/alerts.yml"
RULES: dict[str, Any] = {
    rule["alert"]: rule
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
UP, BROKEN = 'pipewright_database_up{instance="web"}', 'pipewright_orders{state="broken"}'
CALLS = 'pipewright_gitlab_calls_total{route="/user",status="%s"}'

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on this machine")


@pytest.mark.parametrize(
    ("alert", "scraped", "minute", "value"),
    [
        ("PipewrightAway", {UP: "1x10 _x30"}, 8, None),
        ("PipewrightAway", {UP: "1x10 _x30"}, 30, ""),
        ("PipewrightAway", {UP: "1x10 0x30"}, 30, None),
        ("PipewrightDatabaseAway", {UP: "1x10 0x30"}, 30, ""),
        ("PipewrightOrdersWait", {"pipewright_queue_oldest_seconds": "0x5 1000x30"}, 30, "16m 40s"),
        ("PipewrightOrderBroken", {BROKEN: "0x30 1x90"}, 40, "1"),
        ("PipewrightOrderBroken", {BROKEN: "0x30 1x90"}, 100, None),
        ("PipewrightOrderBroken", {BROKEN: "5x120 7x30"}, 130, "2"),
        # Five of long ago: the first time it is looked at, and where nothing was scraped for a while an hour ago.
        ("PipewrightOrderBroken", {BROKEN: "5x200"}, 30, None),
        ("PipewrightOrderBroken", {BROKEN: "5x60 _x20 5x200"}, 135, None),
        ("PipewrightDeliveriesFail", {'pipewright_deliveries_total{result="failed"}': "0x30 9x30"}, 32, "9"),
        ("PipewrightDeliveriesFail", {'pipewright_deliveries_total{result="failed"}': "0x30 2x30"}, 32, None),
        # Why /metrics tells it from the start: of what begins with nine, nothing is new.
        ("PipewrightDeliveriesFail", {'pipewright_deliveries_total{result="failed"}': "_x30 9x30"}, 32, None),
        ("PipewrightGitLabAway", {CALLS % "0": "0+3x30", CALLS % "200": "0+9x30"}, 20, ""),
        ("PipewrightGitLabAway", {CALLS % "502": "0+1x30", CALLS % "200": "0+9x30"}, 20, None),
        ("PipewrightTokenRefused", {CALLS % "401": "0+1x30"}, 20, ""),
        ("PipewrightRateLimited", {CALLS % "429": "0+2x30"}, 20, "30"),
    ],
)
def test_an_alert_is_raised_when_it_should_be(
    alert: str, scraped: dict[str, str], minute: int, value: str | None, tmp_path: Path
) -> None:
    told = (
        []
        if value is None
        else [{"exp_labels": RULES[alert]["labels"], "exp_annotations": {"summary": _said(alert, value)}}]
    )
    case: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in scraped.items()],
        "alert_rule_test": [{"alertname": alert, "eval_time": f"{minute}m", "exp_alerts": told}],
    }
    file = tmp_path / "case.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [case]}))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def _said(alert: str, value: str) -> str:
    summary: str = RULES[alert]["annotations"]["summary"]
    return summary.replace("{{ $value | humanizeDuration }}", value).replace("{{ $value }}", value)
