"""Ollama: which address answers, which has the model, and whether it can be asked for tools as configured."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.cli.doctor.diagnosis import Diagnosis, lacking

if TYPE_CHECKING:
    from bot.llm.host import Host
    from bot.settings import Settings


def look(settings: "Settings") -> Iterator[Diagnosis]:
    """Look at each Ollama; without a model the commands still work, so nothing here is needed."""
    from bot.llm.choose import open_model

    name = settings.ollama_model
    model = open_model(settings.ollama_urls, name, settings.tool_calling)
    for host in model.hosts():
        yield _host(host, name, model.mode, settings)
    if settings.embeddings == "ollama":
        host = model.hosts()[0]
        if host.is_well() and not host.has_model(settings.embedding_model):
            says = f"no {settings.embedding_model} at {host.url}, by which templates are compared"
            yield lacking("embeddings", says, f"`ollama pull {settings.embedding_model}`")


def _host(host: "Host", name: str, mode: str, settings: "Settings") -> Diagnosis:
    if not host.is_well():
        mend = "Start Ollama, or check PIPEWRIGHT_OLLAMA_URL; without a model the commands still work."
        return lacking("Ollama", f"nobody answers at {host.url}", mend)
    if not host.has_model(name):
        mend = f"`ollama pull {name}` there (or `pipewright init --pull`); without a model the commands still work."
        return lacking("Ollama", f"no {name} at {host.url}", mend)
    can = host.abilities(name)
    if settings.tool_calling == "native" and can and "tools" not in can:
        mend = "Set PIPEWRIGHT_TOOL_CALLING=constrained (or auto), or another PIPEWRIGHT_OLLAMA_MODEL."
        return lacking("Ollama", f"{name} at {host.url} cannot be asked for tools by calls of its own", mend)
    return Diagnosis("Ollama", True, f"{name} at {host.url}, asked for tools in {mode} mode")
