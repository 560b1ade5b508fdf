"""Reads a `.gitlab-ci.yml` as GitLab does: into stages and jobs, or into error messages.

Simpler than the real one: no `inherit`, no `parallel:matrix`.
Messages follow lib/gitlab/ci; those not seen in a source are near, not exact.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml
from jsonschema import Draft7Validator

from bot.sandbox.ci.includes import Elsewhere, ReadFile, follow
from bot.sandbox.ci.reading import Loader, Reference, deep_merged

RESERVED = frozenset(
    "image services stages types before_script after_script variables cache include default workflow spec".split()
)
_DEFAULT_STAGES = ["build", "test", "deploy"]
_DEFAULTS = ("image", "services", "before_script", "after_script", "cache", "tags", "retry", "timeout", "interruptible")


@dataclass
class Config:
    """What a configuration says; with `errors` nothing else counts."""

    errors: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    workflow: dict[str, Any] = field(default_factory=dict)
    merged: dict[str, Any] = field(default_factory=dict)
    includes: list[dict[str, Any]] = field(default_factory=list)


def read_config(text: str, read_file: ReadFile | None = None, elsewhere: Elsewhere | None = None) -> Config:
    """Read a configuration; what is wrong with it stands in `errors`."""
    try:
        raw = yaml.load(text, Loader=Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return Config(errors=[f"Invalid configuration format: {' '.join(str(error).split())[:300]}"])
    if not isinstance(raw, dict) or not raw:
        return Config(errors=["Please provide content of .gitlab-ci.yml"])
    problems = _schema_errors(raw)
    if problems:
        return Config(errors=problems)
    whole = follow(raw, read_file, elsewhere or Elsewhere())
    if whole.errors:
        return Config(errors=whole.errors, includes=whole.told)
    config = _checked(_config(whole.data))
    config.includes = whole.told
    return config


@cache
def _validator() -> Draft7Validator:
    path = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "gitlab-ci.json"
    return Draft7Validator(json.loads(path.read_text(encoding="utf-8")))


def _schema_errors(raw: dict[str, Any]) -> list[str]:
    plain = json.loads(json.dumps(raw, default=str))
    found = sorted(_validator().iter_errors(plain), key=lambda error: list(map(str, error.path)))
    return [f"{':'.join(map(str, error.path)) or 'root'} config {error.message[:160]}" for error in found[:5]]


def _config(raw: dict[str, Any]) -> Config:
    config = Config(merged=raw, workflow=raw.get("workflow") or {}, variables=_variables(raw.get("variables")))
    config.stages = [".pre", *(raw.get("stages") or _DEFAULT_STAGES), ".post"]
    defaults = {key: raw[key] for key in _DEFAULTS if key in raw} | (raw.get("default") or {})
    for name, body in raw.items():
        if name in RESERVED or str(name).startswith(".") or not isinstance(body, dict):
            continue
        job = _extended(raw, str(name), body, config.errors, ())
        config.jobs[str(name)] = {**defaults, **_dereferenced(raw, job)}
    config.merged = {str(name): _expanded(raw, str(name), body) for name, body in raw.items()}
    return config


def _expanded(raw: dict[str, Any], name: str, body: Any) -> Any:
    """Return an entry as the merged file shows it: what it extends is in it, and `extends` still named."""
    if not isinstance(body, dict):
        return _dereferenced(raw, body)
    named = {"extends": body["extends"]} if "extends" in body and name not in RESERVED else {}
    return _dereferenced(raw, {**_extended(raw, name, body, [], ()), **named})


def _extended(
    raw: dict[str, Any], name: str, body: dict[str, Any], errors: list[str], path: tuple[str, ...]
) -> dict[str, Any]:
    parents = body.get("extends")
    if not parents:
        return body
    merged: dict[str, Any] = {}
    for parent in [parents] if isinstance(parents, str) else parents:
        if parent in path or not isinstance(raw.get(parent), dict):
            problem = "circular dependency detected" if parent in path else f"unknown keys in `extends` ({parent})"
            errors.append(f"{name}: {problem}")
            continue
        merged = deep_merged(merged, _extended(raw, name, raw[parent], errors, (*path, parent)))
    return deep_merged(merged, {key: value for key, value in body.items() if key != "extends"})


def _dereferenced(raw: dict[str, Any], value: Any) -> Any:
    if isinstance(value, Reference):
        found: Any = raw
        for key in value:
            found = found.get(key, {}) if isinstance(found, dict) else {}
        return _dereferenced(raw, found)
    if isinstance(value, dict):
        return {key: _dereferenced(raw, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_dereferenced(raw, inner) for inner in value]
    return value


def _variables(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        return {}
    return {str(key): str(value.get("value", "") if isinstance(value, dict) else value) for key, value in raw.items()}


def _checked(config: Config) -> Config:
    if not config.jobs and not config.errors:
        config.errors.append("jobs config should contain at least one visible job")
    stages = ", ".join(config.stages)
    for name, job in config.jobs.items():
        stage = job.get("stage", "test")
        if stage not in config.stages:
            config.errors.append(f"{name} job: chosen stage {stage} does not exist; available stages are {stages}")
        if not any(key in job for key in ("script", "trigger", "run")):
            config.errors.append(f"jobs:{name}:script config can't be blank")
        if "rules" in job and ("only" in job or "except" in job):
            config.errors.append(f"jobs:{name} config key may not be used with `rules`: only, except")
        config.errors += _wrong_needs(config, name, job)
    if not config.errors and _has_cycle({name: needs_of(job) or [] for name, job in config.jobs.items()}):
        config.errors.append("The pipeline has circular dependencies")
    return config


def _wrong_needs(config: Config, name: str, job: dict[str, Any]) -> list[str]:
    """Say which needs name no job, or one of a later stage (lib/gitlab/ci/yaml_processor.rb)."""
    wrong = []
    for kind, needed in [("need", one) for one in needs_of(job) or []] + [
        ("dependency", str(one)) for one in job.get("dependencies") or []
    ]:
        if needed not in config.jobs:
            if kind == "dependency" or needed in (needs_of(job, only_required=True) or ()):
                wrong.append(f"{name} job: undefined {kind}: {needed}")
        elif _place(config, config.jobs[needed]) > _place(config, job):
            wrong.append(f"{name} job: {kind} {needed} is not defined in current or prior stages")
    return wrong


def _place(config: Config, job: dict[str, Any]) -> int:
    stage = job.get("stage", "test")
    return config.stages.index(stage) if stage in config.stages else 0


def needs_of(job: dict[str, Any], *, only_required: bool = False) -> list[str] | None:
    """Return the names a job needs in its own pipeline, optional ones or not; None when it says nothing."""
    if not isinstance(job.get("needs"), list):
        return None
    entries = [entry if isinstance(entry, dict) else {"job": entry} for entry in job["needs"]]
    own = [entry for entry in entries if "project" not in entry and "pipeline" not in entry]
    return [str(entry["job"]) for entry in own if entry.get("job") and not (only_required and entry.get("optional"))]


def _has_cycle(needs: dict[str, list[str]]) -> bool:
    left = dict(needs)
    while left:
        free = [name for name, needed in left.items() if not any(other in left for other in needed)]
        if not free:
            return True
        for name in free:
            del left[name]
    return False
