"""Every template writes a pipeline that climbs the whole ladder, and holds what its ecosystem needs."""

import re
from typing import Any

import pytest
import yaml

from bot import linters
from bot.ci.assignment import Assignment
from bot.ci.checks import check
from bot.ci.checks.shell import check_shell
from bot.ci.compose import compose
from bot.ci.render import scalar
from bot.ci.wishes import read_wishes
from bot.domain import Evidence, Fact, Survey, Unit

PIP = {"manifest": "requirements.txt", "install": "pip install -r requirements.txt"}
SERVER = {"deployable": "yes", "port": "8000"}
PYTEST = {"test": "pytest", "test_tool": "pytest", "coverage": "pytest-cov"}

PYTHON_OF_MATRIX = {
    "package_manager": "pip",
    "version": "3.13",
    "version_floor": "3.10",
    "manifest": "pyproject.toml",
    "install": "pip install -e .",
    "test": "pytest",
    "lint": "ruff check",
    "lint_tool": "ruff",
}


# One typical unit for each template: ecosystem, facts.
TYPICAL: dict[str, tuple[str, dict[str, Any]]] = {
    "python-pip": (
        "python",
        {"package_manager": "pip", "version": "3.13", **PIP, **PYTEST, **SERVER, "start": "gunicorn app:app"},
    ),
    "python-uv": (
        "python",
        {
            "package_manager": "uv",
            "version": "3.13",
            "lockfile": "uv.lock",
            "manifest": "pyproject.toml",
            "install": ("pip install uv==0.13.9", "uv sync --locked"),
            "test": "uv run pytest -q",
            "test_tool": "pytest",
            "lint": "uv run ruff check .",
            "lint_tool": "ruff",
            "build": "uv build",
            "artifact": "dist/",
            "coverage": "pytest-cov",
            **SERVER,
            "start": "uv run uvicorn app:app --host 0.0.0.0 --port 8000",
        },
    ),
    "python-poetry": (
        "python",
        {
            "package_manager": "poetry",
            "version": "3.12",
            "lockfile": "poetry.lock",
            **SERVER,
            "start": "flask run",
            "install": ("pip install poetry==2.5.1", "poetry install"),
            "test": "poetry run pytest",
            "test_tool": "pytest",
        },
    ),
    "python-pdm": (
        "python",
        {
            "package_manager": "pdm",
            "version": "3.12",
            "lockfile": "pdm.lock",
            "test": "pdm run pytest",
            **SERVER,
            "install": ("pip install pdm==2.29.3 'hishel<1.2'", "pdm install"),
            "build": "pdm build",
            "start": "flask run",
        },
    ),
    "python-hatch": (
        "python",
        {
            "package_manager": "hatch",
            "version": "3.13",
            "manifest": "pyproject.toml",
            "test": "hatch test",
            "test_tool": "hatch",
            "install": "pip install hatch==1.18.2",
            "git_depth": "0",
            **SERVER,
            "start": "app",
        },
    ),
    "python-pipenv": (
        "python",
        {
            "package_manager": "pipenv",
            "version": "3.13",
            "lockfile": "Pipfile.lock",
            **SERVER,
            "start": "flask run",
            "install": ("pip install pipenv", "pipenv sync --dev"),
            "test": "pipenv run pytest",
            "test_tool": "pytest",
        },
    ),
    "node-npm": (
        "node",
        {
            "package_manager": "npm",
            "version": "24",
            "lockfile": "package-lock.json",
            "install": "npm ci",
            "test": "npm test",
            "test_tool": "jest",
            "lint": "npm run lint",
            "build": "npm run build",
            "artifact": "dist/",
            **SERVER,
            "start": "npm run start",
            "coverage": "c8",
        },
    ),
    "node-yarn1": (
        "node",
        {
            "package_manager": "yarn1",
            "version": "22",
            "lockfile": "yarn.lock",
            "test": "yarn test",
            **SERVER,
            "install": ("npm install --global --force yarn@1.22.22", "yarn install --frozen-lockfile"),
            "start": "node a.js",
        },
    ),
    "node-yarn-berry": (
        "node",
        {
            "package_manager": "yarn-berry",
            "version": "24",
            "lockfile": "yarn.lock",
            "test": "yarn vitest run",
            **SERVER,
            "install": ("npm install --global --force @yarnpkg/cli-dist@4.18.1", "yarn install --immutable"),
            "start": "yarn run start",
        },
    ),
    "node-pnpm": (
        "node",
        {
            "package_manager": "pnpm",
            "version": "24",
            "lockfile": "pnpm-lock.yaml",
            "test": "pnpm exec vitest run",
            "install": ("npm install --global pnpm@11", "pnpm install --frozen-lockfile"),
            **SERVER,
            "start": "node a.js",
        },
    ),
    "node-bun": (
        "node",
        {
            "package_manager": "bun",
            "version": "24",
            "lockfile": "bun.lock",
            "test": "bun test",
            **SERVER,
            "install": ("npm install --global bun@1", "bun install --frozen-lockfile"),
            "start": "bun run start",
        },
    ),
    "go": (
        "go",
        {
            "package_manager": "go",
            "version": "1.27",
            "lockfile": "go.sum",
            "install": "go mod download",
            "test": "go test -race ./...",
            "lint": "go vet ./...",
            "build": "go build ./...",
            **SERVER,
            "start": "go run ./cmd/server",
        },
    ),
    "rust": (
        "rust",
        {
            "package_manager": "cargo",
            "version": "1.98",
            "lockfile": "Cargo.lock",
            "test": "cargo test --locked",
            "lint": ("cargo fmt --check", "cargo clippy"),
            "lint_install": "rustup component add clippy rustfmt",
            "build": "cargo build --release --locked",
            "artifact": "target/release/app",
            **SERVER,
            "start": "target/release/app",
            "system_package": ("pkg-config", "libssl-dev"),
        },
    ),
    "java-maven": (
        "java",
        {
            "package_manager": "maven",
            "version": "21",
            "manifest": "pom.xml",
            "test": "mvn --batch-mode verify",
            "build": "mvn --batch-mode package -DskipTests",
            "artifact": "target/*.jar",
            "coverage": "jacoco",
            **SERVER,
            "start": "java -jar target/*.jar",
        },
    ),
    "java-gradle": (
        "java",
        {
            "package_manager": "gradle",
            "version": "21",
            "manifest": "build.gradle",
            "wrapper": "./gradlew",
            "install": "chmod +x gradlew",
            "test": "./gradlew test --no-daemon",
            "build": "./gradlew assemble --no-daemon",
            "artifact": "build/libs/*.jar",
            **SERVER,
            "start": "java -jar build/libs/*.jar",
        },
    ),
    "cpp-cmake": (
        "cpp",
        {
            "package_manager": "cmake",
            "system_package": ("g++", "cmake", "make"),
            "test": "ctest --test-dir build",
            "build": ("cmake -S . -B build", "cmake --build build"),
            "artifact": "build/",
        },
    ),
    "cpp-make": (
        "cpp",
        {"package_manager": "make", "system_package": ("gcc", "make"), "build": "make", "test": "make test"},
    ),
    "cpp-meson": (
        "cpp",
        {
            "package_manager": "meson",
            "system_package": ("meson", "ninja-build"),
            "test": "meson test -C build",
            "build": ("meson setup build", "meson compile -C build"),
            "artifact": "build/",
        },
    ),
    "cpp-autotools": (
        "cpp",
        {"package_manager": "autotools", "build": ("autoreconf -i", "./configure", "make"), "test": "make check"},
    ),
    "ruby": (
        "ruby",
        {
            "version": "3.4",
            "manifest": "Gemfile",
            "lockfile": "Gemfile.lock",
            "install": "bundle install",
            "prepare": "bin/rails db:prepare",
            "test": "bundle exec rspec",
            "test_tool": "rspec",
            "lint": "bundle exec rubocop",
            "service": "postgres:18",
            "framework": "rails",
            "start": "bin/rails server -b 0.0.0.0",
            **SERVER,
        },
    ),
    "php": (
        "php",
        {
            "version": "8.4",
            "manifest": "composer.json",
            "lockfile": "composer.lock",
            "extension": ("intl", "pdo_mysql", "redis", "json"),
            "install": "composer install --no-interaction",
            "test": "vendor/bin/phpunit",
            "lint": "vendor/bin/phpstan analyse",
            "start": "apache2-foreground",
            **SERVER,
        },
    ),
    "dotnet": (
        "dotnet",
        {
            "version": "10.0",
            "manifest": "Shop.slnx",
            "install": "dotnet restore",
            "build": "dotnet build --configuration Release",
            "test": "dotnet test --configuration Release",
            "coverage": "coverlet",
            "entry": "src/Shop/Shop.csproj",
            "start": "dotnet Shop.dll",
            **SERVER,
        },
    ),
    "elixir": (
        "elixir",
        {
            "version": "1.19",
            "manifest": "mix.exs",
            "lockfile": "mix.lock",
            "install": ("mix local.hex --force", "mix deps.get"),
            "test": "mix test",
            "lint": "mix format --check-formatted",
            "build": "mix compile",
            "reporter": "junit_formatter",
            "service": "postgres:18",
            "forward": "postgres",
            "entry": "shop",
            "start": "/app/bin/shop start",
            **SERVER,
        },
    ),
    "dart": (
        "dart",
        {
            "package_manager": "pub",
            "version": "3.13",
            "manifest": "pubspec.yaml",
            "install": "dart pub get",
            "test": "dart test",
            "lint": "dart analyze",
        },
    ),
    "swift": (
        "swift",
        {"version": "6.3", "manifest": "Package.swift", "test": "swift test", "build": "swift build"},
    ),
    "haskell": (
        "haskell",
        {
            "package_manager": "cabal",
            "version": "9.10",
            "manifest": "a.cabal",
            "install": "cabal update",
            "build": "cabal build all",
            "test": "cabal test all",
        },
    ),
    "node-deno": (
        "node",
        {
            "package_manager": "deno",
            "version": "2.7.6",
            "manifest": "deno.json",
            "lockfile": "deno.lock",
            "test": "deno test",
            "lint": ("deno lint", "deno fmt --check"),
        },
    ),
    "java-mill": (
        "java",
        {
            "package_manager": "mill",
            "package_manager_version": "1.0.6",
            "version": "21",
            "manifest": "build.mill",
            "test": "./mill -i __.test",
            "lint": "./mill -i __.checkFormat",
            "build": "./mill -i __.compile",
        },
    ),
    "java-sbt": (
        "java",
        {
            "package_manager": "sbt",
            "version": "21",
            "manifest": "build.sbt",
            "test": "sbt test",
            "lint": "sbt scalafmtCheckAll",
            "build": "sbt package",
            "artifact": "target/scala-*/*.jar",
        },
    ),
    "clojure": (
        "clojure",
        {
            "package_manager": "leiningen",
            "version": "21",
            "manifest": "project.clj",
            "test": "lein test",
            "build": "lein jar",
        },
    ),
    "julia": (
        "julia",
        {"version": "1.12", "manifest": "Project.toml", "test": "julia --project=. -e 'using Pkg; Pkg.test()'"},
    ),
    "r": (
        "r",
        {
            "version": "4.6.1",
            "manifest": "DESCRIPTION",
            "install": "Rscript -e 'remotes::install_deps(dependencies = TRUE)'",
            "test": "R CMD check --no-manual .",
            "build": "R CMD build .",
            "artifact": "*.tar.gz",
        },
    ),
    "perl": (
        "perl",
        {
            "version": "5.42",
            "manifest": "cpanfile",
            "install": "cpanm --installdeps .",
            "test": "prove --lib --recurse t",
            "lint": "perlcritic lib",
            "lint_install": "cpanm Perl::Critic",
        },
    ),
    "lua": (
        "lua",
        {
            "version": "5.4",
            "manifest": "a-1.rockspec",
            "install": "luarocks install busted",
            "test": "busted",
            "lint": "luacheck .",
        },
    ),
    "zig": (
        "zig",
        {
            "version": "0.15.2",
            "manifest": "build.zig",
            "install": "pip install ziglang==0.15.2",
            "test": "zig build test",
            "build": "zig build",
        },
    ),
    "shell": (
        "shell",
        {
            "manifest": "test/a.bats",
            "system_package": ("bats", "shellcheck", "git"),
            "test": "bats --recursive test",
            "lint": "git ls-files -z '*.sh' | xargs -0 shellcheck",
        },
    ),
    "terraform": (
        "terraform",
        {
            "version": "1.15",
            "manifest": "main.tf",
            "install": "terraform init -backend=false -input=false",
            "lint": ("terraform fmt -check -recursive -diff", "terraform validate"),
            "test": "terraform test",
        },
    ),
    "helm": (
        "helm",
        {
            "manifest": "charts/a/Chart.yaml",
            "install": "helm dependency build charts/a",
            "lint": "helm lint charts/a",
            "test": "helm template charts/a > /dev/null",
            "build": "helm package charts/a --destination dist",
        },
    ),
    "ansible": (
        "ansible",
        {
            "version": "3.13",
            "manifest": "galaxy.yml",
            "install": "pip install ansible-core==2.21.5 ansible-lint==26.10.1",
            "lint": "ansible-lint",
            "test": "ansible-playbook --syntax-check -i localhost, site.yml",
        },
    ),
    "latex": (
        "latex",
        {
            "manifest": "main.tex",
            "system_package": ("latexmk", "texlive-latex-extra"),
            "build": "latexmk -pdf main.tex",
            "artifact": "main.pdf",
        },
    ),
    "notebooks": (
        "notebooks",
        {
            "version": "3.13",
            "manifest": "a.ipynb",
            "install": "pip install nbmake==1.5.5 pytest==9.2.0",
            "test": "pytest --nbmake .",
        },
    ),
    "docker-image": ("docker", {"dockerfile": "deploy/Dockerfile"}),
    "generic": ("generic", {}),
    "static-site": ("static", {"framework": "html", "artifact": "."}),
    "nightly": ("generic", {}),
    "security-scans": ("generic", {}),
    "dependency-scanning": ("generic", {}),
    "container-scanning": ("docker", {"dockerfile": "Dockerfile"}),
    "release": ("generic", {}),
    "deploy-kubernetes": ("docker", {"dockerfile": "Dockerfile"}),
    "deploy-ssh": ("generic", {}),
    "deploy-registry": ("docker", {"dockerfile": "Dockerfile"}),
    "review-app": ("docker", {"dockerfile": "Dockerfile"}),
    "version-matrix": ("python", PYTHON_OF_MATRIX),
    "code-quality": ("python", PYTHON_OF_MATRIX),
    "dependency-audit": ("node", {"package_manager": "npm", "version": "24", "test": "npm test", "manifest": "p.json"}),
    "publish-package": ("python", PYTHON_OF_MATRIX),
}

