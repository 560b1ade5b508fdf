"""Fix of a service that nothing provides, or that a job looks for on localhost."""

import re
from typing import Any

from bot.ci.edit import Edit, SetServices, SetVariable
from bot.failures.catalogue import Service, packages
from bot.failures.diagnosis import Diagnosis, Fix
from bot.failures.job_text import JobText
from bot.failures.scene import Scene

_HERE = re.compile(r"^(?:localhost|127\.\d+\.\d+\.\d+|::1|0\.0\.0\.0|)$")
_ALIASES = {"postgresql": "postgres", "pg": "postgres", "mariadb": "mysql", "mongodb": "mongo", "rabbit": "rabbitmq"}


def provide(diagnosis: Diagnosis, scene: Scene) -> Fix | None:
    """Give the job the service, and the service's name to variables that call it on localhost."""
    job = scene.job_of(diagnosis)
    host, port = diagnosis.details.get("host", ""), diagnosis.details.get("port", "")
    found = _service(host, port, job)
    if found is None or not job.exists:
        return None
    name, service = found
    is_here = bool(_HERE.match(host))
    alias = name if is_here else host
    present = _aliases(job)
    redirected = _redirected(job, alias, service) if is_here else ()
    if is_here and not redirected:
        return None  # where the job got "localhost" from is not in the pipeline
    added = () if alias in present else (_with_service(job, alias, service),)
    edits = (*added, *redirected)
    what = "Reach" if alias in present else "Start"
    return Fix(edits=edits, title=f"{what} {name} as a service of {job.name}") if edits else None


def _service(host: str, port: str, job: JobText) -> tuple[str, Service] | None:
    known = packages().services
    name = _ALIASES.get(host, host)
    if name in known:
        return name, known[name]
    by_port = next(((each, service) for each, service in known.items() if port in service.ports), None)
    if by_port or host not in ("db", "database"):
        return by_port
    image = next((each for value in job.variables().values() for each in known if value.startswith(each)), "")
    return (image, known[image]) if image else None


def _aliases(job: JobText) -> set[str]:
    return {alias for each in job.inherited("services") or () for alias in _names(each)}


def _names(service: Any) -> set[str]:
    image = str(service.get("name", "") if isinstance(service, dict) else service).partition(":")[0]
    own = str(service.get("alias", "")).replace(",", " ").split() if isinstance(service, dict) else []
    return {image.rpartition("/")[2], image.replace("/", "-"), image.replace("/", "__"), *own}


def _with_service(job: JobText, alias: str, service: Service) -> Edit:
    added: dict[str, Any] = {"name": service.image, "alias": alias}
    if service.variables:
        added["variables"] = dict(service.variables)
    return SetServices(job=job.name, services=[*(job.inherited("services") or ()), added])


def _redirected(job: JobText, alias: str, service: Service) -> tuple[Edit, ...]:
    ports = "|".join(service.ports)
    pattern = re.compile(rf"(?:localhost|127\.0\.0\.1)(?=:(?:{ports})\b)")
    hosts = re.compile(rf"(?i)(?:{alias}|PG|DB|DATABASE)\w*HOST$")
    edits: list[Edit] = []
    for name, value in job.variables().items():
        changed = pattern.sub(alias, value)
        changed = alias if hosts.match(name) and _HERE.match(value) else changed
        if changed != value:
            edits.append(SetVariable(job=job.name, name=name, value=changed))
    return tuple(edits)
