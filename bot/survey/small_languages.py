"""Perl, Lua and Zig: small languages whose packages follow one convention each."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared, versions
from bot.survey.makefile import NAMES
from bot.survey.other_ci.model import OtherCi
from bot.survey.other_ci.services import add_services
from bot.survey.taking import take, take_all
from bot.survey.tree import Folder

# Zig breaks what it compiled with every release; PyPI has one package for each.
_ZIG = {
    "0.11": "0.11.0",
    "0.12": "0.12.1",
    "0.13": "0.13.0",
    "0.14": "0.14.1",
    "0.15": "0.15.2",
    "0.16": "0.16.0",
    "0.17": "0.17.0",
}
_ZIG_DEFAULT = "0.15"
_ZIG_LINK = "ln -sf \"$(python -c 'import ziglang; print(ziglang.__path__[0])')/zig\" /usr/local/bin/zig"


def survey_perl(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a Perl distribution."""
    manifest = folder.first("cpanfile", "dist.ini", "Makefile.PL", "Build.PL")
    if not manifest:
        return None
    facts = declared.opened(folder, manifest, "perl", "cpanm", "cpanfile.snapshot")
    where = Evidence(path=folder.full(manifest))
    version = declared.add_version(facts, folder, "perl", ci, exact=declared.pinned(folder, "perl", ".perl-version"))
    if manifest == "dist.ini":
        facts.add("install", "cpanm Dist::Zilla", "there is a dist.ini", where)
        facts.add("install", "dzil authordeps --missing | cpanm", "its plugins have to be there", where)
        facts.add("install", "dzil listdeps --missing | cpanm", "dist.ini names the modules", where)
    else:
        facts.add("install", "cpanm --installdeps .", f"{manifest} names the modules", where)
    runs = ci.runs("perl", version, folder.root)
    if not take(facts, "test", runs, r"prove(?: [\w ./=-]+)?|dzil test(?: .*)?|make test") and folder.under(r"t/.*\.t"):
        line = "dzil test" if manifest == "dist.ini" else "prove --lib --recurse t"
        if folder.under(r".*\.xs") and manifest == "Makefile.PL":
            facts.add("prepare", "perl Makefile.PL && make", "the tests need the compiled part", where)
            line = "prove --blib --recurse t"
        facts.add("test", line, "there are tests in t/", Evidence(path=folder.full("t")))
    facts.add("test_tool", "prove" if facts.first("test") else "", "of the test command", where)
    if folder.has(".perlcriticrc"):
        facts.add("lint_install", "cpanm Perl::Critic", "there is a .perlcriticrc", where)
        facts.add("lint", "perlcritic lib", "there is a .perlcriticrc", Evidence(path=folder.full(".perlcriticrc")))
    add_services(facts, folder, ci)
    return facts.unit(folder.root, "perl")


