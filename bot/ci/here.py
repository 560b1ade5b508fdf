"""What this GitLab and its runners are like, and what follows: the tags of jobs, how images are built, which scans."""

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import structs

from bot.ci.assignment import Assignment
from bot.ci.catalog import Template
from bot.domain import Fact, Runner, Surroundings, Unit

DOCKER_IN_DOCKER, ROOTLESS = "docker-in-docker", "rootless-buildkit"
TIERS = ("free", "premium", "ultimate")
# Executors that start an image for each job; the others ignore `image` and `services`.
_OF_IMAGES = frozenset(
    "docker docker+machine docker-autoscaler kubernetes docker-ssh docker-windows custom unknown".split()
)
_DOCKER_SETTING = '`security_opt = ["seccomp:unconfined", "apparmor:unconfined"]` below [runners.docker] in config.toml'


def with_tags(given: Assignment) -> Assignment:
    """Return the assignment with the tags that its jobs need to be taken by a runner at all."""
    around = given.surroundings
    tags = around.tags if around.tags is not None else given.conventions.tags or _common_tag(around.runners or ())
    if tags == given.conventions.tags:
        return given
    because = {field: why for field, why in given.conventions.because.items() if field != "tags"}
    return structs.replace(given, conventions=structs.replace(given.conventions, tags=tags, because=because))


def with_builder(unit: Unit, around: Surroundings) -> Unit:
    """Return the unit with how its image can be built: the fact `image_builder`."""
    value = DOCKER_IN_DOCKER if around.is_privileged else ROOTLESS
    because = "the project's rules say that its runners are privileged" if around.is_privileged else "it needs least"
    return structs.replace(unit, facts=(*unit.facts, Fact(name="image_builder", value=value, because=because)))


def about_building(around: Surroundings) -> str:
    """Say how images are built, and what that asks of the runner."""
    if around.is_privileged:
        return (
            "the image is built with docker-in-docker, because `.pipewright.yml` says that the project's runners are "
            'privileged; besides, they need `volumes = ["/certs/client", "/cache"]` below [runners.docker]'
        )
    executors = {each for runner in around.runners or () for each in runner.executors}
    needed = "pods whose AppArmor and seccomp profiles are unconfined"
    if executors != {"kubernetes"}:
        needed = f"with the Docker executor {_DOCKER_SETTING}; on Kubernetes {needed}"
    return (
        "the image is built with rootless BuildKit, which needs no privileged runner, but one whose containers may "
        f"make user namespaces ({needed}); whether runners are privileged GitLab does not tell: where they are, write "
        "`runners: {privileged: true}` into `.pipewright.yml`, and docker-in-docker builds it"
    )


def about_runners(given: Assignment) -> Iterator[str]:
    """Yield what a person should know of the runners: which tags were chosen, and what they cannot do."""
    around, tags = given.surroundings, given.conventions.tags
    if around.remark:
        yield around.remark
    shown = ", ".join(tags)
    if around.tags:
        yield f"jobs are tagged {shown}, because `.pipewright.yml` says so"
        return
    if around.runners is None:
        return
    usable = _usable(around.runners)
    if not around.runners:
        yield "no runner is online for this project now, so its jobs will wait until there is one"
    elif not usable:
        kinds = ", ".join(sorted({each for runner in around.runners for each in runner.executors}))
        yield (
            f"the runners of this project ({kinds}) start no images, so `image` and `services` have no effect there: "
            "what the jobs need must be installed on them, or another runner added"
        )
    elif not any(runner.takes_untagged for runner in usable) and tags == _common_tag(around.runners):
        yield f"jobs are tagged {shown}, because no runner of this project takes jobs without tags"
    elif tags and not any(set(tags) <= set(runner.tags) for runner in usable):
        yield f"no runner that is online for this project has the tags {shown}; its jobs would wait for ever"


def is_here(template: Template, around: Surroundings) -> bool:
    """Tell whether this GitLab has what a template needs; what is not known is taken for there."""
    if template.needs_tier and around.tier and TIERS.index(around.tier) < TIERS.index(template.needs_tier):
        return False
    known, needed = _numbers(around.version), _numbers(template.needs_version)
    return not known or known >= needed


def why_not_here(template: Template, around: Surroundings) -> str:
    """Say why this GitLab does not have what a person asked for, and what stands in for it."""
    what = template.name.replace("-", " ")
    tiered = template.needs_tier and around.tier and TIERS.index(around.tier) < TIERS.index(template.needs_tier)
    has = f"is {around.tier.title()}" if tiered else f"has the version {around.version}"
    needs = template.needs_tier.title() if tiered else template.needs_version
    instead = f"; {template.instead}" if template.instead else ""
    return f"you asked for {what}, which needs GitLab {needs}, and this one {has}{instead}"


def _usable(runners: Sequence[Runner]) -> list[Runner]:
    return [runner for runner in runners if not runner.executors or set(runner.executors) & _OF_IMAGES]


def _common_tag(runners: Sequence[Runner]) -> tuple[str, ...]:
    """Return the tag that most usable runners have, where none of them takes a job without tags."""
    usable = _usable(runners)
    if not usable or any(runner.takes_untagged for runner in usable):
        return ()
    counted = Counter(tag for runner in usable for tag in runner.tags)
    return (max(sorted(counted), key=lambda tag: counted[tag]),) if counted else ()


def _numbers(version: str) -> tuple[int, ...]:
    first = version.split("-", maxsplit=1)[0].split(".")[:2]
    return tuple(int(part) for part in first if part.isdigit())
