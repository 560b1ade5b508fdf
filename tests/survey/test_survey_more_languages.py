"""Ruby, PHP, .NET and the other languages beside the five the survey began with."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Survey, Unit

Look = Callable[[Mapping[str, str]], Unit]

SDK = '<Project Sdk="Microsoft.NET.Sdk">'
WEB = '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>{}</PropertyGroup></Project>'

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
    pytest.param(
        {"app/app.csproj": WEB.format("<TargetFramework>netcoreapp3.1</TargetFramework>")},
        {"version": "3.1", "runtime": None, "target": None, "entry": "app.csproj"},
        id="an ASP.NET application of .NET Core runs on no other generation",
    ),
    pytest.param(
        {"app/app.csproj": WEB.format("<TargetFramework>netcoreapp3.0</TargetFramework>")},
        {"version": "3.1", "runtime": None},
        id="the images have the last release of the third generation",
    ),
    pytest.param(
        {
            "Shop.sln": "",
            "src/Shop/Shop.csproj": WEB.format(
                "<TargetFramework>net8.0</TargetFramework><AssemblyName>Shop.Web</AssemblyName>"
            ),
            "tests/A.Tests/A.Tests.csproj": SDK + "<TargetFramework>net10.0</TargetFramework>",
        },
        {"version": "10.0", "runtime": "8.0", "start": "dotnet Shop.Web.dll"},
        id="an ASP.NET application that is older than what builds its tests",
    ),
    pytest.param(
        {"Shop.csproj": WEB.format("<TargetFrameworks>net8.0; net10.0</TargetFrameworks>")},
        {"version": "10.0", "runtime": None, "target": "net10.0"},
        id="an ASP.NET application is published for the newest of its targets",
    ),
    pytest.param(
        {"Shop.csproj": WEB.format(""), "Directory.Build.props": "<TargetFramework>net9.0</TargetFramework>"},
        {"version": "9.0", "runtime": None, "entry": "Shop.csproj"},
        id="an ASP.NET application whose target all projects share",
    ),
    pytest.param(
        {"Shop.csproj": WEB.format("<TargetFramework>netcoreapp2.2</TargetFramework>")},
        {"version": "10.0", "entry": None},
        id="an ASP.NET application that no image runs",
    ),
    pytest.param(
        {
            "Shop.csproj": WEB.format("<TargetFramework>net8.0</TargetFramework>"),
            "global.json": '{"sdk": {"version": "10.0.100"}}',
        },
        {"version": "10.0", "sdk": "10.0.100", "runtime": "8.0"},
        id="global.json takes one series of the SDK",
    ),
    pytest.param(
        {
            "Shop.csproj": WEB.format("<TargetFramework>net10.0</TargetFramework>"),
            "global.json": '{"sdk": {"version": "10.0.100", "rollForward": "latestFeature"}}',
        },
        {"version": "10.0", "sdk": None, "runtime": None},
        id="global.json takes a newer series too",
    ),
]


OLD_RAILS = "GEM\n  specs:\n    rails (5.2.8)\n"

# Everything beside the most used three.
MORE = [
    pytest.param(
        {"Gemfile": "gem 'rails'\n", "Gemfile.lock": OLD_RAILS, "config.ru": "", "bin/rails": ""},
        {"version": "2.7", "framework": "rails"},
        id="an old Rails does not run on a new Ruby",
    ),
    pytest.param(
        {"Gemfile": "gem 'rack'\n", "Gemfile.lock": "RUBY VERSION\n   ruby 3.3.6p108\n", "config.ru": ""},
        {"version": "3.3", "framework": "rack", "start": "bundle exec rackup -o 0.0.0.0 -p 9292"},
        id="the lock file names the Ruby it was made with",
    ),
    pytest.param(
        {"Gemfile": "gem 'sinatra'\ngem 'puma'\n", "config.ru": ""},
        {"framework": "sinatra", "start": "bundle exec puma -b tcp://0.0.0.0:9292", "port": "9292"},
        id="Puma starts by itself, while rackup is a gem of its own",
    ),
    pytest.param(
        {"Gemfile": "gem 'sinatra'\ngem 'unicorn'\n", "config.ru": ""},
        {"start": "bundle exec unicorn -l 0.0.0.0:9292", "port": "9292"},
        id="Unicorn starts by itself too",
    ),
    pytest.param(
        {"Gemfile": "gem 'sinatra'\n", "config.ru": "", "Procfile": "web: bundle exec ruby app.rb -p 4567"},
        {"start": "bundle exec ruby app.rb -p 4567", "port": "4567"},
        id="the Procfile names the port",
    ),
    pytest.param(
        {"Gemfile": "gem 'rack'\n", "config.ru": "", "Procfile": "web: bundle exec unicorn -l 0.0.0.0:5000 -E none\n"},
        {"start": "bundle exec unicorn -l 0.0.0.0:5000 -E none", "port": "5000"},
        id="the Procfile names where Unicorn listens",
    ),
    pytest.param(
        {"Gemfile": "gem 'rails'\n", "bin/rails": "", "config.ru": "", "Procfile": "web: bundle exec puma -C a.rb"},
        {"start": "bundle exec puma -C a.rb", "port": "3000"},
        id="the Procfile names no port",
    ),
    pytest.param(
        {"Gemfile": 'gem "sinatra"\n', "server.rb": "", "Procfile": "web: bundle exec ruby server.rb\n"},
        {"framework": "sinatra", "deployable": "yes", "start": "bundle exec ruby server.rb", "port": "4567"},
        id="a Sinatra script that only a Procfile starts",
    ),
    pytest.param(
        {"Gemfile": 'gem "rake"\n', "Procfile": "web: bundle exec ruby server.rb\n"},
        {"framework": None, "deployable": None},
        id="a Procfile alone makes no web application",
    ),
    pytest.param(
        {
            "mix.exs": 'app: :shop,\nelixir: "~> 1.16",\n{:phoenix, "~> 1.8"}, {:postgrex, ">= 0.0.0"}\n',
            "mix.lock": "",
            ".formatter.exs": "",
            "config/test.exs": 'hostname: "localhost"\n',
            "lib/shop_web/endpoint.ex": "",
            "test/a_test.exs": "",
        },
        {
            "ecosystem": "elixir",
            "version": "1.19",
            "test": "mix test",
            "lint": "mix format --check-formatted",
            "service": "postgres:18",
            "forward": "postgres",
            "framework": "phoenix",
            "entry": "shop",
        },
        id="Phoenix, whose tests look for the database on localhost",
    ),
    pytest.param(
        {"mix.exs": 'app: :shop,\n{:phoenix, "~> 1.8"}\n', "lib/shop_web/endpoint.ex": ""},
        {"entry": "shop", "release": None, "start": "/app/bin/shop start"},
        id="Phoenix without a list of releases, where Mix knows none by name",
    ),
    pytest.param(
        {
            "mix.exs": 'app: :shop,\nreleases: [\n  web: [strip_beams: true]\n],\n{:phoenix, "~> 1.8"}\n',
            "lib/shop_web/endpoint.ex": "",
        },
        {"entry": "web", "release": "web", "start": "/app/bin/web start"},
        id="Phoenix with a release of another name",
    ),
    pytest.param(
        {
            "mix.exs": 'app: :shop,\ndefault_release: :web,\nreleases: releases(),\n{:phoenix, "~> 1.8"}\n'
            "defp releases do\n  [\n    other: [],\n    web: []\n  ]\nend\n",
            "lib/shop_web/endpoint.ex": "",
        },
        {"release": "web", "start": "/app/bin/web start"},
        id="Phoenix with a release that is built by default",
    ),
    pytest.param(
        {
            "mix.exs": 'app: :shop,\nreleases: releases(),\n{:phoenix, "~> 1.8"}\n'
            "defp releases do\n  [\n    web: []\n  ]\nend\n",
            "lib/shop_web/endpoint.ex": "",
        },
        {"release": "web"},
        id="Phoenix with its releases in a function",
    ),
    pytest.param(
        {"mix.exs": 'elixir: "~> 1.12"\n', ".tool-versions": "erlang 27.0\nelixir 1.17.3-otp-27\n"},
        {"version": "1.17", "version_floor": "1.12", "deployable": None, "test": None},
        id="asdf pins Elixir",
    ),
    pytest.param(
        {"pubspec.yaml": "environment:\n  sdk: ^3.5.0\n", "analysis_options.yaml": "", "test/a_test.dart": ""},
        {"package_manager": "pub", "version": "3.13", "test": "dart test", "lint": "dart analyze"},
        id="a Dart package",
    ),
    pytest.param(
        {
            "pubspec.yaml": "dependencies:\n  flutter:\n    sdk: flutter\n",
            ".fvmrc": '{"flutter": "3.41.8"}\n',
            "web/index.html": "",
            "test/a_test.dart": "",
        },
        {"package_manager": "flutter", "version": "3.41.8", "test": "flutter test", "artifact": "build/web/"},
        id="a Flutter application",
    ),
    pytest.param(
        {"Package.swift": "// swift-tools-version:5.9\n", "Tests/ATests/A.swift": "", ".swift-format": ""},
        {"version": "6.3", "test": "swift test", "lint": "swift format lint --recursive --strict ."},
        id="a Swift package",
    ),
    pytest.param(
        {"a.cabal": "tested-with: GHC ==9.6.7 || ==9.8.4\ntest-suite spec\n"},
        {"package_manager": "cabal", "version": "9.8", "install": "cabal update"},
        id="Cabal, with the newest compiler it was tested with",
    ),
    pytest.param(
        {"stack.yaml": "resolver: lts-22.43\n", "package.yaml": "tests:\n  spec: x\n"},
        {"package_manager": "stack", "version": "9.6", "test": "stack test --system-ghc --no-terminal"},
        id="Stack, with the compiler of its snapshot",
    ),
    pytest.param(
        {"deno.json": '{\n  // tasks\n  "tasks": {"test": "deno test -A",},\n  "fmt": {},\n}\n', "a_test.ts": ""},
        {"ecosystem": "node", "package_manager": "deno", "test": "deno task test", "lint": "deno fmt --check"},
        id="Deno, with comments in its settings",
    ),
    pytest.param(
        {"build.sbt": 'scalaVersion := "3.3.6"\n', ".scalafmt.conf": "", "project/plugins.sbt": "sbt-scalafmt\n"},
        {"ecosystem": "java", "package_manager": "sbt", "test": "sbt test", "version": "21", "lint_tool": "scalafmt"},
        id="Scala",
    ),
    pytest.param({"project.clj": "(defproject a)\n"}, {"ecosystem": "clojure", "test": "lein test"}, id="Leiningen"),
    pytest.param(
        {"Project.toml": 'name = "A"\nuuid = "1"\n[compat]\njulia = "1.6"\n', "test/runtests.jl": ""},
        {"ecosystem": "julia", "version": "1.12", "version_floor": "1.6", "test_tool": "pkg-test"},
        id="a Julia package",
    ),
    pytest.param(
        {"DESCRIPTION": "Package: a\n", "tests/testthat/test-a.R": "", ".lintr": ""},
        {"ecosystem": "r", "version": "4.6.1", "test_tool": "testthat", "lint_tool": "lintr"},
        id="an R package",
    ),
    pytest.param(
        {"cpanfile": "requires 'Moo';\n", "t/a.t": "", ".perlcriticrc": ""},
        {"ecosystem": "perl", "install": "cpanm --installdeps .", "test": "prove --lib --recurse t"},
        id="a Perl distribution",
    ),
    pytest.param(
        {"a-1.rockspec": 'dependencies = {"lua >= 5.1"}\n', "spec/a_spec.lua": "", ".luacheckrc": ""},
        {"ecosystem": "lua", "version": "5.4", "test": "busted", "lint": "luacheck ."},
        id="a Lua rock",
    ),
    pytest.param(
        {"build.zig": 'b.step("test", "x");\n', "build.zig.zon": '.minimum_zig_version = "0.14.0",\n'},
        {"ecosystem": "zig", "version": "0.14.1", "test": "zig build test"},
        id="Zig, in the release it asks for",
    ),
    pytest.param(
        {"build.zig": "", "Makefile": "test:\n\tcc a.c\n", "a.c": ""},
        {"ecosystem": "cpp", "test": "make test"},
        id="C, which a build.zig compiles too",
    ),
    pytest.param(
        {"build.zig": "", "Makefile": "all:\n\tzig build\n", "a.c": "", "src/a.zig": ""},
        {"ecosystem": "zig"},
        id="Zig with some C",
    ),
    pytest.param(
        {"test/a.bats": "load bats-assert/load\n", "src/a.sh": "", ".shellcheckrc": ""},
        {
            "ecosystem": "shell",
            "test": "bats --recursive test",
            "lint": "git ls-files -z '*.sh' '*.bash' | xargs -0 shellcheck",
        },
        id="bats and shellcheck",
    ),
    pytest.param(
        {"main.tf": "", "versions.tf": 'terraform { required_version = "~> 1.5" }\n'},
        {"ecosystem": "terraform", "version": "1.15", "version_floor": "1.5", "lint_tool": "terraform"},
        id="a Terraform module",
    ),
    pytest.param(
        {"charts/a/Chart.yaml": "name: a\n", "charts/a/charts/b/Chart.yaml": "name: b\n"},
        {"ecosystem": "helm", "lint": "helm lint charts/a", "test": "helm template charts/a > /dev/null"},
        id="a folder of Helm charts",
    ),
    pytest.param(
        {"galaxy.yml": "name: a\n", "roles/a/tasks/main.yml": "", ".ansible-lint": ""},
        {"ecosystem": "ansible", "lint": "ansible-lint"},
        id="an Ansible collection",
    ),
    pytest.param(
        {"main.tex": "\\documentclass{article}\n\\usepackage{biblatex}\n", "part.tex": "text\n"},
        {"ecosystem": "latex", "artifact": "main.pdf"},
        id="a LaTeX document",
    ),
    pytest.param(
        {"requirements.txt": "pandas\n", "notebooks/a.ipynb": ""},
        {"ecosystem": "notebooks", "install": "pip install -r requirements.txt", "test": "pytest --nbmake notebooks"},
        id="notebooks with their requirements",
    ),
    pytest.param(
        {
            "hugo.toml": 'theme = "a"\n',
            "content/a.md": "",
            "go.mod": "module a\n",
            "package.json": '{"devDependencies": {}}',
        },
        {"ecosystem": "static", "framework": "hugo", "install": "npm install", "build": "hugo --minify"},
        id="Hugo, served by npm and Go modules",
    ),
    pytest.param(
        {"_config.yml": "plugins: [jekyll-feed]\n", "index.md": ""},
        {"framework": "jekyll", "build": "jekyll build", "artifact": "_site/"},
        id="Jekyll without a Gemfile",
    ),
    pytest.param(
        {"mkdocs.yml": "theme: {name: material}\nplugins: [search, minify]\n", "docs/index.md": ""},
        {"framework": "mkdocs", "install": "pip install mkdocs==1.6.1 mkdocs-material==9.8.1 mkdocs-minify-plugin"},
        id="MkDocs with its theme and plugins",
    ),
    pytest.param(
        {"docs/conf.py": "", "docs/index.rst": "", "docs/requirements.txt": ""},
        {"framework": "sphinx", "install": "pip install -r docs/requirements.txt", "artifact": "_site/"},
        id="Sphinx",
    ),
]


@pytest.mark.parametrize(("files", "expected"), CASES + MORE)
def test_facts(unit_of: Look, files: dict[str, str], expected: dict[str, str | None]) -> None:
    unit = unit_of(files)
    found = {name: unit.ecosystem if name == "ecosystem" else unit.first(name) for name in expected}
    assert found == expected


def test_a_version_past_its_end_is_called_out(unit_of: Look) -> None:
    version = next(fact for fact in unit_of({"Gemfile": "ruby '3.2.2'\n"}).facts if fact.name == "version")
    assert "no fixes since 2026-03-31" in version.because
    assert version.confidence < 0.7


def test_a_windows_only_project_is_left_out(look: Callable[[Mapping[str, str]], Survey]) -> None:
    assert not look({"Old.csproj": '<Project ToolsVersion="12.0"></Project>'}).units


@pytest.mark.parametrize(
    ("files", "units"),
    [
        pytest.param(
            {"package.json": '{"scripts": {"test": "bats test"}}', "package-lock.json": "", "src/a.bash": ""},
            [("", "shell")],
            id="npm only fetches bats",
        ),
        pytest.param(
            {
                "k8s/Chart.yaml": "name: a\n",
                "cart/Dockerfile": "FROM alpine:3.24\n",
                "web/Dockerfile": "FROM nginx:1\n",
            },
            [("", "helm"), ("cart", "docker"), ("web", "docker")],
            id="a chart does not hide the services beside it",
        ),
        pytest.param(
            {"app/pubspec.yaml": "name: a\n", "app/test/a_test.dart": "", "app/android/build.gradle": "x\n"},
            [("app", "dart")],
            id="the Android half of a Flutter application is Flutter's",
        ),
        pytest.param(
            {"api/go.mod": "module a\n", "api/a_test.go": "", "b.sh": "", "c.sh": "", "api/x.go": "", "api/y.go": ""},
            [("api", "go")],
            id="a few scripts are no project",
        ),
        pytest.param(
            {"a.cabal": "test-suite a\n", "stack.yaml": "resolver: lts-18.2\n", "src/A.hs": ""},
            [("", "haskell")],
            id="Cabal and Stack are one unit",
        ),
    ],
)
def test_units(
    look: Callable[[Mapping[str, str]], Survey], files: dict[str, str], units: list[tuple[str, str]]
) -> None:
    assert [(unit.root, unit.ecosystem) for unit in look(files).units] == units


def test_a_cabal_file_that_is_kept_weighs_more_than_an_old_snapshot(unit_of: Look) -> None:
    unit = unit_of({"a.cabal": "test-suite a\n", "stack.yaml": "resolver: lts-18.2\n"})
    assert (unit.first("package_manager"), unit.first("version")) == ("cabal", "9.10")
