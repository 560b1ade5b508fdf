"""How a room is furnished that stands for an image, and what the big images of Debian bring."""

from msgspec import Struct

SCM = ("ca-certificates", "curl", "wget", "git", "openssh-client", "procps", "gnupg")
_COMPILERS = ("autoconf", "automake", "bzip2", "file", "g++", "gcc", "libbz2-dev", "libc6-dev", "libcurl4-openssl-dev",
              "libevent-dev", "libffi-dev", "libglib2.0-dev", "libgmp-dev", "libjpeg-dev", "liblzma-dev",
              "libncurses-dev", "libpng-dev", "libpq-dev", "libreadline-dev", "libsqlite3-dev", "libssl-dev", "libtool",
              "libxml2-dev", "libxslt1-dev", "libyaml-dev", "make", "patch", "pkg-config", "unzip", "xz-utils",
              "zlib1g-dev", "python3")  # fmt: skip
BUILDPACK = (*SCM, *_COMPILERS)


class Image(Struct, frozen=True, kw_only=True):
    """How a room for an image is furnished; `folders` maps a folder or file of this machine to its place inside.

    `suite` is the Debian below, else today's stable one. `differs` says how it is not what the real image would be.
    With `is_missing` there is nothing here for it.
    """

    suite: str = ""
    packages: tuple[str, ...] = ()
    folders: tuple[tuple[str, str], ...] = ()
    path: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    finish: str = ""
    differs: str = ""
    is_missing: bool = False
