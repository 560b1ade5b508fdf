"""C and C++: CMake, Meson, autotools or a plain Makefile."""

import re

from bot.domain import Evidence, Unit
from bot.survey.facts import Facts
from bot.survey.libraries import add_libraries
from bot.survey.makefile import NAMES, recipes
from bot.survey.other_ci.model import Command, OtherCi, all_commands
from bot.survey.other_ci.services import add_services
from bot.survey.presets import FILE as PRESETS
from bot.survey.presets import Preset, best_preset
from bot.survey.tree import Folder

_SOURCES = r"(?:[\w.+-]+/){0,4}[\w.+-]+\.(?:c|cc|cpp|cxx|c\+\+)"
_COMPILED = r"(?:[\w.+-]+/){0,4}[\w.+-]+\.(?:c|cc|cpp|cxx|c\+\+|h|hpp|hh|hxx)"
# A_BUILD_TESTS, but not A_CUDA_TEST: the tests as a whole, after one word for the project.
_PLAIN_OPTION = re.compile(
    r"(?:(?!ENABLE|BUILD|WITH)[A-Za-z0-9]+_)?(?:(?:BUILD|ENABLE|WITH)_)?(?:UNIT_?)?TEST(?:S|ING)?", re.I
)
_SWITCHES_OFF = re.compile(r"(?:DISABLE|NO|SKIP|WITHOUT|EXCLUDE)_", re.I)
# Where the build files below the top are, by build system.
_BUILD_FILES = {"cmake": r"(?:[\w.-]+/){1,2}CMakeLists\.txt", "meson": r"[\w.-]+/meson\.build"}
_TEST_TARGETS = ("check", "test", "tests", "unittest", "unittests", "run-tests", "runtests", "run_tests")


