"""Ruby, PHP, .NET and the other languages beside the five the survey began with."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Unit

Look = Callable[[Mapping[str, str]], Unit]

SDK = '<Project Sdk="Microsoft.NET.Sdk">'

CASES = [
    pytest.param(
        {
            "Gemfile": "gem 'rake'\ngemspec\n",
            "a.gemspec": "s.required_ruby_version = '>= 3.1'\n",
            "Rakefile": "task default: %i[spec standard]\n",
        },
        {
            "ecosystem": "ruby",
            "version": "3.4",
            "version_floor": "3.1",
            "test": "bundle exec rake",
            "lint": None,
            "build": "gem build a.gemspec",
            "deployable": None,
        },
        id="a gem whose default task checks everything",
    ),
    pytest.param(
        {
            "Gemfile": "ruby '3.2.2'\ngem 'rspec'\ngem 'rubocop'\n",
            "Gemfile.lock": "",
            "spec/a_spec.rb": "",
            ".rubocop.yml": "",
        },
        {
            "version": "3.2",
            "test": "bundle exec rspec",
            "test_tool": "rspec",
            "lint": "bundle exec rubocop",
            "lockfile": "Gemfile.lock",
        },
        id="a Gemfile that insists on an old Ruby gets it",
    ),
    pytest.param(
        {
            "Gemfile": "gem 'rails'\ngem 'pg'\n",
            "config.ru": "run App\n",
            "bin/rails": "",
            "test/models/a_test.rb": "",
            "config/database.yml": "test: {}\n",
        },
        {
            "framework": "rails",
            "test": "bin/rails test",
            "prepare": "bin/rails db:prepare",
            "service": "postgres:18",
            "deployable": "yes",
            "port": "3000",
        },
        id="Rails with its database",
    ),
    pytest.param(
        {"Gemfile": "gem 'jekyll'\n", "_config.yml": "title: a\n", "index.md": ""},
        {"ecosystem": "static", "framework": "jekyll"},
        id="a Jekyll site is no Ruby project",
    ),
    pytest.param(
        {
            "composer.json": '{"require": {"php": "^8.1", "ext-intl": "*"}, '
            '"require-dev": {"phpunit/phpunit": "^11", "phpstan/phpstan": "^2"}}',
            "phpunit.xml.dist": "",
            "phpstan.neon": "",
        },
        {
            "ecosystem": "php",
            "version": "8.4",
            "version_floor": "8.1",
            "extension": "intl",
            "test": "vendor/bin/phpunit",
            "lint": "vendor/bin/phpstan analyse --no-progress",
        },
        id="a Composer package",
    ),
    pytest.param(
        {"composer.json": '{"require": {"php": "~7.4"}, "scripts": {"test": "phpunit --testdox"}}'},
        {"version": "7.4", "test": "vendor/bin/phpunit --testdox"},
        id="PHP past its end where nothing newer is allowed",
    ),
    pytest.param(
        {
            "composer.json": '{"require": {"laravel/framework": "^12"}, "require-dev": {"laravel/pint": "^1"}}',
            "artisan": "",
            ".env.example": "A=b\n",
        },
        {
            "framework": "laravel",
            "test": "php artisan test",
            "prepare": "cp .env.example .env",
            "lint": "vendor/bin/pint --test",
            "deployable": "yes",
        },
        id="Laravel",
    ),
    pytest.param(
        {
            "A.sln": "",
            "src/A/A.csproj": SDK.replace(">", "><TargetFrameworks>netstandard2.0;net8.0</TargetFrameworks>"),
            "tests/A.Tests/A.Tests.csproj": SDK.replace(">", '><PackageReference Include="xunit"/>'),
        },
        {
            "ecosystem": "dotnet",
            "version": "8.0",
            "test": "dotnet test --configuration Release",
            "test_tool": "xunit",
            "build": "dotnet build --configuration Release",
            "deployable": None,
        },
        id="a .NET solution with its tests",
    ),
    pytest.param(
        {"Shop.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFramework>net10.0</TargetFramework></Project>'},
        {
            "framework": "aspnet",
            "version": "10.0",
            "entry": "Shop.csproj",
            "start": "dotnet Shop.dll",
            "port": "8080",
            "test": None,
        },
        id="an ASP.NET application",
    ),
]


@pytest.mark.parametrize(("files", "expected"), CASES)
def test_facts(unit_of: Look, files: dict[str, str], expected: dict[str, str | None]) -> None:
    unit = unit_of(files)
    found = {name: unit.ecosystem if name == "ecosystem" else unit.first(name) for name in expected}
    assert found == expected


def test_a_version_past_its_end_is_called_out(unit_of: Look) -> None:
    version = next(fact for fact in unit_of({"Gemfile": "ruby '3.2.2'\n"}).facts if fact.name == "version")
    assert "no fixes since 2026-03-31" in version.because
    assert version.confidence < 0.7


def test_a_windows_only_project_is_left_out(look: Callable[[Mapping[str, str]], object]) -> None:
    assert not look({"Old.csproj": '<Project ToolsVersion="12.0"></Project>'}).units  # type: ignore[attr-defined]
