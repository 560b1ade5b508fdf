"""Rooms for jobs: what stands for an image, what a job sees, and that nothing it does stays."""

import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec import structs

from bench.dockerfiles import is_ignored, is_named
from bench.images import Image, image_of
from bench.rooms import SUITE, Rooms, can_make_rooms

needs_root = pytest.mark.skipif(not can_make_rooms(), reason="rooms take root, unshare and debootstrap")


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms on a system of a few programs, so that nothing has to be fetched."""
    system = tmp_path / "cache" / SUITE
    for folder in ("bin", "usr/bin", "proc", "dev", "tmp", "etc"):
        (system / folder).mkdir(parents=True, exist_ok=True)
    for program in ("bash", "env", "cat", "mkdir"):
        found = str(shutil.which(program, path="/usr/bin:/bin"))
        _bring(Path(found), system / "usr/bin" / program)
        _bring(Path(found), system / "bin" / program)
        said = subprocess.run(["ldd", found], capture_output=True, text=True, check=True).stdout
        for word in said.split():
            if word.startswith("/"):
                _bring(Path(word), system / word.lstrip("/"))
    (tmp_path / "cache" / f"{SUITE}.done").touch()
    return Rooms(cache=tmp_path / "cache")


def _bring(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _job(shell: Path, place: Path, script: str) -> str:
    """Run a script the way gitlab-ci-local does: as the standard input of `bash -c bash`."""
    known = {"PATH": f"{shell}:/usr/sbin:/usr/bin:/sbin:/bin", "OWN": "of the job", "HOME": "/root"}
    ran = subprocess.run(
        ["bash", "-c", "bash"], input=script, cwd=place, env=known, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@needs_root
def test_a_job_sees_its_room_and_the_shared_folder_and_leaves_only_that(rooms: Rooms, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    image = Image(variables=(("OWN", "of the image"), ("OTHER", "of the image")), path=("/opt/tool/bin",))
    script = 'echo "$OWN, $OTHER, $HOME, $PATH"\necho here > /left\necho here > out\n[ ! -e /work ] && [ ! -e /root ]\n'

    said = _job(rooms.shell(image, tmp_path / "room", shared), shared, script)

    assert said.startswith("of the job, of the image, /root, /opt/tool/bin:")
    assert (shared / "out").read_text() == "here\n"
    assert not Path("/left").exists()
    assert not (rooms.cache / SUITE / "left").exists()


@needs_root
def test_a_folder_of_the_machine_is_copied_into_a_layer_without_what_was_installed_later(
    rooms: Rooms, tmp_path: Path
) -> None:
    tool = tmp_path / "tool"
    (tool / "bin").mkdir(parents=True)
    (tool / "bin/name").write_text("tool")
    (tool / "later").mkdir()
    (tool / "later/junk").write_text("junk")
    image = Image(folders=((f"{tool}!later", "/opt/tool"),), finish="echo made > /opt/tool/made")

    script = "cat /opt/tool/bin/name /opt/tool/made; echo changed > /opt/tool/bin/name; [ ! -e /opt/tool/later/junk ]\n"
    said = _job(rooms.shell(image, tmp_path / "room", tmp_path), tmp_path, script)

    assert said == "toolmade\n"
    assert (tool / "bin/name").read_text() == "tool"
    assert not (tool / "made").exists()


def test_what_nothing_stands_for_is_said_and_not_run(tmp_path: Path) -> None:
    assert image_of("moby/buildkit:v0.29.0-rootless", tmp_path).is_missing
    assert image_of("debian:trixie-slim", tmp_path) == Image()


@pytest.mark.parametrize(
    ("name", "patterns", "ignored"),
    [
        ("node_modules/a/index.js", ["node_modules"], True),
        (".env", [".env", ".env.*"], True),
        (".env.example", [".env", ".env.*", "!.env.example"], False),
        ("src/a.py", [".git", "*.pyc"], False),
        ("a.pyc", ["*.pyc"], True),
    ],
)
def test_what_a_context_leaves_out_is_not_copied(name: str, patterns: list[str], ignored: bool) -> None:
    assert is_ignored(name, patterns) == ignored


def test_a_copy_takes_files_folders_and_patterns() -> None:
    assert is_named("requirements.txt", ["requirements.txt"])
    assert is_named("package-lock.json", ["package*.json"])
    assert is_named("src/a/b.go", ["src"])
    assert is_named("anything", ["."])
    assert not is_named("src.go", ["src"])


@needs_root
def test_a_mirror_stands_for_repositories_elsewhere(rooms: Rooms, tmp_path: Path) -> None:
    (tmp_path / "mirror/PyCQA+flake8/repo").mkdir(parents=True)
    mirrored = structs.replace(rooms, mirror=tmp_path / "mirror")

    said = _job(mirrored.shell(Image(), tmp_path / "room", tmp_path), tmp_path, "cat /etc/gitconfig\n")

    assert f'[url "file://{tmp_path}/mirror/PyCQA+flake8/repo"]' in said
    assert "insteadOf = https://github.com/PyCQA/flake8\n" in said
    assert "insteadOf = https://github.com/pycqa/flake8\n" in said


@needs_root
def test_what_a_mirror_only_links_to_is_in_the_room_too(rooms: Rooms, tmp_path: Path) -> None:
    for folder in ("stored/PyCQA+flake8/repo", "mirror", "shared"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "stored/PyCQA+flake8/repo/HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / "mirror/PyCQA+flake8").symlink_to(tmp_path / "stored/PyCQA+flake8")
    mirrored = structs.replace(rooms, mirror=tmp_path / "mirror")

    shell = mirrored.shell(Image(), tmp_path / "room", tmp_path / "shared")

    assert _job(shell, tmp_path / "shared", f"cat {tmp_path}/mirror/PyCQA+flake8/repo/HEAD\n").startswith("ref: ")


@needs_root
@pytest.mark.parametrize(("name", "is_mirrored"), [("black", True), ("black.git", True), ("black-mirror", False)])
def test_a_mirror_does_not_stand_for_names_that_only_begin_like_its_own(
    rooms: Rooms, tmp_path: Path, name: str, is_mirrored: bool
) -> None:
    (tmp_path / "mirror/psf+black/repo").mkdir(parents=True)
    structs.replace(rooms, mirror=tmp_path / "mirror").shell(Image(), tmp_path / "room", tmp_path)
    settings = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": str(tmp_path / "room/changes/etc/gitconfig")}
    asked = ["git", "ls-remote", "--get-url", f"https://github.com/psf/{name}"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, env=settings, timeout=20).stdout
    assert said.startswith(f"file://{tmp_path}/mirror/psf+black/repo") == is_mirrored
