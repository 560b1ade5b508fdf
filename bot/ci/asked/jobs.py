"""New jobs, set up like one that is there already, and new names for jobs."""

import re
from typing import Any

from bot.ci.asked.lookup import body_of, is_plain, job_named, lines_of, merged_body, visible, written_as
from bot.ci.asked.operation import Operation
from bot.ci.asked.services import known_variables, reached_by, service_for
from bot.ci.asked.when import rules_for
from bot.ci.checks.document import Document, read_document
from bot.ci.edit import AddJob, AddStage, apply, blocks
from bot.ci.edit.operations import DEFAULT_STAGES
from bot.ci.edit.place import set_value
from bot.ci.edit.splice import Path, content_end, splice
from bot.ci.edit.tree import column_of, find, line_start, read_tree
from bot.ci.edit.values import Style, entry, inline, style_of
from bot.domain import CannotError

_ORDER = (
    "extends", "stage", "image", "services", "inherit", "needs", "rules", "variables", "cache", "tags",
    "before_script", "script", "after_script", "coverage", "artifacts",
)  # fmt: skip
_SETUP = ("extends", "image", "inherit", "variables", "cache", "tags", "before_script")
_REST = ("script", "after_script", "coverage", "artifacts")
_LATE = ("image", "container", "package", "release", "publish", "deploy", "staging", "production")


def add_job(text: str, operation: Operation, *, comment: str = "") -> str:
    """Add a job at the end of the file, with the setup of the job it is like."""
    document = read_document(text)
    if operation.job in document.entries:
        raise CannotError(f"there is already a job {operation.job!r}; change it, or choose another name")
    like = _model(document, text, operation)
    stage = operation.stage or str(merged_body(text, like).get("stage", "test") if like else "test")
    text = with_stage(text, stage)
    copied = _copied(text, like, operation)
    own = _own(text, like, operation, stage)
    style = style_of(text, read_tree(text))
    written = {**copied, **{key: _shown(key, value, style) for key, value in own.items()}}
    body = "\n".join(written[key] for key in _ORDER if key in written)
    head = f"# {comment}\n" if comment else ""
    indented = style.newline.join(line.rstrip("\r") for line in f"{inline(operation.job)}:\n{body}".split("\n"))
    return apply(text, AddJob(name=operation.job, body=head + indented, before=_behind(text, stage)))


def _behind(text: str, stage: str) -> str | None:
    """Return the entry before which a new job stands behind the others of its stage; None at the end."""
    entries = [each.name for each in blocks(text)]
    of_stage = [name for name in visible(read_document(text)) if merged_body(text, name).get("stage", "test") == stage]
    place = max((entries.index(name) for name in of_stage), default=len(entries)) + 1
    return entries[place] if place < len(entries) else None


def with_stage(text: str, stage: str) -> str:
    """Return the text with a stage, put before what comes late unless it is late itself."""
    node, depth = find(read_tree(text), ("stages",))
    stages = [each.node.value for each in node.entries] if depth else list(DEFAULT_STAGES)
    if stage in stages or stage in {".pre", ".post"}:
        return text
    late = next((one for one in stages if any(word in one.lower() for word in _LATE)), None)
    before = None if any(word in stage.lower() for word in _LATE) else late
    return apply(text, AddStage(stage=stage, before=before))


def rename_job(text: str, job: str, name: str) -> str:
    """Give a job another name, also where others name it."""
    if name in read_document(text).entries:
        raise CannotError(f"there is already a job {name!r}")
    for other, body in read_document(text).jobs.items():
        for path in _mentions(body, job):
            if written_as(text, other, str(path[0])):  # else `<<` brings it, and it is changed where that stands
                text = splice(text, set_value(text, (other, *path), name))
    reference = re.compile(rf"(!reference\s*\[\s*)([\"']?){re.escape(job)}\2(?=\s*,)")
    text = reference.sub(lambda found: found[1] + inline(name, in_brackets=True), text)
    owner = read_tree(text)
    found = next(each for each in owner.entries if each.key == job)
    return text[: found.start] + f"{inline(name)}:" + text[found.colon :]