# How a person asks for what is only written then.
ASKED = {
    "nightly": "run it nightly",
    "security-scans": "with security scans",
    "dependency-scanning": "add dependency scanning",
    "container-scanning": "and container scanning please",
    "release": "make a release on tag",
    "deploy-kubernetes": "deploy to Kubernetes",
    "deploy-ssh": "deploy over SSH",
    "deploy-registry": "push it to Docker Hub as well",
    "review-app": "with review apps",
    "version-matrix": "test with a matrix",
    "code-quality": "show code quality",
    "dependency-audit": "audit dependencies",
    "publish-package": "publish the package",
}


def pipeline(composition: Any) -> dict[str, Any]:
    return yaml.safe_load(composition.files[".gitlab-ci.yml"])


@pytest.fixture
def typical(composed, unit):
    def typical_of(name: str, root: str = "", **changes: Any) -> Any:
        ecosystem, facts = TYPICAL[name]
        return composed(unit(ecosystem, root, **(facts | changes)), wishes=read_wishes(ASKED.get(name, "")))

    return typical_of


def test_every_template_of_the_catalog_has_a_typical_unit(catalog) -> None:
    assert {template.name for template in catalog.templates} == set(TYPICAL)


@pytest.mark.parametrize("name", TYPICAL)
def test_a_typical_unit_is_written_by_its_template_and_passes_every_check(name, typical) -> None:
    composition = typical(name)
    assert name in {source.template for source in composition.sources}
    assert composition.findings == ()


