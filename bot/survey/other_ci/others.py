"""Travis, CircleCI, GitLab, Jenkins and the like: only the plain parts, each as jobs with scripts."""

import re
from collections.abc import Callable, Iterator

from bot.domain import Evidence
from bot.survey.other_ci.model import Job, Step
from bot.survey.parsing import read_yaml, string, strings, table
from bot.survey.tree import Tree, find

_IMAGE = re.compile(r"(?:^|/)(python|node|golang|go|openjdk|rust|java|eclipse-temurin|maven|gradle)[\w-]*:(\d[\w.]*)")
_LANGUAGE = {"golang": "go", "openjdk": "java", "eclipse-temurin": "java"}
_SERVICE = re.compile(
    r"(?:^|/)(postgres|postgis|mysql|mariadb|redis|mongo|rabbitmq|memcached|elasticsearch)[\w-]*(?::|$)"
)
_TRAVIS_DEFAULT = {
    "go": "go test -v ./...",
    "rust": "cargo test --verbose",
    "node_js": "npm test",
    "java": "mvn test -B",
}


def read_others(tree: Tree) -> Iterator[Job]:
    """Return the jobs of every other system, those that are likely alive first."""
    readers: tuple[tuple[str, Callable[[Tree, str], Iterator[Job]]], ...] = (
        (r"\.gitlab-ci\.yml", _gitlab),
        (r"\.circleci/config\.yml", _circle),
        (r"(?:[^/]+/)?Jenkinsfile", _jenkins),
        (r"\.travis\.yml", _travis),
    )
    for pattern, read in readers:
        for path in sorted(path for path in tree.snapshot.texts if re.fullmatch(pattern, path)):
            yield from read(tree, path)


def _steps(path: str, text: str, lines: list[str]) -> tuple[Step, ...]:
    scripts = [line for line in lines if line.strip()]
    return tuple(Step(script=line, evidence=find(path, text, line.splitlines()[0])) for line in scripts)


def _image_versions(path: str, text: str, image: str) -> tuple[tuple[str, str, Evidence], ...]:
    match = _IMAGE.search(image)
    if match is None:
        return ()
    name, version = match.groups()
    return ((_LANGUAGE.get(name, name), version, find(path, text, image)),)


def _gitlab(tree: Tree, path: str) -> Iterator[Job]:
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    common = _image_name(data.get("image")) or _image_name(table(data, "default").get("image"))
    before = strings(data.get("before_script")) or strings(table(data, "default").get("before_script"))
    for name, body in data.items():
        if not isinstance(body, dict) or "script" not in body or re.search(r"deploy|release|publish|pages", name):
            continue
        own = strings(body.get("before_script")) if "before_script" in body else before
        listed = body.get("services")
        services = [_image_name(each) for each in (listed if isinstance(listed, list) else [])]
        yield Job(
            path=path,
            name=name,
            steps=_steps(path, text, [*own, *strings(body.get("script"))]),
            versions=_image_versions(path, text, _image_name(body.get("image")) or common),
            services=tuple((image, find(path, text, image)) for image in services if image and "$" not in image),
            variables={key: string(value) for key, value in table(body, "variables").items()},
        )


def _image_name(value: object) -> str:
    return string(table(value).get("name")) if isinstance(value, dict) else string(value)


def _circle(tree: Tree, path: str) -> Iterator[Job]:
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    for name, body in table(data, "jobs").items():
        if not isinstance(body, dict) or re.search(r"deploy|release|publish", name):
            continue
        executor = table(data, "executors", string(body.get("executor")))
        images = [*_circle_images(body.get("docker")), *_circle_images(executor.get("docker"))]
        databases = [each for each in images[1:] if _SERVICE.search(each) and "<<" not in each]
        steps = body.get("steps")
        yield Job(
            path=path,
            name=name,
            steps=_steps(path, text, [_circle_run(step) for step in (steps if isinstance(steps, list) else [])]),
            versions=_image_versions(path, text, images[0]) if images else (),
            services=tuple((_public(image), find(path, text, image)) for image in databases),
            variables={key: string(value) for key, value in table(body, "environment").items()},
        )


def _circle_images(containers: object) -> list[str]:
    found = containers if isinstance(containers, list) else []
    return [string(table(each).get("image")) for each in found]


def _circle_run(step: object) -> str:
    run = step.get("run") if isinstance(step, dict) else None
    return string(table(run).get("command")) if isinstance(run, dict) else string(run)


def _public(image: str) -> str:
    """Return the public image for one of CircleCI's own: circleci/postgres:9.6-alpine is postgres:9.6-alpine."""
    return re.sub(r"^(circleci|cimg)/", "", image)


def _jenkins(tree: Tree, path: str) -> Iterator[Job]:
    text = tree.text(path)
    lines = re.findall(r"""^\s*sh\s*\(?\s*(?:'''|\"\"\"|'|")(.+?)(?:'''|\"\"\"|'|")""", text, re.MULTILINE | re.DOTALL)
    images = re.findall(r"image\s*\(?\s*['\"]([\w./:-]+)['\"]", text)
    versions = tuple(entry for image in images for entry in _image_versions(path, text, image))
    if lines:
        yield Job(path=path, name="Jenkinsfile", steps=_steps(path, text, lines), versions=versions)


def _travis(tree: Tree, path: str) -> Iterator[Job]:
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    language = string(data.get("language"))
    names = {"python": "python", "node_js": "node", "go": "go", "rust": "rust", "jdk": "java"}
    versions = [
        (lang, version.removeprefix("openjdk").removeprefix("oraclejdk"))
        for key, lang in names.items()
        for version in strings(data.get(key))
    ]
    scripts = strings(data.get("before_install")) + strings(data.get("install")) + strings(data.get("before_script"))
    tests = strings(data.get("script")) or strings(_TRAVIS_DEFAULT.get(language))
    services = [
        each for each in strings(data.get("services")) if _SERVICE.search(each.replace("postgresql", "postgres"))
    ]
    yield Job(
        path=path,
        name="travis",
        steps=_steps(path, text, [*scripts, *tests]),
        versions=tuple((lang, version, find(path, text, version)) for lang, version in versions),
        services=tuple((each.replace("postgresql", "postgres"), find(path, text, each)) for each in services),
    )
