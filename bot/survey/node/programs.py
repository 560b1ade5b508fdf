"""Programs beside Node.js that the scripts and tools of a project call, which a slim image does not have."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.survey.node.scripts import called_script, leaves

# What the package manager runs by itself while it installs.
_HOOKS = ("preinstall", "install", "postinstall", "prepare")
_CALLED = re.compile(
    r"(?:^|[;&|(]\s*|\b(?:then|do|env \w+=\S+|cross-env \S+)\s+)"
    r"(git|make|python3|curl|wget|jq|zip|unzip|rsync|psql|createdb|dropdb|pg_dump|mysql|mysqladmin|redis-cli)\s"
)
_PACKAGES = {
    **dict.fromkeys(("psql", "createdb", "dropdb", "pg_dump"), "postgresql-client"),
    **dict.fromkeys(("mysql", "mysqladmin"), "default-mysql-client"),
    "redis-cli": "redis-tools",
}
# Tools that ask git when they run, and libraries that are wrapped around it.
_ASK_GIT = frozenset(
    {
        "@npmcli/template-oss",
        "@npmcli/git",
        "simple-git",
        "git-raw-commits",
        "conventional-changelog",
        "beachball",
        "lerna",
    }
)


def programs(
    scripts: Mapping[str, str], dependencies: Mapping[str, str], lines: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield (Debian package, reason) for what the commands of a job end in."""
    names = [name for line in lines if (name := called_script(line))]
    for name in (*_HOOKS, *names):
        text = " && ".join(leaves(dict(scripts), each) for each in (f"pre{name}", name, f"post{name}"))
        for program in _CALLED.findall(text):
            yield _PACKAGES.get(program, program), f"the script `{name}` calls it"
    for tool in sorted(_ASK_GIT & set(dependencies)):
        yield "git", f"{tool} calls it"