@pytest.mark.parametrize("name", TYPICAL)
def test_no_pipeline_runs_twice_for_one_push(name, typical) -> None:
    rules = pipeline(typical(name))["workflow"]["rules"]
    assert {"if": "$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS", "when": "never"} in rules
    assert {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'} in rules


@pytest.mark.parametrize("name", TYPICAL)
def test_every_image_is_pinned_and_every_job_can_be_interrupted(name, typical) -> None:
    composition = typical(name)
    assert pipeline(composition)["default"]["interruptible"] is True
    for row in composition.jobs:
        if row.name == "container_scanning":  # GitLab's own job, only told when to run
            continue
        assert re.search(r":(?:[\w.-]+|\$VERSION)$", row.image), row
        assert not row.image.endswith(":latest")


@pytest.mark.parametrize("name", [name for name in TYPICAL if TYPICAL[name][1].get("lockfile")])
def test_the_cache_is_keyed_on_the_lock_file(name, typical) -> None:
    jobs = pipeline(typical(name))
    keys = [job["cache"]["key"] for job in jobs.values() if isinstance(job, dict) and "cache" in job]
    assert keys
    assert all(key["files"] == [TYPICAL[name][1]["lockfile"]] for key in keys)


@pytest.mark.parametrize("name", [name for name in TYPICAL if TYPICAL[name][0] != "generic" and name not in ASKED])
def test_beside_others_a_unit_works_in_its_own_folder_and_only_when_it_changed(name, composed, unit) -> None:
    ecosystem, facts = TYPICAL[name]
    own = {key: f"services/api/{value}" if key in {"lockfile", "manifest"} else value for key, value in facts.items()}
    other = unit("go", "tools/gen", version="1.27", test="go test ./...")
    composition = composed(unit(ecosystem, "services/api", **own), other)
    assert [finding for finding in composition.findings if finding.is_error] == []
    jobs = {key: job for key, job in pipeline(composition).items() if re.match(r"\.?api:", key)}
    assert jobs
    for key, job in jobs.items():
        if "before_script" in job and "container-image" not in key:
            assert "cd services/api" in job["before_script"]
    if ecosystem != "static":
        assert any(
            {"changes": ["services/api/**/*", ".gitlab-ci.yml"]} in job.get("rules", []) for job in jobs.values()
        )


def test_what_a_unit_is_built_with_makes_its_jobs_run_too(composed, unit) -> None:
    api = unit("go", "api", package_manager="go", test="go test ./...", beside="core/**/*")
    jobs = pipeline(composed(api, unit("go", "web", package_manager="go", test="go test ./...")))
    assert jobs["api:test"]["rules"][-1] == {"changes": ["api/**/*", "core/**/*", ".gitlab-ci.yml"]}
    assert jobs["web:test"]["rules"][-1] == {"changes": ["web/**/*", ".gitlab-ci.yml"]}


def test_pytest_writes_its_results_and_coverage_where_gitlab_finds_them(typical) -> None:
    test = pipeline(typical("python-uv"))["test"]
    line = "uv run pytest -q --junitxml=junit.xml --cov --cov-report=term --cov-report=xml:coverage.xml"
    assert test["script"] == [line]
    assert test["artifacts"]["reports"] == {
        "junit": "junit.xml",
        "coverage_report": {"coverage_format": "cobertura", "path": "coverage.xml"},
    }
    assert re.search(test["coverage"].strip("/"), "TOTAL        12      3    75%")[1] == "75%"  # type: ignore[index]


@pytest.mark.parametrize(
    ("line", "tool", "written"),
    [
        pytest.param("pytest", "pytest", "pytest --junitxml=junit.xml", id="bare"),
        pytest.param("python -m pytest tests", "pytest", "python -m pytest tests --junitxml=junit.xml", id="module"),
        pytest.param("pytest --junitxml=out.xml", "pytest", "pytest --junitxml=out.xml", id="own report stays"),
        pytest.param("tox -e py313", "tox", "tox -e py313", id="tox is left alone"),
        pytest.param("pytest && echo done", "pytest", "pytest && echo done", id="chained is left alone"),
        pytest.param("python manage.py test", "django", "python manage.py test", id="django is left alone"),
    ],
)
def test_reports_are_woven_in_only_where_pytest_is_called_in_plain_sight(line, tool, written, composed, unit) -> None:
    found = pipeline(composed(unit("python", package_manager="pip", version="3.13", test=line, test_tool=tool)))
    assert found["test"]["script"] == [written]


def test_a_second_test_command_writes_a_report_of_its_own_and_adds_to_the_coverage(composed, unit) -> None:
    lines = ("pytest tests/unit", "pytest tests/whole")
    both = unit("python", package_manager="pip", test=lines, test_tool="pytest", coverage="pytest-cov")
    test = pipeline(composed(both))["test"]

    measured = "--cov-report=term --cov-report=xml:coverage.xml"
    assert test["script"] == [
        f"pytest tests/unit --junitxml=junit.xml --cov {measured}",
        f"pytest tests/whole --junitxml=junit-2.xml --cov --cov-append {measured}",
    ]
    assert test["artifacts"]["reports"]["junit"] == ["junit.xml", "junit-2.xml"]


def test_a_second_vitest_writes_a_report_of_its_own(composed, unit) -> None:
    lines = ("npx vitest run unit", "npx vitest run whole")
    test = pipeline(composed(unit("node", package_manager="npm", test=lines, test_tool="vitest")))["test"]

    assert test["script"][1].endswith("--outputFile.junit=junit-2.xml")
    assert test["artifacts"]["reports"]["junit"] == ["junit.xml", "junit-2.xml"]


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("npm run test", "npm run test -- --reporter=default --reporter=junit --outputFile.junit=junit.xml"),
        ("pnpm run test", "pnpm run test --reporter=default --reporter=junit --outputFile.junit=junit.xml"),
    ],
)
def test_vitest_reports_however_the_script_is_called(line, written, composed) -> None:
    script = Evidence(path="package.json", line=2, quote='"test": "vitest run"')
    ci = Evidence(path="ci.yml", line=3, quote=line)
    facts = (
        Fact(name="package_manager", value=line.split()[0], because="of the test"),
        Fact(name="test", value=line, because="other CI runs it", evidence=(ci, script)),
    )
    found = pipeline(composed(Unit(root="", ecosystem="node", facts=facts)))
    assert found["test"]["script"] == [written]


