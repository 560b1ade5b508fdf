"""The files one deploys with name commands, settings, addresses and parts that there are."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli import main
from bot.settings import PREFIX, Settings

TOP = Path(__file__).parents[2]
KUBERNETES, SYSTEMD = TOP / "deploy" / "kubernetes", TOP / "deploy" / "systemd"
COMPOSE = yaml.safe_load((TOP / "docker-compose.yml").read_text(encoding="utf-8"))
DOCUMENTS: list[dict[str, Any]] = [
    document
    for file in ("migrate.yaml", "web.yaml", "worker.yaml")
    for document in yaml.safe_load_all((KUBERNETES / file).read_text(encoding="utf-8"))
]
WORKLOADS = [one for one in DOCUMENTS if one["kind"] in {"Deployment", "Job"}]
UNITS = sorted(SYSTEMD.glob("*.service"))


def is_command(words: list[str]) -> bool:
    """Tell whether the program knows the command and its options."""
    command = main.commands.get(words[0])
    return command is not None and not [
        word for word in words[1:] if not any(word in parameter.opts for parameter in command.params)
    ]


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda one: one["metadata"]["name"])
def test_a_pod_runs_a_command_there_is_and_may_do_nothing_more(workload: dict[str, Any]) -> None:
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert is_command(container["args"])
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}


@pytest.mark.parametrize("file", ["settings.env", "secrets.env"])
def test_settings_for_kubernetes_are_settings_there_are(file: str) -> None:
    names = [line.split("=")[0] for line in (KUBERNETES / file).read_text().splitlines()]
    assert {name.removeprefix(PREFIX).lower() for name in names} <= set(Settings.model_fields)


def test_secrets_are_in_the_secret_alone() -> None:
    held = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    plain = {line.split("=")[0] for line in (KUBERNETES / "settings.env").read_text().splitlines()}
    assert not {name.removeprefix(PREFIX).lower() for name in plain} & held


def test_every_selector_finds_its_pods() -> None:
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in WORKLOADS]
    selectors = [
        one["spec"]["selector"].get("matchLabels", one["spec"]["selector"])
        for one in DOCUMENTS
        if "selector" in one["spec"]
    ]
    assert len(selectors) == 4
    assert all(any(selector.items() <= labels.items() for labels in pods) for selector in selectors)


def test_probes_ask_what_the_web_answers() -> None:
    (web,) = (one for one in WORKLOADS if one["metadata"]["name"] == "pipewright-web")
    (container,) = web["spec"]["template"]["spec"]["containers"]
    asked = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert asked == {"/health/live", "/health/ready"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on this machine")
def test_kustomize_puts_the_pieces_together() -> None:
    done = subprocess.run(["kubectl", "kustomize", KUBERNETES], capture_output=True, text=True, check=True, timeout=60)
    kinds = sorted(one["kind"] for one in yaml.safe_load_all(done.stdout))
    assert kinds == ["ConfigMap", "Deployment", "Deployment", "Job", "PodDisruptionBudget", "Secret", "Service"]
    assert "image: registry.example.com/pipewright:" in done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_there_is(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    (line,) = re.findall(r"^ExecStart=/opt/pipewright/bin/pipewright (.*)$", text, re.MULTILINE)
    assert is_command(shlex.split(line))
    for name in re.findall(rf"^Environment={PREFIX}(\w+)=", text, re.MULTILINE):
        assert name.lower() in Settings.model_fields
    assert {"NoNewPrivileges=true", "ProtectSystem=strict", "User=pipewright"} <= set(text.splitlines())


def test_compose_starts_commands_there_are() -> None:
    ours = [one for one in COMPOSE["services"].values() if str(one.get("image", "")).startswith("pipewright:")]
    assert len(ours) == 3
    assert all(is_command(one["command"]) for one in ours)


def test_a_web_pod_goes_on_listening_until_no_delivery_is_sent_to_it() -> None:
    """A pod is told to stop and taken out of the service at the same time, and told to stop it listens no more."""
    (web,) = (one for one in WORKLOADS if one["metadata"]["name"] == "pipewright-web")
    pod = web["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    program, seconds = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["", "0"])
    assert program == "sleep"
    assert 5 <= int(seconds) <= pod["terminationGracePeriodSeconds"] - 15
