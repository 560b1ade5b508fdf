"""What a README tells people to install before they build a C or C++ project."""

import pytest

from bot.domain import Snapshot
from bot.survey.report import survey
from bot.survey.wanted import wanted_paths

CODE = {"CMakeLists.txt": "project(x)\nfind_package(ZLIB REQUIRED)\n", "a.c": "int main() {}\n"}


@pytest.mark.parametrize(
    ("readme", "packages"),
    [
        ("```sh\nsudo apt-get install -y libssl-dev flex\n```\n", ["libssl-dev", "flex"]),
        ("Run:\n\n    $ sudo apt install \\\n        libpng-dev\n", ["libpng-dev"]),
        ("```\napt install zlib1g-dev\n```\n", []),
        ("```\napt install x our-own-program\nbrew install libssl-dev\n```\n", []),
        ("Use `apt install libssl-dev` or not.\n", []),
    ],
    ids=["fenced", "indented", "known already", "nothing surely there", "in a sentence"],
)
def test_packages_of_a_readme_are_taken_with_little_confidence(readme: str, packages: list[str]) -> None:
    texts = {**CODE, "README.md": readme}
    (unit,) = survey(Snapshot(paths=tuple(sorted(texts)), texts=texts)).units
    found = [fact for fact in unit.facts if "README" in fact.because]
    assert [fact.value for fact in found] == packages
    assert all(fact.confidence < 0.5 and fact.evidence[0].line for fact in found)


@pytest.mark.parametrize(
    "build",
    [
        {"CMakeLists.txt": "project(JsonCpp-root)\n"},
        {"meson.build": "project('jsoncpp', 'cpp')\n"},
        {"configure.ac": "AC_INIT([jsoncpp], [1.0])\n"},
    ],
    ids=["CMake", "Meson", "autoconf"],
)
def test_what_the_project_itself_becomes_is_not_installed(build: dict[str, str]) -> None:
    texts = {**build, "a.cpp": "int main() {}\n", "README.md": "```\napt install libjsoncpp-dev libssl-dev\n```\n"}
    (unit,) = survey(Snapshot(paths=tuple(sorted(texts)), texts=texts)).units
    assert "libssl-dev" in unit.all("system_package")
    assert "libjsoncpp-dev" not in unit.all("system_package")


def test_only_c_and_cpp_listen_to_it() -> None:
    texts = {"go.mod": "module x\n", "README.md": "```\napt install libssl-dev\n```\n"}
    (unit,) = survey(Snapshot(paths=tuple(sorted(texts)), texts=texts)).units
    assert "libssl-dev" not in unit.all("system_package")


def test_it_is_read_after_everything_else() -> None:
    paths = ("README.md", "docs/README.md", "CMakeLists.txt", ".gitlab-ci.yml")
    assert wanted_paths(paths) == ("CMakeLists.txt", ".gitlab-ci.yml", "README.md")
    assert wanted_paths(("README.md", "go.mod")) == ("go.mod",)