@pytest.mark.parametrize("lacks", [True, False])
def test_an_image_that_lacks_what_it_copies_is_not_built(lacks, composed, unit) -> None:
    more = {"image_lacks": "app"} if lacks else {}
    found = pipeline(composed(unit("go", package_manager="go", test="go test ./...", dockerfile="Dockerfile", **more)))
    assert ("container-image" in found) is not lacks


def test_no_other_database_is_named_where_a_variable_names_one(composed, unit) -> None:
    line = "APP_DSN=postgresql://me:secret@postgres:5432/app_test"
    one = unit("python", package_manager="pip", test="pytest", service="postgres:18", variable=line)
    test = pipeline(composed(one))["test"]
    assert "DATABASE_URL" not in test["variables"]
    assert test["services"][0]["variables"]["POSTGRES_DB"] == "app_test"


@pytest.mark.parametrize("advisory", ["yes", ""])
def test_a_lint_job_that_only_advises_stops_nothing(advisory, composed, unit) -> None:
    more = {"lint_advisory": advisory} if advisory else {}
    found = pipeline(composed(unit("rust", test="cargo test", lint="cargo fmt --check", **more)))
    assert ("allow_failure" in found["lint"]) is bool(advisory)
    assert "allow_failure" not in found["test"]


def test_behind_make_pytest_hears_of_the_report_through_its_variable(composed, unit) -> None:
    found = pipeline(
        composed(unit("python", package_manager="pip", version="3.13", test="make test", test_tool="pytest"))
    )
    assert found["test"]["variables"]["PYTEST_ADDOPTS"] == "--junitxml=$CI_PROJECT_DIR/junit.xml"
    assert found["test"]["image"] == "python:3.13"


