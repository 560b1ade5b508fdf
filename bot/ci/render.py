"""Rendering of template fragments: the small vocabulary a template may use, and YAML-safe text."""

import functools
import json
import re
import shlex
from collections.abc import Iterable, Mapping

import jinja2
import jinja2.sandbox
import yaml
from msgspec import Struct

from bot.ci.catalog import Catalog, Template
from bot.ci.layers import SHARED
from bot.ci.metadata import BrokenTemplateError
from bot.domain import Unit
from bot.domain.pins import pin, pinned_image

_MOST_CHARACTERS = 1_000_000  # GitLab itself reads no more than 2 MiB


class Place(Struct, frozen=True, kw_only=True):
    """Where a unit sits among the others: how its jobs are named, and what decides that they run.

    `child` is the file of the child pipeline that holds its jobs, `starter` the main one's job that starts it; both
    are empty where the main one holds its jobs.
    """

    unit: Unit
    label: str = ""
    changes: tuple[str, ...] = ()
    has_dockerfile: bool = False
    child: str = ""
    starter: str = ""

    def job(self, name: str) -> str:
        """Return the job name inside this pipeline: `test`, or `api:test` beside other units."""
        if not self.label:
            return name
        hidden, bare = name.startswith("."), name.lstrip(".")
        return f"{'.' if hidden else ''}{self.label}:{bare}"


class Renderer:
    """Renders the fragments of a catalog for a unit; an undefined name in a template is an error."""

    def __init__(self, catalog: Catalog) -> None:
        self._jinja = _environment(tuple(catalog.texts.items()))

    def render(self, template: Template, fragment: str, place: Place) -> str:
        """Return the text of one fragment for one unit; empty when the template has no such fragment."""
        if fragment not in template.fragments:
            return ""
        try:
            source = self._jinja.get_template(f"{template.name}/{fragment}")
            text = _written(source, _context(place))
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            what = f"the template {template.name}/{fragment} does not render: {error}"
            raise BrokenTemplateError(template.name, what) from error
        return _tidy(_without_gaps(text, fragment))

    def render_shared(self, fragment: str, known: Mapping[str, object]) -> str:
        """Return the text of a shared fragment, which knows no unit."""
        try:
            return _tidy(_written(self._jinja.get_template(SHARED + fragment), known))
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            what = f"the template {SHARED}{fragment} does not render: {error}"
            raise BrokenTemplateError(SHARED.rstrip("/"), what) from error


