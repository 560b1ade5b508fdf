"""Databases and the like: what the tests of a repository need beside it, and the variables that say where they are."""

import re
from collections.abc import Iterator, Mapping

from bot.domain import Evidence
from bot.survey.facts import Facts
from bot.survey.neighbours import add_neighbours, add_sample
from bot.survey.other_ci.model import Command, Job, OtherCi
from bot.survey.other_ci.preparing import add_preparations
from bot.survey.service_images import service_image, service_kind, short_name
from bot.survey.tree import Folder

_SECRET = re.compile(r"TOKEN|SECRET|PASS(WORD|WD)?$|KEY|CREDENTIAL|GITHUB|CODECOV|COVERALLS|CACHE|RUNNER|ACTIONS", re.I)
# How output looks, where tools cache, and compiler settings that only fit the versions of their day.
_NOISE = re.compile(
    r"CI|PATH|HOME|TERM|.*COLOU?R.*|CLICOLOR|PIP_.*|UV_.*|CARGO_.*|RUST.*|MAVEN_.*|GRADLE_.*|JAVA_.*|NPM_.*|.*_VERSION|"
    r"DEBIAN_FRONTEND|OS|CC|CXX|.*_DIR|.*_PATH|PYTHONUNBUFFERED|SCCACHE.*|CCACHE.*|TOX.*|POETRY_.*|NODE_AUTH.*"
)
# What an application signs with itself: its tests need one, and any will do.
_OWN_KEY = re.compile(
    r"(?:(?:DJANGO|FLASK|RAILS|APP|JWT|SESSION|COOKIE|AUTH|NEXTAUTH)_)*(?:SECRET(?:_KEY(?:_BASE)?)?|HMAC_KEY|SIGNING_KEY)"
)
ANY_KEY = "test_only_and_known_to_everybody"
_SPOKEN = ("postgres", "mysql", "redis", "mongo", "rabbitmq", "memcached", "elasticsearch")
_PASSWORD = re.compile(r"(?:\w+_)?(?:PG|POSTGRES|DB|DATABASE|MYSQL|MARIADB)\w*?_?PASS(?:WORD|WD)?")
_ADDRESS = re.compile(r"localhost|127\.0\.0\.1|0\.0\.0\.0")


def add_services(facts: Facts, folder: Folder, ci: OtherCi) -> None:
    """Add the services, plain variables and Debian packages of the job whose test commands were taken over."""
    for job, chosen in _jobs_beside(facts, folder, ci):
        for image, where in job.services:
            facts.add("service", service_image(image), "the tests of other CI run beside it", where)
        for line, where in job.service_settings:
            facts.add("service_setting", line, "other CI starts the database with it", where)
        names = [short_name(image) for image in facts.all("service")]
        settings = [line.partition("=") for line in facts.all("service_setting")]
        passwords = {value for name, _, value in settings if name.endswith("PASSWORD")}
        users = {value for name, _, value in settings if name.endswith("USER")}
        for command in [*add_preparations(facts, folder, job, chosen), *chosen]:
            for name, value in _without_others(command.variables, users):
                line, why = _carried(name, value, names, passwords)
                facts.add("variable", line, why, command.evidence)
        for package, where in job.packages:
            facts.add("system_package", package, "other CI installs it before the tests", where, confidence=0.8)
    places = [job for job in ci.jobs if _is_the_place(job, folder)]
    if facts.first("test") and (not places or any(_starts_neighbours(job) for job in places)):
        add_neighbours(facts, folder)
    if facts.first("test") and not places:
        add_sample(facts, folder)


def _without_others(variables: Mapping[str, str], users: set[str]) -> Iterator[tuple[str, str]]:
    """Leave out the passwords of users that the database starts without: a script of other CI makes those."""
    for name, value in variables.items():
        user = variables.get(re.sub(r"PASS(WORD|WD)?$", "USER", name), "")
        is_another = _PASSWORD.fullmatch(name) and user and users and user not in {*users, "postgres", "root"}
        if not is_another:
            yield name, value


