"""Forty requests as people write them, the operations a competent model returns for them, and what they change.

Every line that is not listed as taken away (-) or added (+) stays as it was, byte for byte.
"""

from typing import Any, NamedTuple

EXISTING = """\
# Our pipeline. Ask the platform team before changing the deploy job.
stages: [lint, test, build, deploy]

variables:
  PIP_CACHE_DIR: "$CI_PROJECT_DIR/.cache/pip"   # shared by all jobs

default:
  image: python:3.13-slim
  tags: [docker]

lint:
  stage: lint
  script:
    - pip install ruff
    - ruff check .

# The unit tests.
test:
  stage: test
  services:
    - redis:7
  variables:
    DJANGO_SETTINGS_MODULE: app.settings.test
  before_script:
    - pip install -e '.[test]'
  script:
    - pytest tests/unit   # the fast ones only
  artifacts:
    paths:
      - report/

build:
  stage: build
  image: python:3.13
  needs: [test]
  script: |
    pip install build
    python -m build

deploy:
    stage: deploy
    script:
        - ./deploy.sh production
    rules:
        - if: $CI_COMMIT_BRANCH == "main"
    environment: production
"""

DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /app
COPY . .
RUN pip install --prefix=/opt/app .

FROM python:3.13-slim
# libpq for psycopg
RUN apt-get update \\
    && apt-get install -y --no-install-recommends libpq5 \\
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/app /usr/local
ENV PYTHONUNBUFFERED=1 \\
    WORKERS=2
USER 10001
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000), 2)"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "app:app"]
"""
IGNORE = ".git\n"


class Request(NamedTuple):
    """What a person writes, what the model makes of it, and the lines that differ afterwards."""

    words: str
    operations: list[dict[str, Any]]
    changed: str


REQUESTS = [
    Request(
        "can you also run the integration tests against Postgres 16, only nightly?",
        [
            {
                "operation": "add_job",
                "job": "integration-test",
                "like": "test",
                "script": ["pytest tests/integration"],
                "services": ["postgres:16"],
                "when": ["nightly"],
            }
        ],
        """\
+integration-test:
+  stage: test
+  services:
+    - name: postgres:16
+      alias: postgres
+      variables:
+        POSTGRES_DB: test
+        POSTGRES_HOST_AUTH_METHOD: trust
+  rules:
+    - if: $CI_PIPELINE_SOURCE == "schedule"
+  variables:
+    DJANGO_SETTINGS_MODULE: app.settings.test
+    DATABASE_URL: postgresql://postgres@postgres:5432/test
+  before_script:
+    - pip install -e '.[test]'
+  script:
+    - pytest tests/integration
+
""",
    ),
    Request(
        "please test on python 3.11, 3.12 and 3.13",
        [{"operation": "set_versions", "job": "test", "values": ["3.11", "3.12", "3.13"]}],
        """\
+  image: python:${PYTHON_VERSION}-slim
+  parallel:
+    matrix:
+      - PYTHON_VERSION:
+          - "3.11"
+          - "3.12"
+          - "3.13"
""",
    ),
    Request(
        "use python 3.12 everywhere",
        [
            {"operation": "set_image", "job": "default", "image": "python:3.12-slim"},
            {"operation": "set_image", "job": "build", "image": "python:3.12"},
        ],
        """\
-  image: python:3.13-slim
+  image: python:3.12-slim
-  image: python:3.13
+  image: python:3.12
""",
    ),
    Request(
        "the tests need redis 8",
        [{"operation": "add_service", "job": "test", "services": ["redis:8"]}],
        """\
-    - redis:7
+    - redis:8
""",
    ),
    Request(
        "add a postgres to the tests",
        [{"operation": "add_service", "job": "test", "services": ["postgres:17"]}],
        """\
+    - name: postgres:17
+      alias: postgres
+      variables:
+        POSTGRES_DB: test
+        POSTGRES_HOST_AUTH_METHOD: trust
+    DATABASE_URL: postgresql://postgres@postgres:5432/test
""",
    ),
    Request(
        "we don't use redis any more",
        [{"operation": "remove_service", "job": "test", "services": ["redis"]}],
        """\
-  services:
-    - redis:7
""",
    ),
    Request(
        "make the deploy manual",
        [{"operation": "run_when", "job": "deploy", "when": ["default_branch", "manual"]}],
        """\
-        - if: $CI_COMMIT_BRANCH == "main"
+        - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
+          when: manual
+          allow_failure: true
""",
    ),
    Request(
        "only lint in merge requests",
        [{"operation": "run_when", "job": "lint", "when": ["merge_requests"]}],
        """\
+  rules:
+    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
""",
    ),
    Request(
        "don't run the tests for tags",
        [
            {"operation": "skip_when", "job": "test", "when": ["tags"]},
            {"operation": "skip_when", "job": "build", "when": ["tags"]},
        ],
        """\
