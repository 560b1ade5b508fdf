"""Which files of a repository are worth reading, judged by their paths alone."""

import re
from collections.abc import Iterable, Sequence

MAX_DEPTH = 5

# Folders whose manifests describe somebody else's project, an example, or what a tool produced.
IGNORED_FOLDERS = frozenset(
    """.git .hg .svn .tox .nox .venv venv env node_modules bower_components vendor vendors vendored _vendor third_party
    third-party thirdparty external extern deps subprojects example examples sample samples demo demos docs doc
    documentation website site-packages fixtures fixture testdata test-data test_data __fixtures__ __snapshots__
    __tests__ test tests spec specs testing testcases integration_tests integration-tests e2e benchmark benchmarks bench
    perf perf-testing perf-tests perf_tests performance-tests
    fuzz fuzzing dist build out target _build
    kotlin-js-store template templates cookiecutter scaffold archetype archetype-resources resources .devcontainer .idea
    .vscode .yarn .cargo""".split()
)

# What another CI runs; the groups are: GitHub, GitLab, and everybody else.
CI_FILES = re.compile(
    r"\.github/workflows/[^/]+\.ya?ml|\.github/actions/[^/]+/action\.ya?ml|\.gitlab-ci\.yml|\.?gitlab(?:-ci)?/(?:[^/]+/){0,2}[^/]+\.ya?ml"
    r"|\.circleci/config\.ya?ml|\.travis\.ya?ml|(?:[^/]+/){0,2}Jenkinsfile|azure-pipelines\.ya?ml|appveyor\.ya?ml"
    r"|\.azure-pipelines/[^/]+\.ya?ml|\.azuredevops/[^/]+\.ya?ml|\.appveyor\.ya?ml|\.cirrus\.ya?ml|\.drone\.ya?ml"
    r"|bitbucket-pipelines\.yml|\.woodpecker\.ya?ml|\.woodpecker/[^/]+\.ya?ml|\.buildkite/[^/]+\.ya?ml"
    r"|\.semaphore/[^/]+\.ya?ml|buildspec\.ya?ml|cloudbuild\.ya?ml|\.pre-commit-config\.yaml"
)

# Names by importance; within a rank the shallower path comes first.
_RANKS: tuple[str, ...] = (
    r"pyproject\.toml|package\.json|go\.mod|go\.work|Cargo\.toml|pom\.xml|build\.gradle(?:\.kts)?"
    r"|settings\.gradle(?:\.kts)?|CMakeLists\.txt|CMakePresets\.json|build\.mill(?:\.yaml|\.scala)?|build\.sc"
    r"|meson\.build|(?:GNU)?[Mm]akefile|configure\.ac|configure\.in"
    r"|setup\.py|setup\.cfg|Pipfile|tox\.ini|noxfile\.py|Dockerfile|requirements[\w.-]*\.(?:txt|in)|manage\.py"
    r"|Gemfile|[\w.-]+\.gemspec|Rakefile|composer\.json|mix\.exs|rebar\.config|Package\.swift|pubspec\.yaml|stack\.yaml"
    r"|[\w.-]+\.cabal|cabal\.project|package\.yaml|Project\.toml|DESCRIPTION|cpanfile|Makefile\.PL|Build\.PL|dist\.ini"
    r"|[\w.-]+\.rockspec|build\.zig(?:\.zon)?|deno\.jsonc?|build\.sbt|project\.clj|deps\.edn|Chart\.yaml|ansible\.cfg"
    r"|galaxy\.yml|(?:hugo|config)\.(?:toml|ya?ml)|_config\.yml|mkdocs\.ya?ml|[\w. -]+\.slnx?|global\.json"
    r"|Directory\.(?:Build|Packages)\.props|(?:versions|terraform|main|providers)\.tf|\.latexmkrc|latexmkrc",
    r"\.gitlab-ci\.yml|\.pre-commit-config\.yaml",
    r"[\w-]*requirements[\w-]*\.txt|pytest\.ini|\.python-version|\.tool-versions|\.?mise\.toml|runtime\.txt|\.nvmrc"
    r"|\.node-version|\.go-version|\.java-version|\.sdkmanrc|rust-toolchain(?:\.toml)?|\.npmrc|\.yarnrc\.yml"
    r"|pnpm-workspace\.yaml|lerna\.json|gradle-wrapper\.properties|libs\.versions\.toml|gradle\.properties|Procfile"
    r"|(?:docker-)?compose\.ya?ml|[Jj]ustfile|\.justfile|[Tt]askfile\.ya?ml|\.env\.(?:example|sample|test|dist|template)"
    r"|system\.properties|jvm\.config|maven\.config|\.golangci\.ya?ml|\.golangci\.toml"
    r"|\.(?:ruby|php|swift|terraform)-version|\.fvmrc|\.zigversion|build\.properties|plugins\.sbt|phpunit\.xml(?:\.dist)?"
    r"|[\w. -]+\.(?:cs|fs|vb)proj|dotnet-tools\.json|database\.yml|config\.ru|\.tflint\.hcl|netlify\.toml|renv\.lock"
    r"|\.?mill-version|\.mill-jvm-version|millw?|\.scalafmt\.conf|(?:\.?ct|chart-testing|ct-config)\.ya?ml"
    r"|\.mocharc\.(?:json|ya?ml)|\.flake8|mypy\.ini|\.?ruff\.toml|hatch\.toml|uv\.toml|pdm\.toml",
    r"conftest\.py|(?:main|app|wsgi|asgi|server|settings)\.py|main\.(?:go|rs|c|cc|cpp|cxx)|docker-compose[\w.-]*\.ya?ml",
    r"yarn\.lock|pnpm-lock\.yaml|poetry\.lock|(?:uv|pdm)\.lock|Pipfile\.lock|Cargo\.lock|Gemfile\.lock|(?:test|runtests|dev)\.exs|conf\.py|[\w-]+\.bats"
    r"|[\w-]+\.tex|requirements\.ya?ml",
    r"__init__\.py",
)
# Most paths are source files: their endings settle it before any pattern is tried.
_ENDINGS = frozenset(
    """toml json jsonc mod work xml gradle kts txt build ac in cfg ini yml yaml lock properties config npmrc nvmrc
    example sample test template justfile flake8 python-version node-version go-version java-version sdkmanrc
    tool-versions gemspec exs cabal rockspec zon
    sbt edn sln slnx csproj fsproj vbproj props ruby-version php-version swift-version terraform-version fvmrc
    zigversion mill sc mill-version mill-jvm-version conf dist ru bats tex PL project latexmkrc hcl""".split()
)
_SCRIPTS = frozenset(
    """setup.py manage.py noxfile.py conftest.py main.py app.py wsgi.py asgi.py server.py settings.py main.go conf.py
    main.rs main.c main.cc main.cpp main.cxx __init__.py Package.swift build.zig project.clj build.mill.scala
    versions.tf terraform.tf main.tf providers.tf""".split()
)
README = re.compile(r"(?:README|INSTALL|BUILDING)(?:\.(?:md|markdown|rst|txt|adoc))?")
_NATIVE = frozenset(
    {"CMakeLists.txt", "meson.build", "configure.ac", "configure.in", "Makefile", "GNUmakefile", "makefile"}
)
_COMPILED = tuple(re.compile(pattern) for pattern in _RANKS)
_FOLDER_OF_REQUIREMENTS = re.compile(r"(?:.*/)?(?:requirements|tests?|dev)/[\w.-]+\.txt")
# Tests that are declared beside them: of C and C++, .NET, shell; nothing else in such a folder is read.
_TESTS = re.compile(
    r"(?:[\w.-]+/)?(?:tests?|unittests?|testing)/(?:CMakeLists\.txt|meson\.build|[\w-]+\.bats)"
    r"|(?:[\w.-]+/)?(?:[Tt]ests?)/(?:[\w. -]+/){0,3}[\w. -]+\.(?:cs|fs|vb)proj|(?:tests?/)?test/Project\.toml"
)
# Short programs whose names promise checks; what they call tells which.
_OWN_SCRIPTS = re.compile(r"scripts?/(?:check|checks|ci|cibuild|lint|tests?)")
_AFTER_CI = 2


