"""Rooms for jobs: what stands for an image, what a job sees, and that nothing it does stays."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from msgspec import structs

from bench.image import Image
from bench.images import image_of
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


@needs_root
def test_a_layer_on_another_system_is_not_that_of_todays(rooms: Rooms, tmp_path: Path) -> None:
    shutil.copytree(rooms.cache / SUITE, rooms.cache / "older")
    (rooms.cache / "older/etc/which").write_text("the older")
    (rooms.cache / SUITE / "etc/which").write_text("today's")
    (rooms.cache / "older.done").touch()
    image = Image(finish="cat /etc/which > /etc/made")

    said = [
        _job(rooms.shell(each, tmp_path / "room", tmp_path), tmp_path, "cat /etc/made\n")
        for each in (image, structs.replace(image, suite="older"))
    ]

    assert said == ["today's", "the older"]


@needs_root
def test_a_room_that_is_cut_off_has_ports_of_its_own(rooms: Rooms, tmp_path: Path) -> None:
    rooms.shell(Image(), tmp_path / "room", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = f"(exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]}) 2>/dev/null && echo open || echo closed\n"
        said = [rooms.run(tmp_path / "room", asked, 20, is_cut_off=each).output for each in (False, True)]
    assert said == ["open\n", "closed\n"]


@needs_root
def test_gems_are_taken_from_a_folder_by_bundler_and_by_gem(rooms: Rooms, tmp_path: Path) -> None:
    (tmp_path / "gems").mkdir()
    served = structs.replace(rooms, gems=tmp_path / "gems")

    said = _job(served.shell(Image(), tmp_path / "room", tmp_path), tmp_path, "cat /root/.bundle/config /root/.gemrc\n")

    assert f'BUNDLE_MIRROR__ALL: "file://{tmp_path}/gems"\n' in said
    assert f"\n- file://{tmp_path}/gems\n" in said


@needs_root
def test_hex_takes_a_mirror_with_another_signature(rooms: Rooms, tmp_path: Path) -> None:
    mirrored = structs.replace(rooms, hex="http://127.0.0.1:1")
    script = 'echo "$HEX_MIRROR $HEX_UNSAFE_REGISTRY"\n'
    said = [_job(each.shell(Image(), tmp_path / "room", tmp_path), tmp_path, script) for each in (mirrored, rooms)]
    assert said == ["http://127.0.0.1:1 1\n", " \n"]


def test_what_nothing_stands_for_is_said_and_not_run(tmp_path: Path) -> None:
    assert image_of("moby/buildkit:v0.29.0-rootless", tmp_path).is_missing
    assert image_of("debian:trixie-slim", tmp_path) == Image()


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