def test_environments_that_need_setuptools_get_it_from_virtualenv(composed, unit) -> None:
    found = pipeline(composed(unit("python", package_manager="pip", test="tox -e py313", seeded="setuptools")))
    assert found["test"]["variables"]["VIRTUALENV_SETUPTOOLS"] == "bundle"


def test_a_build_installs_only_what_builds(typical) -> None:
    jobs = pipeline(typical("python-uv"))
    assert jobs[".python"]["before_script"] == ["pip install uv==0.13.9", "uv sync --locked"]
    assert jobs["build"]["before_script"] == ["pip install uv==0.13.9"]
    assert "before_script" not in jobs["lint"]


def test_linters_with_their_own_installation_do_not_install_the_project(typical) -> None:
    jobs = pipeline(typical("python-uv", lint="pre-commit run -a", lint_install="pip install pre-commit==4.7.0"))
    assert jobs["lint"]["before_script"] == ["pip install pre-commit==4.7.0"]
    assert jobs["lint"]["extends"] == ".python"


def test_a_service_is_reached_by_its_name_and_needs_no_password(composed, unit) -> None:
    facts = {"service": "postgres:18", "variable": "DATABASE_URL=postgresql://app:geheim@localhost:5432/shop"}
    found = pipeline(composed(unit("python", package_manager="pip", version="3.13", **PIP, **PYTEST, **facts)))["test"]
    assert found["variables"]["DATABASE_URL"] == "postgresql://app:geheim@postgres:5432/shop"
    assert found["services"][0]["alias"] == "postgres"
    assert found["services"][0]["variables"] == {
        "POSTGRES_DB": "shop",
        "POSTGRES_USER": "app",
        "POSTGRES_HOST_AUTH_METHOD": "trust",
    }


def test_an_unnamed_database_gets_an_address(composed, unit) -> None:
    found = pipeline(
        composed(unit("python", package_manager="pip", version="3.13", test="pytest", service="postgres:18"))
    )
    assert found["test"]["variables"]["DATABASE_URL"] == "postgresql://postgres@postgres:5432/test"


def test_databases_start_with_what_other_ci_gave_them(composed, unit) -> None:
    facts = {
        "service": ("postgres:18", "mysql:9.6"),
        "service_setting": ("POSTGRES_USER=app", "MYSQL_ROOT_PASSWORD=geheim", "MYSQL_DATABASE=shop"),
    }
    found = pipeline(composed(unit("go", test="go test ./...", **facts)))["test"]
    assert [each["variables"] for each in found["services"]] == [
        {"POSTGRES_DB": "app", "POSTGRES_USER": "app", "POSTGRES_HOST_AUTH_METHOD": "trust"},
        {"MYSQL_DATABASE": "shop", "MYSQL_ALLOW_EMPTY_PASSWORD": "yes", "MYSQL_ROOT_PASSWORD": "geheim"},
    ]
    assert found["variables"]["DATABASE_URL"] == "postgresql://app@postgres:5432/app"
    mysql = unit("go", test="go test ./...", service="mysql:9.6", service_setting=facts["service_setting"])
    assert pipeline(composed(mysql))["test"]["variables"]["DATABASE_URL"] == "mysql://root:geheim@mysql:3306/shop"


