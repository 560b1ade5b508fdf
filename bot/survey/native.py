"""The one program that a C or C++ build makes, whether it serves and where: what an image of it would start."""

import re

from msgspec import structs

from bot.domain import Fact, Unit
from bot.survey.listening import port_in
from bot.survey.tree import Folder

_BUILT = {
    "cmake": (r"(?:[\w.-]+/){0,2}CMakeLists\.txt", re.compile(r"\badd_executable\s*\(\s*([\w.-]+)\s")),
    "meson": (r"(?:[\w.-]+/){0,2}meson\.build", re.compile(r"\bexecutable\s*\(\s*'([\w.-]+)'")),
}
_ASIDE = re.compile(
    r"(?:^|[/_.-])(?:tests?|unittests?|examples?|samples?|bench\w*|demos?|fuzz\w*|tools?)(?:[/_.-]|$)", re.I
)
_ELSEWHERE = re.compile(r"RUNTIME_OUTPUT_DIRECTORY|OUTPUT_NAME|EXECUTABLE_OUTPUT_PATH")
_FOLDER = {
    "cmake": re.compile(r"cmake (?:.* )?-B ?(\S+)"),
    "meson": re.compile(r"meson setup (?:-\S+ )*([\w.-]+)"),
}
_MAIN = r"(?:[\w.-]+/){0,2}main\.(?:c|cc|cpp|cxx)"
_SERVERS = re.compile(
    r"\b(Crow|Drogon|oatpp|[Pp]istache|httplib|civetweb|libmicrohttpd|microhttpd|restbed|mongoose|libevent|uWebSockets"
    r"|gRPC::grpc\+\+|Poco::NetSSL|cpprestsdk)\b"
)


def with_program(unit: Unit, folder: Folder) -> Unit:
    """Return the unit with `start`, and `deployable` where the program stands on a library for servers."""
    system = unit.first("package_manager") or ""
    if unit.ecosystem != "cpp" or system not in _BUILT or unit.first("start"):
        return unit
    pattern, call = _BUILT[system]
    texts = {path: folder.text(path) for path in folder.under(pattern) if not _ASIDE.search(path)}
    made = [(path, name) for path, text in texts.items() for name in call.findall(text) if not _ASIDE.search(name)]
    place = next((found[1] for line in unit.all("build") if (found := _FOLDER[system].search(line))), "")
    if not place and any(line.startswith("cmake --preset ") for line in unit.all("build")):
        place = (unit.first("artifact") or "").rstrip("/")
    if len(made) != 1 or not place or any(_ELSEWHERE.search(text) for text in texts.values()):
        return unit
    path, name = made[0]
    start = "/".join(part for part in (place, path.rpartition("/")[0], name) if part)
    facts = [_fact(folder, "start", start, "it is the only program that the build makes", path, "executable")]
    server = next((found for text in texts.values() if (found := _SERVERS.search(text))), None)
    if server:
        why = f"it is a program on {server[1]}, a library for servers"
        facts += [_fact(folder, "deployable", "yes", why, path, server[1]), *_port(folder)]
    return structs.replace(unit, facts=(*unit.facts, *facts))


def _port(folder: Folder) -> list[Fact]:
    """Return the fact `port` where a main program names it, the shallowest first."""
    for path in sorted(folder.under(_MAIN), key=lambda path: path.count("/")):
        port, words = ("", "") if _ASIDE.search(path) else port_in(folder.text(path))
        if port:
            return [_fact(folder, "port", port, "the program names it", path, words)]
    return []


def _fact(folder: Folder, name: str, value: str, because: str, path: str, quote: str) -> Fact:
    return Fact(name=name, value=value, because=because, evidence=(folder.evidence(path, quote),), confidence=0.8)
