"""Ruby: gems, Rails, and whatever else Bundler installs."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command, OtherCi
from bot.survey.other_ci.services import add_database, add_services
from bot.survey.ruby_serving import add_application, has_gem, named_gems
from bot.survey.taking import take, take_all
from bot.survey.tree import Folder

_TESTS = (
    r"(?:bundle exec )?(?:rake(?: (?:test|spec|default)[\w:]*)*|rspec(?: .*)?|(?:bin/)?rails (?:test|spec)[\w:]*"
    r"|cucumber)|(?:\./)?script/(?:cibuild|test|ci)"
)
_LINTS = (
    r"(?:bundle exec )?(?:bin/)?(?:rubocop|standardrb|brakeman|erb_lint|erblint|reek)(?: .*)?"
    r"|(?:bundle exec )?rake (?:rubocop|standard|lint)"
)
_LINTERS = (
    ("rubocop", ".rubocop.yml", "rubocop"),
    ("standard", ".standard.yml", "standardrb"),
    ("brakeman", "", "brakeman --no-pager"),
)
# "Scripts to rule them all": what GitHub's projects agreed to call the checks.
_OWN = ("script/cibuild", "script/test")
_MAX_GEMS = 5
# Gems that compile against a library the image does not bring.
_NATIVE = {
    "rmagick": "libmagickwand-dev",
    "ruby-vips": "libvips42t64",
    "charlock_holmes": "libicu-dev",
    "rugged": "cmake",
}
_RAILS = {"4.": "<2.7", "5.": "<3.0", "6.0": "<3.0", "6.1": "<3.2", "7.0": "<3.4"}
_DATABASES = {"pg": "postgres:18", "mysql2": "mysql:8.4", "trilogy": "mysql:8.4", "mongoid": "mongo:8"}


def survey_ruby(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the Ruby unit of a folder with a Gemfile or a gemspec; a Jekyll site is no Ruby project."""
    gemspec = next(iter(folder.names(r"[\w.-]+\.gemspec")), "")
    manifest = folder.first("Gemfile", "gems.rb") or gemspec
    if not manifest or (_is_site(folder) and not gemspec):
        return None
    facts = declared.opened(folder, manifest, "ruby", "bundler", "Gemfile.lock")
    version = _add_version(facts, folder, manifest, gemspec, ci)
    _add_install(facts, folder, manifest, gemspec)
    runs = ci.runs("ruby", version, folder.root)
    _add_tests(facts, folder, runs)
    _add_lint(facts, folder, runs)
    for each in folder.names(r"[\w.-]+\.gemspec")[:_MAX_GEMS]:
        where = Evidence(path=folder.full(each))
        facts.add("build", f"gem build {each}", "there is a gemspec", where)
        facts.add("artifact", "*.gem", "gem build writes it", where)
    add_services(facts, folder, ci)
    if add_application(facts, folder) == "rails":
        _add_rails_tests(facts, folder)
    return facts.unit(folder.root, "ruby")


def _is_site(folder: Folder) -> bool:
    return folder.has("_config.yml") and bool(re.search(r"jekyll|github-pages", named_gems(folder)))


def _add_version(facts: Facts, folder: Folder, manifest: str, gemspec: str, ci: OtherCi) -> str:
    """Use what the Gemfile insists on, else the version file, else the newest that the gemspec allows."""
    told = re.search(r"^[ \t]*ruby\s+['\"]([^'\"]+)['\"]", folder.text(manifest), re.MULTILINE)
    exact = declared.pinned(folder, "ruby", ".ruby-version")
    locked = re.search(r"^RUBY VERSION\n\s+ruby (\d+\.\d+\.\d+)", folder.text("Gemfile.lock"), re.MULTILINE)
    if locked and not exact[0]:
        exact = (locked.group(1), folder.evidence("Gemfile.lock", "RUBY VERSION"))
    needs = (
        re.search(r"required_ruby_version\s*=?\s*\(?\[?\s*['\"]([^'\"]+)", folder.text(gemspec)) if gemspec else None
    )
    source, file = (told, manifest) if told else (needs, gemspec)
    spec = (declared.bounded(source.group(1)), folder.evidence(file, source.group(0).strip())) if source else ("", None)
    if told and re.fullmatch(r"[\d.]+", told.group(1)):
        exact, spec = (told.group(1), spec[1]), ("", None)
    return declared.add_version(facts, folder, "ruby", ci, exact=exact, spec=spec if spec[0] else _for_rails(folder))


def _for_rails(folder: Folder) -> tuple[str, Evidence | None]:
    """Return the range that an old Rails runs on; it says itself only what is too old."""
    locked = re.search(r"^    rails \((\d+\.\d+)", folder.text("Gemfile.lock"), re.MULTILINE)
    spec = next((spec for rails, spec in _RAILS.items() if locked and locked.group(1).startswith(rails)), "")
    return (spec, folder.evidence("Gemfile.lock", "    rails (")) if spec else ("", None)


