"""Where one may be sent on to: to our own pages only."""

from urllib.parse import urlsplit

HOME = "/"
_LONGEST = 2000


def safe_place(wanted: str | None) -> str:
    """Return a path of ours to go on to; whatever could lead elsewhere becomes the first page.

    Browsers read `\\` as `/`, drop tabs and line ends, and take `//host` for another address.
    """
    if not wanted or len(wanted) > _LONGEST or not wanted.isascii() or not wanted.isprintable():
        return HOME
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted:
        return HOME
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or parts.path.startswith(("/sign-in", "/sign-out", "//")):
        return HOME
    return wanted
