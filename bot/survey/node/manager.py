"""Which package manager a Node.js project uses, in which version, and how it installs."""

import re

from msgspec import Struct

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.other_ci.model import Command, OtherCi
from bot.survey.parsing import string, table
from bot.survey.tree import Folder
from bot.survey.versions import TOOLS, number

_LOCKS = (
    ("pnpm", "pnpm-lock.yaml"),
    ("bun", "bun.lock"),
    ("bun", "bun.lockb"),
    ("yarn", "yarn.lock"),
    ("npm", "package-lock.json"),
    ("npm", "npm-shrinkwrap.json"),
)
_PNPM_BY_LOCK = {"5": "7", "6": "8", "9": "10"}
_BERRY = "4.18.1"


class Manager(Struct, frozen=True, kw_only=True):
    """A package manager: its name in the vocabulary, and the version and the path of the lock file if known."""

    name: str
    version: str
    lock: str
    why: str
    evidence: Evidence

    def run(self, script: str) -> str:
        """Return the command that runs a script of package.json."""
        tool = "yarn" if self.name.startswith("yarn") else self.name
        if script == "test" and tool != "bun":
            return f"{tool} test"
        return f"{tool} run {script}"

    def execute(self, program: str) -> str:
        """Return the command that runs a program of the dependencies."""
        prefix = {"yarn1": "yarn run", "yarn-berry": "yarn run", "pnpm": "pnpm exec", "bun": "bunx"}.get(
            self.name, "npx"
        )
        return f"{prefix} {program}"


def find_manager(folder: Folder, package: dict[str, object], ci: OtherCi) -> Manager:
    """Return the manager: packageManager first, then the lock file, what CI calls, then engines; npm at last."""
    declared = re.fullmatch(r"(npm|pnpm|yarn|bun)@(\d+[\w.-]*)(\+.*)?", string(package.get("packageManager")))
    locks = [(name, file) for name, file in _LOCKS if folder.has(file)]
    if declared:
        name, version, _ = declared.groups()
        lock = next((file for found, file in locks if found == name), "")
        return _manager(
            folder, name, version, lock, "packageManager names it", folder.evidence("package.json", "packageManager")
        )
    called = _called_in_ci(ci, folder.root)
    if len(locks) > 1 and called in {name for name, _ in locks}:
        locks = [entry for entry in locks if entry[0] == called]
    if locks:
        name, lock = locks[0]
        return _manager(
            folder, name, _version(folder, name, lock, ci), lock, "its lock file is there", folder.evidence(lock)
        )
    top = Folder(folder.tree, "")
    if folder.root and "workspaces" in top.json("package.json"):
        return find_manager(top, top.json("package.json"), ci)
    if folder.has(".yarnrc.yml") or folder.has("pnpm-workspace.yaml"):
        file = folder.first("pnpm-workspace.yaml", ".yarnrc.yml")
        name = "pnpm" if file.startswith("pnpm") else "yarn"
        return _manager(folder, name, "", "", "its configuration is there", folder.evidence(file))
    engines = table(package, "engines")
    named = next((each for each in ("pnpm", "yarn", "bun") if each in engines), "")
    name = called or named or "npm"
    why = "other CI calls it" if called else "engines names it" if named else "nothing names another"
    return _manager(folder, name, "", "", why, folder.evidence("package.json", f'"{named}"' if named else '"scripts"'))


def two_locks(folder: Folder, package: dict[str, object], ci: OtherCi) -> list[str]:
    """Return the lock files of different managers when nothing says which one is alive."""
    locks = {name: file for name, file in reversed(_LOCKS) if folder.has(file)}
    settled = package.get("packageManager") or _called_in_ci(ci, folder.root) in locks
    return [] if settled or len(locks) < 2 else sorted(locks.values())


def installation(manager: Manager, copied: Command | None) -> list[str]:
    """Return the lines that install the manager and the dependencies."""
    if manager.name == "npm":
        own = _npm_install(copied) if copied and not manager.lock else ""
        return [own or ("npm ci" if manager.lock else "npm install")]
    if manager.name == "pnpm":
        frozen = " --frozen-lockfile" if manager.lock else " --no-frozen-lockfile"
        return [f"npm install --global pnpm@{manager.version or TOOLS['pnpm']}", f"pnpm install{frozen}"]
    if manager.name == "bun":
        frozen = " --frozen-lockfile" if manager.lock else ""
        return [f"npm install --global bun@{manager.version or '1'}", f"bun install{frozen}"]
    if manager.name == "yarn-berry":
        # The bundled release of a repository (yarnPath) takes over from this one by itself.
        immutable = " --immutable" if manager.lock else " --no-immutable"
        return [
            f"npm install --global --force @yarnpkg/cli-dist@{manager.version or _BERRY}",
            f"yarn install{immutable}",
        ]
    frozen = " --frozen-lockfile" if manager.lock else ""
    return [f"npm install --global --force yarn@{manager.version or TOOLS['yarn']}", f"yarn install{frozen}"]


def _npm_install(copied: Command) -> str:
    """Keep the harmless options of an `npm install` that other CI runs."""
    words = commands.words(copied.line) or []
    kept = [
        word for word in words[2:] if word in {"--legacy-peer-deps", "--force", "--include=dev", "--no-package-lock"}
    ]
    return " ".join(["npm install", *kept]) if words[:2] in (["npm", "install"], ["npm", "i"]) else ""


def _manager(folder: Folder, name: str, version: str, lock: str, why: str, evidence: Evidence) -> Manager:
    if name == "yarn":
        name = "yarn-berry" if _is_berry(folder, version) else "yarn1"
        version = version or _bundled_yarn(folder)
        if name == "yarn-berry" and number(version)[:1] < (2,):
            version = ""
    path = folder.full(lock) if lock else ""
    return Manager(name=name, version=version, lock=path, why=why, evidence=evidence)


def _is_berry(folder: Folder, version: str) -> bool:
    if version:
        return number(version)[:1] >= (2,)
    return folder.has(".yarnrc.yml") or "__metadata:" in folder.text("yarn.lock")[:2000]


def _bundled_yarn(folder: Folder) -> str:
    found = re.search(r"yarnPath:\s*\S*yarn-(\d[\w.]*)\.c?js", folder.text(".yarnrc.yml"))
    return found.group(1) if found else ""


def _version(folder: Folder, name: str, lock: str, ci: OtherCi) -> str:
    """Return the version other CI installs, else for pnpm the major that writes such a lock file."""
    named = next((version for version in ci.matrix(name) if re.fullmatch(r"\d+(\.\d+)*", version)), "")
    if named or name != "pnpm":
        return named
    found = re.search(r"^lockfileVersion:\s*'?(\d+)", folder.text(lock), re.MULTILINE)
    return _PNPM_BY_LOCK.get(found.group(1), "") if found else ""


def _called_in_ci(ci: OtherCi, root: str) -> str:
    """Return the manager whose install command other CI runs in this folder."""
    for run in ci.runs("node", "", root):
        for command in run:
            first = command.line.split()[:1]
            if command.kind == "install" and first and first[0] in {"npm", "pnpm", "yarn", "bun"}:
                return first[0]
    return ""