def survey_lua(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a Lua project: a rockspec, or the settings of busted or luacheck."""
    kept = sorted(folder.under(r"rockspecs?/[\w.-]+\.rockspec"), key=lambda path: versions.number(_after_name(path)))
    rockspec = next(iter([*folder.names(r"[\w.-]+\.rockspec"), *reversed(kept)]), "")
    manifest = rockspec or folder.first(".busted", ".luacheckrc")
    if not manifest or not folder.under(r".*\.lua|.*\.rockspec"):
        return None
    facts = declared.opened(folder, manifest, "lua", "luarocks")
    where = Evidence(path=folder.full(manifest))
    needs = re.search(r"\"lua\s*([<>=~, .\d]+)\"", folder.text(rockspec)) if rockspec else None
    spec = (needs.group(1).replace("~>", ">="), folder.evidence(rockspec, "lua")) if needs else ("", None)
    version = declared.add_version(facts, folder, "lua", ci, spec=spec)
    runs = ci.runs("lua", version, folder.root)
    if not take(facts, "test", runs, r"busted(?: [\w ./=-]+)?|luarocks test(?: .*)?") and (
        folder.has(".busted") or folder.under(r"spec/.*_spec\.lua")
    ):
        facts.add("test", "busted", "there are specs", where)
    if not take_all(facts, "lint", runs, r"luacheck(?: [\w ./=-]+)?|stylua --check .*"):
        facts.add(
            "lint",
            "luacheck ." if folder.has(".luacheckrc") else "",
            "there is a .luacheckrc",
            Evidence(path=folder.full(".luacheckrc")),
        )
    rocks = f"luarocks --lua-version={version} install"
    if rockspec and (facts.first("test") or facts.first("build")):
        facts.add("install", f"{rocks} --only-deps {rockspec}", "the rockspec names the rocks", where)
    facts.add("install", f"{rocks} busted" if "busted" in facts.first("test") else "", "it runs the tests", where)
    facts.add(
        "install", f"{rocks} luacov" if "--coverage" in facts.first("test") else "", "it measures coverage", where
    )
    facts.add(
        "lint_install", f"{rocks} luacheck" if "luacheck" in facts.first("lint") else "", "it reads the sources", where
    )
    facts.add("test_tool", "busted" if "busted" in facts.first("test") else "", "of the test command", where)
    facts.add("lint_tool", "luacheck" if "luacheck" in facts.first("lint") else "", "of the lint command", where)
    return facts.unit(folder.root, "lua")


def _after_name(path: str) -> str:
    """Return the version in the name of a rockspec: a-1.2-0.rockspec is 1.2; one called scm is the newest."""
    found = re.search(r"-(\d[\d.]*)-\d+\.rockspec$", path)
    return found.group(1) if found else "999"


def survey_zig(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder with a build.zig."""
    if not folder.has("build.zig") or _is_beside(folder, ci):
        return None
    facts = declared.opened(folder, "build.zig", "zig", "zig", "build.zig.zon")
    least = re.search(r"minimum_zig_version\s*=\s*\"(\d+\.\d+)", folder.text("build.zig.zon"))
    named, place = declared.pinned(folder, "zig", ".zigversion", ".zig-version")
    seen = next(iter(ci.matrix("zig")), "")
    wanted = ".".join((named or (least.group(1) if least else "") or seen).split(".")[:2])
    where = place or folder.evidence("build.zig.zon", "minimum_zig_version")
    reason = "the repository names it" if wanted in _ZIG else "nothing names a released one, and every release differs"
    facts.add("version", _ZIG.get(wanted, _ZIG[_ZIG_DEFAULT]), reason, where, confidence=1.0 if wanted in _ZIG else 0.6)
    version = facts.first("version")
    facts.add("install", f"pip install ziglang=={version}", "PyPI has the compiler", where)
    facts.add("install", _ZIG_LINK, "the package keeps the program to itself", where)
    runs = ci.runs("zig", version, folder.root)
    if not take(facts, "test", runs, r"zig build (?:[\w-]*test[\w-]*)(?: .*)?|zig test .*") and re.search(
        r"step\(\s*\"test\"", folder.text("build.zig")
    ):
        facts.add("test", "zig build test", "build.zig has the step", folder.evidence("build.zig", '"test"'))
    facts.add("test_tool", "zig-test" if facts.first("test") else "", "of the test command", where)
    take_all(facts, "lint", runs, r"zig fmt --check .*")
    facts.add("build", "zig build", "there is a build.zig", folder.evidence("build.zig", "pub fn build"))
    return facts.unit(folder.root, "zig")


def _is_beside(folder: Folder, ci: OtherCi) -> bool:
    """Say whether build.zig only compiles the C of a project that another build system builds and tests."""
    others = folder.first("CMakeLists.txt", "meson.build", "configure.ac", *NAMES)
    own = [path for path in folder.under(r".*\.zig") if path.rpartition("/")[2] != "build.zig"]
    tests = any(re.search(r"\bzig (?:build )?test\b", step.script) for job in ci.jobs for step in job.steps)
    return bool(others) and not own and not tests
