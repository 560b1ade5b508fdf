"""Does the steps of a Dockerfile one by one in rooms, as an engine would in containers."""

import re
from pathlib import Path

from msgspec import Struct

from bench.contexts import pack
from bench.images import image_of
from bench.rooms import Rooms
from bot.ci.dockerfile import Instruction, instructions

_LIMIT = 900.0


class BrokenError(Exception):
    """A step does not work, or cannot be done here; the message says which."""


class Stage(Struct, kw_only=True):
    """One stage while it is built: its room, where it stands and what it exports."""

    room: Path
    folder: str = "/"
    exports: str = ""
    user: str = "0"
    command: str = ""
    port: str = ""
    probe: str = ""


class Builder(Struct, kw_only=True):
    """Builds in a scratch folder from a context, as an engine would, one room for each stage."""

    rooms: Rooms
    cache: Path
    context: Path
    scratch: Path
    stages: dict[str, Stage] = {}
    differs: list[str] = []

    def build(self, text: str) -> Stage:
        """Do every step; raise BrokenError at the first that fails, else return the last stage."""
        stage: Stage | None = None
        for each in instructions(text):
            if each.word == "FROM":
                stage = self._start(each)
            elif stage is not None:
                self._step(stage, each)
        if stage is None:
            raise BrokenError("there is no FROM")
        return stage

    def say(self, stage: Stage, script: str) -> str:
        """Run a script in a stage and return what it said."""
        lines = f"set -e\n{stage.exports}mkdir -p {stage.folder}\ncd {stage.folder}\n{script}\n"
        ran = self.rooms.run(stage.room, lines, _LIMIT)
        if ran.code != 0:
            raise BrokenError(f"{script[:200]}\n{ran.tail(15)}")
        return ran.output

    def _start(self, each: Instruction) -> Stage:
        words = each.rest.split()
        image = image_of(words[0], self.cache)
        if image.is_missing:
            raise BrokenError(f"not here: {image.differs}")
        self.differs += [image.differs] if image.differs else []
        name = words[2] if len(words) == 3 else str(len(self.stages))
        room = self.scratch / name
        self.rooms.shell(image, room, self.scratch / "exchange")
        self.stages[name] = Stage(room=room)
        return self.stages[name]

    def _step(self, stage: Stage, each: Instruction) -> None:
        if each.word == "WORKDIR":
            stage.folder = each.rest
        elif each.word == "ENV":
            stage.exports += "".join(f"export {pair}\n" for pair in re.findall(r"\w+=\S+", each.rest))
        elif each.word == "USER":
            stage.user = each.rest
        elif each.word == "COPY":
            self._copy(stage, each.rest)
        elif each.word == "RUN":
            self.say(stage, re.sub(r"--mount=\S+\s+", "", each.rest))
        elif each.word == "CMD":
            stage.command = each.rest
        elif each.word == "EXPOSE":
            stage.port = each.rest
        elif each.word == "HEALTHCHECK":
            stage.probe = each.rest.partition("CMD ")[2]

    def _copy(self, stage: Stage, rest: str) -> None:
        """Carry files over as an archive, the one thing both sides can see."""
        words = rest.split()
        options = [word for word in words if word.startswith("--")]
        *sources, target = [word for word in words if not word.startswith("--")]
        before = next((option.partition("=")[2] for option in options if option.startswith("--from=")), "")
        owner = next((option.partition("=")[2] for option in options if option.startswith("--chown=")), "0:0")
        packed = self.scratch / "exchange/files.tar"
        packed.unlink(missing_ok=True)
        if before:
            # A folder gives its content; a file goes to the name of the target.
            source = sources[0]
            self.say(
                self.stages[before],
                f"cd {source} 2>/dev/null && tar -cf {packed} . || tar -C / -chf {packed} .{source}",
            )
            place = f"mkdir -p {target}; tar --owner 0 -xf {packed} -C {target}"
            single = f"mkdir -p $(dirname {target}); tar -xOf {packed} > {target}; chmod 755 {target}"
            is_file = f"[ $(tar -tf {packed} | wc -l) = 1 ] && ! tar -tf {packed} | grep -q '/$'"
            self.say(stage, f"if {is_file}; then {single}; else {place}; fi; chown -R {owner} {target}")
            return
        if not pack(self.context, sources, packed):
            raise BrokenError(f"COPY {' '.join(sources)}: nothing matches")
        self.say(stage, f"mkdir -p {target}; tar -xf {packed} -C {target}; chown -R {owner} {target}")