def _carried(name: str, value: str, services: list[str], passwords: set[str]) -> tuple[str, str]:
    """Return NAME=value as a job of ours needs it, and why; "" when it stays behind.

    A password of the job's own database is none: it stands in the settings that the database starts with, and
    PostgreSQL, which starts with none, takes any.
    """
    value = re.sub(r",\s*\n\s*", ",", value.strip())
    if _PASSWORD.fullmatch(name) and value in passwords:
        return f"{name}={value}", "the database starts with it"
    if _PASSWORD.fullmatch(name) and any(service_kind(each) == "postgres" for each in services):
        return f"{name}=postgres", "other CI sets one, and the database takes any"
    if _OWN_KEY.fullmatch(name):
        return f"{name}={ANY_KEY}", "other CI sets one, and any will do"
    if not _is_plain(name, value):
        return "", ""
    each = value.split(",") if value.count("://") > 1 else [value]
    return f"{name}={','.join(_at_service(name, one, services) for one in each)}", "other CI sets it"


def _jobs_beside(facts: Facts, folder: Folder, ci: OtherCi) -> list[tuple[Job, list[Command]]]:
    """Return the jobs the test commands came from; without any, those of the first system that test this folder.

    Several jobs may run one command beside different services. The one with the fewest shows that it passes so.
    """
    found: list[tuple[Job, list[Command]]] = []
    waiting = {evidence for fact in facts.named("test") for evidence in fact.evidence}
    for job in sorted(ci.jobs, key=lambda each: len(each.services)):
        row = job.row_of(facts.first("version"))
        chosen = [command for command in job.commands(row) if command.evidence in waiting]
        waiting -= {command.evidence for command in chosen}
        found += [(job, chosen)] if chosen else []
    if found:
        return found
    places = [job for job in ci.jobs if _is_the_place(job, folder)]
    return [(job, []) for job in places if _system(job) == _system(places[0])]


def _system(job: Job) -> str:
    return job.path.partition("/")[0]


def add_database(facts: Facts, image: str, because: str, where: Evidence) -> None:
    """Add the database behind a client library, unless something already told which image it is."""
    kinds = {service_kind(each) for each in facts.all("service")}
    if service_kind(image) not in kinds:
        facts.add("service", image, because, where, confidence=0.9)


def _is_the_place(job: Job, folder: Folder) -> bool:
    """Say whether a job tests this folder, by whatever command."""
    places = {folder.root, "build", "build/test"} if not folder.root else {folder.root}
    return any(command.kind == "test" and command.folder in places for command in job.commands(job.rows[0]))


def _starts_neighbours(job: Job) -> bool:
    """Say whether a job starts what a compose file describes."""
    return any(re.match(r"docker[ -]compose .*\bup\b", command.raw) for command in job.commands(job.rows[0]))


def _is_plain(name: str, value: str) -> bool:
    """Say whether a variable may be copied: no secret, no expression, nothing of another CI."""
    longest = 200 * max(1, value.count("://"))
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) or "$" in value or "\n" in value or not 0 < len(value) <= longest:
        return False
    return "://" in value or not (_SECRET.search(name) or _NOISE.fullmatch(name))


def _at_service(variable: str, value: str, names: list[str]) -> str:
    """In GitLab a service answers under its image's name, not on localhost."""
    if not _ADDRESS.search(value):
        return value
    scheme = (
        value.partition(":")[0]
        .replace("postgresql", "postgres")
        .replace("amqp", "rabbitmq")
        .replace("mongodb", "mongo")
    )
    meant = [each for each in names if each.startswith(scheme[:5])] or _named_in(variable, names)
    name = next(iter(meant), _lone(names, f"{variable}={scheme}".lower()))
    return _ADDRESS.sub(name, value) if name else value


def _lone(names: list[str], spoken: str) -> str:
    """Return the only service there is, unless another kind is spoken of."""
    kinds = [kind for kind in _SPOKEN if kind in spoken]
    is_it = len(names) == 1 and (not kinds or service_kind(names[0]) in kinds)
    return names[0] if is_it else ""


def _named_in(variable: str, names: list[str]) -> list[str]:
    """Return the services of which a variable such as PGHOST or REDIS_HOST speaks."""
    spoken = variable.lower().replace("amqp", "rabbitmq")
    is_of_postgres = re.match("(test_)?pg", spoken) is not None
    return [each for each in names if each[:5] in spoken or (is_of_postgres and service_kind(each) == "postgres")]
