"""Whether a Node.js project is something one deploys, and how it starts."""

import re

from bot.domain import Evidence
from bot.survey.facts import Facts
from bot.survey.node.manager import Manager
from bot.survey.node.scripts import leaves, scripts_of
from bot.survey.parsing import string, table
from bot.survey.tree import Folder

_SERVERS = {
    "next": "3000",
    "nuxt": "3000",
    "@nestjs/core": "3000",
    "express": "3000",
    "fastify": "3000",
    "koa": "3000",
    "@hapi/hapi": "3000",
    "hapi": "3000",
    "restify": "8080",
    "hono": "3000",
    "@sveltejs/kit": "3000",
    "@remix-run/node": "3000",
}
_SITES = ("@11ty/eleventy", "gatsby", "astro", "react-scripts", "@angular/core", "vite", "vuepress", "@docusaurus/core")


def add_deployment(facts: Facts, folder: Folder, package: dict[str, object], manager: Manager) -> None:
    """Add framework; deployable, start and port for a server with a start script."""
    runtime = table(package, "dependencies")
    framework = next((name for name in _SERVERS if name in runtime), "")
    known = runtime | table(package, "devDependencies")
    built = leaves(scripts_of(package), "build")
    site = next((name for name in _SITES if name in known and _program(name) in built), "")
    where = folder.evidence("package.json", f'"{framework or site}"')
    facts.add(
        "framework",
        _program(framework or site),
        "it is a dependency",
        where,
        confidence=0.9,
    )
    start, evidence = _start(folder, package, manager)
    if start and framework:
        if _manifests_suffice(folder, package):
            facts.add("install_needs", "manifests", "nothing of the project runs while packages are installed", where)
        if folder.has("next.config.ts") and "typescript" not in table(package, "dependencies"):
            config = Evidence(path=folder.full("next.config.ts"))
            facts.add(
                "runs_with", "everything", "Next.js reads it at the start, by a TypeScript for development", config
            )
        facts.add("deployable", "yes", "it is a server with a command that starts it", evidence, confidence=0.8)
        facts.add("start", start, "it serves the application", evidence, confidence=0.8)
        facts.add(
            "port", _port(folder, package, framework), "the script or the framework says so", evidence, confidence=0.6
        )


def _manifests_suffice(folder: Folder, package: dict[str, object]) -> bool:
    """Say whether packages can be installed before the sources are there, so that the layer can be kept."""
    hooks = {"preinstall", "install", "postinstall", "prepare", "prepublish"} & set(table(package, "scripts"))
    known = {**table(package, "dependencies"), **table(package, "devDependencies")}
    local = any(re.match(r"(file|link|portal|patch|workspace):", string(version)) for version in known.values())
    # Prisma looks for the schema while it is installed.
    asks = any(name in {"prisma", "@prisma/client"} for name in known)
    patched = "patchedDependencies" in folder.text("package.json") + folder.text("pnpm-workspace.yaml")
    several = "workspaces" in package or re.search(r"(?m)^packages:", folder.text("pnpm-workspace.yaml"))
    return not (hooks or local or asks or patched or several or folder.under(r"\.yarn/.*"))


def _program(name: str) -> str:
    """Return the short name of a framework: eleventy for @11ty/eleventy, nestjs for @nestjs/core."""
    scope, _, rest = name.removeprefix("@").partition("/")
    known = {"eleventy": "eleventy", "docusaurus": "docusaurus"}
    return known.get(rest, {"angular": "ng"}.get(scope, scope))


def _start(folder: Folder, package: dict[str, object], manager: Manager) -> tuple[str, Evidence]:
    procfile = re.search(r"^web:\s*(.+?)\s*$", folder.text("Procfile"), re.MULTILINE)
    if procfile:
        return procfile.group(1), folder.evidence("Procfile", "web:")
    scripts = table(package, "scripts")
    if string(scripts.get("start")):
        return manager.run("start"), folder.evidence("package.json", '"start"')
    main = string(package.get("main"))
    if re.fullmatch(r"(server|app|index)\.[cm]?js", main) and folder.has(main) and not package.get("version"):
        return f"node {main}", folder.evidence("package.json", '"main"')
    return "", Evidence(path=folder.full("package.json"))


def _port(folder: Folder, package: dict[str, object], framework: str) -> str:
    text = string(table(package, "scripts").get("start")) + folder.text("Dockerfile")
    found = re.search(r"(?:-p|--port|PORT)[ =](\d{2,5})|^EXPOSE (\d{2,5})", text, re.MULTILINE)
    return (found.group(1) or found.group(2)) if found else _SERVERS[framework]
