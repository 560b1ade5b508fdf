"""What COPY takes from a build context, which .dockerignore narrows."""

import fnmatch
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath


def pack(context: Path, sources: Sequence[str], packed: Path) -> bool:
    """Put what COPY takes into an archive, as it lies below the target; whether there was anything."""
    file = context / ".dockerignore"
    ignored = file.read_text(encoding="utf-8").split() if file.exists() else []
    listed = [str(path.relative_to(context)) for path in context.rglob("*") if path.is_symlink() or not path.is_dir()]
    wanted = {name: arrival(name, sources) for name in sorted(listed) if not is_ignored(name, ignored)}
    with tarfile.open(packed, "w") as archive:
        for name, inside in wanted.items():
            if inside:
                archive.add(context / name, inside, recursive=False)
    return any(wanted.values())


def arrival(name: str, sources: Sequence[str]) -> str:
    """Return how COPY names a file of the context below its target: folders give what is in them; else nothing."""
    for source in sources:
        folder = f"{source.rstrip('/')}/"
        if source in {".", "./"}:
            return name
        if name.startswith(folder):
            return name.removeprefix(folder)
        if name.count("/") == source.count("/") and fnmatch.fnmatch(name, source):
            return name.rpartition("/")[2]
    return ""


def is_ignored(name: str, patterns: Sequence[str]) -> bool:
    """Whether the patterns of a .dockerignore leave a file out; the last that fits decides."""
    above = [name, *map(str, PurePosixPath(name).parents)]
    is_out = False
    for pattern in patterns:
        plain = pattern.removeprefix("!").rstrip("/")
        if any(fnmatch.fnmatch(each, form) for each in above for form in {plain, plain.removeprefix("**/")}):
            is_out = not pattern.startswith("!")
    return is_out
