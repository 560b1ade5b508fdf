"""Operations on a Dockerfile, as text: only the instruction that is meant changes."""

import re
from collections.abc import Callable

from bot.ci.asked.operation import Operation
from bot.ci.asked.stages import Stage, stages_of
from bot.ci.render import exec_form
from bot.domain import CannotError

_INSTALL = re.compile(r"((?:apt-get|apt|apk|dnf|microdnf|yum)\s+(?:(?:-\S+\s+)*)(?:install|add))((?:\s+--?[\w=-]+)*)")
_LAST = ("USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD")


def edit_dockerfile(text: str, operation: Operation) -> str:
    """Return the Dockerfile after an operation; raise CannotError with the reason when it cannot be done."""
    changed = _OPERATIONS[operation.operation](text, operation)
    if changed == text:
        raise CannotError(f"the Dockerfile is already as {operation.operation} would make it")
    return changed


def ignore_paths(text: str, operation: Operation) -> str:
    """Return the .dockerignore with more paths left out of the image."""
    there = {line.strip() for line in text.splitlines()}
    missing = [path for path in (operation.paths or operation.values) if path not in there]
    if not missing:
        raise CannotError("these paths are ignored already")
    ended = text if not text or text.endswith("\n") else text + "\n"
    return ended + "".join(f"{path}\n" for path in missing)


def _base(text: str, operation: Operation) -> str:
    """A base that several stages share is one decision, unless one stage is named."""
    image = operation.image or operation.value
    stages = stages_of(text)
    meant = _stage(text, operation.name) if operation.name else stages[-1]
    names = {stage.name for stage in stages if stage.name}
    if meant.image in names:
        raise CannotError(f"the last stage is built from the stage {meant.image}; name the stage to change")
    same = [meant] if operation.name else [stage for stage in stages if stage.image == meant.image]
    lines = _lines(text)
    for stage in same:
        lines[stage.first - 1] = lines[stage.first - 1].replace(stage.image, image, 1)
    return "".join(lines)


def _packages(text: str, operation: Operation) -> str:
    stage = _stage(text, operation.name)
    for each in stage.instructions:
        written = _between(text, each.line, each.end)
        found = _INSTALL.search(written) if each.word == "RUN" else None
        if found is not None:
            missing = [name for name in operation.values if not re.search(rf"(?<!\S){re.escape(name)}(?!\S)", written)]
            more = "".join(f" {name}" for name in missing)
            return _replaced(text, each.line, each.end, written[: found.end()] + more + written[found.end() :])
    line = _install_line(stage.image, operation.values)
    after = next((one.end for one in reversed(stage.instructions) if one.word in ("FROM", "ARG")), stage.first)
    return _inserted(text, after, line)


def _install_line(image: str, names: tuple[str, ...]) -> str:
    joined = " ".join(names)
    if "distroless" in image or image == "scratch":
        raise CannotError(f"{image} has no package manager; choose another base image, or add them in the build stage")
    if "alpine" in image:
        return f"RUN apk add --no-cache {joined}\n"
    if re.search(r"ubi\d?|fedora|rocky|alma|centos|amazonlinux", image):
        tool = "microdnf" if "minimal" in image else "dnf"
        return f"RUN {tool} install -y {joined} && {tool} clean all\n"
    return (
        f"RUN apt-get update \\\n    && apt-get install -y --no-install-recommends {joined} \\\n"
        "    && rm -rf /var/lib/apt/lists/*\n"
    )


def _env(text: str, operation: Operation) -> str:
    for name, value in operation.pairs.items():
        text = _with_env(text, name, f'"{value}"' if re.search(r"\s", value) else value)
    return text


def _with_env(text: str, name: str, value: str) -> str:
    stage = stages_of(text)[-1]
    pattern = re.compile(rf'(?<![\w$]){re.escape(name)}=("[^"]*"|\S*)')
    for each in (one for one in stage.instructions if one.word == "ENV"):
        written = _between(text, each.line, each.end)
        if pattern.search(written):
            changed = pattern.sub(lambda _: f"{name}={value}", written, count=1)
            return _replaced(text, each.line, each.end, changed)
    places = [one.end for one in stage.instructions if one.word in ("ENV", "WORKDIR", "FROM", "ARG")]
    return _inserted(text, max(places), f"ENV {name}={value}\n")


