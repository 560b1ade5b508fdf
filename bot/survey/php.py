"""PHP: Composer packages, Laravel and Symfony."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command, OtherCi, all_commands
from bot.survey.other_ci.services import add_services
from bot.survey.parsing import string, strings, table
from bot.survey.taking import take, take_all
from bot.survey.tree import Folder

_BIN = r"(?:php )?(?:\./)?(?:vendor/)?(?:bin/)?"
_TESTS = (
    rf"{_BIN}(?:phpunit|pest|paratest|simple-phpunit|phpspec run|behat|codecept run)(?: .*)?|php artisan test(?: .*)?"
    r"|composer (?:run(?:-script)? )?(?:[\w-]+:)?(?:tests?|phpunit|pest|unit)(?:[:-]\w+)?"
    r"|make (?:test|tests|phpunit|unit)"
)
_LINTS = (
    rf"{_BIN}(?:phpstan|psalm|php-cs-fixer|phpcs|pint|rector|ecs|phpmd)(?: .*)?|composer validate(?: .*)?"
    r"|composer (?:run(?:-script)? )?(?![\w:-]*fix)[\w:-]*(?:lint|cs|stan|style|analy[sz]e|psalm|types)[\w:-]*"
    rf"|{_BIN}console (?:lint:\w+|doctrine:schema:validate --skip-sync)(?: .*)?"
    r"|make (?:phpcs|phpstan|psalm|cs|lint|stan)"
)
# What packages that bring it are called, configuration, line.
_LINTERS = (
    (
        "phpstan/phpstan|larastan/larastan",
        "phpstan.neon phpstan.neon.dist phpstan.dist.neon",
        "vendor/bin/phpstan analyse --no-progress",
    ),
    ("vimeo/psalm", "psalm.xml psalm.xml.dist", "vendor/bin/psalm --no-progress"),
    (
        "friendsofphp/php-cs-fixer",
        ".php-cs-fixer.php .php-cs-fixer.dist.php",
        "vendor/bin/php-cs-fixer fix --dry-run --diff",
    ),
    (
        r"squizlabs/php_codesniffer|[\w-]+/[\w-]*coding-standards?|wp-coding-standards/wpcs",
        "phpcs.xml phpcs.xml.dist .phpcs.xml .phpcs.xml.dist",
        "vendor/bin/phpcs",
    ),
    ("laravel/pint", "pint.json artisan", "vendor/bin/pint --test"),
)
_RUNNERS = (("pestphp/pest", "vendor/bin/pest"), ("brianium/paratest", ""), ("phpunit/phpunit", "vendor/bin/phpunit"),
            ("symfony/phpunit-bridge", "vendor/bin/simple-phpunit"), ("phpspec/phpspec", "vendor/bin/phpspec run"),
            ("behat/behat", "vendor/bin/behat"))  # fmt: skip


def survey_php(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the PHP unit of a folder with a composer.json."""
    composer = folder.json("composer.json")
    if not composer:
        return None
    facts = declared.opened(folder, "composer.json", "php", "composer", "composer.lock")
    version = _add_version(facts, folder, composer, ci)
    where = folder.evidence("composer.json", '"require-dev"', '"require"')
    facts.add(
        "install", "composer install --no-interaction --no-progress --prefer-dist", "there is a composer.json", where
    )
    _add_extensions(facts, folder, composer)
    runs = ci.runs("php", version, folder.root)
    _add_tests(facts, folder, composer, runs)
    _add_lint(facts, folder, composer, runs)
    _add_application(facts, folder, composer)
    add_services(facts, folder, ci)
    return facts.unit(folder.root, "php")


def _wanted(composer: dict[str, object]) -> dict[str, str]:
    """Return every package asked for, those for development too."""
    both = {**table(composer, "require-dev"), **table(composer, "require")}
    return {name: string(spec) for name, spec in both.items()}


def _add_version(facts: Facts, folder: Folder, composer: dict[str, object], ci: OtherCi) -> str:
    asked = string(table(composer, "require").get("php"))
    # One bar means "or" too, and a tilde with two numbers allows the next minor versions.
    spec = re.sub(r"~(\d+\.\d+)(?![\d.])", r"^\1", re.sub(r"\|+", "||", asked)).replace("||", " || ")
    where = folder.evidence("composer.json", '"php"') if spec else None
    platform = string(table(composer, "config", "platform").get("php"))
    exact = declared.pinned(folder, "php", ".php-version")
    if platform and not exact[0]:
        exact = (platform, folder.evidence("composer.json", '"platform"'))
    return declared.add_version(facts, folder, "php", ci, exact=exact, spec=(spec, where))


def _add_extensions(facts: Facts, folder: Folder, composer: dict[str, object]) -> None:
    for name in sorted(_wanted(composer)):
        if re.fullmatch(r"ext-[\w-]+", name):
            where = folder.evidence("composer.json", f'"{name}"')
            facts.add("extension", name.removeprefix("ext-").lower(), "composer.json requires it", where)


