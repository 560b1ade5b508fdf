"""Commands that are taken over from Makefiles, scripts and other CI, and what is assumed where nothing says more."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Unit

Look = Callable[[Mapping[str, str]], Unit]

GO = {"go.mod": "module a\n", "a_test.go": ""}
RUST = {"Cargo.toml": '[package]\nname = "a"\n'}
MESON = {"meson.build": "project('a', 'c')\ntest('a', a)\n", "a.c": ""}
PACKAGE = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[project]\nname = "a"\n'
NOX = '@nox.session(python=["3.12", "3.13"])\ndef tests(s): ...\n'
TRAVIS = (
    'language: go\ngo: [{version}, master]\nscript:\n  - go test ./...\n  - go vet ./...\n  - test -z "$(gofmt -l .)"\n'
)
JENKINS = """\
pipeline {
  stages {
    stage('Lint') { steps {
      sh 'python -m py_compile src/a.py'
    } }
    stage('Test') { steps {
      sh 'pytest --junit-xml out/results.xml src'
    } }
    stage('Pack') { steps {
      sh 'pyinstaller --onefile src/a.py'
    } }
  }
}
"""


def workflow(*lines: str) -> dict[str, str]:
    """Return a workflow with one step that runs these lines."""
    script = "".join(f"        {line}\n" for line in lines)
    head = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n    - run: |\n"
    return {".github/workflows/ci.yml": head + script}


@pytest.mark.parametrize(
    ("files", "name", "values"),
    [
        pytest.param(
            {**GO, "Makefile": "test:\n\t@go test -race ./...\n"}, "test", ("go test -race ./...",), id="a plain recipe"
        ),
        pytest.param(
            {**GO, "Makefile": 'test: vet\n\tgo test -tags "$(TAGS)" ./...\nvet:\n\tgo vet ./...\n'},
            "test",
            ("make test",),
            id="a recipe that only make understands",
        ),
        pytest.param(
            {**GO, "Makefile": "test:\n\tgo list ./... | xargs -n1 go test\n"},
            "test",
            ("go test ./...",),
            id="a recipe that does more than call Go",
        ),
        pytest.param(
            {**GO, "Makefile": 'build: bin/a\nbin/a:\n\tgo build -ldflags "-X a=$(V)" -o $@ .\n'},
            "build",
            ("make build",),
            id="a build behind a prerequisite",
        ),
        pytest.param({**GO, "cmd/a/main.go": ""}, "build", ("go build ./cmd/...",), id="the programs of a library"),
        pytest.param(
            {"pom.xml": "<project/>", **workflow("mvn -B -DskipTests clean package")},
            "build",
            ("mvn --batch-mode --no-transfer-progress -DskipTests clean package",),
            id="Maven packs as other CI does",
        ),
        pytest.param(
            {**GO, **workflow("gotestsum --junitfile ${{ env.F }} -- -p 2 -cover ./...")},
            "test",
            ("go test -p 2 -cover ./...",),
            id="the options behind gotestsum",
        ),
        pytest.param(
            {**GO, **workflow('if [ -n "$(go fmt ./...)" ]; then', "  exit 1", "fi")},
            "lint",
            ("test -z \"$(gofmt -l $(git ls-files '*.go' ':!vendor/'))\"",),
            id="a formatter inside a small program",
        ),
        pytest.param(
            {**GO, ".travis.yml": TRAVIS.format(version="1.13.x")}, "lint", ("go vet ./...",), id="a formatter of old"
        ),
        pytest.param(
            {**GO, ".travis.yml": TRAVIS.format(version="1.26.x")},
            "lint",
            ("go vet ./...", "test -z \"$(gofmt -l $(git ls-files '*.go' ':!vendor/'))\""),
            id="a formatter of today",
        ),
        pytest.param({**GO, **workflow("go test ./...")}, "lint", (), id="no linter that other CI does not run"),
        pytest.param(
            RUST, "lint", ("cargo fmt --all -- --check", "cargo clippy --all-targets"), id="what comes with Rust"
        ),
        pytest.param({**RUST, **workflow("cargo test")}, "lint", (), id="other CI runs no linter for Rust"),
        pytest.param(
            {
                **MESON,
                "tests/run-tests.sh": "",
                **workflow("cd tests", "./run-tests.sh", "cd ..", "git diff --exit-code"),
            },
            "test",
            (
                "meson test -C build --print-errorlogs",
                "(cd tests && ./run-tests.sh)",
                "git diff --exit-code",
            ),
            id="a comparison of what a test script wrote",
        ),
        pytest.param(
            {**MESON, "tests/run-tests.sh": "", **workflow("cd tests", "./run-tests.sh")},
            "test",
            ("meson test -C build --print-errorlogs", "(cd tests && ./run-tests.sh)"),
            id="a script in another folder",
        ),
        pytest.param(
            {**MESON, **workflow("./run-tests.sh")},
            "test",
            ("meson test -C build --print-errorlogs",),
            id="a script that is not there",
        ),
        pytest.param(
            {"pyproject.toml": PACKAGE, "noxfile.py": NOX, **workflow("nox -v")},
            "test",
            ("nox -s tests-3.13",),
            id="all sessions would want every interpreter",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                "tox.ini": "[testenv]\ncommands = pytest\n",
                **workflow("tox run --notest -e py", "tox run --skip-pkg-install -e py"),
            },
            "test",
            ("tox run -e py",),
            id="tox in two steps",
        ),
        pytest.param(
            {"requirements.txt": "x\n", **workflow("uv pip install -r requirements.txt", "uv run ./manage.py test")},
            "test",
            ("./manage.py test",),
            id="an environment that uv's pip filled",
        ),
        pytest.param(
            {"package.json": '{"scripts": {"build": "tsc"}}', **workflow("npx playwright test")},
            "test",
            (),
            id="no browser",
        ),
        pytest.param(
            {"pyproject.toml": PACKAGE, **workflow("pytest tests  # or `pytest`, plainly")},
            "test",
            ("pytest tests",),
            id="a comment behind a command",
        ),
    ],
)
def test_commands(unit_of: Look, files: dict[str, str], name: str, values: tuple[str, ...]) -> None:
    assert unit_of(files).all(name) == values


@pytest.mark.parametrize(
    ("scripts", "test", "lint"),
    [
        pytest.param(
            '"test": "npm run lint && npm run test-ci", "test-ci": "mocha", "lint": "eslint ."',
            "npm run test-ci",
            ("npm run lint",),
            id="a script made for CI",
        ),
        pytest.param(
            '"test": "mocha", "test:ci": "mocha && codecov"', "npm test", (), id="one that reports to a service"
        ),
        pytest.param(
            '"test": "npm run test-node && npm run test-web", "test-node": "mocha", "test-web": "wtr --playwright"',
            "npm run test-node",
            (),
            id="the part without a browser",
        ),
        pytest.param(
            '"test": "mocha", "test:lint": "eslint"', "npm test", ("npm run test:lint",), id="a lint as a test"
        ),
    ],
)
def test_scripts_of_package_json(unit_of: Look, scripts: str, test: str, lint: tuple[str, ...]) -> None:
    unit = unit_of({"package.json": f'{{"scripts": {{{scripts}}}}}'})
    assert (unit.first("test"), unit.all("lint")) == (test, lint)


def test_scripts_without_a_manifest_are_tested_and_packed(unit_of: Look) -> None:
    unit = unit_of({"src/a.py": "", "src/test_a.py": "", "Jenkinsfile": JENKINS})
    assert (unit.all("lint"), unit.all("test")) == (("python -m py_compile src/a.py",), ("pytest src",))
    assert unit.all("build") == ("pyinstaller --onefile src/a.py",)
    assert unit.all("install") == ("pip install pytest", "pip install pyinstaller")
    assert not any("py_compile" in line for line in unit.all("lint_install"))


def test_scripts_with_tests_need_no_manifest(unit_of: Look) -> None:
    unit = unit_of({"README.md": "", "src/a.py": "", "src/test_a.py": ""})
    assert (unit.ecosystem, unit.first("test"), unit.all("install")) == ("python", "pytest", ("pip install pytest",))


@pytest.mark.parametrize(
    ("extras", "install"),
    [
        pytest.param('toc = ["x"]\ndocs = ["sphinx"]', "uv sync --locked --extra toc", id="all but the documentation"),
        pytest.param('test = ["pytest"]\ntoc = ["x"]', "uv sync --locked --extra test", id="one is named after tests"),
    ],
)
def test_optional_parts_are_tested_too(unit_of: Look, extras: str, install: str) -> None:
    files = {"pyproject.toml": f"{PACKAGE}[project.optional-dependencies]\n{extras}\n", "uv.lock": "", "test_a.py": ""}
    assert unit_of(files).all("install")[-1] == install


def test_an_extension_in_rust_belongs_to_its_package(unit_of: Look) -> None:
    build = '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n[project]\nname = "a"\n'
    crate = '[package]\nname = "a"\n[dependencies]\npyo3 = "0.25"\n'
    unit = unit_of({"pyproject.toml": build, "test_a.py": "", "rust/Cargo.toml": crate})
    assert (unit.ecosystem, "cargo" in unit.all("system_package")) == ("python", True)