def test_versions_from_tags_need_the_whole_history(typical) -> None:
    jobs = pipeline(typical("python-hatch"))
    assert jobs["test"]["variables"]["GIT_DEPTH"] == "0"
    assert jobs["test"]["image"] == "python:3.13"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param(
            "node-yarn-berry",
            "yarn vitest run --reporter=default --reporter=junit --outputFile.junit=junit.xml",
            id="vitest",
        ),
        pytest.param("node-bun", "bun test --reporter=junit --reporter-outfile=junit.xml", id="bun"),
        pytest.param("node-npm", "npm test", id="npm test may chain anything"),
    ],
)
def test_node_reports_only_where_the_runner_is_known(name, line, typical) -> None:
    test = pipeline(typical(name))["test"]
    assert test["script"] == [line]
    assert ("artifacts" in test) == ("junit" in line)


def test_node_prints_its_coverage_for_gitlab(typical) -> None:
    pattern = pipeline(typical("node-npm"))["test"]["coverage"].strip("/")
    assert re.search(pattern, "All files          |   91.66 |    83.33 |     100 |   91.66 |")[1] == "91.66"  # type: ignore[index]


def test_go_measures_its_coverage(typical) -> None:
    test = pipeline(typical("go"))["test"]
    assert test["script"][0] == "go test -coverprofile=coverage.out -race ./..."
    assert re.search(test["coverage"].strip("/"), "total:\t(statements)\t85.3%")[1] == "85.3"  # type: ignore[index]


def test_c_builds_and_tests_in_one_job(typical) -> None:
    jobs = pipeline(typical("cpp-cmake"))
    assert "build" not in jobs
    assert jobs["test"]["script"] == [
        "cmake -S . -B build",
        "cmake --build build",
        'ctest --test-dir build --output-junit "$CI_PROJECT_DIR/junit.xml"',
    ]


def test_maven_collects_the_results_of_every_module(typical) -> None:
    reports = pipeline(typical("java-maven"))["test"]["artifacts"]["reports"]
    assert reports["junit"] == ["**/target/surefire-reports/TEST-*.xml", "**/target/failsafe-reports/TEST-*.xml"]
    assert reports["coverage_report"]["coverage_format"] == "jacoco"


def test_rust_takes_the_full_image_for_headers(typical) -> None:
    assert pipeline(typical("rust"))[".rust"]["image"] == "rust:1.98"
    plain = typical("rust", system_package=())
    assert pipeline(plain)[".rust"]["image"] == "rust:1.98-slim"


@pytest.mark.parametrize(("prepare", "asked"), [("", None), ("npx prisma generate", None), ("sqlx db setup", "false")])
def test_sqlx_asks_no_database_while_it_compiles_unless_the_tests_made_its_tables(
    prepare, asked, composed, unit
) -> None:
    more = {"prepare": prepare} if prepare else {}
    facts = {"test": "cargo test", "lint": "cargo clippy", "checked_queries": "yes", "service": "postgres:18"}
    found = pipeline(composed(unit("rust", **facts, **more)))
    assert found[".rust"]["variables"]["SQLX_OFFLINE"] == "true"
    assert found["test"]["variables"].get("SQLX_OFFLINE") == asked


def test_an_image_is_pushed_only_from_the_default_branch_and_for_tags(typical) -> None:
    job = pipeline(typical("docker-image"))["container-image"]
    assert job["image"]["name"].startswith("moby/buildkit:v")
    assert "push=true" not in job["variables"]["OUTPUT"]
    pushing = [rule["if"] for rule in job["rules"] if "push=true" in rule.get("variables", {}).get("OUTPUT", "")]
    assert pushing == [
        "$CI_REGISTRY_IMAGE && $CI_COMMIT_TAG",
        "$CI_REGISTRY_IMAGE && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
    ]
    assert "--local dockerfile=deploy" in job["script"][0]


