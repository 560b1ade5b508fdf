"""The survey: pure functions that read a `Snapshot` and say what the repository is, fact by fact.

Nothing here opens a file, asks a network or runs a program. `wanted.wanted_paths` says which files are worth
reading, `report.survey` reads them. Every fact carries where it was read and why it was believed.

The vocabulary of facts. They hang on a `Unit`; values are strings; a fact with several values is repeated, in order.
`Unit.ecosystem` is one of python, node, go, rust, java, cpp, ruby, php, dotnet, elixir, swift, dart, haskell, julia, r,
perl, lua, zig, clojure, shell, terraform, helm, ansible, latex, notebooks, docker, static, generic.

- language: python | javascript | typescript | go | rust | java | kotlin | c | cpp
- version: what to run with, ready for an image tag ("3.13", "24", "1.27", "1.98", "21", ""); the newest supported one
  inside the declared floor and the versions of the CI matrix, the default if nothing is declared
- version_floor: the declared minimum, if any
- package_manager: pip | uv | poetry | pdm | hatch | pipenv | npm | yarn1 | yarn-berry | pnpm | bun | go | cargo |
  maven | gradle | sbt | mill | cmake | make | meson | autotools
- package_manager_version: such as "9.15.0" when pinned (packageManager, lockfileVersion)
- wrapper: ./mvnw or ./gradlew when present
- lockfile: path relative to the repository root; manifest: main manifest path(s) (pyproject.toml, package.json …)
- install: shell line(s) that install the project with its test dependencies, the tool's own installation included
- test: shell line(s) that run the tests; test_tool: pytest | unittest | tox | nox | hatch | django | jest | vitest |
  mocha | node-test | ava | tap | npm-script | go-test | cargo-test | surefire | gradle-test | ctest | make
- lint: shell line(s), only of linters the repository configures itself; lint_tool: ruff | flake8 | mypy | pre-commit |
  black | eslint | prettier | tsc | golangci | clippy | rustfmt | gofmt | govet | checkstyle …
  lint_install: shell line(s) for the lint job when it needs another installation (else `install` is used);
  lint_version: the language's version for the lint job alone, where its linter cannot work with `version`
  lint_advisory: "yes" where no line of `lint` is configured or run anywhere yet, so a finding stops nothing
- build: shell line(s) that build or package; artifact: path(s) worth keeping (dist/, target/*.jar)
- system_package: Debian package needed (libpq-dev, …); service: "postgres:18" style image needed by the tests;
  variable: NAME=value needed by the tests; service_setting: NAME=value with which other CI starts a database
- framework: django | flask | fastapi | express | next | spring …; deployable: "yes" only for what one deploys (a web
  service, an app with a start command, a Procfile), absent for libraries
- start: shell command that starts it in production; port: "8000"
- dockerfile: path of an existing Dockerfile; base_image: the image of its last FROM;
  image_lacks: what it copies though the repository does not hold it
- git_depth: "0" when the version comes from tags; submodules: "recursive" when .gitmodules exists
- coverage: pytest-cov | c8 | nyc | jest | vitest | jacoco when `install` already brings the coverage tool

- test_user: "tests" when the tests must not run as root, as jobs in containers do
- prepare: shell line(s) to run just before the tests: tables, settings of a framework
- checked_queries: of Rust, "yes" where the macros of sqlx find in the repository what they ask a database else
- extension: of PHP, without `ext-`; entry: what the image builds (a project file, the name of a release);
  release: that name where the project lists its releases
- sdk: of .NET, the one that builds where no other of its `version` may; runtime: the release that runs what `version`
  builds, where that is another; target: the framework to publish for, where the project has several
- static: of Django, the command that gathers what is served as it is; static_variable: a secret that it demands
- runs_with: of Node.js, "everything" where what is for development must be there when it starts
- early_file: of a program, each file that is needed to fetch its dependencies before its sources are there
- runtime_file: of a program that is deployed, each file and folder (ends with /) that it reads while it runs
- forward: a service that the tests look for on localhost; reporter: a package that writes test results, already there

Commands are meant to run from the unit's root.
"""
