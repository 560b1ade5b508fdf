"""`python -m bench.releases CHECKOUT…`: a mirror with the tags that checkouts take hooks from, made from releases.

`pre-commit` takes each hook from a repository at a tag. Where a mirror that stands for github.com is older than such a
tag, the tag is made from the release of exactly that version on PyPI, on top of the nearest older one. Nothing of the
release is run here, and what PyPI does not have stays missing.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from msgspec import Struct

from bench.ci_local import MissingError
from bench.hooks import HOOKS, BadConfigError, distribution, pin, pins, wrapped
from bench.programs import run
from bench.pypi import BadReleaseError, Index, index_of_pip
from bench.versions import below

MADE = "made.txt"
_LIMIT = 300.0
# The same files everywhere, and no program of a repository is started.
_SETTINGS = ("-c", "core.bare=false", "-c", "core.autocrlf=false", "-c", "core.fsmonitor=false",
             "-c", f"core.hooksPath={os.devnull}")  # fmt: skip
_PERSON = ("bench", "bench@example.com")
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


class Tag(Struct, frozen=True, kw_only=True):
    """A tag that the mirror lacked. `made` tells from what it was made, `left` why it is still missing."""

    repo: str
    rev: str
    wanted_by: tuple[str, ...]
    made: str = ""
    left: str = ""

    def __str__(self) -> str:
        """Return one line for people."""
        how = f"made from {self.made}" if self.made else f"left missing: {self.left}"
        return f"{self.repo} {self.rev} (for {', '.join(self.wanted_by)}): {how}"


class Workshop(Struct, frozen=True, kw_only=True):
    """Makes a mirror out of another one, which stays as it is, and an index."""

    mirror: Path
    out: Path
    index: Index

    def link(self) -> None:
        """Let every repository of the old mirror stand in the new one too."""
        self.out.mkdir(parents=True, exist_ok=True)
        for place in sorted(self.mirror.glob("*+*/repo")):
            (self.out / place.parent.name).symlink_to(place.parent.resolve())

    def tag(self, repo: str, rev: str, wanted_by: tuple[str, ...]) -> Tag | None:
        """Return what came of one pinned revision, None where the mirror has it."""
        place = self._found(repo)
        if place is None:
            return Tag(repo=repo, rev=rev, wanted_by=wanted_by, left="the mirror does not have this repository")
        if _has(place, rev):
            return None
        try:
            return Tag(repo=repo, rev=rev, wanted_by=wanted_by, made=self._made(place, repo, rev))
        except BadReleaseError as error:
            return Tag(repo=repo, rev=rev, wanted_by=wanted_by, left=str(error))

    def _found(self, repo: str) -> Path | None:
        """GitHub does not mind how a name is spelled."""
        name = repo.replace("/", "+").lower()
        places = sorted(self.mirror.glob("*+*/repo"))
        return next((each for each in places if each.parent.name.lower() == name), None)

    def _made(self, place: Path, repo: str, rev: str) -> str:
        version = rev.removeprefix("v")
        base = _base(place, version)
        with tempfile.TemporaryDirectory(prefix="pipewright-release-") as folder:
            old, new = Path(folder) / "old", Path(folder) / "new"
            for each in (old, new):
                each.mkdir()
            _git(place, f"--work-tree={old}", "checkout", "-f", base, "--", ".", index=Path(folder) / "old.index")
            tree, source = self._tree(old, new, repo, version)
            made = f"{source}, on top of {'the newest commit' if base == 'HEAD' else base}"
            _commit(self._own(place), tree, base, rev, made, Path(folder) / "new.index")
        return made

    def _tree(self, old: Path, new: Path, repo: str, version: str) -> tuple[Path, str]:
        """Return the files of a version, and whose release they are."""
        package = wrapped(old)
        if package:
            if not self.index.has(package, version):
                raise BadReleaseError(f"PyPI has no release {version} of {package}")
            pin(old, package, version)
            return old, f"its own files with the release {version} of {package}"
        name = distribution(old)
        if not name:
            raise BadReleaseError("it does not say under which name it is released")
        top = self.index.unpack(name, version, new)
        _of_this_repository(top, repo, name)
        if not (top / HOOKS).exists() and (old / HOOKS).is_file():
            shutil.copyfile(old / HOOKS, top / HOOKS, follow_symlinks=False)
        return top, f"the release {version} of {name}"

    def _own(self, place: Path) -> Path:
        """Return a copy of a repository, in the new mirror instead of the link to it."""
        link = self.out / place.parent.name
        if link.is_symlink():
            fresh = self.out / ".fresh"
            _done(["git", "clone", "-q", "--bare", str(place), str(fresh / "repo")])
            link.unlink()
            fresh.rename(link)
        return link / "repo"


def read_made(mirror: Path) -> list[str]:
    """Return a line for each tag of a mirror that is not the real one."""
    told = mirror / MADE
    return told.read_text(encoding="utf-8").splitlines() if told.is_file() else []


def wanted(checkouts: Sequence[Path]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return repositories and revisions that checkouts take hooks from, each with those checkouts' names."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for checkout in checkouts:
        try:
            for each in pins(checkout):
                found[each] = (*found.get(each, ()), checkout.name)
        except BadConfigError as error:
            click.echo(error)
    return dict(sorted(found.items()))


def _of_this_repository(top: Path, repo: str, name: str) -> None:
    """Anybody may release under a name that a repository does not use itself."""
    told = top / "PKG-INFO"
    text = told.read_text(encoding="utf-8", errors="replace") if told.is_file() else ""
    if not re.search(rf"github\.com/{re.escape(repo)}(?![\w-])", text, re.IGNORECASE):
        raise BadReleaseError(f"the release of {name} does not name this repository")


def _has(place: Path, rev: str) -> bool:
    asked = ["git", "-C", str(place), "rev-parse", "-q", "--verify", f"{rev}^{{commit}}"]
    return run(asked, limit=_LIMIT).code == 0


def _base(place: Path, version: str) -> str:
    """Return the nearest older tag that is no pre-release, or the newest commit where no tag is older."""
    tags = _git(place, "tag", "--sort=-version:refname").splitlines()
    return next((each for each in tags if re.fullmatch(r"v?\d+(\.\d+)*", each) and below(each, version)), "HEAD")


def _commit(place: Path, tree: Path, base: str, rev: str, made: str, index: Path) -> None:
    """Commit files and tag them; who and when are fixed, so that the same release is the same commit everywhere."""
    _git(place, f"--work-tree={tree}", "add", "-A", "-f", ".", index=index)
    written = _git(place, "write-tree", index=index).strip()
    when = _git(place, "log", "-1", "--format=%cI", base).strip()
    known = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER")
             for key, value in zip(("NAME", "EMAIL", "DATE"), (*_PERSON, when), strict=True)}  # fmt: skip
    message = f"{rev}, not the real one: made from {made}"
    commit = _git(place, "commit-tree", written, "-p", base, "-m", message, environment=known).strip()
    _git(place, "update-ref", f"refs/tags/{rev}", commit)


def _git(place: Path, *words: str, index: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    known = {**os.environ, **(environment or {}), **({"GIT_INDEX_FILE": str(index)} if index else {})}
    folder = place / ".git" if (place / ".git").is_dir() else place
    return _done(["git", *_SETTINGS, f"--git-dir={folder}", *words], known)


def _done(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    ran = run(command, limit=_LIMIT, environment=environment)
    if ran.code != 0:
        raise BadReleaseError(f"git fails on its repository: {ran.tail(1)}")
    return ran.output


@click.command()
@click.argument("checkouts", nargs=-1, required=True, type=FOLDER)
@click.option("--mirror", required=True, type=FOLDER, help="Bare repositories OWNER+NAME/repo; they stay as they are.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The new mirror, a folder yet to be made.")
def main(*, checkouts: tuple[Path, ...], mirror: Path, out: Path) -> None:
    """Make a mirror that has every tag that a CHECKOUT's pre-commit takes hooks from and PyPI has a release of."""
    if out.exists():
        raise click.ClickException(f"{out} is there already")
    try:
        shop = Workshop(mirror=mirror.resolve(), out=out.resolve(), index=index_of_pip())
        shop.link()
        found = [shop.tag(*each, names) for each, names in wanted(checkouts).items()]
    except MissingError as error:
        raise click.ClickException(str(error)) from error
    tags = [each for each in found if each is not None]
    made = [str(each) for each in tags if each.made]
    (out / MADE).write_text("".join(f"{each}\n" for each in made), encoding="utf-8")
    click.echo("\n".join(map(str, tags)))
    click.echo(f"{len(made)} of {len(tags)} missing tags were made; {len(found) - len(tags)} pins were there.")


if __name__ == "__main__":
    main()