def test_a_site_is_built_for_a_merge_request_and_published_from_the_default_branch(typical) -> None:
    jobs = pipeline(
        typical("static-site", framework="mkdocs", install="pip install mkdocs", build="mkdocs build", artifact="site/")
    )
    assert jobs["pages"]["rules"] == [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"}]
    assert jobs["build-site"]["rules"][0]["when"] == "never"
    assert 'cp -r site/. "$CI_PROJECT_DIR/public/"' in jobs[".site"]["script"][1]


@pytest.mark.parametrize(
    ("name", "line", "report"),
    [
        pytest.param("dotnet", "--logger trx --results-directory TestResults", "TestResults/*.xml", id=".NET"),
        pytest.param("php", "vendor/bin/phpunit --log-junit junit.xml", "junit.xml", id="PHPUnit"),
        pytest.param(
            "elixir", "mix test --formatter JUnitFormatter", "_build/test/lib/*/test-junit-report.xml", id="ExUnit"
        ),
        pytest.param("shell", "bats --recursive test --report-formatter junit --output .", "report.xml", id="bats"),
        pytest.param("node-deno", "deno test --junit-path=junit.xml", "junit.xml", id="Deno"),
        pytest.param("lua", "busted --output=junit -Xoutput junit.xml", "junit.xml", id="busted"),
        pytest.param("notebooks", "pytest --nbmake . --junitxml=junit.xml", "junit.xml", id="nbmake"),
    ],
)
def test_results_are_woven_into_the_runner_of_each_language(name, line, report, typical) -> None:
    test = pipeline(typical(name))["test"]
    assert line in test["script"][-1]
    assert test["artifacts"]["reports"]["junit"] == report


def test_rspec_reports_without_a_gem_in_the_bundle(typical) -> None:
    script = pipeline(typical("ruby"))["test"]["script"]
    assert script[0] == "bin/rails db:prepare"
    assert script[1].startswith("gem install --no-document --ignore-dependencies")
    assert script[2].endswith("--format RspecJunitFormatter --out junit.xml")


@pytest.mark.parametrize(("ecosystem", "line"), [("ruby", "bundle exec rspec{}"), ("php", "vendor/bin/phpunit{}")])
def test_each_of_several_commands_reports_into_a_file_of_its_own(composed, unit, ecosystem: str, line: str) -> None:
    lines = (line.format(""), line.format(" slow"), "make slower")
    job = pipeline(composed(unit(ecosystem, version="4", install="make", test=lines, test_tool="x")))["test"]
    assert job["artifacts"]["reports"]["junit"] == ["junit.xml", "junit-2.xml"]
    assert [re.findall(r"junit\S*\.xml", each) for each in job["script"][-3:]] == [["junit.xml"], ["junit-2.xml"], []]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("postgres:18", "postgres"),
        ("ghcr.io/a/postgres-ssl:18", "postgres-ssl"),
        ("timescale/timescaledb:2.24-pg18", "timescaledb"),
    ],
)
def test_a_postgresql_with_more_in_it_starts_and_is_found_like_the_plain_one(composed, unit, image, name) -> None:
    one = unit("node", package_manager="npm", version="24", test="npm test", service=("redis:8", image))
    job = pipeline(composed(one))["test"]
    settings = {"POSTGRES_DB": "test", "POSTGRES_HOST_AUTH_METHOD": "trust"}
    assert job["services"][1] == {"name": image, "alias": name, "variables": settings}
    assert job["variables"]["DATABASE_URL"] == f"postgresql://postgres@{name}:5432/test"


def test_a_database_that_the_tests_seek_on_localhost_is_brought_there(typical) -> None:
    jobs = pipeline(typical("elixir"))
    assert "socat TCP-LISTEN:5432,fork,reuseaddr TCP:postgres:5432 &" in jobs["test"]["script"]
    assert "socat" in jobs[".elixir"]["before_script"][0]


def test_an_image_whose_entrypoint_is_a_tool_loses_it(typical) -> None:
    image = {"name": "hashicorp/terraform:1.15", "entrypoint": [""]}
    assert pipeline(typical("terraform"))[".terraform"]["image"] == image


def test_extensions_of_php_bring_their_headers(typical) -> None:
    before = pipeline(typical("php"))[".php"]["before_script"]
    assert "libicu-dev" in before[0]
    assert before[1:3] == ["docker-php-ext-install intl pdo_mysql", "pecl install redis && docker-php-ext-enable redis"]


def test_scans_come_from_gitlab_and_find_their_stage(typical) -> None:
    found = pipeline(typical("security-scans"))
    assert {"template": "Jobs/SAST.gitlab-ci.yml"} in found["include"]
    assert "test" in found["stages"]


def test_a_schedule_runs_the_pipeline_too(typical) -> None:
    composition = typical("nightly")
    assert {"if": '$CI_PIPELINE_SOURCE == "schedule"'} in pipeline(composition)["workflow"]["rules"]
    assert any("schedule" in sentence for sentence in composition.assumptions)


def test_what_nobody_recognises_gets_one_honest_job(composed, unit) -> None:
    composition = composed(unit("generic"))
    assert [row.name for row in composition.jobs] == ["fill-in"]
    assert any("tests nothing yet" in sentence for sentence in composition.assumptions)


@pytest.mark.parametrize("name", TYPICAL)
def test_hostile_values_stay_inside_their_strings(name, catalog, unit) -> None:
    ecosystem, facts = TYPICAL[name]
    evil = 'echo "a: b" # c\n- x: {y: [z]}'
    changed = facts | {"test": evil, "lint": "x: 'y' # z", "build": '"quoted": {a}'}
    composition = compose(Assignment(survey=Survey(units=(unit(ecosystem, **changed),)), paths=("a",)), catalog)
    text = composition.files[".gitlab-ci.yml"]
    assert [finding for finding in check(text) if finding.is_error] == []


