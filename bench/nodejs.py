"""A stand-in for nodejs.org/dist: Node.js as npm has it, packed as nodeenv wants it."""

import json
import tarfile
from pathlib import Path

from bench.ci_local import install_npm

MAJOR = "24"


def node_dist(cache: Path) -> Path:
    """Return a folder laid out as nodejs.org/dist, with one release; made once for each cache folder."""
    modules = install_npm(cache / f"node-{MAJOR}", f"node@{MAJOR}", "npm@11", "yarn@1", "corepack@0.34")
    version = "v" + json.loads((modules / "node/package.json").read_text(encoding="utf-8"))["version"]
    dist = cache / "nodejs-dist"
    index = dist / "index.json"
    if index.is_file():
        return dist
    name = f"node-{version}-linux-x64"
    (dist / version).mkdir(parents=True, exist_ok=True)
    with tarfile.open(dist / version / f"{name}.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(modules / "node/bin/node", f"{name}/bin/node")
        archive.add(modules / "npm", f"{name}/lib/node_modules/npm")
        for program in ("npm", "npx"):
            archive.addfile(_link(f"{name}/bin/{program}", f"../lib/node_modules/npm/bin/{program}-cli.js"))
    index.write_text(json.dumps([{"version": version, "lts": "stand-in", "files": ["linux-x64"]}]), encoding="utf-8")
    return dist


def nodeenv_settings(dist: Path) -> str:
    """Return what makes nodeenv, which pre-commit and pyright call, take the stand-in."""
    return f"[nodeenv]\nmirror = {dist.as_uri()}\n"


def _link(name: str, target: str) -> tarfile.TarInfo:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, target
    return link
