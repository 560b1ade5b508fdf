"""Static sites: a generator's configuration, or plain HTML."""

from bot.domain import Unit
from bot.survey.facts import Facts
from bot.survey.other_ci.model import OtherCi
from bot.survey.tree import Folder

# Configuration, framework, install, build, where the pages end up.
_GENERATORS = (
    ("mkdocs.yml", "mkdocs", "pip install mkdocs mkdocs-material", "mkdocs build", "site/"),
    ("hugo.toml", "hugo", "", "hugo --minify", "public/"),
    ("hugo.yaml", "hugo", "", "hugo --minify", "public/"),
    ("_config.yml", "jekyll", "bundle install", "bundle exec jekyll build", "_site/"),
)


def survey_static(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a site that is not built by Node.js."""
    del ci
    facts = Facts()
    for file, framework, install, build, output in _GENERATORS:
        if folder.has(file) and (framework != "jekyll" or folder.has("Gemfile")):
            where = folder.evidence(file)
            facts.add("manifest", folder.full(file), "it configures the site", where)
            facts.add("framework", framework, f"there is a {file}", where)
            facts.add("install", install, f"{framework} builds the site", where, confidence=0.7)
            facts.add("build", build, f"{framework} builds the site", where, confidence=0.8)
            facts.add("artifact", output, f"{framework} writes there", where, confidence=0.8)
            return facts.unit(folder.root, "static")
    page = folder.first("index.html", "public/index.html", "src/index.html")
    if not page:
        return None
    where = folder.evidence(page)
    facts.add("framework", "html", "there is a start page and no generator", where, confidence=0.7)
    facts.add("artifact", page.removesuffix("index.html") or ".", "the pages lie there", where, confidence=0.7)
    return facts.unit(folder.root, "static")
