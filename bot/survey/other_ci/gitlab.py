"""A pipeline that GitLab already runs: its own jobs as evidence for what the repository needs."""

from collections.abc import Iterator

from bot.survey.other_ci.images import image_versions, variable_versions
from bot.survey.other_ci.model import Job, Row
from bot.survey.other_ci.scripts import DELIVERS, as_matrix, rows_of, services_of, steps_of, variables_of
from bot.survey.parsing import read_yaml, string, strings, table
from bot.survey.tree import Tree

PATTERN = r"\.gitlab-ci\.yml"
_MAX_CHAIN = 10


def read_gitlab(tree: Tree, path: str) -> Iterator[Job]:
    """Return the jobs of a pipeline, each with what it extends; jobs that deliver are left out."""
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    common: dict[str, object] = {key: data[key] for key in ("image", "services", "before_script") if key in data}
    common.update(table(data, "default"))
    for name, own in data.items():
        body = common | _extended(data, own) if isinstance(own, dict) else {}
        if name.startswith(".") or "script" not in body or DELIVERS.search(name):
            continue
        yield _job(path, text, name, body, variables_of(data.get("variables")))


def _extended(data: dict[str, object], body: dict[str, object]) -> dict[str, object]:
    """Return a job with the keys of what it extends; its own win."""
    merged, waiting = dict(body), strings(body.get("extends"))[::-1]
    for _ in range(_MAX_CHAIN):
        if not waiting:
            break
        parent = table(data, waiting.pop(0))
        variables = {**table(parent, "variables"), **table(merged, "variables")}
        merged = {**parent, **merged, **({"variables": variables} if variables else {})}
        waiting += strings(parent.get("extends"))[::-1]
    return merged


def _job(path: str, text: str, name: str, body: dict[str, object], common: dict[str, str]) -> Job:
    variables = {**common, **variables_of(body.get("variables"))}
    rows = _rows(body)
    given = {**variables, **{key: f"${{{{ matrix.{key} }}}}" for key in rows[0]}}
    image = as_matrix(_image(body.get("image")), r"\$\{?(\w+)\}?", list(given))
    listed = body.get("services")
    services = [_image(each) for each in (listed if isinstance(listed, list) else [])]
    return Job(
        path=path,
        name=name,
        rows=tuple({**variables, **row} for row in rows),
        steps=steps_of(path, text, [*strings(body.get("before_script")), *strings(body.get("script"))]),
        versions=image_versions(path, text, image) + variable_versions(path, text, given),
        services=services_of(path, text, services),
        variables=variables_of(body.get("variables")),
    )


def _rows(body: dict[str, object]) -> tuple[Row, ...]:
    grids = table(body, "parallel").get("matrix")
    found = [row for grid in (grids if isinstance(grids, list) else []) for row in rows_of(grid)]
    return tuple(found) or ({},)


def _image(value: object) -> str:
    return string(table(value).get("name")) if isinstance(value, dict) else string(value)