def _mentions(body: dict[str, Any], job: str) -> list[Path]:
    """Return where a job names another one of its pipeline."""
    rules, environment, trigger = (body.get(key) for key in ("rules", "environment", "trigger"))
    places = [(key,) for key in ("needs", "dependencies", "extends")]
    found = [place for key in places for place in _named(key, body.get(*key))]
    for number, rule in enumerate(rules if isinstance(rules, list) else []):
        found += _named(("rules", number, "needs"), rule.get("needs") if isinstance(rule, dict) else None)
    if isinstance(environment, dict):
        found += _named(("environment", "on_stop"), environment.get("on_stop"))
    if isinstance(trigger, dict):
        include = trigger.get("include")
        found += [each for each in _named(("trigger", "include"), include) if each[0][-1] == "job"]
    return [path for path, value in found if value == job]


def _named(path: Path, value: Any) -> list[tuple[Path, Any]]:
    if isinstance(value, list):
        return [found for number, each in enumerate(value) for found in _named((*path, number), each)]
    if isinstance(value, dict):
        return [] if {"project", "pipeline"} & set(value) else [((*path, "job"), value.get("job"))]
    return [(path, value)]


def _model(document: Document, text: str, operation: Operation) -> str:
    """Return the job to take the setup from: the one named, else one that runs the same program."""
    if operation.like:
        return job_named(document, operation.like)
    if operation.image:
        return ""
    programs = {_program(line) for line in operation.script} - {""}
    for name in visible(document):
        if programs & {_program(str(line)) for line in lines_of(merged_body(text, name).get("script"))}:
            return name
    return ""


def _program(line: str) -> str:
    words = line.split()
    return words[0].rsplit("/", 1)[-1] if words else ""


def _copied(text: str, like: str, operation: Operation) -> dict[str, str]:
    """Return the keys to take over as they are written, comments included."""
    if not like:
        return {}
    wanted = set(_SETUP)
    if operation.like:
        wanted |= {"services"} | (set() if operation.when else {"rules"})
    if not operation.script:
        wanted |= set(_REST)
    node, _ = find(read_tree(text), (like,))
    if node.is_flow:
        style = style_of(text, read_tree(text))
        return {key: _shown(key, value, style) for key, value in body_of(text, like).items() if key in wanted}
    return {
        each.key: text[line_start(text, each.start) : content_end(text, each)].replace("\r\n", "\n")
        for each in node.entries
        if each.key in wanted and column_of(text, each.start)
    }


def _own(text: str, like: str, operation: Operation, stage: str) -> dict[str, Any]:
    """Return the keys that the operation itself says."""
    own: dict[str, Any] = {"stage": stage}
    if operation.image:
        own["image"] = operation.image
    if operation.script:
        own["script"] = list(operation.script)
    if operation.services:
        own["services"] = [service_for(image, _pairs(operation)) for image in operation.services]
    if operation.needs:
        document = read_document(text)
        own["needs"] = [job_named(document, name) for name in operation.needs]
    if operation.when and tuple(operation.when) != ("always",):
        own["rules"] = rules_for(operation.when, operation.values)
    if operation.paths:
        own["artifacts"] = {"paths": list(operation.paths), "expire_in": "1 week"}
    variables = _variables(text, like, operation)
    return own | ({"variables": variables} if variables else {})


def _variables(text: str, like: str, operation: Operation) -> dict[str, Any]:
    """Return the job's own variables with those it copies, nothing when it has none of its own."""
    pairs = _pairs(operation)
    of_services = {name for name in pairs if name.startswith(("POSTGRES_", "MYSQL_", "MARIADB_"))}
    own = {name: value for name, value in pairs.items() if not (operation.services and name in of_services)}
    before = body_of(text, like).get("variables") if like else None
    known = {**known_variables(text, like), **own}
    own = reached_by(operation.services, known) | own
    if not own:
        return {}
    if before is not None and not is_plain(before):
        raise CannotError(f"the variables of {like} refer to another job, so I cannot add to a copy of them")
    return {**(before if isinstance(before, dict) else {}), **own}


def _pairs(operation: Operation) -> dict[str, str]:
    return operation.pairs if operation.variables else {}


def _shown(key: str, value: Any, style: Style) -> str:
    plain = Style(newline="\n", step=style.step, list_step=style.list_step)
    return entry(key, value, style.step, plain)
