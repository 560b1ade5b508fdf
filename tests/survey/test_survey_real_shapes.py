"""Shapes that real repositories have: checks spread over jobs, nested matrices, several gems, wrapped tools."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Unit

Look = Callable[[Mapping[str, str]], Unit]

HEAD = "on: push\njobs:\n"
MIX = {"mix.exs": "defmodule A do\nend\n", "test/a_test.exs": ""}
COMPOSER = '{"require": {"php": ">=8.3"}, "require-dev": {"phpunit/phpunit": "^12", "acme/coding-standard": "^1"}}'
DOTNET = {
    "A.sln": "",
    "test/A.csproj": '<Project Sdk="Microsoft.NET.Sdk"><PackageReference Include="xunit" /></Project>',
}
NODE = {
    "package.json": '{"scripts": {"build": "tsc", "test:unit": "node --test", "test": "npm run test:unit"}}',
    "package-lock.json": "{}",
}
DENO = {
    "deno.json": '{"tasks": {"coverage": "deno coverage --lcov ./cov", "test:coverage": "deno test --coverage=./cov"}}'
}
RUST = {"Cargo.toml": '[package]\nname = "a"\n'}
PAIRS = """\
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        include:
        - pair: {elixir: "1.15", otp: "24"}
        - pair: {elixir: "1.19", otp: "28"}
          lint: lint
    steps:
    - uses: erlef/setup-beam@v1
      with:
        elixir-version: ${{ matrix.pair.elixir }}
    - run: mix format --check-formatted
      if: ${{ matrix.lint }}
    - run: mix compile --warnings-as-errors
      if: ${{ matrix.lint }}
    - run: mix credo
      if: ${{ !matrix.lint }}
    - run: mix test
"""
MESON = """project('a', 'c')
zlib = dependency('zlib')
cap = dependency('libcap', required : true)
selinux = dependency('libselinux', required: get_option('selinux'))
"""
MESON_TOOLS = ("gcc", "meson", "ninja-build", "pkg-config")
CMAKE = """project(a)
find_package(OpenSSL 3 REQUIRED)
find_package(Doxygen)
pkg_check_modules(X REQUIRED glib-2.0>=2.5 libxml-2.0)
# find_package(Boost REQUIRED)
"""
WITH_DATABASE = {
    ".github/workflows/ci.yml": HEAD
    + """\
  a:
    runs-on: ubuntu-latest
    services:
      db: {image: "postgres:16"}
    steps:
    - run: mix test
"""
}
JDK = (
    HEAD
    + """\
  a:
    runs-on: ubuntu-latest
    steps:
    - uses: actions/setup-java@v5
      with: {java-version-file: ci/.java-version}
    - run: gradle check
