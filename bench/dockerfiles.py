"""`python -m bench.dockerfiles CHECKOUT…`: the steps of each proposed Dockerfile, done one by one without an engine."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import click

from bench.answers import ask
from bench.builder import BrokenError, Builder
from bench.rooms import Rooms, can_make_rooms
from bench.started import started

_TOOLS = "for tool in gcc cc g++ make mvn cargo rustc go javac; do command -v $tool || true; done"


@click.command()
@click.argument("checkouts", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--cache", type=click.Path(path_type=Path), default=Path.home() / ".cache/pipewright-bench")
@click.option("--out", type=click.Path(path_type=Path), default=Path("dist/bench/docker"), show_default=True)
@click.option(
    "--gems",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A server of gems in a folder, as `gem generate_index` makes it: stands for every other one.",
)
@click.option("--hex", "mirror_of_hex", default="", help="The address of a mirror of Hex, signed by any key.")
@click.option("--set", "settings", multiple=True, help="NAME=VALUE that whoever runs the image gives, as a secret.")
def main(
    *,
    checkouts: tuple[Path, ...],
    cache: Path,
    out: Path,
    gems: Path | None,
    mirror_of_hex: str,
    settings: tuple[str, ...],
) -> None:
    """Build what is proposed for each checkout, start it, and say what the last stage is like."""
    if not can_make_rooms():
        raise click.ClickException("this takes root and debootstrap")
    rooms = Rooms(cache=cache.resolve() / "rooms", gems=gems.resolve() if gems else None, hex=mirror_of_hex)
    bad = 0
    for checkout in checkouts:
        given = ask(checkout, is_hidden=False)
        names = [path for path in given.files if path.rpartition("/")[2] == "Dockerfile"]
        for path in names:
            done = _built(checkout, given.files, path, rooms, out.resolve(), settings)
            bad += not done.startswith("built")
            click.echo(f"{checkout.name} {path}: {done}")
        if not names:
            click.echo(f"{checkout.name}: no Dockerfile is proposed")
    sys.exit(1 if bad else 0)


def _built(checkout: Path, files: dict[str, str], path: str, rooms: Rooms, out: Path, settings: Sequence[str]) -> str:
    scratch = out / checkout.name
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "exchange").mkdir(parents=True)
    copy = scratch / "checkout"
    shutil.copytree(checkout, copy, symlinks=True)
    for each, text in files.items():
        (copy / each).parent.mkdir(parents=True, exist_ok=True)
        (copy / each).write_text(text, encoding="utf-8")
    context = copy / PurePosixPath(path).parent
    builder = Builder(rooms=rooms, cache=rooms.cache.parent, context=context, scratch=scratch, stages={}, differs=[])
    try:
        stage = builder.build(files[path])
        tools = builder.say(stage, _TOOLS).split()
    except BrokenError as error:
        return f"broken: {error}"
    works, heard = started(builder, stage, settings)
    differs = "".join(f"; {each}" for each in dict.fromkeys(builder.differs))
    like = f"runs as {stage.user}: {stage.command}; compilers in it: {', '.join(tools) or 'none'}"
    return f"{'built' if works else 'broken'}; {like}; {heard}{differs}"


if __name__ == "__main__":
    main()
