"""Static sites: Hugo, Jekyll, MkDocs and Sphinx by their configuration, or plain HTML."""

import re

from bot.domain import Evidence, Unit
from bot.survey.facts import Facts
from bot.survey.other_ci.model import OtherCi
from bot.survey.parsing import string, strings, table
from bot.survey.tree import Folder

HUGO = "0.167.0"
_HUGO_FILES = tuple(f"{name}.{ending}" for name in ("hugo", "config") for ending in ("toml", "yaml", "yml"))
_CONF = ("docs/conf.py", "doc/conf.py", "docs/source/conf.py", "doc/source/conf.py", "source/conf.py", "conf.py")
_DOC_REQUIREMENTS = ("docs/requirements.txt", "doc/requirements.txt", "requirements-docs.txt", "requirements.txt")
# Plugins of MkDocs that it does not bring, where the package is not named mkdocs-NAME-plugin.
_PLUGINS = {
    "mkdocstrings": "'mkdocstrings[python]'",
    "awesome-pages": "mkdocs-awesome-pages-plugin",
    "minify": "mkdocs-minify-plugin",
    "git-revision-date-localized": "mkdocs-git-revision-date-localized-plugin",
    "redirects": "mkdocs-redirects",
    "macros": "mkdocs-macros-plugin",
    "literate-nav": "mkdocs-literate-nav",
    "gen-files": "mkdocs-gen-files",
    "section-index": "mkdocs-section-index",
    "glightbox": "mkdocs-glightbox",
}


def survey_hugo(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a Hugo site, also where Node.js or Go modules serve it."""
    del ci
    file = folder.first(*_HUGO_FILES, "config/_default/hugo.toml", "config/_default/config.toml")
    is_site = folder.under(r"(?:content|archetypes|layouts)/.*")
    if not is_site or not (
        file.startswith(("hugo", "config/")) or re.search(r"(?i)baseurl|theme", folder.text(file or "-"))
    ):
        return None
    where = Evidence(path=folder.full(file))
    facts = _site(folder, file, "hugo", "hugo --minify", "public/")
    named = re.search(r"HUGO_VERSION\s*=\s*\"?(\d+\.\d+\.\d+)", folder.text("netlify.toml"))
    version, place = (named.group(1), folder.evidence("netlify.toml", named.group(0))) if named else (HUGO, where)
    facts.add("version", version, "the repository names it" if named else "it is a current one", place, confidence=0.9)
    if folder.has("package.json"):
        line = "npm ci" if folder.has("package-lock.json") else "npm install"
        facts.add("install", line, "styles and scripts come from npm", Evidence(path=folder.full("package.json")))
    if re.search(r"(?i)enableGitInfo['\"]?\s*[:=]\s*true", folder.text(file)):
        facts.add("git_depth", "0", "pages show when they were changed", folder.evidence(file, "enableGitInfo"))
    return facts.unit(folder.root, "static")


def survey_static(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a site that is not built by Node.js."""
    unit = survey_hugo(folder, ci)
    if unit:
        return unit
    for look in (_mkdocs, _jekyll, _sphinx, _plain):
        facts = look(folder)
        if facts:
            return facts.unit(folder.root, "static")
    return None


def _site(folder: Folder, file: str, framework: str, build: str, output: str) -> Facts:
    facts = Facts()
    where = Evidence(path=folder.full(file))
    facts.add("manifest", folder.full(file), "it configures the site", where)
    facts.add("framework", framework, f"there is a {file}", where)
    facts.add("build", build, f"{framework} builds the site", where, confidence=0.8)
    facts.add("artifact", output, f"{framework} writes there", where, confidence=0.8)
    return facts


def _mkdocs(folder: Folder) -> Facts | None:
    file = folder.first("mkdocs.yml", "mkdocs.yaml")
    if not file:
        return None
    facts = _site(folder, file, "mkdocs", "mkdocs build", "site/")
    requirements = folder.first(*_DOC_REQUIREMENTS)
    settings = folder.yaml(file)
    theme = string(settings.get("theme")) or string(table(settings, "theme").get("name"))
    plugins = settings.get("plugins")
    names = [name for each in plugins if (name := _name(each))] if isinstance(plugins, list) else []
    known = [_PLUGINS[name] for name in names if name in _PLUGINS]
    wanted = ["mkdocs==1.6.1", *(["mkdocs-material==9.8.1"] if theme == "material" else []), *known]
    where = folder.evidence(file, "theme:", "plugins:")
    line = f"pip install -r {requirements}" if requirements else f"pip install {' '.join(wanted)}"
    facts.add("install", line, "MkDocs needs its theme and plugins", where, confidence=0.9 if requirements else 0.7)
    return facts


def _name(plugin: object) -> str:
    """Return the name of a plugin, which stands alone or over its settings."""
    return plugin if isinstance(plugin, str) else next(iter(table(plugin)), "")


def _jekyll(folder: Folder) -> Facts | None:
    pages = folder.under(r"(?:_posts|_layouts|_includes|_pages)/.*|index\.(?:md|html|markdown)")
    if not folder.has("_config.yml") or not pages:
        return None
    if folder.has("Gemfile"):
        facts = _site(folder, "_config.yml", "jekyll", "bundle exec jekyll build", "_site/")
        facts.add("install", "bundle install", "there is a Gemfile", Evidence(path=folder.full("Gemfile")))
        return facts
    facts = _site(folder, "_config.yml", "jekyll", "jekyll build", "_site/")
    settings = folder.yaml("_config.yml")
    plugins = [each for each in strings(settings.get("plugins")) if re.fullmatch(r"[\w-]+", each)]
    theme = string(settings.get("theme")) or "minima"
    remote = ["jekyll-remote-theme"] if settings.get("remote_theme") else []
    gems = " ".join(dict.fromkeys(["jekyll:4.4.1", theme, "kramdown-parser-gfm", *remote, *plugins]))
    where = folder.evidence("_config.yml", "plugins:", "theme:")
    facts.add(
        "install", f"gem install --no-document {gems}", "there is no Gemfile that names them", where, confidence=0.6
    )
    return facts


def _sphinx(folder: Folder) -> Facts | None:
    conf = folder.first(*_CONF)
    source = conf.rpartition("/")[0] or "."
    if not conf or not folder.under(rf"(?:{re.escape(source)}/)?index\.(?:rst|md)"):
        return None
    facts = _site(folder, conf, "sphinx", f"sphinx-build -b html {source} _site", "_site/")
    requirements = folder.first(*_DOC_REQUIREMENTS)
    line = f"pip install -r {requirements}" if requirements else "pip install sphinx==9.2.0"
    facts.add(
        "install", line, "Sphinx needs its theme and extensions", Evidence(path=folder.full(conf)), confidence=0.7
    )
    return facts


def _plain(folder: Folder) -> Facts | None:
    page = folder.first("index.html", "public/index.html", "src/index.html")
    if not page:
        return None
    facts = Facts()
    where = folder.evidence(page)
    facts.add("framework", "html", "there is a start page and no generator", where, confidence=0.7)
    facts.add("artifact", page.removesuffix("index.html") or ".", "the pages lie there", where, confidence=0.7)
    return facts
