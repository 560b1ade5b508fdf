"""Services beside a job: what the well-known ones need to start, and how the job reaches them."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.ci.asked.lookup import body_of, image_name, inherited, merged_body, service_name, written_as
from bot.ci.asked.operation import Operation
from bot.ci.checks.document import read_document
from bot.ci.edit import Delete, SetServices, SetVariable, apply
from bot.ci.edit.place import add_item, remove, set_value
from bot.ci.edit.splice import splice
from bot.domain import CannotError

_POSTGRES = frozenset({"postgres", "postgis", "pgvector", "timescaledb"})
_MYSQL = frozenset({"mysql", "mariadb"})
_REDIS = frozenset({"redis", "valkey"})


def images_of(operation: Operation) -> tuple[str, ...]:
    """Return the images that an operation names."""
    return operation.services or tuple(each for each in (operation.image, operation.value, operation.name) if each)[:1]


def service_for(image: str, given: Mapping[str, str] = {}) -> str | dict[str, Any]:
    """Return a service as it is written, with what databases need to start; `given` settings are its own."""
    name = service_name(image)
    if name in _POSTGRES:
        own = {key: value for key, value in given.items() if key.startswith("POSTGRES_")}
        needs = {} if "POSTGRES_PASSWORD" in own else {"POSTGRES_HOST_AUTH_METHOD": "trust"}
        return {"name": image, "alias": name, "variables": {"POSTGRES_DB": "test", **needs, **own}}
    if name in _MYSQL:
        own = {key: value for key, value in given.items() if key.startswith(("MYSQL_", "MARIADB_"))}
        free = any(key.endswith(("_ROOT_PASSWORD", "EMPTY_PASSWORD")) for key in own)
        needs = {} if free else {"MYSQL_ALLOW_EMPTY_PASSWORD": "yes"}
        return {"name": image, "alias": name, "variables": {"MYSQL_DATABASE": "test", **needs, **own}}
    return image if "/" not in image else {"name": image, "alias": name}


def reached_by(images: Sequence[str], known: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables by which programs find the services, those that are not set anywhere."""
    found: dict[str, str] = {}
    for image in images:
        name = service_name(image)
        if name in _POSTGRES:
            found.setdefault("DATABASE_URL", f"postgresql://postgres@{name}:5432/test")
        elif name in _MYSQL:
            found.setdefault("DATABASE_URL", f"mysql://root@{name}:3306/test")
        elif name in _REDIS:
            found.setdefault("REDIS_URL", f"redis://{name}:6379/0")
    return {name: value for name, value in found.items() if name not in known}


def known_variables(text: str, job: str = "") -> dict[str, Any]:
    """Return the variables that a job sees."""
    everywhere = read_document(text).data.get("variables")
    own = merged_body(text, job).get("variables") if job else None
    return {**(everywhere if isinstance(everywhere, dict) else {}), **(own if isinstance(own, dict) else {})}


def add_services(text: str, job: str, operation: Operation) -> str:
    """Put services beside a job; one that is there in another version gets the new image and keeps its settings."""
    there = {service_name(image_name(each)) for each in inherited(text, job, "services") or ()}
    images = images_of(operation)
    for image in images:
        text = _added(text, job, image, operation)
    new = [image for image in images if service_name(image) not in there]
    missing = reached_by(new, known_variables(text, job)) | _of_job(operation)
    for name, value in missing.items():
        text = apply(text, SetVariable(job=job, name=name, value=value))
    return text


def remove_services(text: str, job: str, operation: Operation) -> str:
    """Take services away from a job."""
    for image in images_of(operation):
        there = _listed(text, job)
        found = [number for number, each in enumerate(there) if _is_same(image_name(each), image)]
        if not found:
            listed = ", ".join(image_name(each) for each in there) or "none"
            raise CannotError(f"the job {job} has no service {image}; it has {listed}")
        edit = Delete(path=(job, "services"), position=found[0])
        text = splice(text, edit if len(there) > 1 else remove(text, (job, "services")))
    return text


def _of_job(operation: Operation) -> dict[str, str]:
    """Settings whose names begin like the service's own belong to it, the others to the job."""
    pairs = operation.pairs if operation.variables else {}
    return {name: value for name, value in pairs.items() if not name.startswith(("POSTGRES_", "MYSQL_", "MARIADB_"))}


def _added(text: str, job: str, image: str, operation: Operation) -> str:
    given = operation.pairs if operation.variables else {}
    text = _with_own_list(text, job)
    there = _listed(text, job)
    for number, each in enumerate(there):
        if _is_same(image_name(each), image.partition(":")[0]):
            path = (job, "services", number, "name") if isinstance(each, dict) else (job, "services", number)
            return splice(text, set_value(text, path, image))
    service = service_for(image, given)
    if not there:
        return apply(text, SetServices(job=job, services=[service]))
    return splice(text, add_item(text, (job, "services"), service, len(there)))


def _with_own_list(text: str, job: str) -> str:
    """Write inherited services into the job, for a list of its own takes their place."""
    services = inherited(text, job, "services")
    if written_as(text, job, "services") == "sequence" or not isinstance(services, list) or not services:
        return text
    return apply(text, SetServices(job=job, services=services))


def _listed(text: str, job: str) -> list[Any]:
    services = body_of(text, job).get("services")
    return services if isinstance(services, list) else []


def _is_same(image: str, wanted: str) -> bool:
    return image == wanted or (":" not in wanted and service_name(image) == service_name(wanted))
