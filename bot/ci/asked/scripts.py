"""Lines of scripts: whole ones set, single ones added and taken away."""

from collections.abc import Sequence
from typing import Any

from bot.ci.asked.lookup import body_of, inherited, is_plain, lines_of, written_as
from bot.ci.asked.operation import Operation
from bot.ci.edit import Delete, SetKey, apply
from bot.ci.edit.place import add_item, set_value
from bot.ci.edit.splice import splice
from bot.domain import CannotError

SECTIONS = ("before_script", "script", "after_script")


def section_of(operation: Operation) -> str:
    """Return which of a job's scripts is meant."""
    if operation.name and operation.name not in SECTIONS:
        raise CannotError(f"name must be one of {', '.join(SECTIONS)}, not {operation.name!r}")
    return operation.name or "script"


def add_lines(text: str, job: str, operation: Operation) -> str:
    """Add lines at the end of a script; what the job inherited stays in front of them."""
    section = section_of(operation)
    own = body_of(text, job).get(section)
    if written_as(text, job, section) == "sequence":
        for line in operation.script:
            text = splice(text, add_item(text, (job, section), line, len(lines_of(body_of(text, job).get(section)))))
        return text
    before = own if own is not None else inherited(text, job, section)
    if not is_plain(before):
        raise CannotError(f"the {section} of {job} refers to another job, so I cannot add lines to it")
    return apply(text, SetKey(job=job, key=section, value=[*lines_of(before), *operation.script]))


def remove_lines(text: str, job: str, operation: Operation) -> str:
    """Take lines out of a job's scripts, each named by its words or a part that only one line has."""
    for wanted in operation.script:
        section, number = _place(text, job, wanted)
        if len(lines_of(body_of(text, job).get(section))) > 1:
            text = splice(text, Delete(path=(job, section), position=number))
        elif section == "script":
            raise CannotError(f"nothing would be left of the script of {job}; remove the job, or set its script")
        else:
            text = apply(text, SetKey(job=job, key=section, value=None))
    return text


def set_script(text: str, job: str, operation: Operation) -> str:
    """Set a whole script; lines that stay as they were are not touched."""
    section = section_of(operation)
    own: Any = body_of(text, job).get(section)
    new = list(operation.script)
    if written_as(text, job, section) != "sequence" or not is_plain(own):
        return apply(text, SetKey(job=job, key=section, value=new))
    for number, (old, line) in enumerate(zip(own, new, strict=False)):
        if old != line:
            text = splice(text, set_value(text, (job, section, number), line))
    for number in reversed(range(len(new), len(own))):
        text = splice(text, Delete(path=(job, section), position=number))
    for number in range(len(own), len(new)):
        text = splice(text, add_item(text, (job, section), new[number], number))
    return text


def _place(text: str, job: str, wanted: str) -> tuple[str, int]:
    body = body_of(text, job)
    lines = [
        (section, number, str(line)) for section in SECTIONS for number, line in enumerate(lines_of(body.get(section)))
    ]
    for is_meant in (lambda line: line.strip() == wanted.strip(), lambda line: wanted.strip() in line):
        found = [(section, number) for section, number, line in lines if is_meant(line)]
        if len(found) == 1:
            return found[0]
    raise CannotError(f"{job} has no such line {wanted!r}; its lines are: {_listed([line for *_, line in lines])}")


def _listed(lines: Sequence[str]) -> str:
    return " | ".join(line.splitlines()[0][:80] for line in lines[:12] if line) or "none"
