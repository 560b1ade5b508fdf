"""What each other CI system says: commands, versions, services, packages and the folders they run in."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Unit
from bot.survey.wanted import wanted_paths

Look = Callable[[Mapping[str, str]], Unit]

GO = {"go.mod": "module a\n", "a_test.go": ""}
PYTHON = {"requirements.txt": "flask\n", "test_a.py": ""}
NODE = {"package.json": '{"scripts": {"test": "mocha", "unit": "mocha unit"}}', "package-lock.json": "{}"}
MAVEN = {"pom.xml": "<project/>"}

AZURE = """\
pool: {vmImage: $(image)}
strategy:
  matrix:
    old: {image: ubuntu-latest, py: '3.10'}
    new: {image: ubuntu-latest, py: '3.12'}
    other: {image: windows-latest, py: '3.14'}
steps:
- task: UsePythonVersion@0
  inputs: {versionSpec: $(py)}
- script: sudo apt-get install -y libxml2
- script: pip install -r requirements.txt pytest
- bash: pytest -q test_a.py
- script: twine upload dist/*
"""
BITBUCKET = """\
image: node:22
definitions:
  services:
    db: {image: 'postgres:16'}
pipelines:
  default:
  - parallel:
    - step:
        name: Unit
        services: [db]
        script: [npm ci, npm run unit]
  - step:
      name: Ship
      deployment: production
      script: [npm test]
"""
DRONE = """\
kind: pipeline
services:
- {name: cache, image: 'redis:7'}
steps:
- name: test
  image: golang:1.26
  environment: {MODE: fast}
  commands: [go test -short ./...]
- name: publish
  image: plugins/docker
"""
WOODPECKER = """\
matrix:
  GO: ['1.26', '1.27']
steps:
  test:
    image: golang:${GO}
    commands: [go test -race ./...]
"""
CIRCLE = """\
orbs: {python: circleci/python@2}
commands:
  check:
    steps: [{run: pytest -q}]
jobs:
  test:
    parameters: {version: {type: string, default: '3.11'}}
    docker:
    - image: cimg/python:<< parameters.version >>
      environment: {DATABASE_URL: postgres://root@localhost/a}
    - image: circleci/postgres:16-alpine
    steps:
    - checkout
    - python/install-packages: {pkg-manager: pip}
    - check
workflows:
  all:
    jobs:
    - test: {matrix: {parameters: {version: ['3.12', '3.13']}}}
"""
JENKINS = """\
pipeline {
  agent { docker { image 'maven:3.9-eclipse-temurin-17' } }
  environment { MODE = 'fast' }
  stages {
    stage('Build') { steps { dir('tool') { sh 'make' } } }
    // stage('Old') { steps { sh 'mvn -B site' } }
    stage('Test') { steps { sh '''
      mvn -B verify
    ''' } }
    stage('Deploy') { steps { sh 'mvn -B package -P production' } }
  }
}
"""
TRAVIS = """\
language: python
jobs:
  include:
  - {python: '3.12', script: pytest -q}
  - {python: '3.14', os: osx}
addons:
  apt: {packages: [libxml2]}
  postgresql: '16'
services: [redis]
install: pip install pytest
"""
TRAVIS_WITH_SETTINGS = """\
language: python
services: [mongodb, docker]
env:
  global:
  - MONGODB_URL=mongodb://localhost:27017/a GREETING="good day"
  - secure: c2VjcmV0
  - "UNCLOSED='"
script: pytest -q
"""
GITLAB = """\
variables: {GO_VERSION: '1.25'}
.base:
  image: golang:${GO_VERSION}
  before_script: [go mod download]
test:
  extends: .base
  parallel:
    matrix: [{GO_VERSION: ['1.25', '1.26']}]
  script: [go test -count=1 ./...]
"""
CIRRUS = """\
unit_task:
  container: {image: 'golang:1.26'}
  test_script: go test -v ./...
"""


@pytest.mark.parametrize(
    ("files", "path", "text", "expected"),
    [
        pytest.param(
            PYTHON,
            "azure-pipelines.yml",
            AZURE,
            {"version": "3.12", "test": "pytest -q test_a.py", "system_package": "libxml2"},
            id="Azure: a matrix, tasks, a service to upload to",
        ),
        pytest.param(
            NODE,
            "bitbucket-pipelines.yml",
            BITBUCKET,
            {"version": "22", "test": "npm run unit", "service": "postgres:16"},
            id="Bitbucket: steps side by side, a deployment",
        ),
        pytest.param(
            GO,
            ".drone.yml",
            DRONE,
            {"version": "1.26", "test": "go test -short ./...", "service": "redis:7", "variable": "MODE=fast"},
            id="Drone",
        ),
        pytest.param(
            GO, ".woodpecker/ci.yml", WOODPECKER, {"version": "1.27", "test": "go test -race ./..."}, id="Woodpecker"
        ),
        pytest.param(
            PYTHON,
            ".circleci/config.yml",
            CIRCLE,
            {
                "version": "3.13",
                "install": "pip install -r requirements.txt",
                "test": "pytest -q",
                "service": "postgres:16-alpine",
                "variable": "DATABASE_URL=postgres://root@postgres/a",
            },
            id="CircleCI: an orb, a command, a matrix, a database",
        ),
        pytest.param(
            MAVEN,
            "ci/Jenkinsfile",
            JENKINS,
            {"version": "17", "test": "mvn -B verify", "variable": "MODE=fast"},
            id="Jenkins: stages, folders, comments, a deployment",
        ),
        pytest.param(
            PYTHON,
            ".travis.yml",
            TRAVIS,
            {"version": "3.12", "test": "pytest -q", "service": "redis:8", "system_package": "libxml2"},
            id="Travis: jobs, add-ons, services",
        ),
        pytest.param(
            PYTHON,
            ".travis.yml",
            TRAVIS_WITH_SETTINGS,
            {"service": "mongo:8", "variable": "MONGODB_URL=mongodb://mongo:27017/a"},
            id="Travis: its own names of services, variables of all jobs",
        ),
        pytest.param(
            GO,
            ".gitlab-ci.yml",
            GITLAB,
            {"version": "1.26", "test": "go test -count=1 ./..."},
            id="GitLab: extends, variables and a matrix",
        ),
        pytest.param(GO, ".cirrus.yml", CIRRUS, {"version": "1.26", "test": "go test -v ./..."}, id="Cirrus"),
    ],
)
def test_systems(unit_of: Look, files: dict[str, str], path: str, text: str, expected: dict[str, str]) -> None:
    unit = unit_of({**files, path: text})
    assert {name: unit.first(name) for name in expected} == expected
    assert path in wanted_paths([path])
    assert wanted_paths([path], ignore_existing_ci=True) == ()


@pytest.mark.parametrize(
    ("path", "text", "called"),
    [
        pytest.param("justfile", "lint:\n  ruff check\ntest: lint\n  @pytest -q tests\n", "just test", id="just"),
        pytest.param(
            "Taskfile.yml",
            "tasks:\n  test:\n    deps: [lint]\n    cmds: [pytest -q tests]\n  lint: ruff check\n",
            "task test",
            id="Task",
        ),
    ],
)
def test_a_task_is_what_it_runs(unit_of: Look, path: str, text: str, called: str) -> None:
    steps = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n    - run: {called}\n"
    unit = unit_of({**PYTHON, path: text, ".github/workflows/ci.yml": steps})
    assert (unit.all("test"), unit.all("lint")) == (("pytest -q tests",), ("ruff check",))


def test_a_task_that_needs_its_runner_is_not_copied(unit_of: Look) -> None:
    steps = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n    - run: just test\n"
    unit = unit_of({**PYTHON, "justfile": "test:\n  pytest {{flags}}\n", ".github/workflows/ci.yml": steps})
    assert unit.first("test") == "pytest"
