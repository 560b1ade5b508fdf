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
    ],
)
def test_facts(unit_of: Look, files: dict[str, str], name: str, values: tuple[str, ...]) -> None:
    assert tuple(unit_of(files).all(name)) == values
