"""The .NET languages: solutions and projects that the SDK builds on Linux."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.ended import told
from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command, OtherCi, all_commands
from bot.survey.other_ci.services import add_services
from bot.survey.parsing import string, table
from bot.survey.taking import take_all
from bot.survey.tree import Folder

_SHARED = "Directory.Build.props"
# With these an SDK must be of the series of hundred that global.json names; latestPatch holds without any word.
_STRICT = {"", "latestPatch", "patch", "disable"}
_PROJECTS = r"(?:[\w. +-]+/){0,4}[\w. +-]+\.(?:cs|fs|vb)proj"
_TEST_SDK = re.compile(r"Microsoft\.NET\.Test\.Sdk|xunit|NUnit|MSTest|TUnit|Expecto")
_TEST_NAME = re.compile(r"(?:^|[./-])(?:unit|integration)?tests?(?:[./-]|$)", re.IGNORECASE)
_TESTS = r"dotnet test(?: [^|&;]*)?"
_OF_ANOTHER_STEP = (
    r" (?:--no-build|--no-restore|--nologo|(?:--verbosity|-v|--logger|-l|--results-directory|--collect)[ :=]"
    r"(?:\"[^\"]*\"|'[^']*'|\S+)|[-/]p:CollectCoverage\S*|[-/]p:Coverlet\S*)"
)
_LINTS = r"dotnet (?:format|csharpier|fantomas)(?: .*)?"


def survey_dotnet(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the .NET unit of a folder with a solution or a project; the old Windows-only kind is left out."""
    solutions = [name for name in folder.names(r".*\.slnx?") if not _is_of_cpp(folder.text(name))]
    here = solutions or folder.names(r".*\.(?:cs|fs|vb)proj")
    if not here:
        return None
    projects = folder.under(_PROJECTS)
    texts = {path: folder.text(path) for path in projects}
    if any(texts.values()) and not any("Sdk=" in text or "<Sdk" in text for text in texts.values()):
        return None
    language = "fsharp" if projects and all(path.endswith(".fsproj") for path in projects) else "csharp"
    facts = declared.opened(folder, here[0], language, "nuget", "packages.lock.json")
    version = _add_version(facts, folder, texts, ci)
    target = f" {here[0]}" if len(here) > 1 else ""
    where = Evidence(path=folder.full(here[0]))
    facts.add("install", f"dotnet restore{target}", "the SDK restores every project", where)
    facts.add("build", f"dotnet build{target} --configuration Release", "the SDK builds every project", where)
    runs = ci.runs("dotnet", version, folder.root)
    _add_tests(facts, folder, texts, _test_line(runs) or f"dotnet test{target} --configuration Release")
    _add_lint(facts, folder, runs)
    _add_application(facts, folder, texts)
    add_services(facts, folder, ci)
    return facts.unit(folder.root, "dotnet")


def _is_of_cpp(solution: str) -> bool:
    """Say whether a solution lists projects in C++ alone, which the SDK builds nowhere."""
    return re.search(r"\.vcx?proj", solution) is not None and re.search(r"\.(?:cs|fs|vb)proj", solution) is None


def _add_version(facts: Facts, folder: Folder, texts: dict[str, str], ci: OtherCi) -> str:
    """Use global.json, else the newest framework the projects target: an SDK older than that cannot build them."""
    sdk = table(folder.json("global.json"), "sdk")
    pinned = string(sdk.get("version"))
    if re.fullmatch(r"\d+\.\d+\.\d{3}", pinned) and string(sdk.get("rollForward")) in _STRICT:
        facts.add("sdk", pinned, "global.json takes no other series", folder.evidence("global.json", pinned))
    if pinned:
        return declared.add_version(facts, folder, "dotnet", ci, exact=(pinned, folder.evidence("global.json", pinned)))
    every = {**texts, _SHARED: folder.text(_SHARED)}
    found = [(release, path, group) for path, text in every.items() for group, release in _targets(text)]
    modern = [each for each in found if each[0] >= (3, 0)]
    if not modern:
        return declared.add_version(facts, folder, "dotnet", ci)
    release, path, group = max(modern)
    exact = (_tag(release), folder.evidence(path, group))
    return declared.add_version(facts, folder, "dotnet", ci, exact=exact)