def survey_cpp(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the C or C++ unit of a folder: sources with a build system on top."""
    system = _system(folder, ci)
    sources = folder.under(_COMPILED) if system else []
    if not sources:
        return None
    facts = Facts()
    language = "cpp" if any(re.search(r"\.(cc|cpp|cxx|c\+\+|hpp|hh|hxx)$", path) for path in sources) else "c"
    file = {"cmake": "CMakeLists.txt", "meson": "meson.build", "autotools": "configure.ac"}.get(system, "")
    file = folder.first(file, "configure.in", "configure", *NAMES)
    where = folder.evidence(file, "project(", "AC_INIT", "all:")
    facts.add("language", language, "of the sources", Evidence(path=folder.full(sources[0])))
    facts.add("manifest", folder.full(file), "it builds the project", where)
    facts.add("package_manager", system, f"there is a {file}", where)
    facts.add("system_package", "g++" if language == "cpp" else "gcc", "the sources are compiled", where)
    adders = {"cmake": _add_cmake, "meson": _add_meson, "autotools": _add_autotools, "make": _add_make}
    adders[system](facts, folder, ci, where)
    _add_scripts(facts, folder, ci)
    add_libraries(facts, folder, [file, *folder.under(_BUILD_FILES.get(system, "(?!)"))[:30]])
    add_services(facts, folder, ci)
    return facts.unit(folder.root, "cpp")


def _add_scripts(facts: Facts, folder: Folder, ci: OtherCi) -> None:
    """Run the test scripts that other CI starts in some folder, after the tests of the build system."""
    for job in ci.jobs[:20]:
        has_script = False
        for command in job.commands(job.rows[0]):
            line = _test_script(command, folder)
            facts.add("test", line, "other CI runs it", command.evidence)
            has_script = has_script or bool(line)
            # Such scripts write what they saw over what was expected: the comparison is the test.
            if has_script and re.match(r"git diff\b.*--(?:exit-code|quiet)", command.raw):
                facts.add("test", command.raw, "other CI compares what the scripts wrote", command.evidence)


def _test_script(command: Command, folder: Folder) -> str:
    """Return the call of a test script that is in the repository, from the folder it expects; else nothing."""
    found = re.fullmatch(r"(?:(?:ba)?sh )?(?:\./)?([\w./-]+\.sh)", command.line)
    if found is None or command.kind != "test":
        return ""
    inside = command.folder.removeprefix(f"{folder.root}/") if folder.root else command.folder
    if not folder.has(f"{inside}/{found.group(1)}" if inside else found.group(1)):
        return ""
    return f"(cd {inside} && {command.line})" if inside else command.line


def _system(folder: Folder, ci: OtherCi) -> str:
    """Return the build system; where there are several, the one other CI calls, else CMake before the others."""
    present = {
        "cmake": folder.has("CMakeLists.txt"),
        "meson": folder.has("meson.build"),
        "autotools": bool(folder.first("configure.ac", "configure.in", "configure")),
        "make": bool(folder.first(*NAMES)) and bool(folder.under(_SOURCES)),
    }
    found = [name for name, there in present.items() if there]
    called = " ".join(command.raw for job in ci.jobs for command in job.commands(job.rows[0]))
    patterns = {
        "cmake": r"\bcmake\b",
        "meson": r"\bmeson\b",
        "autotools": r"\./configure|autoreconf",
        "make": r"\bmake\b",
    }
    used = [name for name in found if re.search(patterns[name], called)]
    return next(iter(used or found), "")


def _add_cmake(facts: Facts, folder: Folder, ci: OtherCi, where: Evidence) -> None:
    facts.add("system_package", "cmake", "CMake builds the project", where)
    preset = _usable_preset(folder, ci)
    if preset:
        _add_preset(facts, folder, preset)
        if preset.test:
            return
    else:
        facts.add("system_package", "make", "CMake writes Makefiles", where)
        options = "".join(f" {option}" for option in _cmake_options(folder, ci))
        facts.add("build", f"cmake -S . -B build{options}", "CMake configures the project", where)
        facts.add("build", "cmake --build build --parallel 4", "CMake builds it", where)
        facts.add("artifact", "build/", "the build writes there", where)
    place = preset.folder if preset else "build"
    if re.search(
        r"enable_testing\s*\(|include\s*\(\s*CTest|add_test\s*\(|(catch|gtest|doctest)_discover",
        _cmake_text(folder),
        re.I,
    ):
        evidence = folder.evidence("CMakeLists.txt", "enable_testing", "CTest", "add_test")
        facts.add("test", f"ctest --test-dir {place} --output-on-failure", "CMake knows the tests", evidence)
        facts.add("test_tool", "ctest", "CMake knows the tests", evidence)


def _usable_preset(folder: Folder, ci: OtherCi) -> Preset | None:
    """Return the preset to build with; what other CI does without presets is not done with one."""
    called = [
        each.raw for job in ci.jobs for each in job.commands(job.rows[0]) if re.search(r"\bc(?:make|test)\b", each.raw)
    ]
    return best_preset(folder, called) if not called or "--preset" in " ".join(called) else None


def _add_preset(facts: Facts, folder: Folder, preset: Preset) -> None:
    where = folder.evidence(PRESETS, f'"name": "{preset.name}"', f'"{preset.name}"')
    for package in preset.packages:
        facts.add("system_package", package, f"the preset {preset.name} builds with it", where)
    facts.add("build", preset.configure, "the project declares this preset", where)
    facts.add("build", preset.build, "CMake builds it", where)
    facts.add("artifact", f"{preset.folder}/", "the preset builds there", where)
    facts.add("test", preset.test, "the project declares this preset for its tests", where)
    facts.add("test_tool", "ctest" if preset.test else "", "of the test command", where)


def _cmake_text(folder: Folder) -> str:
    return "\n".join(
        folder.text(name) for name in ["CMakeLists.txt", *folder.under(r"(?:[\w.-]+/){1,2}CMakeLists\.txt")[:30]]
    )


def _cmake_options(folder: Folder, ci: OtherCi) -> list[str]:
    """Return the options that switch the tests on: those other CI gives, else the project's own that are off."""
    given = [command.raw for job in ci.jobs for command in job.commands(job.rows[0]) if "cmake" in command.raw]
    copied = [
        option for line in given for option in re.findall(r"-D\w*TEST\w*(?::BOOL)?=(?:ON|1|YES|TRUE)\b", line, re.I)
    ]
    if copied:
        return list(dict.fromkeys(copied))[:4]
    off = re.findall(
        r"option\s*\(\s*(\w*TEST\w*)\s+\"[^\"]*\"\s+(?:OFF|\$\{)", folder.text("CMakeLists.txt"), re.IGNORECASE
    )
    wanted = [name for name in off if _PLAIN_OPTION.fullmatch(name) and not _SWITCHES_OFF.match(name)]
    return [f"-D{name}=ON" for name in wanted][:3]


def _add_meson(facts: Facts, folder: Folder, ci: OtherCi, where: Evidence) -> None:
    del ci
    for name in ("meson", "ninja-build", "pkg-config"):
        facts.add("system_package", name, "Meson builds with Ninja", where)
    facts.add("build", "meson setup build", "Meson configures the project", where)
    facts.add("build", "meson compile -C build", "Meson builds it", where)
    facts.add("artifact", "build/", "the build writes there", where)
    text = "\n".join(folder.text(name) for name in ["meson.build", *folder.under(r"[\w.-]+/meson\.build")])
    if re.search(r"\btest\s*\(", text):
        facts.add(
            "test",
            "meson test -C build --print-errorlogs",
            "Meson knows the tests",
            folder.evidence("meson.build", "test("),
        )
        facts.add("test_tool", "meson", "Meson knows the tests", where)


def _add_autotools(facts: Facts, folder: Folder, ci: OtherCi, where: Evidence) -> None:
    del ci
    for name in ("make", "autoconf", "automake", "libtool", "pkg-config"):
        facts.add("system_package", name, "the build is made by autotools", where)
    if not folder.has("configure"):
        script = folder.first("autogen.sh", "bootstrap", "bootstrap.sh")
        line = f"sh ./{script}" if script else "autoreconf --force --install"
        facts.add("build", line, "configure has to be made first", where)
    facts.add("build", "./configure", "it looks at the system", where)
    facts.add("build", "make -j4", "make builds it", where)
    facts.add("test", "make check", "autotools always make this target", where, confidence=0.8)
    facts.add("test_tool", "make", "autotools always make this target", where, confidence=0.8)


def _add_make(facts: Facts, folder: Folder, ci: OtherCi, where: Evidence) -> None:
    known = recipes(folder)
    file = folder.first(*NAMES)
    facts.add("system_package", "make", "there is a Makefile", where)
    runs = all_commands(ci.runs("cpp", "", folder.root))
    built = next((command for command in runs if re.fullmatch(r"make( all)?( -j\S*)?", command.line)), None)
    default = "make all" if "all" in known and next(iter(known)) != "all" else "make"
    facts.add("build", built.line if built else default, "the Makefile builds it", built.evidence if built else where)
    in_ci = [
        command for command in runs if command.kind == "test" and re.match(r"make( -\S+)*( [\w-]+)+$", command.line)
    ]
    for command in in_ci[:3]:
        facts.add("test", command.line, "other CI runs it", command.evidence)
    targets = [name for name in _TEST_TARGETS if name in known]
    if not in_ci and targets:
        facts.add(
            "test",
            f"make {targets[0]}",
            "the Makefile has the target",
            folder.evidence(file, f"{targets[0]}:"),
            confidence=0.9,
        )
    if not facts.first("test"):
        _add_test_program(facts, folder, file, known)
    if facts.first("test"):
        facts.add("test_tool", "make", "the Makefile runs the tests", folder.evidence(file))
    used = "".join(
        known.get(name, "") for name in {"all", *targets, *re.findall(r"[\w-]+", " ".join(facts.all("test")))}
    )
    if re.search(r"\bpython", folder.text(file) if "python" in used else ""):
        for package in ("python3", "python-is-python3"):
            facts.add("system_package", package, "the Makefile calls Python", folder.evidence(file, "python"))


def _add_test_program(facts: Facts, folder: Folder, file: str, known: dict[str, str]) -> None:
    """Run the test program that `make` builds when there is no target for it."""
    name = next((each for each in known if re.fullmatch(r"\w+[-_]test|test[-_]\w+|unit[-_]?tests?", each)), "")
    if name:
        where = folder.evidence(file, f"{name}:")
        line = "make" if name in known.get("all", "").split("\n")[0].split() else f"make {name}"
        facts.add("test", line, "the Makefile builds a test program", where, confidence=0.7)
        facts.add("test", f"./{name}", "the test program tells by its exit code", where, confidence=0.7)
