"""What a Dockerfile may fetch before the sources come, and the one program that a C or C++ build makes."""

import pytest

from bot.domain import Snapshot
from bot.survey.report import survey

CRATE = '[package]\nname = "shop"\nversion = "1.0.0"\nedition = "2021"\n\n[dependencies]\naxum = "0.8"\n'
LOCKED = {"Cargo.lock": "version = 4\n", "src/main.rs": "fn main() {}\n"}
POM = (
    "<project><artifactId>shop</artifactId><parent><groupId>org.springframework.boot</groupId>"
    "<artifactId>spring-boot-starter-parent</artifactId><relativePath/></parent>"
    "<build><plugins><plugin><artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build>{}</project>"
)
GRADLE = "plugins { id 'org.springframework.boot' version '3.5.0'; id 'java' }\n"
WEB = '<Project Sdk="Microsoft.NET.Sdk.Web">{}</Project>'
LIB = '<Project Sdk="Microsoft.NET.Sdk"></Project>'
REFERENCE = '<ItemGroup><ProjectReference Include="..\\Lib\\Lib.csproj" /></ItemGroup>'


def facts(files: dict[str, str], name: str, root: str = "") -> list[str]:
    placed = {f"{root}/{path}" if root else path: text for path, text in files.items()}
    found = survey(Snapshot(paths=tuple(sorted(placed)), texts=placed))
    return [value for unit in found.units for value in unit.all(name)]


@pytest.mark.parametrize(
    ("files", "early"),
    [
        pytest.param({"Cargo.toml": CRATE, **LOCKED}, ["Cargo.toml", "Cargo.lock"], id="a crate"),
        pytest.param(
            {"Cargo.toml": CRATE + '[[bin]]\nname = "x"\npath = "x.rs"\n', **LOCKED}, [], id="its own targets"
        ),
        pytest.param({"Cargo.toml": CRATE + 'own = { path = "own" }\n', **LOCKED}, [], id="a crate beside it"),
        pytest.param({"Cargo.toml": CRATE, "src/main.rs": ""}, [], id="no lock"),
        pytest.param(
            {"pom.xml": POM.format(""), ".mvn/maven.config": "-B\n"}, ["pom.xml", ".mvn/maven.config"], id="Maven"
        ),
        pytest.param({"pom.xml": POM.format("<modules><module>a</module></modules>")}, [], id="a reactor"),
        pytest.param(
            {"build.gradle": GRADLE, "gradlew": "", "src/A.java": ""}, ["build.gradle", "gradlew"], id="Gradle"
        ),
        pytest.param({"build.gradle": GRADLE, "buildSrc/build.gradle": ""}, [], id="its own build code"),
        pytest.param(
            {"Shop.sln": "x", "Web/Web.csproj": WEB.format(REFERENCE), "Lib/Lib.csproj": LIB, "Other/O.csproj": LIB},
            ["Web/Web.csproj", "Lib/Lib.csproj"],
            id="what a .NET project refers to",
        ),
        pytest.param({"pom.xml": "<project><artifactId>a</artifactId></project>"}, [], id="a library"),
    ],
)
def test_files_that_suffice_to_fetch_dependencies(files: dict[str, str], early: list[str]) -> None:
    assert facts(files, "early_file") == early


def test_they_are_named_relative_to_the_part(tmp_path) -> None:
    assert facts({"Cargo.toml": CRATE, **LOCKED}, "early_file", "api") == ["Cargo.toml", "Cargo.lock"]


@pytest.mark.parametrize(
    ("cmake", "start", "deployable"),
    [
        pytest.param("add_executable(shop src/a.cpp)\n", ["build/shop"], [], id="one program"),
        pytest.param(
            "add_executable(shop src/a.cpp)\ntarget_link_libraries(shop Crow::Crow)\n",
            ["build/shop"],
            ["yes"],
            id="a server",
        ),
        pytest.param("add_executable(a a.cpp)\nadd_executable(b b.cpp)\n", [], [], id="two"),
        pytest.param("add_library(shop a.cpp)\nadd_executable(shop_test a.cpp)\n", [], [], id="a library with tests"),
        pytest.param(
            "set(CMAKE_RUNTIME_OUTPUT_DIRECTORY out)\nadd_executable(shop a.cpp)\n", [], [], id="written elsewhere"
        ),
    ],
)
def test_the_one_program_of_a_build(cmake: str, start: list[str], deployable: list[str]) -> None:
    files = {"CMakeLists.txt": f"project(x)\n{cmake}", "src/a.cpp": "int main() {}\n"}
    assert (facts(files, "start"), facts(files, "deployable")) == (start, deployable)


