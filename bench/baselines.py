"""What other people's ready-made files would be for a repository, as data: no network and no guessing."""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.answers import CI_FILE, COMMAND_FACTS, Answer

NAMES: Mapping[str, str] = {"starter": "GitHub starter workflow", "gitlab": "GitLab template"}


def baseline(name: str, ecosystem: str) -> Answer:
    """Return the file a person would pick for an ecosystem; nothing where there is none."""
    picked = _read()[name].get(ecosystem)
    if picked is None:
        return Answer(by=NAMES[name], complaint=f"no {NAMES[name]} for {ecosystem or 'this'}")
    facts = {key: picked[key] for key in COMMAND_FACTS if key in picked}
    facts |= {key: [picked[key]] for key in ("version", "package_manager") if key in picked}
    return Answer(by=NAMES[name], files={CI_FILE: _pipeline(picked)}, facts=facts, ecosystems=[ecosystem])


@functools.cache
def _read() -> dict[str, dict[str, Any]]:
    return tomllib.loads((Path(__file__).parent / "baselines.toml").read_text(encoding="utf-8"))


def _pipeline(picked: Mapping[str, Any]) -> str:
    jobs = {name: {"stage": name, "script": picked[name]} for name in ("lint", "build", "test") if name in picked}
    top: dict[str, Any] = {"image": picked["image"], "stages": list(jobs)}
    top |= {"services": picked["services"]} if "services" in picked else {}
    top |= {"before_script": picked["install"]} if "install" in picked else {}
    return yaml.safe_dump({**top, **jobs}, sort_keys=False, width=1000)