+  rules:
+    - if: $CI_COMMIT_TAG
+      when: never
+    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
+      when: never
+    - when: on_success
+  rules:
+    - if: $CI_COMMIT_TAG
+      when: never
+    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
+      when: never
+    - when: on_success
""",
    ),
    Request(
        "run the build only when src or pyproject.toml changed",
        [{"operation": "run_when", "job": "build", "when": ["branches"], "paths": ["src/**/*", "pyproject.toml"]}],
        """\
+  rules:
+    - if: $CI_COMMIT_BRANCH
+      changes:
+        - src/**/*
+        - pyproject.toml
""",
    ),
    Request(
        "lint failures should not block us for now",
        [{"operation": "set_option", "job": "lint", "name": "allow_failure", "value": "true"}],
        """\
+  allow_failure: true
""",
    ),
    Request(
        "give the tests an hour",
        [{"operation": "set_option", "job": "test", "name": "timeout", "value": "1 hour"}],
        """\
+  timeout: 1 hour
""",
    ),
    Request(
        "retry flaky tests once",
        [{"operation": "set_option", "job": "test", "name": "retry", "value": "1"}],
        """\
+  retry: 1
""",
    ),
    Request(
        "split the tests over 4 machines",
        [{"operation": "set_option", "job": "test", "name": "parallel", "value": "4"}],
        """\
+  parallel: 4
""",
    ),
    Request(
        "also check types with mypy in the lint job",
        [{"operation": "add_script", "job": "lint", "script": ["pip install mypy", "mypy app"]}],
        """\
+    - pip install mypy
+    - mypy app
""",
    ),
    Request(
        "the lint job should not install ruff itself",
        [{"operation": "remove_script", "job": "lint", "script": ["pip install ruff"]}],
        """\
-    - pip install ruff
""",
    ),
    Request(
        "run pytest in parallel with -n auto",
        [{"operation": "set_script", "job": "test", "script": ["pytest -n auto tests/unit"]}],
        """\
-    - pytest tests/unit   # the fast ones only
+    - pytest -n auto tests/unit   # the fast ones only
""",
    ),
    Request(
        "set DJANGO_DEBUG to 0 for all jobs",
        [{"operation": "set_variable", "variables": ["DJANGO_DEBUG=0"]}],
        """\
+  DJANGO_DEBUG: "0"
""",
    ),
    Request(
        "the tests need SECRET_KEY=dummy and TZ=UTC",
        [{"operation": "set_variable", "job": "test", "variables": ["SECRET_KEY=dummy", "TZ=UTC"]}],
        """\
+    SECRET_KEY: dummy
+    TZ: UTC
""",
    ),
    Request(
        "remove the settings variable from the tests",
        [{"operation": "remove_variable", "job": "test", "name": "DJANGO_SETTINGS_MODULE"}],
        """\
-  variables:
-    DJANGO_SETTINGS_MODULE: app.settings.test
""",
    ),
    Request(
        "cache pip downloads in the tests",
        [{"operation": "set_cache", "job": "test", "paths": [".cache/pip"], "value": "pyproject.toml"}],
        """\
+  cache:
+    key:
+      files:
+        - pyproject.toml
+    paths:
+      - .cache/pip
""",
    ),
    Request(
        "keep the coverage html too",
        [{"operation": "set_artifacts", "job": "test", "paths": ["htmlcov/"]}],
        """\
+      - htmlcov/
""",
    ),
    Request(
        "show test results in the merge request",
        [
            {"operation": "add_script", "job": "test", "script": ["pytest --junitxml=junit.xml tests/api"]},
            {"operation": "set_artifacts", "job": "test", "name": "junit", "paths": ["junit.xml"]},
        ],
        """\
+    - pytest --junitxml=junit.xml tests/api
+    reports:
+      junit: junit.xml
""",
    ),
    Request(
        "the build doesn't have to wait for the tests",
        [{"operation": "set_needs", "job": "build", "needs": []}],
        """\
-  needs: [test]
+  needs: []
""",
    ),
    Request(
        "rename test to unit-tests",
        [{"operation": "rename_job", "job": "test", "value": "unit-tests"}],
        """\
-test:
+unit-tests:
-  needs: [test]
+  needs: [unit-tests]
""",
    ),
    Request(
        "drop the lint job",
        [{"operation": "remove_job", "job": "lint"}],
        """\
-
-lint:
-  stage: lint
-  script:
-    - pip install ruff
-    - ruff check .
""",
    ),
    Request(
        "add a docs stage with mkdocs",
        [
            {
                "operation": "add_job",
                "job": "docs",
                "stage": "docs",
                "image": "python:3.13-slim",
                "script": ["pip install mkdocs", "mkdocs build --strict"],
                "paths": ["site/"],
            }
        ],
        """\
-stages: [lint, test, build, deploy]
+stages: [lint, test, build, docs, deploy]
+
+docs:
+  stage: docs
+  image: python:3.13-slim
+  script:
+    - pip install mkdocs
+    - mkdocs build --strict
+  artifacts:
+    paths:
+      - site/
+    expire_in: 1 week
""",
    ),
    Request(
        "add GitLab's secret detection",
        [{"operation": "add_include", "value": "Jobs/Secret-Detection.gitlab-ci.yml"}],
        """\