def wanted_paths(paths: Sequence[str], *, ignore_existing_ci: bool = False, limit: int = 100) -> tuple[str, ...]:
    """Return the paths to read, the most important first.

    With `ignore_existing_ci` nothing that another CI (or GitLab itself) is told is read, as if it were not there.
    """
    ranked = [(*rank, path) for path in paths if (rank := _rank(path, ignore_existing_ci)) is not None]
    found = [entry[-1] for entry in sorted(ranked)] + _readmes(paths)
    return tuple(found[: max(limit, 0)])


def _readmes(paths: Sequence[str]) -> list[str]:
    """Return what tells people how to build: only C and C++ need it, for nothing else names their packages."""
    if _NATIVE.isdisjoint(paths):
        return []
    return sorted(path for path in paths if "/" not in path and README.fullmatch(path))


def _rank(path: str, ignore_existing_ci: bool) -> tuple[int, int] | None:
    """Return importance and depth, smaller is sooner; None when the file is of no interest."""
    name = path.rpartition("/")[2]
    ending = name.rpartition(".")[2]
    if "." in name and ending not in _ENDINGS and name not in _SCRIPTS:
        return None
    if is_ci(path):
        return None if ignore_existing_ci else (1, 0)
    depth = path.count("/")
    if depth > MAX_DEPTH:
        return None
    rank = next((number for number, pattern in enumerate(_COMPILED) if pattern.fullmatch(name)), None)
    folders = path.split("/")[:-1]
    if _FOLDER_OF_REQUIREMENTS.fullmatch(path):
        rank, folders = _AFTER_CI, folders[:-1]
    if _TESTS.fullmatch(path) or _OWN_SCRIPTS.fullmatch(path):
        return (_AFTER_CI + 1, depth)
    if rank is None or is_ignored(folders) or (name == "__init__.py" and depth > 2):
        return None
    # What lies deeper than the top competes with the second half of the list.
    return (rank if depth == 0 else rank + 2, depth)


def is_ci(path: str) -> bool:
    """Say whether a file tells some CI what to do; pre-commit's is a linter's file, not a CI's."""
    if path.endswith(".pre-commit-config.yaml"):
        return False
    return CI_FILES.fullmatch(path) is not None


def is_ignored(folders: Iterable[str]) -> bool:
    """Say whether one of the folders is vendored, an example, a fixture or generated."""
    return any(folder.lower() in IGNORED_FOLDERS for folder in folders)
