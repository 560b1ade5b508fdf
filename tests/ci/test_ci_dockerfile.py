"""What is wrong with a Dockerfile, and that ours are not."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.ci.dockerfile import check_dockerfile

GOOD = 'FROM python:3.13-slim AS a\nRUN pip install x\nFROM a\nUSER 10001\nCMD ["x"]\n'
DEPLOYED = {"deployable": "yes", "port": "8000", "version": "", "test": "x"}
SERVERS = [
    pytest.param("python", {"package_manager": "pip", "manifest": "requirements.txt", "start": "flask run"}, id="pip"),
    pytest.param("python", {"package_manager": "pip", "manifest": "pyproject.toml", "start": "serve"}, id="package"),
    pytest.param(
        "python",
        {
            "package_manager": "uv",
            "lockfile": "uv.lock",
            "start": "uv run serve",
            "system_package": ("libpq-dev", "gcc"),
        },
        id="uv",
    ),
    pytest.param(
        "python", {"package_manager": "poetry", "lockfile": "poetry.lock", "start": "serve --port $PORT"}, id="poetry"
    ),
    pytest.param("python", {"package_manager": "pdm", "lockfile": "pdm.lock", "start": "a && b"}, id="pdm"),
    pytest.param("python", {"package_manager": "hatch", "manifest": "pyproject.toml", "start": "serve"}, id="hatch"),
    pytest.param("python", {"package_manager": "pipenv", "lockfile": "Pipfile.lock", "start": "serve"}, id="pipenv"),
    pytest.param(
        "node",
        {"package_manager": "npm", "lockfile": "package-lock.json", "start": "npm start", "build": "npm run b"},
        id="npm",
    ),
    pytest.param(
        "node",
        {
            "package_manager": "yarn1",
            "lockfile": "yarn.lock",
            "install": ("npm i -g yarn@1", "yarn"),
            "start": "node a.js",
        },
        id="yarn1",
    ),
    pytest.param(
        "node",
        {
            "package_manager": "yarn-berry",
            "lockfile": "yarn.lock",
            "install": ("npm i -g y@4", "yarn"),
            "start": "node a.js",
        },
        id="berry",
    ),
    pytest.param("node", {"package_manager": "pnpm", "lockfile": "pnpm-lock.yaml", "start": "node a.js"}, id="pnpm"),
    pytest.param("node", {"package_manager": "bun", "lockfile": "bun.lock", "start": "bun run a.ts"}, id="bun"),
    pytest.param("go", {"package_manager": "go", "start": "go run ./cmd/x"}, id="go"),
    pytest.param("go", {"package_manager": "go", "start": "go run .", "system_package": "gcc"}, id="go with C"),
    pytest.param(
        "rust", {"package_manager": "cargo", "start": "target/release/x", "system_package": "libssl-dev"}, id="rust"
    ),
    pytest.param("java", {"package_manager": "maven", "artifact": "target/*.jar", "start": "java -jar x"}, id="maven"),
    pytest.param("java", {"package_manager": "gradle", "wrapper": "./gradlew", "start": "java -jar x"}, id="gradle"),
    pytest.param(
        "node",
        {"package_manager": "npm", "lockfile": "package-lock.json", "start": "npm start", "install_needs": "manifests"},
        id="npm, layered",
    ),
    pytest.param("dotnet", {"entry": "src/Shop/Shop.csproj", "start": "dotnet Shop.dll"}, id="dotnet"),
    pytest.param("elixir", {"entry": "shop", "start": "/app/bin/shop start"}, id="elixir"),
    pytest.param(
        "ruby",
        {"manifest": "Gemfile", "lockfile": "Gemfile.lock", "start": "bundle exec puma", "service": "postgres:18"},
        id="ruby",
    ),
    pytest.param("php", {"extension": ("intl", "pdo_pgsql"), "start": "apache2-foreground"}, id="php"),
    pytest.param("php", {"extension": "bcmath", "start": "apache2-foreground"}, id="php without headers"),
    pytest.param("php", {"start": "apache2-foreground"}, id="php without extensions"),
    pytest.param(
        "rust",
        {
            "package_manager": "cargo",
            "start": "target/release/x",
            "lockfile": "Cargo.lock",
            "early_file": ("Cargo.toml", "Cargo.lock", ".cargo/config.toml"),
            "system_package": "protobuf-compiler",
        },
        id="rust, layered",
    ),
    pytest.param(
        "java",
        {"package_manager": "maven", "start": "java -jar x", "early_file": ("pom.xml", ".mvn/maven.config")},
        id="maven, layered",
    ),
    pytest.param(
        "java",
        {
            "package_manager": "gradle",
            "wrapper": "./gradlew",
            "start": "java -jar x",
            "early_file": ("build.gradle", "gradlew", "gradle/wrapper/gradle-wrapper.jar"),
        },
        id="gradle, layered",
    ),
    pytest.param(
        "dotnet",
        {
            "entry": "src/Shop/Shop.csproj",
            "start": "dotnet Shop.dll",
            "early_file": ("global.json", "src/Shop/Shop.csproj", "src/Lib/Lib.csproj"),
        },
        id="dotnet, layered",
    ),
    pytest.param(
        "cpp",
        {
            "package_manager": "cmake",
            "system_package": ("g++", "cmake", "zlib1g-dev"),
            "build": ("cmake -S . -B build", "cmake --build build"),
            "start": "build/shop",
        },
        id="cmake",
    ),
    pytest.param(
        "cpp",
        {
            "package_manager": "meson",
            "build": ("meson setup builddir", "meson compile -C builddir"),
            "start": "builddir/shop",
        },
        id="meson",
    ),
]
SLIM = (
    r"[\w./-]+:\S*slim|gcr\.io/distroless/\S+|eclipse-temurin:\d+-jre|mcr\.microsoft\.com/dotnet/aspnet:\S+"
    r"|oven/bun:\S+"
)
COMPILERS = r"\b(?:gcc|g\+\+|clang|make|cmake|build-essential|rustc|cargo|golang|default-jdk|[\w.+-]+-dev)\b"


@pytest.mark.parametrize(("ecosystem", "facts"), SERVERS)
def test_a_written_dockerfile_has_stages_no_root_and_no_findings(ecosystem, facts, composed, unit) -> None:
    files = composed(unit(ecosystem, **{**DEPLOYED, **facts})).files
    text = files["Dockerfile"]
    assert check_dockerfile(text) == ()
    assert text.count("\nFROM ") == 2
    assert re.search(r"\nUSER [1-9]\d+\n", text)
    assert "\n\n\n" not in text
    assert ".git\n" in files[".dockerignore"]


@pytest.mark.parametrize(("ecosystem", "facts"), SERVERS)
def test_the_final_stage_has_no_compiler(ecosystem, facts, composed, unit) -> None:
    final = composed(unit(ecosystem, **{**DEPLOYED, **facts})).files["Dockerfile"].rpartition("\nFROM ")[2]
    base, *lines = final.splitlines()
    purged = base.startswith("php:") and re.search(r"apt-get purge -y (?:--auto-remove )?\$PHPIZE_DEPS", final)
    assert purged or re.fullmatch(SLIM, base)
    installed = [line for line in lines if "install" in line and not line.startswith("#")]
    assert purged or not re.search(COMPILERS, " ".join(installed))


@pytest.mark.parametrize(("ecosystem", "facts"), SERVERS)
def test_what_changes_seldom_is_built_first(ecosystem, facts, composed, unit) -> None:
    text = composed(unit(ecosystem, **{**DEPLOYED, **facts})).files["Dockerfile"]
    early = [facts["early_file"]] if isinstance(facts.get("early_file"), str) else facts.get("early_file", ())
    for file in early:
        assert re.search(rf"\nCOPY (?:\S+ )*{re.escape(file)} ", text.partition("\nCOPY . .")[0])
    if early:
        assert "--mount=type=cache" not in text
        assert "\nRUN " in text.partition("\nCOPY . .")[0]


@pytest.mark.parametrize(("ecosystem", "facts"), SERVERS)
def test_hadolint_finds_nothing_in_a_written_dockerfile(ecosystem, facts, composed, unit) -> None:
    text = composed(unit(ecosystem, **{**DEPLOYED, **facts})).files["Dockerfile"]
    assert hadolint(text) == ""


NODE = {**DEPLOYED, "version": "24", "start": "pnpm run start"}


@pytest.mark.parametrize(("wrapper", "called"), [("./gradlew", "sh ./gradlew"), ("", "gradle")])
def test_a_wrapper_needs_no_permission_to_run(wrapper, called, composed, unit) -> None:
    facts = {"package_manager": "gradle", "start": "java -jar x"} | ({"wrapper": wrapper} if wrapper else {})
    text = composed(unit("java", **{**DEPLOYED, **facts})).files["Dockerfile"]
    assert f" {called} --no-daemon assemble" in text


def test_node_packages_are_a_layer_of_their_own_where_nothing_runs_with_them(composed, unit) -> None:
    facts = {**NODE, "package_manager": "pnpm", "lockfile": "pnpm-lock.yaml"}
    layered = composed(unit("node", **facts, install_needs="manifests")).files["Dockerfile"]
    together = composed(unit("node", **facts)).files["Dockerfile"]
    wanted = ["COPY package.json pnpm-lock.yaml", "pnpm install --frozen-lockfile", "COPY . ."]
    assert [layered.index(line) for line in wanted] == sorted(layered.index(line) for line in wanted)
    assert together.index("COPY . .") < together.index("pnpm install --frozen-lockfile")


@pytest.mark.parametrize(("needs", "pruned"), [({}, True), ({"runs_with": "everything"}, False)])
def test_what_is_for_development_stays_where_the_start_needs_it(needs, pruned, composed, unit) -> None:
    facts = {**NODE, "package_manager": "pnpm", "lockfile": "pnpm-lock.yaml", "build": "pnpm run build", **needs}
    text = composed(unit("node", **facts)).files["Dockerfile"]
    assert ("pnpm prune --prod" in text, "pnpm run build" in text) == (pruned, True)


@pytest.mark.parametrize(
    ("manager", "start", "install", "command", "installs"),
    [
        pytest.param("pnpm", "pnpm run start", "npm install --global pnpm@10", '["npm", "run", "start"]', 1, id="pnpm"),
        pytest.param("yarn1", "yarn start", "npm install --global yarn@1", '["npm", "run", "start"]', 1, id="yarn 1"),
        pytest.param("yarn-berry", "yarn start", "npm install --global y@4", '["yarn", "start"]', 2, id="berry"),
    ],
)
def test_what_starts_a_node_server_is_in_the_stage_that_runs(
    manager, start, install, command, installs, composed, unit
) -> None:
    lock = "pnpm-lock.yaml" if manager == "pnpm" else "yarn.lock"
    facts = {**NODE, "package_manager": manager, "lockfile": lock, "start": start, "install": (install, "x install")}
    text = composed(unit("node", **facts)).files["Dockerfile"]
    assert text.rstrip().endswith(f"CMD {command}")
    assert text.count(f"RUN {install}") == installs
    assert hadolint(text) == ""


@pytest.mark.parametrize(
    ("ecosystem", "facts"),
    [
        pytest.param("ruby", {"manifest": "Gemfile", "start": "bundle exec puma -C config/puma.rb"}, id="Puma"),
        pytest.param(
            "python",
            {"package_manager": "pip", "manifest": "requirements.txt", "start": "gunicorn -c gunicorn.conf.py a:app"},
            id="Gunicorn",
        ),
    ],
)
def test_a_server_is_told_the_port_that_the_health_check_asks(ecosystem, facts, composed, unit) -> None:
    final = composed(unit(ecosystem, **{**DEPLOYED, **facts})).files["Dockerfile"].rpartition("\nFROM ")[2]
    assert "    PORT=8000\n" in final
    assert "'127.0.0.1', 8000)" in final


@pytest.mark.parametrize(
    ("ecosystem", "facts", "told"),
    [
        pytest.param("rust", {"framework": "axum"}, ["PORT=8000"], id="axum"),
        pytest.param("go", {"start": "go run ."}, ["PORT=8000"], id="Go"),
        pytest.param(
            "rust",
            {"framework": "rocket"},
            ["PORT=8000", "ROCKET_ADDRESS=0.0.0.0", "ROCKET_PORT=8000"],
            id="Rocket, which else hears its own machine alone",
        ),
        pytest.param("cpp", {"package_manager": "cmake", "build": "cmake --build build"}, ["PORT=8000"], id="C++"),
    ],
)
def test_a_compiled_server_is_told_its_port(ecosystem, facts, told, composed, unit) -> None:
    start = {"start": "target/release/x" if ecosystem == "rust" else "build/x"}
    final = composed(unit(ecosystem, **{**DEPLOYED, **start, **facts})).files["Dockerfile"].rpartition("\nFROM ")[2]
    assert re.findall(r"\w*(?:PORT|ADDRESS)=\S+", final) == told


@pytest.mark.parametrize(
    ("ecosystem", "facts", "may_write"),
    [
        pytest.param("rust", {"start": "target/release/x"}, True, id="Rust"),
        pytest.param("go", {"start": "go run ."}, False, id="Go"),
        pytest.param("cpp", {"package_manager": "cmake", "build": "make", "start": "build/x"}, True, id="C++"),
    ],
)
def test_a_program_starts_beside_what_it_reads(ecosystem, facts, may_write, composed, unit) -> None:
    read = {"runtime_file": ("Rocket.toml", "static/")}
    final = composed(unit(ecosystem, **{**DEPLOYED, **facts, **read})).files["Dockerfile"].rpartition("\nFROM ")[2]
    copies = "WORKDIR /src\nCOPY --from=build /src/Rocket.toml Rocket.toml\nCOPY --from=build /src/static/ static/\n"
    assert copies in final
    assert ("RUN install -d -o 10001 /src\n" in final) == may_write


def test_apache_heeds_htaccess_where_the_application_lies(composed, unit) -> None:
    text = composed(unit("php", **{**DEPLOYED, "start": "apache2-foreground"})).files["Dockerfile"]
    moved = next(line for line in text.splitlines() if "s!/var/www/!/app/public!" in line)
    assert "/etc/apache2/conf-available/docker-php.conf" in moved


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        pytest.param({"package_manager": "pip", "manifest": "requirements.txt"}, "/opt/venv/bin/python", id="pip"),
        pytest.param({"package_manager": "uv", "lockfile": "uv.lock"}, "/app/.venv/bin/python", id="uv"),
        pytest.param({"package_manager": "poetry", "lockfile": "poetry.lock"}, "/app/.venv/bin/python", id="poetry"),
    ],
)
def test_static_files_are_gathered_after_everything_is_there(facts, line, composed, unit) -> None:
    static = {"static": "python manage.py collectstatic --noinput", "static_variable": ("A_KEY", "B_KEY")}
    text = composed(unit("python", **{**DEPLOYED, "start": "gunicorn a:app", **facts, **static})).files["Dockerfile"]
    build, _, final = text.rpartition("\nFROM ")
    assert f"RUN A_KEY=unused B_KEY=unused {line} manage.py collectstatic --noinput" in build.rpartition("COPY . .")[2]
    assert "unused" not in final
    assert hadolint(text) == ""


@pytest.mark.parametrize(
    ("release", "line"),
    [
        pytest.param({}, "mix release --path /out", id="one"),
        pytest.param({"release": "shop"}, "mix release shop --path /out", id="listed"),
    ],
)
def test_mix_is_told_the_name_of_a_release_only_where_it_is_listed(release, line, composed, unit) -> None:
    facts = {**DEPLOYED, "entry": "shop", "start": "/app/bin/shop start", **release}
    assert f"&& {line}\n" in composed(unit("elixir", **facts)).files["Dockerfile"]


SHOP = {"entry": "src/Shop/Shop.csproj", "start": "dotnet Shop.dll", "port": "8080", "version": "10.0"}


def test_dotnet_runs_on_the_release_that_the_application_targets(composed, unit) -> None:
    facts = {**DEPLOYED, **SHOP, "sdk": "10.0.100", "runtime": "8.0", "target": "net8.0"}
    text = composed(unit("dotnet", **facts)).files["Dockerfile"]
    assert "FROM mcr.microsoft.com/dotnet/sdk:10.0.100 AS build\n" in text
    assert 'publish "src/Shop/Shop.csproj" --framework net8.0 --configuration' in text
    assert "FROM mcr.microsoft.com/dotnet/aspnet:8.0\n" in text
    assert hadolint(text) == ""


@pytest.mark.parametrize(
    ("facts", "image"),
    [
        pytest.param({}, "sdk:10.0", id="any"),
        pytest.param({"sdk": "10.0.100"}, "sdk:10.0.100", id="of one series"),
        pytest.param({"sdk": "3.1.102"}, "core/sdk:3.1.102", id="of one series, where it lies since it came"),
    ],
)
def test_jobs_and_dockerfile_build_with_the_sdk_that_global_json_takes(facts, image, composed, unit) -> None:
    files = composed(unit("dotnet", **{**DEPLOYED, **SHOP, **facts})).files
    assert f"FROM mcr.microsoft.com/dotnet/{image} AS build\n" in files["Dockerfile"]
    assert f"image: mcr.microsoft.com/dotnet/{image}\n" in files[".gitlab-ci.yml"]


@pytest.mark.parametrize(("version", "told"), [("3.1", True), ("7.0", True), ("8.0", False), ("10.0", False)])
def test_an_old_dotnet_is_told_to_listen_where_no_root_is_needed(version, told, composed, unit) -> None:
    text = composed(unit("dotnet", **{**DEPLOYED, **SHOP, "version": version})).files["Dockerfile"]
    assert ("\nENV ASPNETCORE_URLS=http://+:8080\n" in text.rpartition("\nFROM ")[2]) == told
    assert hadolint(text) == ""


def test_hadolint_would_find_something() -> None:
    assert "DL3006" in hadolint("FROM debian\n")


def hadolint(text: str) -> str:
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([program, "--no-color", "-"], input=text, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("start", "command"),
    [
        pytest.param("gunicorn app:app", '["gunicorn", "app:app"]', id="words"),
        pytest.param("uv run serve --name 'a b'", '["serve", "--name", "a b"]', id="runner and quotes go"),
        pytest.param("serve -p $PORT", '["sh", "-c", "exec serve -p $PORT"]', id="variable"),
        pytest.param("migrate && serve", '["sh", "-c", "migrate && serve"]', id="two commands"),
    ],
)
def test_the_start_command_gets_the_stop_signal(start, command, composed, unit) -> None:
    facts = {"package_manager": "uv", "lockfile": "uv.lock", "start": start}
    assert composed(unit("python", **{**DEPLOYED, **facts})).files["Dockerfile"].endswith(f"CMD {command}\n")


def test_an_image_is_not_guessed_when_its_lock_lies_elsewhere(composed, unit) -> None:
    facts = {"package_manager": "npm", "lockfile": "package-lock.json", "start": "node a.js"}
    composition = composed(unit("node", "services/web", **{**DEPLOYED, **facts}))
    assert set(composition.files) == {".gitlab-ci.yml"}


def test_a_dockerignore_that_exists_stays(composed, unit) -> None:
    given = unit("go", **DEPLOYED, package_manager="go", start="go run .")
    assert ".dockerignore" not in composed(given, paths=(".dockerignore",)).files


def test_a_good_file_has_no_findings() -> None:
    assert check_dockerfile(GOOD) == ()


@pytest.mark.parametrize(
    ("text", "line", "part", "is_error"),
    [
        pytest.param("RUN x\n", 1, "no FROM", True, id="no base"),
        pytest.param("FROM python\nUSER 1\n", 1, "not pinned", True, id="untagged"),
        pytest.param("FROM a/b:latest\nUSER 1\n", 1, "not pinned", True, id="latest"),
        pytest.param("FROM a:1\n", 1, "runs as root", False, id="root"),
        pytest.param("FROM a:1\nUSER root\n", 2, "runs as root", False, id="root by name"),
        pytest.param("FROM a:1\nUSER app\n", 2, "is a name", False, id="user by name"),
        pytest.param("FROM a:1\nUSER 1\nCMD run me\n", 3, "stop signal", False, id="shell form"),
        pytest.param("FROM a:1\nADD x /x\nUSER 1\n", 2, "ADD also unpacks", False, id="add"),
        pytest.param("FROM a:1\nENV API_TOKEN=abc\nUSER 1\n", 2, "keeps a secret", True, id="secret"),
        pytest.param("FROM a:1\nRUN apt-get install -y x\nUSER 1\n", 2, "package lists", False, id="apt lists"),
        pytest.param(
            "FROM a:1\nRUN apt-get install x && rm -r /var/lib/apt/lists\nUSER 1\n", 2, "waits", True, id="apt -y"
        ),
        pytest.param("FROM a:1\nRUN curl -s https://x | sh\nUSER 1\n", 2, "run unseen", False, id="curl to shell"),
        pytest.param("FROM a:1\n# c\nRUN a \\\n  && sudo b\nUSER 1\n", 3, "sudo", False, id="continued line"),
    ],
)
def test_a_bad_line_is_found(text, line, part, is_error) -> None:
    found = [(finding.line, finding.is_error) for finding in check_dockerfile(text) if part in finding.message]
    assert found == [(line, is_error)]