def _targets(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Return each release that a project targets after the words that name it."""
    pattern = r"net(?:coreapp)?(\d{1,2})\.(\d)(?!\d)"
    groups = re.findall(r"<TargetFrameworks?>([^<]+)", text)
    return [(group, (int(major), int(minor))) for group in groups for major, minor in re.findall(pattern, group)]


def _tag(release: tuple[int, int]) -> str:
    """Return the tag of the images that run a release; of the first two generations only the last is there."""
    last = {2: (2, 1), 3: (3, 1)}.get(release[0], release)
    return f"{last[0]}.{last[1]}" if (2, 0) <= release <= last else ""


def _test_line(runs: list[list[Command]]) -> str:
    """Return other CI's test command without what rests on an earlier build or only writes reports."""
    line = next((command.line for command in all_commands(runs) if re.fullmatch(_TESTS, command.line)), "")
    return re.sub(_OF_ANOTHER_STEP, "", line).strip()


def _add_tests(facts: Facts, folder: Folder, texts: dict[str, str], line: str) -> None:
    """Every test project is run by one command, whatever framework it uses."""
    tests = [path for path, text in texts.items() if _TEST_SDK.search(text) or (not text and _TEST_NAME.search(path))]
    if not tests:
        return
    where = folder.evidence(tests[0], "Microsoft.NET.Test.Sdk", "xunit", "NUnit", "MSTest")
    facts.add("test", line, "there is a test project", where, confidence=0.9)
    text = texts[tests[0]].lower()
    facts.add(
        "test_tool",
        next((tool for tool in ("xunit", "nunit", "mstest", "tunit") if tool in text), "dotnet-test"),
        "the test project references it",
        where,
    )
    if all("coverlet.collector" in texts[path] for path in tests if texts[path]) and texts[tests[0]]:
        facts.add(
            "coverage", "coverlet", "the test projects reference it", folder.evidence(tests[0], "coverlet.collector")
        )
    targets = {each for path in tests for each in re.findall(r"<TargetFrameworks?>([^<]+)", texts[path])}
    if any(";" in each for each in targets):
        facts.add("variable", "DOTNET_ROLL_FORWARD=Major", "the tests target runtimes the image does not have", where)


def _add_lint(facts: Facts, folder: Folder, runs: list[list[Command]]) -> None:
    take_all(facts, "lint", runs, _LINTS)
    tools = folder.text(".config/dotnet-tools.json")
    for tool, line in (("csharpier", "dotnet csharpier check ."), ("fantomas", "dotnet fantomas --check .")):
        if tool in tools and not facts.first("lint"):
            where = folder.evidence(".config/dotnet-tools.json", tool)
            facts.add("lint_install", "dotnet tool restore", "the manifest pins the tool", where)
            facts.add("lint", line, "it is among the repository's tools", where)
    facts.add(
        "lint_tool",
        "dotnet-format" if "dotnet format" in facts.first("lint") else "",
        "of the lint command",
        *_first(facts, "lint"),
    )


def _first(facts: Facts, name: str) -> tuple[Evidence, ...]:
    return next((fact.evidence for fact in facts.named(name)), ())


def _add_application(facts: Facts, folder: Folder, texts: dict[str, str]) -> None:
    """A project of the web SDK is deployed; libraries and tools are not."""
    servers = [path for path, text in texts.items() if "Microsoft.NET.Sdk.Web" in text and not _TEST_NAME.search(path)]
    if len(servers) != 1:
        return
    where = folder.evidence(servers[0], "Microsoft.NET.Sdk.Web")
    name = _program(servers[0], texts[servers[0]])
    facts.add("framework", "aspnet", "the project uses the web SDK", where)
    facts.add("deployable", "yes", "it is a web application", where, confidence=0.9)
    facts.add("start", f"dotnet {name}.dll", "publishing names the program so", where, confidence=0.9)
    facts.add("port", "8080", "ASP.NET's images listen there", where, confidence=0.9)
    if _add_runtime(facts, folder, servers[0], texts[servers[0]]):
        facts.add("entry", servers[0], "it is the only web project", where)


def _program(path: str, text: str) -> str:
    """Return how publishing names the program: like the project, unless that says otherwise."""
    named = re.search(r"<AssemblyName>\s*([\w.-]+)\s*</AssemblyName>", text)
    return named.group(1) if named else path.rpartition("/")[2].rsplit(".", 1)[0]


def _add_runtime(facts: Facts, folder: Folder, path: str, text: str) -> bool:
    """Add the release that runs the application where it is not the one that builds it; False where no image does.

    A program runs on its own generation only, while a newer SDK builds it.
    """
    file = path if _targets(text) else _SHARED
    targets = _targets(folder.text(file))
    if not targets:
        return True
    group, release = max(targets, key=lambda each: each[1])
    version, where = _tag(release), folder.evidence(file, group)
    if ";" in group:
        names = [each.strip() for each in group.split(";") if (each, release) in _targets(f"<TargetFramework>{each}")]
        facts.add("target", names[0], "the newest of those that the project targets", where)
    if version and version != facts.first("version"):
        reason, sure = told("dotnet", version, "the application targets it, and it runs on no other", 0.9)
        facts.add("runtime", version, reason, where, confidence=sure)
    return bool(version)
