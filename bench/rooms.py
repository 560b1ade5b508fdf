"""A room for each job: a Debian of its own, furnished as the job's image is, gone when the job ends."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from bench.ci_local import MissingError
from bench.image import Image
from bench.mirrors import hex_variables, lay
from bench.programs import Ran, run

SUITE = "trixie"
# What the slim images bring beside the bare system.
_BASE = "ca-certificates,netbase,tzdata"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_KNOWS_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "PIP_CERT",
                       "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO")  # fmt: skip
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Rooms(Struct, frozen=True, kw_only=True):
    """Makes rooms out of layers that it keeps in a cache folder.

    `mirror` holds bare repositories as OWNER+NAME/repo: in a room they stand for those of github.com. `dist` is laid
    out as nodejs.org/dist and stands for it. `gems` is a server of gems in a folder and stands for every other.
    `hex` is the address of a mirror of Hex, which may lack the signature of the real one.
    """

    cache: Path
    mirror: Path | None = None
    dist: Path | None = None
    gems: Path | None = None
    hex: str = ""

    def shell(self, image: Image, scratch: Path, shared: Path) -> Path:
        """Return a folder whose `bash` runs a job in a fresh room; `shared` is the same place inside as outside."""
        shutil.rmtree(scratch, ignore_errors=True)
        layers = self._layers(image)
        for name in ("changes", "work", "root", "bin"):
            (scratch / name).mkdir(parents=True)
        places = [shared, *lay(scratch / "changes", mirror=self.mirror, dist=self.dist, gems=self.gems)]
        enter = scratch / "enter.sh"
        enter.write_text(_enter(layers, scratch, places, _inside(image) | hex_variables(self.hex)), encoding="utf-8")
        shell = scratch / "bin/bash"
        shell.write_text(_shell(enter), encoding="utf-8")
        shell.chmod(0o755)
        return shell.parent

    def run(self, scratch: Path, script: str, limit: float, *, is_cut_off: bool = False) -> Ran:
        """Run a script in the room that `shell` made in a scratch folder; what it changes stays for the next one.

        A room that is cut off has a loopback of its own and no other network: its ports are nobody else's.
        """
        command = _cut_off(scratch / "enter.sh") if is_cut_off else _unshared(scratch / "enter.sh")
        return run(["bash", "-c", command], limit=limit, cwd=Path("/"), text=script)

    def _base(self, suite: str) -> Path:
        """Return the bare system with the machine's way to the registries, made once."""
        folder = self.cache / suite
        stamp = self.cache / f"{suite}.done"
        if stamp.is_file():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        made = run(["debootstrap", "--variant=minbase", f"--include={_BASE}", suite, str(folder)], limit=900)
        if made.code != 0:
            raise MissingError(f"debootstrap makes no {suite}: {made.tail(3)}")
        for path in ("/etc/resolv.conf", "/etc/hosts", _CERTIFICATES):
            shutil.copy(path, f"{folder}{path}")
        for own in Path("/usr/local/share/ca-certificates").glob("*.crt"):
            shutil.copy(own, folder / "usr/local/share/ca-certificates" / own.name)
        java = Path("/etc/ssl/certs/java/cacerts")
        if java.is_file():
            shutil.copy(java, folder / "etc/ssl/machine-cacerts")
        (folder / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        (folder / "usr/sbin/policy-rc.d").chmod(0o755)
        # As in the images: what is lost with a crash is made again, so nothing waits for the disk.
        (folder / "etc/dpkg/dpkg.cfg.d/unsafe").write_text("force-unsafe-io\n", encoding="utf-8")
        stamp.touch()
        return folder

    def _layers(self, image: Image) -> list[Path]:
        """Return what makes up an image, the topmost first; images with the same packages share those."""
        layers = [self._base(image.suite or SUITE)]
        if image.packages:
            install = (
                f"apt-get update -q && apt-get install -yq --no-install-recommends {' '.join(image.packages)}",
                "apt-get clean && rm -rf /var/lib/apt/lists/*",
            )
            layers = [self._layer(Image(), install, layers), *layers]
        if image.folders or image.finish:
            layers = [self._layer(image, (image.finish,), layers), *layers]
        return layers

    def _layer(self, image: Image, script: Sequence[str], below: list[Path]) -> Path:
        """Return what a script and the folders of an image add to the layers below, made once."""
        told = repr((image.folders, script, [_name(path) for path in below]))
        place = self.cache / hashlib.sha256(told.encode()).hexdigest()[:12]
        folder, stamp = place / "changes", place / ".done"
        place.mkdir(parents=True, exist_ok=True)
        with (self.cache / f"{place.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not stamp.is_file():
                self._make(image, script, below, place)
                stamp.touch()
        return folder

    def _make(self, image: Image, script: Sequence[str], below: list[Path], place: Path) -> None:
        for part in ("changes", "work", "root"):
            shutil.rmtree(place / part, ignore_errors=True)
            (place / part).mkdir()
        for source, target in image.folders:
            _copy(source, place / "changes" / target.lstrip("/"))
        enter = place / "enter.sh"
        enter.write_text(_enter(below, place, [], _inside(image)), encoding="utf-8")
        made = run(["bash", "-c", _unshared(enter)], limit=900, text="\n".join(["set -e", *script]))
        if made.code != 0:
            raise MissingError(f"a room cannot be furnished: {made.tail(5)}")


def can_make_rooms() -> bool:
    """Whether this machine lets us make rooms: it takes root and debootstrap."""
    return os.geteuid() == 0 and shutil.which("debootstrap") is not None and shutil.which("unshare") is not None


def _name(layer: Path) -> str:
    """Return what tells a layer from the others; today's stable system goes by the name that old caches know."""
    return layer.parent.name if layer.name in {"changes", SUITE} else layer.name


def _copy(source: str, target: Path) -> None:
    """Copy a folder or file; `!NAME` after it empties the folders of that name, which hold what was installed later."""
    folder, _, without = source.partition("!")
    if Path(folder).is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder, target)
        return
    ignore = (lambda path, names: names if Path(path).name == without else []) if without else None
    shutil.copytree(folder, target, symlinks=True, ignore=ignore, dirs_exist_ok=True)


def _inside(image: Image) -> dict[str, str]:
    path = ":".join((*image.path, _SYSTEM_PATH))
    return dict(image.variables) | {"PATH": path, "HOME": "/root"} | dict.fromkeys(_KNOWS_CERTIFICATES, _CERTIFICATES)


def _shell(enter: Path) -> str:
    """gitlab-ci-local starts a job as `bash -c bash`; whatever else it does is housekeeping and stays outside."""
    return f'#!/bin/bash\n[ "$*" = "-c bash" ] || exec /bin/bash "$@"\nexec {_unshared(enter)}\n'


def _unshared(enter: Path) -> str:
    return f"unshare --mount --pid --fork --kill-child /bin/bash {enter}"


def _cut_off(enter: Path) -> str:
    return f"unshare --mount --pid --net --fork --kill-child /bin/bash -c 'ip link set lo up && exec bash {enter}'"


def _enter(layers: list[Path], scratch: Path, shared: list[Path], variables: dict[str, str]) -> str:
    root = scratch / "root"
    lower = ":".join(map(str, layers))
    bound = "".join(f"mkdir -p {root}{place}\nmount --bind {place} {root}{place}\n" for place in shared)
    # What the job sets itself wins over what its image sets, as in a container.
    fixed = ("PATH", "HOME")
    known = " ".join(
        f"{name}={value}" if name in fixed else f'{name}="${{{name}:-{value}}}"' for name, value in variables.items()
    )
    where = '"$PWD"' if shared else "/"
    return (
        "set -e\n"
        f"mount -t overlay overlay -o lowerdir={lower},upperdir={scratch}/changes,workdir={scratch}/work {root}\n"
        f"mount -t proc proc {root}/proc\n"
        f"mount --rbind /dev {root}/dev\n"
        f"{bound}"
        f"exec chroot {root} /usr/bin/env -u OLDPWD -C {where} {known} bash\n"
    )