def test_a_deployment_waits_for_a_person_and_only_on_the_default_branch(typical) -> None:
    for name in ("deploy-kubernetes", "deploy-ssh", "deploy-registry"):
        job = pipeline(typical(name))[name]
        rule = {"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "when": "manual", "allow_failure": True}
        assert (job["rules"], job["interruptible"], job["resource_group"]) == ([rule], False, "production")


def test_a_deployment_names_the_secrets_it_needs(typical) -> None:
    said = " ".join(typical("deploy-ssh").assumptions)
    for name in ("SSH_PRIVATE_KEY", "SSH_KNOWN_HOSTS", "DEPLOY_USER", "DEPLOY_HOST", "DEPLOY_COMMAND"):
        assert name in said


def test_the_matrix_has_the_oldest_and_the_newest_version(typical) -> None:
    job = pipeline(typical("version-matrix", version_floor="3.12"))["test-versions"]
    assert job["parallel"] == {"matrix": [{"VERSION": ["3.12", "3.13"]}]}
    assert (job["extends"], job["image"]) == ("test", "python:$VERSION")


def test_each_unit_that_can_be_published_gets_a_job_for_it(composed, unit) -> None:
    one = unit("python", "a", **PYTHON_OF_MATRIX)
    other = unit("go", "b", version="1.27", test="go test ./...")
    found = pipeline(composed(one, other, wishes=read_wishes("publish the package")))
    assert [name for name in found if "publish" in name] == ["a:publish-package"]
    assert found["a:publish-package"]["before_script"] == ["cd a"]


def test_a_wish_that_nothing_fits_is_answered(composed, unit) -> None:
    composition = composed(unit("shell", test="bats test"), wishes=read_wishes("with a matrix"))
    assert any("you asked for version matrix, which no part" in said for said in composition.assumptions)


def test_what_is_not_wanted_is_not_written(composed, unit) -> None:
    found = pipeline(composed(unit("python", **PYTHON_OF_MATRIX), wishes=read_wishes("no matrix, without review apps")))
    assert not {"test-versions", "review"} & set(found)


def test_a_version_that_has_ended_gets_no_job_of_its_own(typical) -> None:
    for floor, versions in {"3.8": ["3.11", "3.13"], "3.13": ["3.13"]}.items():
        job = pipeline(typical("version-matrix", version_floor=floor))["test-versions"]
        assert job["parallel"] == {"matrix": [{"VERSION": versions}]}


def test_a_deployment_of_an_image_that_nothing_builds_says_so(composed, unit) -> None:
    library = unit("python", **PYTHON_OF_MATRIX)
    for words in ("deploy to kubernetes", "with review apps", "add container scanning"):
        said = " ".join(composed(library, wishes=read_wishes(words)).assumptions)
        assert "there is no Dockerfile to build it from" in said
    assert "no Dockerfile" not in " ".join(composed(library, wishes=read_wishes("deploy over ssh")).assumptions)


def test_the_audit_of_a_package_looks_at_what_the_package_needs(composed, unit) -> None:
    facts = PYTHON_OF_MATRIX | {"package_manager": "hatch", "install": "pip install hatch==1.18.2"}
    job = pipeline(composed(unit("python", **facts), wishes=read_wishes("audit dependencies")))["dependency-audit"]
    assert job["script"] == ["pip install .", "pip install pip-audit==2.10.1", "pip-audit"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param("pytest -q", "pytest -q", id="plain"),
        pytest.param("0", '"0"', id="a number in words"),
        pytest.param("**/*.xml", '"**/*.xml"', id="a pattern"),
        pytest.param('a: "b"', "'a: \"b\"'", id="double quotes inside"),
        pytest.param("it's: so", '"it\'s: so"', id="a single quote inside"),
        pytest.param("\\d: x", "'\\d: x'", id="a backslash"),
    ],
)
def test_text_is_quoted_as_prettier_would_so_that_its_check_stays_green(value: str, written: str) -> None:
    assert scalar(value) == written
    assert yaml.safe_load(written) == value


def test_a_build_that_wants_a_licence_in_every_file_gets_one(composed, unit) -> None:
    facts = {"package_manager": "maven", "version": "21", "test": "mvn verify"}
    assert (
        composed(unit("java", **facts, licence="Apache-2.0"))
        .files[".gitlab-ci.yml"]
        .startswith("# SPDX-License-Identifier: Apache-2.0\n")
    )
    assert "SPDX" not in composed(unit("java", **facts)).files[".gitlab-ci.yml"]


@pytest.mark.parametrize(
    ("ecosystem", "facts", "line"),
    [
        ("python", {"lint_tool": "flake8"}, "flake8 --exit-zero --format gl-codeclimate"),
        ("node", {"lint_tool": ("prettier", "eslint"), "install": "npm ci"}, "npx --no eslint --format /tmp/formatter"),
        ("go", {"lint_tool": "golangci"}, "--output.code-climate.path"),
        ("php", {"lint_tool": "phpstan", "install": "composer install"}, "--error-format=gitlab"),
        ("php", {"lint_tool": "php-cs-fixer"}, "--format=gitlab"),
        ("ansible", {"lint_tool": "ansible-lint", "lint_install": "pip install ansible-lint"}, "--format codeclimate"),
        ("ruby", {"lint_tool": "rubocop", "manifest": "Gemfile", "install": "bundle install"}, "Digest::MD5.hexdigest"),
    ],
)
def test_each_linter_that_can_writes_the_quality_report(ecosystem, facts, line, composed, unit) -> None:
    composition = composed(unit(ecosystem, test="x", **facts), wishes=read_wishes("code quality"))
    job = pipeline(composition)["code-quality"]
    assert line in job["script"][-1]
    assert job["artifacts"]["reports"]["codequality"] == "gl-code-quality-report.json"
    assert composition.findings == ()
    assert check_shell(composition.files[".gitlab-ci.yml"], "ci.yml", linters.bash) == ()


def test_a_linter_that_cannot_is_told(composed, unit) -> None:
    composition = composed(unit("rust", test="x", lint_tool="clippy"), wishes=read_wishes("code quality"))
    assert "code-quality" not in pipeline(composition)
    assert any("no part of the repository fits (lint tool ruff or flake8" in each for each in composition.assumptions)
