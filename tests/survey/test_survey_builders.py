"""Builds that declare their own ways: presets of CMake, Mill, and charts with chart-testing."""

import json

import pytest

from bot.domain import Snapshot, Unit
from bot.survey.presets import best_preset
from bot.survey.report import survey
from bot.survey.tree import Folder, Tree
from bot.survey.wanted import wanted_paths


def unit_of(files: dict[str, str], **more: bool) -> Unit:
    (unit,) = survey(Snapshot(paths=tuple(sorted(files)), texts=files), **more).units
    return unit


def workflow(*commands: str) -> dict[str, str]:
    steps = "".join(f"      - run: {command}\n" for command in commands)
    text = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"
    return {".github/workflows/ci.yml": text}


def presets(*configure: dict[str, object], version: int = 6, **more: object) -> str:
    return json.dumps({"version": version, "configurePresets": list(configure), **more})


BASE = {"name": "base", "hidden": True, "generator": "Ninja", "binaryDir": "${sourceDir}/out/${presetName}"}
LINUX = {"type": "equals", "lhs": "${hostSystemName}", "rhs": "Linux"}
WINDOWS = {"type": "equals", "lhs": "${hostSystemName}", "rhs": "Windows"}
GCC = {"name": "gcc", "inherits": "base", "cacheVariables": {"CMAKE_CXX_COMPILER": "g++"}}
SOURCES = {"CMakeLists.txt": "project(a)\nenable_testing()\n", "a.cpp": "int main() {}\n"}


def test_a_preset_configures_builds_and_tests() -> None:
    text = presets(
        BASE,
        {**GCC, "condition": LINUX},
        buildPresets=[{"name": "make-it", "configurePreset": "gcc"}],
        testPresets=[{"name": "try-it", "configurePreset": "gcc"}],
    )
    unit = unit_of({**SOURCES, "CMakePresets.json": text})
    assert list(unit.all("build")) == ["cmake --preset gcc", "cmake --build --preset make-it --parallel 4"]
    assert list(unit.all("test")) == ["ctest --preset try-it --output-on-failure"]
    assert "ninja-build" in unit.all("system_package")
    assert unit.first("artifact") == "out/gcc/"


def test_without_presets_for_building_and_testing_the_folder_of_the_preset_is_used() -> None:
    unit = unit_of({**SOURCES, "CMakePresets.json": presets(BASE, GCC)})
    assert list(unit.all("build")) == ["cmake --preset gcc", "cmake --build out/gcc --parallel 4"]
    assert list(unit.all("test")) == ["ctest --test-dir out/gcc --output-on-failure"]


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("another system", {**GCC, "condition": WINDOWS}),
        ("a negated condition", {**GCC, "condition": {"type": "not", "condition": LINUX}}),
        ("an unset variable", {**GCC, "condition": {"type": "equals", "lhs": "$env{CI}", "rhs": "true"}}),
        ("Visual Studio", {**GCC, "generator": "Visual Studio 17 2022"}),
        ("a compiler that no image brings", {**GCC, "cacheVariables": {"CMAKE_CXX_COMPILER": "cl"}}),
        ("a toolchain of somebody's machine", {**GCC, "toolchainFile": "$env{VCPKG_ROOT}/scripts/vcpkg.cmake"}),
        ("a folder outside", {**GCC, "binaryDir": "${sourceDir}/../out"}),
        ("no folder", {"name": "bare", "generator": "Ninja"}),
    ],
)
def test_what_cannot_work_here_is_not_used(name: str, entry: dict[str, object]) -> None:
    unit = unit_of({**SOURCES, "CMakePresets.json": presets(BASE, entry)})
    assert unit.all("build")[0] == "cmake -S . -B build", name


def test_presets_of_a_newer_cmake_or_broken_ones_are_not_used() -> None:
    for text in (presets(BASE, GCC, version=99), "{", "[]", '{"version": 6, "configurePresets": 3}'):
        assert unit_of({**SOURCES, "CMakePresets.json": text}).all("build")[0] == "cmake -S . -B build"


def test_presets_that_inherit_each_other_end() -> None:
    text = presets({"name": "a", "inherits": "b"}, {"name": "b", "inherits": ["a"]})
    assert unit_of({**SOURCES, "CMakePresets.json": text}).all("build")[0] == "cmake -S . -B build"


def test_the_preset_that_other_ci_calls_wins_and_one_of_included_files_counts() -> None:
    files = {
        **SOURCES,
        "CMakePresets.json": json.dumps(
            {"version": 6, "include": ["more/presets.json"], "configurePresets": [BASE, GCC]}
        ),
        "more/presets.json": presets({"name": "release", "inherits": "base"}),
        **workflow("cmake --preset release"),
    }
    folder = Folder(Tree(Snapshot(paths=tuple(files), texts=files)), "")
    assert best_preset(folder, []).name == "gcc"
    assert unit_of(files).all("build")[0] == "cmake --preset release"
    assert unit_of(files, ignore_existing_ci=True).all("build")[0] == "cmake --preset gcc"