def _add_tests(facts: Facts, folder: Folder, composer: dict[str, object], runs: list[list[Command]]) -> None:
    wanted, scripts = _wanted(composer), table(composer, "scripts")
    where = folder.evidence("composer.json", '"test"', '"phpunit/phpunit"', '"pestphp/pest"')
    taken = take(facts, "test", runs, _TESTS)
    line = _script_line(scripts, "test") or ("php artisan test" if folder.has("artisan") else "")
    if not taken and line:
        facts.add("test", line, "composer.json or the framework names it", where)
    for package, runner in _RUNNERS:
        has_config = folder.first(
            "phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml", "phpspec.yml", "behat.yml", "behat.yml.dist"
        )
        if not facts.first("test") and runner and package in wanted:
            whole = (
                runner
                if has_config or "phpunit" not in runner or not folder.under(r"tests?/.*\.php")
                else f"{runner} {_tests(folder)}"
            )
            facts.add("test", whole, f"{package} is required", where, confidence=0.9)
    lines = " ".join(facts.all("test"))
    named = next((tool for tool in ("pest", "phpspec", "behat", "codecept") if tool in lines), "phpunit")
    facts.add("test_tool", named if lines else "", "of the test command", where)


def _tests(folder: Folder) -> str:
    return "tests" if folder.under(r"tests/.*\.php") else "test"


def _script_line(scripts: dict[str, object], name: str) -> str:
    """Return the tool a Composer script calls if it is only that one, else the call of the script."""
    steps = strings(scripts.get(name))
    if not steps:
        return ""
    followed = strings(scripts.get(steps[0].removeprefix("@"))) if steps[0].startswith("@") else steps
    one = followed[0] if len(steps) == len(followed) == 1 else ""
    match = re.fullmatch(rf"(?:@php )?{_BIN}(phpunit|pest)( [\w ./=-]*)?", one)
    return f"vendor/bin/{match.group(1)}{match.group(2) or ''}" if match else f"composer {name}"


def _add_lint(facts: Facts, folder: Folder, composer: dict[str, object], runs: list[list[Command]]) -> None:
    taken = take_all(facts, "lint", runs, _LINTS)
    said = " ".join(command.raw for command in all_commands(runs))
    wanted = _wanted(composer)
    for packages, files, line in _LINTERS:
        file = folder.first(*files.split())
        package = next((each for each in wanted if re.fullmatch(packages, each)), "")
        tool = line.split()[0].rpartition("/")[2]
        is_asked = not taken or (tool in said and tool not in " ".join(facts.all("lint")))
        if package and file and is_asked:
            facts.add("lint", line, f"{package} is required and set up", Evidence(path=folder.full(file)))
    if not facts.first("lint"):
        _add_lint_scripts(facts, folder, composer)
    if not facts.first("lint") and not facts.first("test"):
        line, where = "composer validate --no-check-publish", folder.evidence("composer.json", "{")
        facts.add("lint", line, "nothing else says whether it is sound", where, confidence=0.6)
    for tool in re.findall(r"phpstan|psalm|php-cs-fixer|phpcs|pint", " ".join(facts.all("lint"))):
        facts.add("lint_tool", tool, "of the lint command", folder.evidence("composer.json", tool, "php_codesniffer"))


def _add_lint_scripts(facts: Facts, folder: Folder, composer: dict[str, object]) -> None:
    for name in table(composer, "scripts"):
        if re.fullmatch(r"lint|cs|cs-check|check-style|phpcs|phpstan|stan|analy[sz]e|psalm", name):
            where = folder.evidence("composer.json", f'"{name}"')
            facts.add("lint", f"composer {name}", "composer.json has the script", where)


def _add_application(facts: Facts, folder: Folder, composer: dict[str, object]) -> None:
    """Add what is deployed: Laravel, Symfony and whatever else has its front door in public/."""
    wanted = _wanted(composer)
    laravel = "laravel/framework" in wanted and folder.has("artisan")
    symfony = "symfony/framework-bundle" in wanted and folder.has("bin/console")
    # A library for Composer says what it is; what has a front door and says nothing is an application.
    is_own = folder.has("public/index.php") and string(composer.get("type")) in {"project", ""}
    if not (laravel or symfony or is_own):
        return
    where = folder.evidence("composer.json", '"laravel/framework"', '"symfony/framework-bundle"', '"type"')
    facts.add(
        "framework", "laravel" if laravel else "symfony" if symfony else "php", "composer.json requires it", where
    )
    facts.add("deployable", "yes", "it is a web application", where, confidence=0.9)
    facts.add("start", "apache2-foreground", "Apache serves public/", where, confidence=0.7)
    facts.add("port", "8080", "a port that needs no root", where, confidence=0.8)
    if laravel and folder.has(".env.example") and facts.first("test"):
        example = Evidence(path=folder.full(".env.example"))
        facts.add("prepare", "cp .env.example .env", "Laravel reads its settings there", example)
        facts.add("prepare", "php artisan key:generate", "Laravel encrypts with it", example)
