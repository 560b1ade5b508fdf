"""`python -m bench.dockerfiles CHECKOUT…`: the steps of each proposed Dockerfile, done one by one without an engine."""

import fnmatch
import re
import shutil
import sys
from pathlib import Path, PurePosixPath

import click
from msgspec import Struct

from bench.answers import ask
from bench.images import image_of
from bench.programs import run
from bench.rooms import Rooms, can_make_rooms
from bot.ci.dockerfile import Instruction, instructions

_LIMIT = 900.0
_TOOLS = "for tool in gcc cc g++ make mvn cargo rustc go javac; do command -v $tool || true; done"


class BrokenError(Exception):
    """A step does not work, or cannot be done here; the message says which."""


class Stage(Struct, kw_only=True):
    """One stage while it is built: its room, where it stands and what it exports."""

    room: Path
    folder: str = "/"
    exports: str = ""
    user: str = "0"
    command: str = ""


class Builder(Struct, kw_only=True):
    """Builds in a scratch folder from a context, as an engine would, one room for each stage."""

    rooms: Rooms
    cache: Path
    context: Path
    scratch: Path
    stages: dict[str, Stage] = {}

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
        self._pack(sources, packed)
        self.say(stage, f"mkdir -p {target}; tar -xf {packed} -C {target}; chown -R {owner} {target}")

    def _pack(self, sources: list[str], packed: Path) -> None:
        ignored = (
            (self.context / ".dockerignore").read_text().split() if (self.context / ".dockerignore").exists() else []
        )
        listed = [str(path.relative_to(self.context)) for path in self.context.rglob("*") if not path.is_dir()]
        wanted = [name for name in listed if not is_ignored(name, ignored) and is_named(name, sources)]
        if not wanted:
            raise BrokenError(f"COPY {' '.join(sources)}: nothing matches")
        run(["tar", "-C", str(self.context), "-cf", str(packed), "-T", "-"], limit=60, text="\n".join(wanted))


def is_named(name: str, sources: list[str]) -> bool:
    """Whether COPY with these sources takes a file of the context."""
    return any(
        source in {".", "./"} or fnmatch.fnmatch(name, source) or name.startswith(f"{source.rstrip('/')}/")
        for source in sources
    )


def is_ignored(name: str, patterns: list[str]) -> bool:
    """Whether the patterns of a .dockerignore leave a file out; the last that fits decides."""
    above = [name, *map(str, PurePosixPath(name).parents)]
    is_out = False
    for pattern in patterns:
        if any(fnmatch.fnmatch(each, pattern.removeprefix("!").rstrip("/")) for each in above):
            is_out = not pattern.startswith("!")
    return is_out


@click.command()
@click.argument("checkouts", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--cache", type=click.Path(path_type=Path), default=Path.home() / ".cache/pipewright-bench")
@click.option("--out", type=click.Path(path_type=Path), default=Path("dist/bench/docker"), show_default=True)
def main(checkouts: tuple[Path, ...], cache: Path, out: Path) -> None:
    """Build what is proposed for each checkout and say what the last stage is like."""
    if not can_make_rooms():
        raise click.ClickException("this takes root and debootstrap")
    bad = 0
    for checkout in checkouts:
        given = ask(checkout, is_hidden=False)
        names = [path for path in given.files if path.rpartition("/")[2] == "Dockerfile"]
        for path in names:
            done = _built(checkout, given.files, path, Rooms(cache=cache.resolve() / "rooms"), out.resolve())
            bad += not done.startswith("built")
            click.echo(f"{checkout.name} {path}: {done}")
        if not names:
            click.echo(f"{checkout.name}: no Dockerfile is proposed")
    sys.exit(1 if bad else 0)


def _built(checkout: Path, files: dict[str, str], path: str, rooms: Rooms, out: Path) -> str:
    scratch = out / checkout.name
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "exchange").mkdir(parents=True)
    context = scratch / "context"
    shutil.copytree(checkout / PurePosixPath(path).parent, context, symlinks=True)
    for each, text in files.items():
        (context / each).parent.mkdir(parents=True, exist_ok=True)
        (context / each).write_text(text, encoding="utf-8")
    builder = Builder(rooms=rooms, cache=rooms.cache.parent, context=context, scratch=scratch, stages={})
    try:
        stage = builder.build(files[path])
        tools = builder.say(stage, _TOOLS).split()
    except BrokenError as error:
        return f"broken: {error}"
    return f"built; runs as {stage.user}: {stage.command}; compilers in it: {', '.join(tools) or 'none'}"


if __name__ == "__main__":
    main()
