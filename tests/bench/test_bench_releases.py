"""Tags that a mirror lacks are made from releases, nothing of a release is run, and what is nowhere stays missing."""

import hashlib
import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import hooks
from bench.ci_local import MissingError
from bench.pypi import BadReleaseError, Index
from bench.releases import MADE, Tag, Workshop, main, read_made, wanted
from bench.report import report

HOST = "https://index.example.com"
PROOF = "proof"
# Whoever runs the release instead of reading it leaves a trace.
TRAP = f"import pathlib\npathlib.Path({PROOF!r}).touch()\n"
PKG_INFO = "Name: tidy_imports\nVersion: 3.17.0\nHome-page: https://github.com/Ann/tidy-imports\n"
SDIST = {"PKG-INFO": PKG_INFO, "setup.py": TRAP, "tidy.py": "new = True\n"}
WRAPPER = (
    "setup(\n    name='pre_commit_placeholder_package',\n    version='0.0.0',\n    install_requires=['mypy==1.9'],\n)\n"
)
HOOK = "- id: tidy\n  language: python\n"


def sdist(files: Mapping[str, str], top: str = "tidy_imports-3.17.0/") -> bytes:
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(top + name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return kept.getvalue()


OFFERED = {"tidy_imports-3.17.0.tar.gz": sdist(SDIST), "mypy-2.3.1-py3-none-any.whl": b""}


def shelf(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what lies where on an index with these files: a page for each project, and the files beside it."""
    pages: dict[str, list[dict[str, object]]] = {}
    for name, data in files.items():
        project = name.partition("-")[0].replace("_", "-")
        hashes = {"sha256": hashlib.sha256(data).hexdigest()}
        pages.setdefault(project, []).append({"filename": name, "url": f"../../files/{name}", "hashes": hashes})
    listed = {f"/simple/{name}/": json.dumps({"files": each}).encode() for name, each in pages.items()}
    return listed | {f"/files/{name}": data for name, data in files.items()}


def index(files: Mapping[str, bytes]) -> Index:
    """Stands for PyPI."""
    known = {f"{HOST}{path}": data for path, data in shelf(files).items()}

    def read(address: str) -> bytes:
        if address not in known:
            raise BadReleaseError("the index answers 404")
        return known[address]

    return Index(address=f"{HOST}/simple", read=read)


def git(place: Path, *words: str) -> str:
    person = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    ran = subprocess.run(["git", "-C", str(place), *person, *words], capture_output=True, text=True, check=True)
    return ran.stdout


def mirrored(mirror: Path, repo: str, **trees: Mapping[str, str]) -> None:
    """Make a bare repository with one commit for each tag."""
    work = mirror.parent / "work" / repo
    work.mkdir(parents=True)
    git(work, "init", "-q", "-b", "main")
    for tag, files in trees.items():
        for name, text in files.items():
            (work / name).write_text(text)
        git(work, "add", "-A")
        git(work, "commit", "-q", "--allow-empty", "-m", tag)
        git(work, "tag", tag)
    git(mirror.parent, "clone", "-q", "--bare", str(work), str(mirror / repo / "repo"))


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Workshop]:
    """A mirror with an ordinary repository of hooks, a wrapper and some that nothing can be made of, and an index."""
    mirror = tmp_path / "mirror"
    old = {"setup.cfg": "[metadata]\nname = tidy_imports\n", "old.py": "", hooks.HOOKS: HOOK}
    mirrored(mirror, "ann+Tidy-Imports", **{"v3.9.0": old, "v3.16.0": {}, "v3.18.0": {hooks.HOOKS: "- id: later\n"}})
    mirrored(mirror, "bob+mirrors-mypy", **{"v1.9": {"setup.py": WRAPPER, ".version": "1.9\n", hooks.HOOKS: HOOK}})
    mirrored(mirror, "eve+nameless", **{"v1": {"main.go": "package main\n", hooks.HOOKS: HOOK}})
    mirrored(mirror, "ann+unreleased", v1={"setup.py": "setup(name='unreleased')\n"})
    (mirror / "eve+damaged/repo").mkdir(parents=True)

    def made(**files: bytes) -> Workshop:
        workshop = Workshop(mirror=mirror, out=tmp_path / "out", index=index({**OFFERED, **files}))
        workshop.link()
        return workshop

    return made


def asked(shop: Workshop, repo: str, rev: str) -> Tag:
    found = shop.tag(repo, rev, ("c",))
    assert found is not None
    return found


def test_a_release_becomes_the_tag_with_the_hooks_of_the_nearest_older_one(
    shop: Callable[..., Workshop], tmp_path: Path
) -> None:
    found = asked(shop(), "ann/tidy-imports", "v3.17.0")
    place = tmp_path / "out/ann+Tidy-Imports/repo"

    assert str(found) == (
        "ann/tidy-imports v3.17.0 (for c): made from the release 3.17.0 of tidy_imports, on top of v3.16.0"
    )
    assert git(place, "ls-tree", "--name-only", "v3.17.0").split() == sorted([hooks.HOOKS, *SDIST])
    assert git(place, "show", f"v3.17.0:{hooks.HOOKS}") == HOOK
    assert git(place, "rev-parse", "v3.17.0^") == git(place, "rev-parse", "v3.16.0")
    assert "not the real one: made from the release 3.17.0 of tidy_imports" in git(place, "log", "-1", "v3.17.0")


def test_nothing_of_a_release_is_run_and_the_old_mirror_stays_as_it_is(
    shop: Callable[..., Workshop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked(shop(), "ann/tidy-imports", "v3.17.0")

    assert list(tmp_path.rglob(PROOF)) == []
    assert git(tmp_path / "mirror/ann+Tidy-Imports/repo", "tag").split() == ["v3.16.0", "v3.18.0", "v3.9.0"]
    assert (tmp_path / "out/bob+mirrors-mypy").is_symlink()


def test_a_wrapper_pins_the_version_that_its_tag_names(shop: Callable[..., Workshop], tmp_path: Path) -> None:
    found = asked(shop(), "bob/mirrors-mypy", "v2.3.1")
    place = tmp_path / "out/bob+mirrors-mypy/repo"

    assert found.made == "its own files with the release 2.3.1 of mypy, on top of v1.9"
    assert git(place, "show", "v2.3.1:setup.py") == WRAPPER.replace("1.9", "2.3.1")
    assert git(place, "show", "v2.3.1:.version") == "2.3.1\n"
    assert git(place, "show", f"v2.3.1:{hooks.HOOKS}") == HOOK


def test_the_same_release_is_the_same_commit_everywhere(shop: Callable[..., Workshop], tmp_path: Path) -> None:
    workshop = shop()
    commits = []
    for name in ("out", "again"):
        again = Workshop(mirror=workshop.mirror, out=tmp_path / name, index=workshop.index)
        if name == "again":
            again.link()
        asked(again, "ann/tidy-imports", "v3.17.0")
        commits.append(git(again.out / "ann+Tidy-Imports/repo", "rev-parse", "v3.17.0"))

    assert commits[0] == commits[1]


@pytest.mark.parametrize("rev", ["v3.16.0", "main"])
def test_what_the_mirror_has_is_only_linked(shop: Callable[..., Workshop], tmp_path: Path, rev: str) -> None:
    assert shop().tag("ann/tidy-imports", rev, ()) is None
    assert (tmp_path / "out/ann+Tidy-Imports").is_symlink()


def _other(text: str) -> bytes:
    return sdist({**SDIST, "PKG-INFO": text})


@pytest.mark.parametrize(
    ("repo", "rev", "offered", "left"),
    [
        ("ann/tidy-imports", "v3.17.1", {}, "PyPI has no source distribution 3.17.1 of tidy_imports"),
        ("ann/tidy-imports", "3b" * 20, {}, f"PyPI has no source distribution {'3b' * 20} of tidy_imports"),
        ("ann/elsewhere", "v1", {}, "the mirror does not have this repository"),
        ("bob/mirrors-mypy", "v9.9", {}, "PyPI has no release 9.9 of mypy"),
        ("ann/unreleased", "v2", {}, "PyPI has no unreleased: the index answers 404"),
        ("eve/damaged", "v2", {}, "git fails on its repository: "),
        ("eve/nameless", "v2", {}, "it does not say under which name it is released"),
        (
            "ann/tidy-imports",
            "v3.17.0",
            {"tidy_imports-3.17.0.tar.gz": _other("Home-page: https://github.com/ann/tidy-imports-too\n")},
            "the release of tidy_imports does not name this repository",
        ),
        (
            "ann/tidy-imports",
            "v3.17.0",
            {"tidy_imports-3.17.0.tar.gz": sdist(SDIST, "../")},
            "tidy_imports-3.17.0.tar.gz cannot be unpacked: '../PKG-INFO' would be extracted to",
        ),
        (
            "ann/tidy-imports",
            "v3.17.0",
            {"tidy_imports-3.17.0.tar.gz": sdist(SDIST, "")},
            "tidy_imports-3.17.0.tar.gz is not one folder",
        ),
        (
            "ann/tidy-imports",
            "v3.17.0",
            {"tidy_imports-3.17.0.tar.gz": b"no archive"},
            "tidy_imports-3.17.0.tar.gz cannot be unpacked: not a gzip file",
        ),
    ],
)
def test_what_cannot_be_made_honestly_is_left_missing_and_said(
    shop: Callable[..., Workshop], tmp_path: Path, repo: str, rev: str, offered: dict[str, bytes], left: str
) -> None:
    found = asked(shop(**offered), repo, rev)

    assert found.left.startswith(left)
    assert found.made == ""
    assert all(each.is_symlink() for each in (tmp_path / "out").iterdir())


def test_a_file_that_is_not_what_the_index_says_is_not_taken(tmp_path: Path) -> None:
    honest = index({"tidy_imports-3.17.0.tar.gz": sdist(SDIST)})

    def forged(address: str) -> bytes:
        return sdist({**SDIST, "tidy.py": "bad"}) if address.endswith(".gz") else honest.read(address)

    with pytest.raises(BadReleaseError, match="is not what the index says it is"):
        Index(address=f"{HOST}/simple", read=forged).unpack("tidy-imports", "3.17.0", tmp_path)


@pytest.mark.parametrize(
    ("files", "name", "package"),
    [
        ({"setup.py": WRAPPER}, "pre_commit_placeholder_package", "mypy"),
        (
            {"pyproject.toml": '[project]\nname = "r"\nversion = "0.0.0"\ndependencies = [\n "black[d]==1"]\n'},
            "r",
            "black",
        ),
        ({"pyproject.toml": '[project]\nname = "r"\nversion = "1.0"\ndependencies = ["black==1"]\n'}, "r", ""),
        ({"pyproject.toml": '[tool.poetry]\nname = "p"\n'}, "p", ""),
        ({"pyproject.toml": "[build-system]\n", "setup.cfg": "[metadata]\nname = s\n"}, "s", ""),
        ({"setup.py": "setup(name='t')\n"}, "t", ""),
        ({"pyproject.toml": "[broken", "setup.cfg": "broken"}, "", ""),
        ({"package.json": "{}"}, "", ""),
    ],
)
def test_a_tree_says_its_name_and_whether_it_only_pins_a_package(
    tmp_path: Path, files: dict[str, str], name: str, package: str
) -> None:
    for path, text in files.items():
        (tmp_path / path).write_text(text)

    assert (hooks.distribution(tmp_path), hooks.wrapped(tmp_path)) == (name, package)


def test_a_link_in_a_tree_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(WRAPPER)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "setup.py").symlink_to("../elsewhere")
    hooks.pin(tree, "mypy", "2")

    assert hooks.wrapped(tree) == ""
    assert (tmp_path / "elsewhere").read_text() == WRAPPER


def test_pins_are_gathered_and_broken_settings_skipped_with_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = """\
repos:
- {repo: https://github.com/ann/tidy-imports, rev: v1, hooks: []}
- {repo: https://github.com/ann/dotted.git, rev: '2'}
- {repo: https://github.com/ann/odd, rev: --upload-pack=touch proof}
- {repo: https://elsewhere.example.com/ann/x, rev: v1}
- {repo: local, hooks: []}
"""
    texts = {"a": good, "b": good, "broken": "repos: [", "odd": "repos: 1", "none": None, "empty": ""}
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / hooks.CONFIG).write_text(text)

    found = wanted([tmp_path / name for name in texts])

    assert found == {("ann/dotted", "2"): ("a", "b"), ("ann/tidy-imports", "v1"): ("a", "b")}
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(" is skipped: ")[0] for line in said] == [
        f"{name}: {hooks.CONFIG}" for name in ("broken", "odd")
    ]


@pytest.fixture
def site() -> Iterator[str]:
    """The same index as a server on loopback."""
    known = shelf(OFFERED)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code = 200 if self.path in known else 500 if "broken" in self.path else 404
            self.send_response(code)
            self.end_headers()
            self.wfile.write(known.get(self.path, b""))

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_command_asks_the_index_that_pip_is_set_to_and_says_what_it_made(
    shop: Callable[..., Workshop], site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"{site}/simple")
    pinned = [("ann/Tidy-Imports", "v3.17.0"), ("ann/unreleased", "v2"), ("ann/unreleased", "v1")]
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / hooks.CONFIG).write_text(
        "repos:\n" + "".join(f"- {{repo: 'https://github.com/{repo}', rev: {rev}}}\n" for repo, rev in pinned)
    )
    new = tmp_path / "new"
    words = [str(tmp_path / "c"), "--mirror", str(shop().mirror), "--out", str(new)]

    first, second = CliRunner().invoke(main, words), CliRunner().invoke(main, words)

    assert first.exit_code == 0, first.output
    assert "ann/unreleased v2 (for c): left missing: PyPI has no unreleased: the index answers 404" in first.output
    assert "1 of 2 missing tags were made; 1 pins were there." in first.output
    assert read_made(new) == [
        "ann/Tidy-Imports v3.17.0 (for c): made from the release 3.17.0 of tidy_imports, on top of v3.16.0"
    ]
    assert (second.exit_code, "is there already" in second.output) == (1, True)


@pytest.mark.parametrize("project", ["broken", "tidy"])
def test_an_index_that_fails_is_no_verdict_on_a_release(site: str, project: str) -> None:
    address = f"{site}/simple" if project == "broken" else "http://127.0.0.1:9/simple"

    with pytest.raises(MissingError, match="the index"):
        Index(address=address).has(project, "1")


def test_the_report_says_which_tags_are_not_the_real_ones(tmp_path: Path) -> None:
    assert "not the real ones" not in report([], made=read_made(tmp_path))
    (tmp_path / MADE).write_text("ann/tidy-imports v1 (for c): made from the release 1 of tidy\n")

    assert "not the real ones\n\n- ann/tidy-imports v1 (for c): made from" in report([], made=read_made(tmp_path))
