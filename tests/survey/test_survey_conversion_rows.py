"""Rows of a conversion that point at nothing of their own: steps that an orb runs, and shared libraries of Jenkins."""

from bot.domain import Carried, Snapshot
from bot.domain.pins import pin
from bot.survey.report import survey


def converted(files: dict[str, str]) -> tuple[Carried, ...]:
    return survey(Snapshot(paths=tuple(sorted(files)), texts=files)).conversion


def test_what_an_orb_runs_is_shown_where_it_is_called() -> None:
    config = (
        "version: 2.1\norbs: {python: circleci/python@2}\njobs:\n  test:\n    docker: [{image: cimg/python:3.12}]\n"
        "    steps:\n      - python/install-packages:\n          pkg-manager: pipenv\n      - run: pipenv run pytest\n"
    )
    pipfile = '[packages]\n[dev-packages]\npytest = "*"\n'
    rows = {row.where.quote: row for row in converted({".circleci/config.yml": config, "Pipfile": pipfile})}
    assert rows["pipenv install --dev"].where.line == 7
    mended = f"pip install pipenv=={pin('pipenv')} && pipenv install --dev --skip-lock"
    assert rows["pipenv install --dev"].why == f"replaced by `{mended}`"


def test_a_jenkinsfile_that_only_calls_a_shared_library_says_so() -> None:
    files = {"Jenkinsfile": "/* see\n the docs */\n\n// ours\nbuildPlugin(\n  jdk: 21)\n", "pom.xml": "<project/>"}
    (row,) = converted(files)
    assert (row.where.path, row.where.line, row.where.quote) == ("Jenkinsfile", 5, "buildPlugin(")
    assert row.became == ""
    assert "shared library" in row.why


BITBUCKET = """\
image: node:fermium
deploy: &deploy
  name: Ship it
  script:
    - export NAME=app
    - >
      aws ecs update-service
      --service app
pipelines:
  default:
    - step:
        name: Checks
        script: [npm install, npm run lint]
  custom:
    nightly:
      - step: {name: Nightly, script: [npm run audit]}
  branches:
    main:
      - step:
          deployment: production
          <<: *deploy
"""


def test_bitbucket_lines_of_steps_that_deliver_or_start_by_hand_are_told_too() -> None:
    package = '{"name": "a", "scripts": {"lint": "eslint ."}, "devDependencies": {"eslint": "9"}}'
    rows = {row.where.quote: row for row in converted({"bitbucket-pipelines.yml": BITBUCKET, "package.json": package})}
    assert rows["image: node:fermium"].became == "image"
    assert rows["npm run lint"].became == "lint"
    assert (rows["export NAME=app"].where.line, rows["export NAME=app"].became) == (5, "")
    assert rows["npm run audit"].where.line == 16
    assert "starts by hand" in rows["npm run audit"].why
    assert (rows["aws ecs update-service"].where.line, rows["aws ecs update-service"].became) == (7, "")
    assert "it delivers" in rows["aws ecs update-service"].why


def test_drone_lines_of_steps_that_deliver_are_told_too() -> None:
    config = (
        "kind: pipeline\nsteps:\n- name: test\n  image: golang:1.26\n  commands: [go test ./...]\n"
        "- name: deploy\n  image: alpine\n  commands: [./ship.sh]\n"
    )
    files = {".drone.yml": config, "go.mod": "module example.com/a\n\ngo 1.26\n", "a.go": "package a\n"}
    rows = {row.where.quote: row for row in converted(files)}
    assert rows["go test ./..."].became == "test"
    assert (rows["./ship.sh"].where.line, rows["./ship.sh"].job) == (8, "deploy")


def test_a_node_image_by_its_name_gives_a_version_with_the_reason() -> None:
    package = '{"name": "a", "scripts": {"lint": "eslint ."}, "devDependencies": {"eslint": "9"}}'
    files = {"bitbucket-pipelines.yml": BITBUCKET, "package.json": package}
    (unit,) = survey(Snapshot(paths=tuple(sorted(files)), texts=files)).units
    (version,) = [fact for fact in unit.facts if fact.name == "version"]
    assert "nearest to 14" in version.because
    assert version.evidence[0].line == 1
