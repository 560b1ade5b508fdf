"""What a unit of a monorepo is built with: a change there concerns it too."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Survey

Look = Callable[[Mapping[str, str]], Survey]

GO = "module example.com/api\ngo 1.26\n"
CARGO = '[package]\nname = "api"\nversion = "1.0.0"\n'
POM = "<project><parent><groupId>a</groupId><relativePath>../parent/pom.xml</relativePath></parent></project>\n"
PROJECT = '<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><ProjectReference Include="..\\Core\\Core.csproj" /></ItemGroup>'


@pytest.mark.parametrize(
    ("files", "beside"),
    [
        pytest.param(
            {"api/go.mod": f"{GO}replace example.com/core => ../core\n", "api/a_test.go": "", "core/c.go": ""},
            ("core/**/*",),
            id="Go",
        ),
        pytest.param(
            {"api/go.mod": f"{GO}replace example.com/top => ../\n", "api/a_test.go": "", "top.go": ""},
            ("*",),
            id="Go, the module at the top",
        ),
        pytest.param(
            {"api/Cargo.toml": f'{CARGO}[dependencies]\ncore = {{ path = "../core" }}\n', "core/src/lib.rs": ""},
            ("core/**/*",),
            id="Rust",
        ),
        pytest.param(
            {
                "web/api/package.json": '{"scripts":{"test":"vitest"},"dependencies":{"ui":"file:../ui"}}',
                "web/ui/index.js": "",
            },
            ("web/ui/**/*",),
            id="npm",
        ),
        pytest.param(
            {"api/requirements.txt": "flask\n-e ../lib\n", "api/test_a.py": "", "lib/setup.cfg": ""},
            ("lib/**/*",),
            id="pip",
        ),
        pytest.param(
            {
                "api/pyproject.toml": '[project]\nname = "api"\n[tool.uv.sources]\nlib = { path = "../lib" }\n',
                "api/test_a.py": "",
                "api/uv.lock": "",
                "lib/a.py": "",
            },
            ("lib/**/*",),
            id="uv",
        ),
        pytest.param(
            {"api/pom.xml": POM, "api/src/test/java/ATest.java": "", "parent/pom.xml": ""}, ("parent/**/*",), id="Maven"
        ),
        pytest.param({"Api/Api.csproj": PROJECT, "Core/Core.csproj": PROJECT}, ("Core/**/*",), id=".NET"),
        pytest.param(
            {"api/go.mod": f"{GO}replace a => ../../elsewhere\nreplace b => ../gone\n", "api/a_test.go": ""},
            (),
            id="outside of the repository, or not there",
        ),
    ],
)
def test_folders_a_unit_is_built_with_are_found(look: Look, files: Mapping[str, str], beside: tuple[str, ...]) -> None:
    found = [unit for unit in look(files).units if unit.root.lower().endswith("api")]
    assert [unit.all("beside") for unit in found] == [beside]