def test_what_other_ci_does_without_presets_is_done_without() -> None:
    files = {**SOURCES, "CMakePresets.json": presets(BASE, GCC), **workflow("cmake -B build", "cmake --build build")}
    assert unit_of(files).all("build")[0] == "cmake -S . -B build"


def test_a_preset_for_sanitizers_is_not_the_first_choice() -> None:
    text = presets(BASE, {**GCC, "name": "asan"}, {**GCC, "name": "plain"})
    assert unit_of({**SOURCES, "CMakePresets.json": text}).all("build")[0] == "cmake --preset plain"


MILL = (
    "//| mill-version: 1.0.6\n//| mill-jvm-version: 17\nimport mill.*, scalalib.*\nobject app extends ScalaModule {\n"
)


def test_mill_with_its_launcher() -> None:
    files = {"build.mill": f"{MILL}  object test extends ScalaTests\n}}\n", "mill": "#!/bin/sh\n"}
    unit = unit_of(files)
    assert (unit.ecosystem, unit.first("package_manager"), unit.first("language")) == ("java", "mill", "scala")
    assert (unit.first("package_manager_version"), unit.first("version")) == ("1.0.6", "17")
    assert list(unit.all("test")) == ["./mill -i __.test"]
    assert list(unit.all("install")) == []


def test_mill_without_a_launcher_is_fetched_in_its_version() -> None:
    unit = unit_of({"build.mill": f"{MILL}}}\n"})
    assert "-Dartifact=com.lihaoyi:mill-dist:1.0.6:sh:mill " in unit.first("install")
    assert unit.first("install").endswith("&& mv mill-dist-1.0.6-mill.sh mill && chmod +x mill")
    old = unit_of(
        {"build.sc": "import mill._, scalalib._\nobject a extends ScalaModule {}\n", ".mill-version": "0.11.7"}
    )
    assert "/releases/download/0.11.7/0.11.7-assembly" in old.first("install")


def test_an_old_mill_runs_on_a_jdk_of_its_time() -> None:
    files = {"build.sc": "import mill._\nobject a extends ScalaModule\n", ".mill-version": "0.9.6", "mill": ""}
    unit = unit_of(files)
    (version,) = [fact for fact in unit.facts if fact.name == "version"]
    assert version.value == "11"
    assert version.evidence[0].path == ".mill-version"


def test_mill_is_checked_by_scalafmt_only_where_the_build_mixes_it_in() -> None:
    files = {"build.mill": f"{MILL}}}\n", ".scalafmt.conf": "version = 3\n", "mill": ""}
    assert list(unit_of(files).all("lint")) == []
    files["build.mill"] = files["build.mill"].replace("extends ScalaModule", "extends ScalaModule, ScalafmtModule")
    assert list(unit_of(files).all("lint")) == ["./mill -i __.checkFormat"]


def test_what_other_ci_asks_of_mill_is_taken_over() -> None:
    files = {"build.mill": f"{MILL}}}\n", "mill": "", **workflow("./mill -i -k __.jvm.test", "./mill __.checkFormat")}
    unit = unit_of(files)
    assert list(unit.all("test")) == ["./mill -i -k __.jvm.test"]
    assert list(unit.all("lint")) == ["./mill __.checkFormat"]


def test_a_build_sc_of_something_else_is_no_mill() -> None:
    files = {"build.sc": "println(1)\n", "README.md": "x"}
    assert all(
        unit.first("package_manager") != "mill" for unit in survey(Snapshot(paths=tuple(files), texts=files)).units
    )


CHART = "apiVersion: v2\nname: a\nversion: 0.1.0\n"


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"ct.yaml": "chart-dirs: [charts]\n"}, "ct lint --all --validate-maintainers=false"),
        ({".github/ct.yaml": ""}, "ct lint --all --validate-maintainers=false --config .github/ct.yaml"),
        ({"ct.yaml": "chart-dirs: [other]\n"}, "ct lint --charts charts/a --validate-maintainers=false"),
        (
            workflow("ct lint --target-branch main"),
            "ct lint --all --validate-maintainers=false",
        ),
        ({}, "helm lint charts/a"),
    ],
)
def test_charts_are_linted_by_chart_testing_where_it_is_set_up(more: dict[str, str], line: str) -> None:
    unit = unit_of({"charts/a/Chart.yaml": CHART, **more})
    assert list(unit.all("lint")) == [line]
    assert list(unit.all("test")) == ["helm template charts/a > /dev/null"]


def test_their_files_are_read() -> None:
    paths = (
        "CMakePresets.json",
        "build.mill",
        "build.sc",
        ".mill-version",
        "ct.yaml",
        ".scalafmt.conf",
        "mill",
        "a.json",
    )
    assert set(paths) - set(wanted_paths(paths)) == {"a.json"}