def _port(text: str, operation: Operation) -> str:
    """The port stands wherever the old one stood in the last stage: in the command and the health check too."""
    port = operation.value.strip()
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise CannotError(f"{port!r} is no port")
    stage = stages_of(text)[-1]
    exposed = next((one for one in stage.instructions if one.word == "EXPOSE" and one.rest.split()), None)
    if exposed is None:
        return _inserted(text, _before_end(stage), f"EXPOSE {port}\n")
    old = exposed.rest.split()[0].partition("/")[0]
    lines = _lines(text)
    for each in stage.instructions:
        if each.word in ("EXPOSE", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ENV"):
            for number in range(each.line - 1, each.end):
                lines[number] = re.sub(rf"(?<![\d.]){re.escape(old)}(?![\d.])", port, lines[number])
    return "".join(lines)


def _command(text: str, operation: Operation) -> str:
    written = operation.value or " && ".join(operation.script)
    form = written if written.startswith("[") and written.endswith("]") else exec_form(written)
    return _last_of(text, "CMD", f"CMD {form}\n")


def _healthcheck(text: str, operation: Operation) -> str:
    command = operation.value or " && ".join(operation.script)
    return _last_of(text, "HEALTHCHECK", f"HEALTHCHECK --interval=30s --timeout=3s CMD {exec_form(command)}\n")


def _user(text: str, operation: Operation) -> str:
    return _last_of(text, "USER", f"USER {operation.value.strip()}\n")


def _run(text: str, operation: Operation) -> str:
    """A step belongs to the stage that is named, else to the one that builds; before what sets up the start."""
    stages = stages_of(text)
    stage = _stage(text, operation.name) if operation.name else stages[0]
    return _inserted(text, _before_end(stage), "".join(f"RUN {line.strip()}\n" for line in operation.script))


def _copy(text: str, operation: Operation) -> str:
    words = operation.value.split()
    if len(words) < 2:
        raise CannotError("docker_copy needs what to copy and where to, with a blank between them")
    return _inserted(text, _before_end(_stage(text, operation.name)), f"COPY {' '.join(words)}\n")


def _last_of(text: str, word: str, line: str) -> str:
    """Replace an instruction of the last stage, of which the last one counts, or add it where it belongs."""
    stage = stages_of(text)[-1]
    there = next((one for one in reversed(stage.instructions) if one.word == word), None)
    if there is not None:
        return _replaced(text, there.line, there.end, line)
    order = {"USER": 0, "HEALTHCHECK": 2, "CMD": 4}[word]
    later = _LAST[order + 1 :]
    before = next((one.line - 1 for one in stage.instructions if one.word in later), stage.last)
    return _inserted(text, before, line)


def _before_end(stage: Stage) -> int:
    """Return the line after which a step goes: before the user, the ports and the command are set."""
    return next((one.line - 1 for one in stage.instructions if one.word in _LAST), stage.last)


def _stage(text: str, name: str) -> Stage:
    stages = stages_of(text)
    if not name:
        return stages[-1]
    found = [stage for stage in stages if stage.name.lower() == name.lower()]
    if not found:
        known = ", ".join(stage.name for stage in stages if stage.name) or "none with a name"
        raise CannotError(f"the Dockerfile has no stage {name!r}; its stages are {known}")
    return found[0]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _between(text: str, first: int, last: int) -> str:
    return "".join(_lines(text)[first - 1 : last])


def _replaced(text: str, first: int, last: int, written: str) -> str:
    lines = _lines(text)
    return "".join([*lines[: first - 1], written, *lines[last:]])


def _inserted(text: str, after: int, written: str) -> str:
    lines = _lines(text)
    if after and not lines[after - 1].endswith("\n"):
        lines[after - 1] += "\n"
    return "".join([*lines[:after], written, *lines[after:]])


_OPERATIONS: dict[str, Callable[[str, Operation], str]] = {
    "docker_base": _base,
    "docker_packages": _packages,
    "docker_env": _env,
    "docker_port": _port,
    "docker_command": _command,
    "docker_run": _run,
    "docker_copy": _copy,
    "docker_user": _user,
    "docker_healthcheck": _healthcheck,
}