def _add_install(facts: Facts, folder: Folder, manifest: str, gemspec: str) -> None:
    where = Evidence(path=folder.full(manifest))
    if manifest == gemspec:
        facts.add("install", f"gem build {gemspec}", "there is no Gemfile", where, confidence=0.7)
        facts.add(
            "install",
            "gem install --development ./*.gem",
            "it also installs what the tests need",
            where,
            confidence=0.7,
        )
    else:
        facts.add("install", "bundle install --jobs 4 --retry 3", "there is a Gemfile", where)
    for gem, package in _NATIVE.items():
        if has_gem(folder, gem):
            facts.add("system_package", package, f"{gem} needs it", folder.evidence("Gemfile", gem), confidence=0.8)


def _add_tests(facts: Facts, folder: Folder, runs: list[list[Command]]) -> None:
    rakefile = folder.first("Rakefile", "rakefile")
    where = folder.evidence(rakefile or "Gemfile", "task default", "task :default", "TestTask", "RSpec::Core")
    if not take(facts, "test", runs, _TESTS):
        for line, because, confidence in _own_tests(folder, folder.text(rakefile) if rakefile else "")[:1]:
            facts.add("test", line, because, where, confidence=confidence)
    lines = "\n".join(facts.all("test"))
    named = "rspec" if "rspec" in lines or (lines and folder.under(r"spec/.*_spec\.rb")) else "minitest"
    facts.add("test_tool", named if lines else "", "of the test command", where)


def _own_tests(folder: Folder, rakefile: str) -> list[tuple[str, str, float]]:
    """Return what may run the tests, the best first: a default task tells best what the authors run."""
    specs = folder.under(r"spec/.*_spec\.rb")
    tests = folder.under(r"test/.*(?:_test|test_.*)\.rb")
    rails = folder.has("bin/rails")
    found = [
        ("bundle exec rake", "the default task of the Rakefile runs the checks", 0.9)
        if re.search(r"task\s*(?::default|default:|\(?['\"]default|:?default\s*=>)", rakefile) and not rails
        else None,
        ("bundle exec rspec", "there are specs", 0.9)
        if specs and has_gem(folder, "rspec") | has_gem(folder, "rspec-rails")
        else None,
        ("bin/rails test", "it is a Rails application with tests", 0.9) if rails and tests else None,
        ("bundle exec rake test", "the Rakefile has a test task", 0.9) if tests and "TestTask" in rakefile else None,
        ("bundle exec rspec", "there are specs", 0.7) if specs else None,
        (own, "the repository names what it checks so", 0.7) if (own := folder.first(*_OWN)) else None,
    ]
    return [each for each in found if each]


def _add_lint(facts: Facts, folder: Folder, runs: list[list[Command]]) -> None:
    if not take_all(facts, "lint", runs, _LINTS) and facts.first("test") != "bundle exec rake":
        for gem, file, line in _LINTERS:
            if has_gem(folder, gem) and (not file or folder.has(file) or gem == "standard"):
                facts.add("lint", f"bundle exec {line}", f"{gem} is among the gems", folder.evidence("Gemfile", gem))
    for tool in re.findall(r"rubocop|standard|brakeman|erb_?lint|reek", " ".join(facts.all("lint"))):
        facts.add("lint_tool", tool, "of the lint command", folder.evidence("Gemfile", tool))


def _add_rails_tests(facts: Facts, folder: Folder) -> None:
    if (has_gem(folder, "propshaft") or has_gem(folder, "sprockets-rails")) and not folder.has("package.json"):
        line = "SECRET_KEY_BASE_DUMMY=1 RAILS_ENV=production bin/rails assets:precompile"
        facts.add("build", line, "the application has assets", folder.evidence("Gemfile", "propshaft", "sprockets"))
    facts.add(
        "variable", "RAILS_ENV=test", "Rails must not touch another database", folder.evidence("Gemfile", "rails")
    )
    database = folder.text("config/database.yml")
    for gem, image in _DATABASES.items():
        if has_gem(folder, gem) and facts.first("test"):
            where = folder.evidence("Gemfile", f'"{gem}"', f"'{gem}'")
            add_database(facts, image, f"the application stores its data with {gem}", where)
    if database and facts.first("test") and not any("db:" in line for line in facts.all("prepare")):
        line = "bin/rails db:prepare" if folder.has("bin/rails") else "bundle exec rake db:create db:schema:load"
        facts.add("prepare", line, "the tests need their tables", Evidence(path=folder.full("config/database.yml")))
