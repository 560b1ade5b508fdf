"""What stands in a room for places that cannot be reached: settings of git, nodeenv and Bundler that name folders."""

from pathlib import Path

from bench.nodejs import nodeenv_settings


def lay(changes: Path, *, mirror: Path | None, dist: Path | None, gems: Path | None) -> list[Path]:
    """Write the settings into what a room has changed already; return the folders that must be seen inside."""
    written = {
        "etc/gitconfig": _git_settings(mirror) if mirror else "",
        "root/.nodeenvrc": nodeenv_settings(dist) if dist else "",
        "root/.bundle/config": f'---\nBUNDLE_MIRROR__ALL: "{gems.as_uri()}"\n' if gems else "",
        "root/.gemrc": f":sources:\n- {gems.as_uri()}\n" if gems else "",
    }
    for name, text in written.items():
        if text:
            (changes / name).parent.mkdir(
                mode=0o700 if name.startswith("root/") else 0o755, parents=True, exist_ok=True
            )
            (changes / name).write_text(text, encoding="utf-8")
    return [each for each in (mirror, dist, gems) if each is not None] + (_linked(mirror) if mirror else [])


def hex_variables(address: str) -> dict[str, str]:
    """Return what makes Hex take a mirror that is not signed like the real one."""
    if not address:
        return {}
    return {"HEX_MIRROR": address, "HEX_UNSAFE_REGISTRY": "1", "HEX_NO_VERIFY_REPO_ORIGIN": "1"}


def _git_settings(mirror: Path) -> str:
    """Return what makes git take the mirror, by any commit, under the spellings of a name that GitHub knows."""
    text = "[uploadpack]\n\tallowAnySHA1InWant = true\n"
    for place in sorted(mirror.glob("*+*/repo")):
        name = place.parent.name.replace("+", "/", 1)
        names = "".join(f"\tinsteadOf = https://github.com/{each}\n" for each in dict.fromkeys((name, name.lower())))
        text += f'[url "file://{place}"]\n{names}' + _longer_names(f"https://github.com/{name}")
    return text


def _linked(mirror: Path) -> list[Path]:
    """Return the folders that hold what a mirror only links to: in a room they have to be there too."""
    return sorted({each.resolve().parent for each in mirror.iterdir() if each.is_symlink() and each.is_dir()})


def _longer_names(address: str) -> str:
    """Git takes a beginning for the whole: a longer one that stands for itself keeps black-mirror apart from black."""
    return "".join(f'[url "{address}{sign}"]\n\tinsteadOf = {address}{sign}\n' for sign in "-_")
