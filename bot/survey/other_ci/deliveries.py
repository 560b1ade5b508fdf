"""What other CI delivers: never copied, because it needs secrets and a person's decision, but never forgotten."""

import re
from collections.abc import Iterator

from msgspec import Struct

from bot.domain import Evidence
from bot.survey.tree import Tree
from bot.survey.wanted import is_ci

_COMMAND = re.compile(
    r"\b(twine upload|(?:npm|pnpm|cargo|poetry|uv|flit|hatch|pdm|mix hex\.) ?publish|yarn npm publish|docker push"
    r"|helm (?:upgrade|install|push)|kubectl (?:apply|set|rollout)|git push heroku|heroku \S+:release|netlify deploy"
    r"|vercel --prod|aws s3 (?:cp|sync)|aws ecs|gcloud \S+ deploy|terraform apply|goreleaser release|semantic-release"
    r"|(?:mvnw?|mvn) [^\n]*\bdeploy\b|gradlew? [^\n]*publish\w*|gem push|dotnet nuget push|ansible-playbook"
    r"|firebase deploy|serverless deploy|sls deploy|fly(?:ctl)? deploy|gh release create"
    r"|rsync [^\n]*:|scp [^\n]*:|ssh [^\n]*@\S+)[^\n]*"
)
_ACTION = re.compile(
    r"(?:uses|pipe|image|provider):\s*['\"]?(\S*(?:publish|deploy|gh-release|create-release|build-push-action|plugins/docker"
    r"|ghaction-docker|heroku|changesets/action|release-please|semantic-release|s3-deploy|pages-action)\S*|pypi|npm|releases)",
)
_SECRETS = re.compile(
    r"secrets\.([\w-]+)|credentials\(['\"]([\w.-]+)|credentialsId:\s*['\"]([\w.-]+)|from_secret:\s*['\"]?([\w-]+)"
    r"|\$[{(]?([A-Z][A-Z0-9_]*(?:TOKEN|KEY|SECRET|PASSWORD|CREDENTIALS)[A-Z0-9_]*)"
)


class Delivery(Struct, frozen=True, kw_only=True):
    """One file of another CI that publishes, releases or deploys something."""

    path: str
    lines: tuple[Evidence, ...]
    secrets: tuple[str, ...] = ()


def read_deliveries(tree: Tree) -> Iterator[Delivery]:
    """Return what every CI file delivers, with the names of the secrets that stand in the same file."""
    for path in sorted(path for path in tree.snapshot.texts if is_ci(path) and path != ".gitlab-ci.yml"):
        text = tree.text(path)
        lines = tuple(_lines(path, text))
        if lines:
            named = [next(filter(None, groups)) for groups in _SECRETS.findall(text)]
            secrets = tuple(name for name in dict.fromkeys(named) if name != "GITHUB_TOKEN")
            yield Delivery(path=path, lines=lines, secrets=secrets)


def _lines(path: str, text: str) -> Iterator[Evidence]:
    for number, line in enumerate(text.splitlines(), 1):
        found = _COMMAND.search(line) or _ACTION.search(line)
        if found and not line.lstrip().startswith(("#", "//")):
            before = line[found.start() - 1 : found.start()]
            said = found.group(0).split(before)[0] if before in {"'", '"'} else found.group(0)
            quote = said.split(" #")[0].strip().strip("'\"")
            yield Evidence(path=path, line=number, quote=quote[:120])