@functools.lru_cache(maxsize=4)
def _environment(texts: tuple[tuple[str, str], ...]) -> jinja2.Environment:
    """Return the environment of these texts; it keeps what it compiled, which takes far longer than rendering."""
    environment = jinja2.sandbox.SandboxedEnvironment(
        loader=jinja2.DictLoader(dict(texts)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.globals |= {"pin": pin, "pinned_image": pinned_image}
    environment.filters |= {"scalar": scalar, "items": items, "found": found, "replaced": replaced}
    environment.filters |= {"at_service": at_service, "exec_form": exec_form, "as_user": as_user}
    environment.tests["match"] = lambda text, pattern: re.search(pattern, text) is not None
    return environment


def _written(source: jinja2.Template, known: Mapping[str, object]) -> str:
    """Render piece by piece, for a loop in a loop would go on for hours; raises ValueError for what no pipeline is."""
    pieces, size = [], 0
    for piece in source.generate(known):
        pieces.append(piece)
        size += len(piece)
        if size > _MOST_CHARACTERS:
            raise ValueError(f"it writes more than {_MOST_CHARACTERS:,} characters")
    return "".join(pieces)


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n" if text.strip() else ""


def _without_gaps(text: str, fragment: str) -> str:
    """Drop the blank lines that macros leave inside a job or inside a stage of a Dockerfile."""
    if fragment.endswith(".yml.j2"):
        return re.sub(r"\n\s*\n(?=[ ])", "\n", text)
    return re.sub(r"\n\s*\n(?!FROM |# )", "\n", text) if fragment.startswith("Dockerfile") else text


def _context(place: Place) -> dict[str, object]:
    unit = place.unit

    def fact(name: str, default: str = "") -> str:
        return unit.first(name) or default

    def quotes(name: str) -> str:
        """What the repository says where the fact was read."""
        return "\n".join(each.quote for one in unit.facts if one.name == name for each in one.evidence)

    return {
        "ecosystem": unit.ecosystem,
        "known": {fact.name for fact in unit.facts},
        "fact": fact,
        "facts": lambda name: list(unit.all(name)),
        "quotes": quotes,
        "has": lambda name, *values: bool(set(values) & set(unit.all(name))) if values else bool(unit.all(name)),
        "job": place.job,
        "root": unit.root,
        "prefix": f"{unit.root}/" if unit.root else "",
        # What starts a child has looked at the changes already.
        "changes": [] if place.child else list(place.changes),
        "beside_others": bool(place.label or place.child),
        "has_dockerfile": place.has_dockerfile,
        "git_settings": lambda: _git_settings(unit),
    }


def _git_settings(unit: Unit) -> dict[str, str]:
    """Return the variables that tell the runner how to fetch the repository."""
    wanted = {"GIT_DEPTH": unit.first("git_depth"), "GIT_SUBMODULE_STRATEGY": unit.first("submodules")}
    return {name: value for name, value in wanted.items() if value}


def scalar(value: object) -> str:
    """Return the value as a YAML string on one line, quoted only when it has to be, and then as prettier wants it."""
    text = str(value)
    if _reads_back(text) and not text.startswith(("{", "[")):
        return text
    if '"' not in text and "\\" not in text and text.isprintable():
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def _reads_back(text: str) -> bool:
    try:
        return bool(yaml.safe_load(f"- {text}\n") == [text] and yaml.safe_load(f"a: {text}\n") == {"a": text})
    except yaml.YAMLError:
        return False


def items(values: Iterable[str], indent: int = 4) -> str:
    """Return a YAML list, one item a line; a value of several lines becomes a block."""
    return ("\n" + " " * indent).join(_item(value.rstrip("\n"), indent) for value in values)


def _item(value: str, indent: int) -> str:
    if "\n" not in value:
        return f"- {scalar(value)}"
    margin = "\n" + " " * (indent + 2)
    return "- |" + margin + margin.join(value.splitlines())


def found(text: str, pattern: str) -> str:
    """Return the first group (or the whole) of the first match, or nothing."""
    match = re.search(pattern, text)
    if match is None:
        return ""
    return match.group(1) if match.groups() else match.group(0)


def replaced(text: str, pattern: str, new: str) -> str:
    """Return the text with every match replaced."""
    return re.sub(pattern, new, text)


def at_service(line: str, services: Iterable[str]) -> str:
    """Return the value of a NAME=value line; a service is reached by its name, where others say localhost."""
    value = line.partition("=")[2]
    names = [re.sub(r":[^/]*$", "", service).rsplit("/", 1)[-1] for service in services]
    fitting = [name for name in names if name[:5] in line.lower()] or (names if len(names) == 1 else [])
    if not fitting:
        return value
    return re.sub(r"(?<![\w.-])(?:localhost|127\.0\.0\.1)(?![\w.-])", fitting[0], value)


def as_user(line: str, user: str) -> str:
    """Return a command that a user other than root runs, with a home of its own."""
    plain = re.fullmatch(r"[\w./:=@,+-]+(?: [\w./:=@,+-]+)*", line)
    return f"runuser -u {user} -- env HOME=/home/{user} {line if plain else f'bash -c {shlex.quote(line)}'}"


def exec_form(command: str) -> str:
    """Return a shell command as the list a Dockerfile's CMD wants; through a shell only when it needs one."""
    if re.search(r"[$;&|<>`*?~(){}]", command) or re.match(r"\w+=", command):
        return json.dumps(["sh", "-c", command if re.search(r"[;&|]", command) else f"exec {command}"])
    try:
        return json.dumps(shlex.split(command))
    except ValueError:
        return json.dumps(["sh", "-c", command])
