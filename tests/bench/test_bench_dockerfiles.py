"""What a Dockerfile's COPY takes, and whether what was built starts."""

import tarfile
from pathlib import Path

import pytest

from bench import images_npm
from bench.builder import Builder, Stage
from bench.contexts import arrival, is_ignored, pack
from bench.image import Image
from bench.images import image_of
from bench.programs import Ran
from bench.rooms import Rooms
from bench.started import started


@pytest.mark.parametrize(
    ("name", "patterns", "ignored"),
    [
        ("node_modules/a/index.js", ["node_modules"], True),
        (".env", [".env", ".env.*"], True),
        (".env.example", [".env", ".env.*", "!.env.example"], False),
        ("src/a.py", [".git", "*.pyc"], False),
        ("a.pyc", ["*.pyc"], True),
        ("bin/a.dll", ["**/bin"], True),
        ("src/bin/a.dll", ["**/bin"], True),
        ("cabin/a.dll", ["**/bin"], False),
    ],
)
def test_what_a_context_leaves_out_is_not_copied(name: str, patterns: list[str], ignored: bool) -> None:
    assert is_ignored(name, patterns) == ignored


@pytest.mark.parametrize(
    ("name", "sources", "arrives"),
    [
        ("requirements.txt", ["requirements.txt"], "requirements.txt"),
        ("package-lock.json", ["package*.json"], "package-lock.json"),
        ("packages/a.json", ["package*.json"], ""),
        ("src/a/b.go", ["src"], "a/b.go"),
        ("src/Shop/Shop.csproj", ["src/Shop/Shop.csproj"], "Shop.csproj"),
        ("a/b", ["."], "a/b"),
        ("src.go", ["src"], ""),
    ],
)
def test_a_copy_gives_files_by_name_and_what_is_in_folders(name: str, sources: list[str], arrives: str) -> None:
    assert arrival(name, sources) == arrives


def test_an_archive_has_what_a_copy_takes_below_its_target(tmp_path: Path) -> None:
    (tmp_path / "context/src/Shop").mkdir(parents=True)
    (tmp_path / "context/.dockerignore").write_text("**/bin\n")
    (tmp_path / "context/src/Shop/Shop.csproj").write_text("<Project/>")
    packed = tmp_path / "files.tar"

    assert pack(tmp_path / "context", ["src/Shop/Shop.csproj"], packed)
    with tarfile.open(packed) as archive:
        assert archive.getnames() == ["Shop.csproj"]
    assert not pack(tmp_path / "context", ["go.mod"], packed)


class _Heard(Rooms, frozen=True, kw_only=True):
    """Rooms that only say what they were asked."""

    def run(self, scratch: Path, script: str, limit: float, *, is_cut_off: bool = False) -> Ran:
        assert is_cut_off
        return Ran(code=1, output=script, said=script)


def test_a_program_is_started_as_in_a_container_and_asked_with_its_health_check(tmp_path: Path) -> None:
    builder = Builder(rooms=_Heard(cache=tmp_path), cache=tmp_path, context=tmp_path, scratch=tmp_path)
    probe = '["ruby", "-e", "p 1"]'
    stage = Stage(room=tmp_path, user="10001", command='["app", "two words"]', port="9292", probe=probe)

    works, heard = started(builder, stage)

    assert not works
    assert heard.startswith("does not answer on 9292: ")
    assert "$as app 'two words' >/tmp/said" in heard
    assert "setpriv --reuid 10001 --regid ${group:-0}" in heard
    assert "$as ruby -e 'p 1' && echo" in heard


def test_what_whoever_runs_it_gives_is_set_before_the_start(tmp_path: Path) -> None:
    builder = Builder(rooms=_Heard(cache=tmp_path), cache=tmp_path, context=tmp_path, scratch=tmp_path)
    stage = Stage(room=tmp_path, command='["app"]', port="4000")
    _, heard = started(builder, stage, ["SECRET=a b"])
    assert ": export 'SECRET=a b' / " in heard


def test_what_exposes_no_port_is_not_started(tmp_path: Path) -> None:
    builder = Builder(rooms=_Heard(cache=tmp_path), cache=tmp_path, context=tmp_path, scratch=tmp_path)
    assert started(builder, Stage(room=tmp_path, command='["app"]')) == (True, "exposes no port, so it was not started")


@pytest.mark.parametrize(
    ("image", "has_sdk", "differs", "address"),
    [
        ("sdk:3.1", True, "", ""),
        ("aspnet:3.1", False, "", "http://+:80"),
        ("aspnet:10.0", False, "aspnet:10.0 is .NET Core 3.1 on Debian 11 here", "http://+:8080"),
    ],
)
def test_one_dotnet_stands_for_all_and_says_so(
    image: str, has_sdk: bool, differs: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images_npm, "install_npm", lambda folder, *_: folder)
    furnished: Image = image_of(f"mcr.microsoft.com/dotnet/{image}", tmp_path)
    places = {target for _, target in furnished.folders}
    assert ("/usr/share/dotnet/sdk" in places) == has_sdk
    assert {"/usr/share/dotnet/host", "/usr/share/dotnet/shared"} <= places
    assert furnished.differs == differs
    assert dict(furnished.variables).get("ASPNETCORE_URLS", "") == address


@pytest.mark.parametrize(
    ("image", "suite", "has_compiler", "differs"),
    [
        ("ruby:3.3", "", True, "Ruby is Debian's"),
        ("ruby:3.4-slim", "", False, "Ruby is Debian's 3.3 instead of 3.4"),
        ("ruby:2.7.8-slim", "bullseye", False, "Ruby is Debian's"),
        ("elixir:1.20", "forky", True, "Elixir is Debian's"),
        ("elixir:1.19-slim", "", False, "Elixir is Debian's 1.18 instead of 1.19"),
    ],
)
def test_a_language_is_that_of_the_debian_that_has_it(
    image: str, suite: str, has_compiler: bool, differs: str, tmp_path: Path
) -> None:
    furnished = image_of(image, tmp_path)
    assert (furnished.suite, "gcc" in furnished.packages, furnished.differs) == (suite, has_compiler, differs)


@pytest.mark.parametrize(
    ("image", "has_apache", "differs"),
    [
        ("php:8.4-apache", True, "PHP is Debian's"),
        ("php:8.2-cli", False, "PHP is Debian's 8.4 instead of 8.2"),
    ],
)
def test_php_has_apache_where_its_tag_says(image: str, has_apache: bool, differs: str, tmp_path: Path) -> None:
    furnished = image_of(image, tmp_path)
    assert ("apache2" in furnished.packages, "apache2-foreground" in furnished.finish) == (has_apache, has_apache)
    assert "gcc" in dict(furnished.variables)["PHPIZE_DEPS"].split()
    assert furnished.differs == differs