def test_a_meson_program_is_found_where_it_is_built() -> None:
    files = {"meson.build": "project('x', 'c')\nsubdir('src')\n", "src/meson.build": "executable('shop', 'a.c')\n"}
    assert facts({**files, "src/a.c": "int main() {}\n"}, "start") == ["build/src/shop"]


@pytest.mark.parametrize(
    ("main", "port"),
    [
        pytest.param('bind("0.0.0.0:8080").await', "8080", id="an address"),
        pytest.param('bind(("0.0.0.0", 4000))', "4000", id="a host and a port"),
        pytest.param("SocketAddr::from(([0, 0, 0, 0], 5000));", "5000", id="numbers"),
        pytest.param('let port = env::var("PORT")\n    .unwrap_or("7000".to_string());', "7000", id="a default"),
        pytest.param('call("redis://127.0.0.1:6379");\nlet db_port = 5432;', "3000", id="where others listen"),
        pytest.param('// bind("0.0.0.0:9999")\nrun().await', "3000", id="what a comment says"),
    ],
)
def test_a_rust_program_listens_where_its_source_says(main: str, port: str) -> None:
    assert facts({"Cargo.toml": CRATE, "src/main.rs": main}, "port") == [port]


@pytest.mark.parametrize(
    ("main", "port"),
    [
        pytest.param('server.listen("0.0.0.0", 8080);', ["8080"], id="cpp-httplib"),
        pytest.param("app.port(18080).run();", ["18080"], id="Crow"),
        pytest.param('auto port = 8888;\napp().addListener("0.0.0.0", port);', ["8888"], id="Drogon"),
        pytest.param("#define PORT 7777\nMHD_start_daemon(0, PORT, 0);", ["7777"], id="libmicrohttpd"),
        pytest.param('mg_http_listen(&manager, "http://0.0.0.0:8000", f, 0);', ["8000"], id="Mongoose"),
        pytest.param("app.loadConfigFile(path).run();", [], id="nothing"),
    ],
)
def test_a_server_in_cpp_listens_where_its_source_says(main: str, port: list[str]) -> None:
    cmake = "project(x)\nadd_executable(shop src/main.cc)\ntarget_link_libraries(shop Drogon::Drogon)\n"
    assert facts({"CMakeLists.txt": cmake, "src/main.cc": main}, "port") == port
    assert facts({"CMakeLists.txt": cmake.replace("Drogon", "fmt"), "src/main.cc": main}, "port") == []


@pytest.mark.parametrize(("kind", "deployable"), [("project", ["yes"]), ("", ["yes"]), ("library", [])])
def test_a_front_door_makes_an_application_of_what_is_no_library(kind: str, deployable: list[str]) -> None:
    declared = f'{{"type": "{kind}"}}' if kind else '{"autoload": {}}'
    files = {"composer.json": declared, "public/index.php": "<?php\n"}
    assert facts(files, "deployable") == deployable


@pytest.mark.parametrize("root", ["", "api"])
def test_what_a_server_reads_while_it_runs_is_named(root: str) -> None:
    read = {"Rocket.toml": "", "static/css/a.css": "", "templates/a.tera": "", "statics/b.css": ""}
    assert facts({"Cargo.toml": CRATE, **LOCKED, **read}, "runtime_file", root) == [
        "Rocket.toml",
        "static/",
        "templates/",
    ]
    library = {"Cargo.toml": CRATE.replace("axum", "serde"), **LOCKED, **read}
    assert facts(library, "runtime_file", root) == []
