"""Go, Rust, Java, C and C++, Docker and static sites."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Unit

Look = Callable[[Mapping[str, str]], Unit]

CASES = [
    pytest.param(
        {"go.mod": "module a\n\ngo 1.20\n", "a_test.go": ""},
        {
            "ecosystem": "go",
            "version": "1.27",
            "version_floor": "1.20",
            "test": "go test ./...",
            "build": "go build ./...",
        },
        id="a Go module",
    ),
    pytest.param(
        {"go.mod": "module a\n", "go.sum": "", ".golangci.yml": "version: '2'\n"},
        {
            "install": "go mod download",
            "lint": "golangci-lint run",
            "lint_install": "go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0",
        },
        id="golangci-lint 2 by its configuration",
    ),
    pytest.param(
        {"go.mod": "module a\n", ".golangci.yml": "linters:\n"},
        {"lint_install": "go install github.com/golangci/golangci-lint/cmd/golangci-lint@v1.64.8"},
        id="golangci-lint 1 by its configuration",
    ),
    pytest.param(
        {"go.mod": "module a\n", "main.go": 'func main() { http.ListenAndServe(":8080", nil) }\n'},
        {"deployable": "yes", "port": "8080", "start": "go run ."},
        id="a Go program that listens",
    ),
    pytest.param({"go.mod": "module a\n", "main.go": "func main() {}\n"}, {"deployable": None}, id="a Go tool"),
    pytest.param(
        {"go.mod": "module a\n", "main.go": "func main() {\n\tr := gin.Default()\n\tr.Run()\n}\n"},
        {"deployable": "yes", "port": "8080", "start": "go run ."},
        id="a Go framework on its usual port",
    ),
    pytest.param(
        {"go.mod": "module a\n", "cmd/b/main.go": 'port := "9000"\nhttp.ListenAndServe(":"+port, nil)\n'},
        {"deployable": "yes", "port": "9000", "start": "go run ./cmd/b"},
        id="a Go program whose port has a fallback",
    ),
    pytest.param(
        {"go.mod": "module a\n", "main.go": 'func main() { exec.Command("git").Run() }\n'},
        {"deployable": None},
        id="a Go tool that runs others",
    ),
    pytest.param(
        {"Cargo.toml": '[package]\nname = "a"\nrust-version = "1.68"\n', "Cargo.lock": "", "src/main.rs": ""},
        {"version": "1.98", "version_floor": "1.68", "test": "cargo test --locked", "artifact": "target/release/a"},
        id="a Rust program",
    ),
    pytest.param(
        {"Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n', "crates/a/Cargo.toml": '[package]\nname = "a"\n'},
        {"test": "cargo test --workspace", "build": "cargo build --workspace"},
        id="a Rust workspace is one unit",
    ),
    pytest.param(
        {"Cargo.toml": "[package]\n", "rust-toolchain.toml": '[toolchain]\nchannel = "1.75.0"\n'},
        {"version": "1.75.0"},
        id="a pinned Rust toolchain",
    ),
    pytest.param(
        {"Cargo.toml": "[package]\n", "Cargo.lock": '[[package]]\nname = "openssl-sys"\n'},
        {"system_package": "pkg-config"},
        id="a crate that needs a system library",
    ),
    pytest.param(
        {
            "pom.xml": "<project><properties><java.version>17</java.version></properties></project>",
            "mvnw": "",
            "src/test/java/ATest.java": "",
        },
        {
            "version": "17",
            "wrapper": "./mvnw",
            "install": "chmod +x mvnw",
            "test": "./mvnw --batch-mode --no-transfer-progress test",
        },
        id="Maven with its wrapper",
    ),
    pytest.param(
        {"pom.xml": "<project><maven.compiler.source>1.8</maven.compiler.source></project>"},
        {"version": "11", "version_floor": "8"},
        id="Java 8 is compiled by JDK 11",
    ),
    pytest.param(
        {"pom.xml": "<project/>", "src/main/java/A.java": ""},
        {"test": None, "build": "mvn --batch-mode --no-transfer-progress package -DskipTests"},
        id="Maven without any test",
    ),
    pytest.param(
        {"pom.xml": "<project/>", "core/pom.xml": "<project/>"},
        {"ecosystem": "java", "package_manager": "maven"},
        id="a Maven reactor is one unit",
    ),
    pytest.param(
        {
            "build.gradle": "java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }\n",
            "gradlew": "",
            "lib/src/test/java/ATest.java": "",
            "gradle/wrapper/gradle-wrapper.properties": "distributionUrl=https\\://x/gradle-7.4-bin.zip\n",
        },
        {"version": "17", "wrapper": "./gradlew", "test": "./gradlew check --no-daemon"},
        id="the JDK cannot be newer than the Gradle wrapper allows",
    ),
    pytest.param(
        {
            "build.gradle.kts": 'plugins { kotlin("jvm") version "2" }\nkotlin { jvmToolchain(21) }\n',
            "src/commonTest/kotlin/ATest.kt": "",
        },
        {"language": "kotlin", "version": "21", "test": "gradle check --no-daemon"},
        id="Kotlin on Gradle",
    ),
    pytest.param(
        {"CMakeLists.txt": 'project(a)\noption(A_TESTS "build tests" OFF)\nenable_testing()\n', "a.cpp": ""},
        {
            "language": "cpp",
            "build": "cmake -S . -B build -DA_TESTS=ON",
            "test": "ctest --test-dir build --output-on-failure",
        },
        id="CMake with its tests switched on",
    ),
    pytest.param(
        {"Makefile": "all: a\n\ncheck: a\n\t./a\n", "a.c": ""},
        {"language": "c", "build": "make", "test": "make check", "test_tool": "make"},
        id="a Makefile with a check target",
    ),
    pytest.param(
        {"Makefile": "all: a-test\n\na-test: a.c\n\tcc a.c\n", "a.c": ""},
        {"test": "make"},
        id="a Makefile that only builds its test program",
    ),
    pytest.param(
        {"meson.build": "project('a', 'c')\nsubdir('tests')\n", "tests/meson.build": "test('a', exe)\n", "a.c": ""},
        {"package_manager": "meson", "test": "meson test -C build --print-errorlogs"},
        id="Meson with tests in a subfolder",
    ),
    pytest.param(
        {"configure.ac": "AC_INIT\n", "Makefile.am": "", "a.c": ""},
        {"package_manager": "autotools", "build": "autoreconf --force --install", "test": "make check"},
        id="autotools",
    ),
    pytest.param(
        {"Dockerfile": "FROM golang:1.22 AS build\nFROM build\nEXPOSE 80\n"},
        {"ecosystem": "docker", "dockerfile": "Dockerfile", "base_image": "golang:1.22", "port": "80"},
        id="a Dockerfile and nothing else",
    ),
    pytest.param({"index.html": "<html>"}, {"ecosystem": "static", "framework": "html"}, id="a page and nothing else"),
]


@pytest.mark.parametrize(("files", "expected"), CASES)
def test_facts(unit_of: Look, files: dict[str, str], expected: dict[str, str | None]) -> None:
    unit = unit_of(files)
    found = {name: unit.ecosystem if name == "ecosystem" else unit.first(name) for name in expected}
    assert found == expected


def test_apache_rat_asks_for_a_licence(unit_of: Look) -> None:
    pom = "<project><build><defaultGoal>verify apache-rat:check</defaultGoal></build></project>"
    assert unit_of({"pom.xml": pom, "src/test/java/ATest.java": ""}).first("licence") == "Apache-2.0"
    assert unit_of({"pom.xml": "<project/>", "src/test/java/ATest.java": ""}).first("licence") is None