+
+include:
+  - template: Jobs/Secret-Detection.gitlab-ci.yml
""",
    ),
    Request(
        "run on our gpu runners",
        [{"operation": "set_tags", "job": "test", "values": ["gpu", "docker"]}],
        """\
+  tags:
+    - gpu
+    - docker
""",
    ),
    Request(
        "the production url is https://app.example.com",
        [{"operation": "set_environment", "job": "deploy", "name": "production", "value": "https://app.example.com"}],
        """\
-    environment: production
+    environment:
+        name: production
+        url: https://app.example.com
""",
    ),
    Request(
        "add a staging deployment from the develop branch",
        [
            {
                "operation": "add_job",
                "job": "deploy-staging",
                "like": "deploy",
                "script": ["./deploy.sh staging"],
                "when": ["branches"],
                "values": ["develop"],
            },
            {"operation": "set_environment", "job": "deploy-staging", "name": "staging"},
        ],
        """\
+
+deploy-staging:
+  stage: deploy
+  rules:
+    - if: $CI_COMMIT_BRANCH == "develop"
+  script:
+    - ./deploy.sh staging
+  environment: staging
""",
    ),
    Request(
        "Bitte die Tests auch nachts laufen lassen, und zwar gegen MariaDB 11.8",
        [
            {
                "operation": "add_job",
                "job": "nachttest",
                "like": "test",
                "script": ["pytest tests/unit"],
                "services": ["mariadb:11.8"],
                "when": ["nightly"],
            }
        ],
        """\
+nachttest:
+  stage: test
+  services:
+    - name: mariadb:11.8
+      alias: mariadb
+      variables:
+        MYSQL_DATABASE: test
+        MYSQL_ALLOW_EMPTY_PASSWORD: "yes"
+  rules:
+    - if: $CI_PIPELINE_SOURCE == "schedule"
+  variables:
+    DJANGO_SETTINGS_MODULE: app.settings.test
+    DATABASE_URL: mysql://root@mariadb:3306/test
+  before_script:
+    - pip install -e '.[test]'
+  script:
+    - pytest tests/unit
+
""",
    ),
    Request(
        "Bitte den Port des Containers auf 9000 ändern",
        [{"operation": "docker_port", "value": "9000"}],
        """\
-EXPOSE 8000
-HEALTHCHECK CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000), 2)"]
-CMD ["gunicorn", "--bind", "0.0.0.0:8000", "app:app"]
+EXPOSE 9000
+HEALTHCHECK CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 9000), 2)"]
+CMD ["gunicorn", "--bind", "0.0.0.0:9000", "app:app"]
""",
    ),
    Request(
        "Im Image fehlt ffmpeg",
        [{"operation": "docker_packages", "values": ["ffmpeg"]}],
        """\
-    && apt-get install -y --no-install-recommends libpq5 \\
+    && apt-get install -y --no-install-recommends ffmpeg libpq5 \\
""",
    ),
    Request(
        "Das Image soll auf Python 3.14 beruhen",
        [{"operation": "docker_base", "image": "python:3.14-slim"}],
        """\
-FROM python:3.13-slim AS build
+FROM python:3.14-slim AS build
-FROM python:3.13-slim
+FROM python:3.14-slim
""",
    ),
    Request(
        "Ajoute une étape de construction qui compile les traductions",
        [{"operation": "docker_run", "script": ["python manage.py compilemessages"]}],
        """\
+RUN python manage.py compilemessages
""",
    ),
    Request(
        "Lance le conteneur avec uvicorn, s'il te plaît",
        [{"operation": "docker_command", "value": "uvicorn app:app --host 0.0.0.0 --port 8000"}],
        """\
-CMD ["gunicorn", "--bind", "0.0.0.0:8000", "app:app"]
+CMD ["uvicorn", "app:app", "--host", "0.0.0.0", "--port", "8000"]
""",
    ),
    Request(
        "Quiero que el despliegue sea solo con etiquetas",
        [{"operation": "run_when", "job": "deploy", "when": ["tags"]}],
        """\
-        - if: $CI_COMMIT_BRANCH == "main"
+        - if: $CI_COMMIT_TAG
""",
    ),
    Request(
        "Pon 4 trabajadores en la imagen y desactiva los .pyc",
        [{"operation": "docker_env", "variables": ["WORKERS=4", "PYTHONDONTWRITEBYTECODE=1"]}],
        """\
-    WORKERS=2
+    WORKERS=4
+ENV PYTHONDONTWRITEBYTECODE=1
""",
    ),
    Request(
        "テストのタイムアウトを10分にしてください",
        [{"operation": "set_option", "job": "test", "name": "timeout", "value": "10 minutes"}],
        """\
+  timeout: 10 minutes
""",
    ),
    Request(
        "イメージにテストとドキュメントを含めないでください",
        [{"operation": "docker_ignore", "paths": ["tests", "docs"]}],
        """\
+tests
+docs
""",
    ),
]