"""
)
TURBO = """{"workspaces": ["packages/*"], "devDependencies": {"turbo": "2"}, "scripts": {"build": "turbo run build",
"lint": "turbo run lint", "lint:fix": "turbo run lint -- --fix", "typecheck": "turbo run typecheck"}}"""


def workflow(*lines: str) -> dict[str, str]:
    """Return a workflow with one step that runs these lines."""
    script = "".join(f"        {line}\n" for line in lines)
    return {".github/workflows/ci.yml": f"{HEAD}  a:\n    runs-on: ubuntu-latest\n    steps:\n    - run: |\n{script}"}


def jobs(*lines: str) -> dict[str, str]:
    """Return a workflow in which each line has a job of its own."""
    job = "  job{}:\n    runs-on: ubuntu-latest\n    steps:\n    - run: {}\n"
    return {".github/workflows/ci.yml": HEAD + "".join(job.format(at, line) for at, line in enumerate(lines))}


@pytest.mark.parametrize(
    ("files", "name", "values"),
    [
        pytest.param(
            {**MIX, ".github/workflows/ci.yml": HEAD + PAIRS},
            "lint",
            ("mix format --check-formatted", "mix compile --warnings-as-errors"),
            id="steps that hang on a cell of the matrix",
        ),
        pytest.param({**MIX, ".github/workflows/ci.yml": HEAD + PAIRS}, "version", ("1.19",), id="a nested matrix"),
        pytest.param(
            {"composer.json": COMPOSER, "phpcs.xml.dist": "", "phpunit.xml": ""},
            "lint",
            ("vendor/bin/phpcs",),
            id="a coding standard of one's own brings phpcs",
        ),
        pytest.param(
            {"composer.json": COMPOSER, "phpcs.xml.dist": ""}
            | jobs("composer validate --strict", "make phpcs FLAGS='-q | cs2pr'", "vendor/bin/phpstan analyse"),
            "lint",
            ("composer validate --strict", "vendor/bin/phpstan analyse", "vendor/bin/phpcs"),
            id="each check in a job of its own",
        ),
        pytest.param(
            {"composer.json": '{"require": {"symfony/framework-bundle": "^7"}}'},
            "lint",
            ("composer validate --no-check-publish",),
            id="a package without tests is at least sound",
        ),
        pytest.param(
            {"a.gemspec": "", "a-rails.gemspec": "", "Gemfile": "gemspec\n", "Rakefile": "task default: []\n"},
            "build",
            ("gem build a-rails.gemspec", "gem build a.gemspec"),
            id="two gems",
        ),
        pytest.param({"Dockerfile": "FROM debian:trixie\n"}, "build", ("docker build .",), id="a Dockerfile alone"),
        pytest.param(
            DOTNET
            | jobs('dotnet test --no-build --filter Category!=Slow --logger trx --collect "XPlat Code Coverage"'),
            "test",
            ("dotnet test --filter Category!=Slow",),
            id="what other CI leaves out of the tests",
        ),
        pytest.param(
            {
                "package.json": '{"scripts": {"test": "bats test"}}',
                "load.bash": "",
                "src/a.bash": "",
                "test/a.bats": "",
            },
            "lint",
            ("git ls-files -z '*.sh' '*.bash' | xargs -0 shellcheck --severity=error",),
            id="shell that npm fetches bats for",
        ),
        pytest.param(
            RUST | jobs("cargo test --no-run", "cargo hack test --each-feature --workspace"),
            "test",
            ("cargo hack test --each-feature --workspace",),
            id="each feature on its own",
        ),
        pytest.param(
            RUST | workflow("cargo test --no-run", "cargo test --release"),
            "test",
            ("cargo test --no-run", "cargo test --release"),
            id="tests are compiled before they are run",
        ),
        pytest.param(
            NODE | workflow("npm run build", "npm run test:unit"),
            "test",
            ("npm run test:unit",),
            id="a build is no test",
        ),
        pytest.param(
            NODE | workflow("npm run build", "npm run test:unit"),
            "prepare",
            ("npm run build",),
            id="what other CI builds before it tests",
        ),
        pytest.param(
            DENO | workflow("deno task test:coverage", "deno task coverage"),
            "test",
            ("deno task test:coverage",),
            id="a report of the coverage is no test",
        ),
        pytest.param(
            {"main.tf": "", "versions.tf": ""},
            "lint",
            ("terraform fmt -check -recursive -diff", "terraform validate"),
            id="validation runs nothing, so it is no test",
        ),
        pytest.param(
            {"charts/a/Chart.yaml": "name: a\n"},
            "build",
            ("helm package charts/a --destination dist",),
            id="a folder of charts is there to be published",
        ),
        pytest.param(
            {"deploy/a/Chart.yaml": "name: a\n"}, "build", (), id="a chart that is installed from where it is"
        ),
        pytest.param(
            {"Dockerfile": "FROM golang:1.17\nRUN go mod init a && go install\n", "main.go": "package main\n"},
            "package_manager",
            ("go",),
            id="a Go program whose Dockerfile makes up its module",
        ),
        pytest.param(
            RUST | jobs("cargo hack test --each-feature"),
            "prepare",
            ("cargo install cargo-hack@0.6.46 --locked",),
            id="what runs each feature has to be installed",
        ),
        pytest.param(
            RUST | jobs("cargo hack test --feature-powerset"), "test", ("cargo test",), id="not every set of features"
        ),
        pytest.param(
            {"main.tf": 'terraform { required_version = ">= 1.14" }\n'},
            "install",
            ("terraform init -backend=false -input=false",),
            id="providers are installed",
        ),
        pytest.param(
            {"meson.build": MESON, "a.c": ""},
            "system_package",
            (*MESON_TOOLS, "zlib1g-dev", "libcap-dev"),
            id="libraries that a build insists on",
        ),
        pytest.param(
            {"CMakeLists.txt": CMAKE, "a.c": "", "src/CMakeLists.txt": "find_package(ZLIB REQUIRED)\n"},
            "system_package",
            ("gcc", "cmake", "make", "libglib2.0-dev", "libxml2-dev", "libssl-dev", "zlib1g-dev"),
            id="libraries that CMake requires",
        ),
        pytest.param(
            {"CMakeLists.txt": "project(x)\nfind_package(civetweb CONFIG REQUIRED)\nfind_package(Poco)\n", "a.c": ""},
            "system_package",
            ("gcc", "cmake", "make", "libcivetweb-dev"),
            id="a library for servers that CMake requires",
        ),
        pytest.param(
            {"CMakeLists.txt": "project(x)\nfind_package(Drogon CONFIG REQUIRED)\n", "a.c": ""},
            "system_package",
            (
                *("gcc", "cmake", "make", "libdrogon-dev", "libjsoncpp-dev", "uuid-dev", "zlib1g-dev", "libssl-dev"),
                *("libpq-dev", "libsqlite3-dev", "libbrotli-dev", "default-libmysqlclient-dev", "libhiredis-dev"),
                "libyaml-cpp-dev",
            ),
            id="a library with what its package leaves out",
        ),
        pytest.param(
            {
                "configure.ac": "AC_INIT\nPKG_CHECK_MODULES([G], [glib-2.0 >= 2.50 sqlite3])\n"
                "PKG_CHECK_MODULES(X, x11, yes, no)\n",
                "a.c": "",
            },
            "system_package",
            ("gcc", "make", "autoconf", "automake", "libtool", "pkg-config", "libglib2.0-dev", "libsqlite3-dev"),
            id="libraries that autoconf asks pkg-config for",
        ),
        pytest.param(
            {**MIX, "mix.exs": 'defp deps do [{:postgrex, "> 0"}] end', **WITH_DATABASE},
            "service",
            ("postgres:16",),
            id="one database is enough",
        ),
        pytest.param(
            {"setup.py": "", "scripts/test": "", "scripts/lint": "", "tests/test_a.py": ""}
            | jobs("scripts/lint", "./scripts/test"),
            "test",
            ("./scripts/test",),
            id="a script called test",
        ),
        pytest.param(
            {"setup.py": "", "scripts/test": "", "scripts/lint": "", "tests/test_a.py": ""}
            | jobs("scripts/lint", "./scripts/test"),
            "lint",
            ("scripts/lint",),
            id="a script called lint",
        ),
        pytest.param(
            {"setup.py": "", "tests/test_a.py": ""} | workflow("./server &", "./scripts/test-api.sh"),
            "test",
            ("pytest",),
            id="tests of a server that was started before are left out",
        ),
        pytest.param(
            {"setup.py": "", "tox.ini": "[tox]\nenvlist = py313-dj{52,main}-x{1,dev}\n"},
            "test",
            ("tox -e py313-dj52-x1",),
            id="nothing unreleased is tested",
        ),
        pytest.param(
            {"build.gradle": "sourceCompatibility = 8\n", "ci/.java-version": "26\n", ".github/workflows/ci.yml": JDK},
            "version",
            ("25",),
            id="a version file that other CI points to",
        ),
        pytest.param(
            {
                "go.mod": "module a\n",
                "Makefile": "test:\n\tX=$(Y) go test ./...\ntest-slow:\n\tgo test -tags slow ./...\n",
            }
            | jobs("make test-slow", "case $X in a) make test;; esac"),
            "test",
            ("make test",),
            id="a variant of the tests has a job of its own",
        ),
        pytest.param(
            {"rockspecs/a-1.9-0.rockspec": "", "rockspecs/a-1.10-0.rockspec": "", "a.lua": "", "spec/a_spec.lua": ""},
            "install",
            (
                "luarocks --lua-version=5.4 install --only-deps rockspecs/a-1.10-0.rockspec",
                "luarocks --lua-version=5.4 install busted",
            ),
            id="rockspecs in a folder, the newest of them",
        ),
        pytest.param(
            {"a.ipynb": "{}"}, "install", ("pip install nbformat==5.10.4",), id="notebooks nobody can run are read"
        ),
        pytest.param(
            {"a.ipynb": "{}", "requirements.txt": "numpy\n"}, "test", ("pytest --nbmake .",), id="notebooks are run"
        ),
        pytest.param(
            {
                "hugo.toml": "baseURL = 'x'\n",
                "content/a.md": "",
                "package.json": '{"scripts": {"build": "hugo", "check:links": "x", "test": "npm run check:links"}}',
            },
            "framework",
            ("hugo",),
            id="scripts around a site are no project",
        ),
        pytest.param(
            {"package.json": TURBO, "turbo.json": "{}"},
            "lint",
            ("npm run lint", "npm run typecheck"),
            id="checks that a workspace hands on",
        ),
        pytest.param({"package.json": TURBO, "turbo.json": "{}"}, "artifact", (), id="nothing is built at the top"),
    ],
)
def test_facts(unit_of: Look, files: dict[str, str], name: str, values: tuple[str, ...]) -> None:
    assert tuple(unit_of(files).all(name)) == values
