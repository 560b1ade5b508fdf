"""Deep merge, `extends` and `!reference`: the three ways parts of a configuration come together."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.pipelines.reading.loader import ConfigError, Reference, Tree

_MAX_DEPTH = 10


def deep_merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> Tree:
    """Hashes merge, everything else is replaced by `top`."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = deep_merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def resolve_extends(config: Tree) -> Tree:
    """Every job with the hashes it extends merged under it; `extends` itself stays, as GitLab shows it."""
    done: Tree = {}
    for name, job in config.items():
        done[name] = _extended(config, name, (), done) if isinstance(job, dict) else job
    return done


def _extended(config: Tree, name: str, chain: tuple[str, ...], done: Tree) -> Tree:
    if name in done:
        return dict(done[name])
    job = config[name]
    parents = _parents(job)
    if not parents:
        return dict(job)
    _check_chain(config, name, chain, parents)
    merged: Tree = {}
    for parent in parents:
        merged = deep_merge(merged, _extended(config, parent, (*chain, name), done))
    return deep_merge(merged, job)


def _parents(job: Mapping[str, Any]) -> list[str]:
    extends = job.get("extends")
    if extends is None:
        return []
    return [str(parent) for parent in extends] if isinstance(extends, list) else [str(extends)]


def _check_chain(config: Tree, name: str, chain: tuple[str, ...], parents: list[str]) -> None:
    if name in chain:
        raise ConfigError(f"{name}: circular dependency detected in `extends`")
    if len(chain) >= _MAX_DEPTH:
        raise ConfigError(f"{name}: nesting too deep in `extends`")
    unknown = [parent for parent in parents if not isinstance(config.get(parent), dict)]
    if unknown:
        raise ConfigError(f"{name}: unknown keys in `extends` ({', '.join(unknown)})")


def resolve_references(config: Tree) -> Tree:
    """The configuration with every `!reference` replaced by what it names."""
    resolved: Tree = _resolve(config, config, ())
    return resolved


def _resolve(value: Any, root: Tree, chain: tuple[Reference, ...]) -> Any:
    if isinstance(value, Reference):
        return _resolve(_find(value, root, chain), root, (*chain, value))
    if isinstance(value, dict):
        return {key: _resolve(item, root, chain) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, root, chain) for item in value]
    return value


def _find(reference: Reference, root: Tree, chain: tuple[Reference, ...]) -> Any:
    shown = "[" + ", ".join(f'"{part}"' for part in reference.path) + "]"
    if reference in chain:
        raise ConfigError(f"!reference {shown} is part of a circular chain")
    if len(chain) >= _MAX_DEPTH:
        raise ConfigError(f"!reference {shown} is nested too deep")
    found: Any = root
    for part in reference.path:
        if not isinstance(found, dict) or part not in found:
            raise ConfigError(f"!reference {shown} could not be found")
        found = found[part]
    return found
