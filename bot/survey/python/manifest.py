"""What a Python project declares, wherever: pyproject.toml, setup.py, setup.cfg, Pipfile, requirements."""

import ast
import re
from collections.abc import Sequence

from msgspec import Struct

from bot.domain import Evidence
from bot.survey.parsing import read_python, string, strings, table
from bot.survey.tree import Folder

MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "requirements.txt", "manage.py")
_TEST_GROUPS = ("test", "tests", "testing", "dev", "develop", "development", "all", "ci")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


class Manifest(Struct, frozen=True, kw_only=True):
    """The declarations of one project. Requirement names are normalised: lower case, dashes."""

    folder: Folder
    pyproject: dict[str, object] = {}
    setup: dict[str, object] = {}
    setup_cfg: dict[str, object] = {}
    extras: dict[str, frozenset[str]] = {}
    groups: dict[str, frozenset[str]] = {}
    dependencies: frozenset[str] = frozenset()
    python: str = ""
    python_evidence: Evidence = Evidence(path="")

    def tool(self, *keys: str) -> dict[str, object]:
        """Return a table under [tool]."""
        return table(self.pyproject, "tool", *keys)

    @property
    def is_package(self) -> bool:
        """Say whether `pip install .` can work."""
        return bool(self.setup or self.folder.has("setup.py") or "build-system" in self.pyproject or self._named)

    @property
    def _named(self) -> bool:
        cfg = table(self.setup_cfg, "metadata").get("name")
        return bool(table(self.pyproject, "project").get("name") or cfg or self.tool("poetry").get("name"))

    @property
    def backend(self) -> str:
        """Return the build backend, or nothing."""
        return string(table(self.pyproject, "build-system").get("build-backend"))

    @property
    def everything(self) -> frozenset[str]:
        """Return every requirement named anywhere."""
        return self.dependencies.union(*self.extras.values(), *self.groups.values())


def read_manifest(folder: Folder) -> Manifest:
    """Return what the project in a folder declares."""
    pyproject = folder.toml("pyproject.toml")
    setup = _setup_call(folder.text("setup.py"))
    cfg = folder.ini("setup.cfg")
    project, poetry = table(pyproject, "project"), table(pyproject, "tool", "poetry")
    spec, where = _python(folder, project, poetry, setup, cfg)
    return Manifest(
        folder=folder,
        pyproject=pyproject,
        setup=setup,
        setup_cfg=cfg,
        extras=_extras(project, poetry, setup, cfg),
        groups=_groups(pyproject, poetry),
        dependencies=names(strings(project.get("dependencies")))
        | normal(table(poetry, "dependencies"))
        | names(strings(setup.get("install_requires")))
        | names(string(table(cfg, "options").get("install_requires")).splitlines())
        | names(folder.text("requirements.txt").splitlines())
        | normal(table(folder.toml("Pipfile"), "packages"))
        | normal(table(folder.toml("Pipfile"), "dev-packages")),
        python=spec,
        python_evidence=where,
    )


def names(requirements: Sequence[str]) -> frozenset[str]:
    """Return the normalised names of requirement lines; options, comments and addresses are left out."""
    found = (_NAME.match(line) for line in requirements if "://" not in line.split("#")[0].split("@")[0])
    return normal(match.group(1) for match in found if match)


def normal(found: object) -> frozenset[str]:
    """Return names in lower case with dashes."""
    each = found if isinstance(found, dict | list | frozenset) else list(found) if hasattr(found, "__iter__") else []
    return frozenset(re.sub(r"[-_.]+", "-", name).lower() for name in each if isinstance(name, str))


def test_names(declared: dict[str, frozenset[str]]) -> list[str]:
    """Return the extras or groups that hold the test dependencies: those named so, else the one with pytest."""
    named: list[str] = [name for name in ("test", "tests", "testing") if name in declared]
    if named:
        return named[:1]
    with_pytest = [name for name, found in declared.items() if "pytest" in found]
    return with_pytest[:1] or [name for name in _TEST_GROUPS if name in declared][:1]


def _python(
    folder: Folder,
    project: dict[str, object],
    poetry: dict[str, object],
    setup: dict[str, object],
    cfg: dict[str, object],
) -> tuple[str, Evidence]:
    """Return the declared range of Python versions and where it stands."""
    required = table(folder.toml("Pipfile"), "requires")
    candidates = (
        ("pyproject.toml", string(project.get("requires-python")), "requires-python"),
        ("pyproject.toml", string(table(poetry, "dependencies").get("python")), "python ="),
        ("setup.py", string(setup.get("python_requires")), "python_requires"),
        ("setup.cfg", string(table(cfg, "options").get("python_requires")), "python_requires"),
        ("Pipfile", _exactly(string(required.get("python_version") or required.get("python_full_version"))), "python_"),
    )
    for name, spec, needle in candidates:
        if spec:
            return spec, folder.evidence(name, needle)
    return "", Evidence(path=folder.full("pyproject.toml"))


def _exactly(version: str) -> str:
    """Return the range pipenv understands by a version: it installs nothing under another minor one."""
    minor = re.match(r"\d+\.\d+", version)
    return f"=={minor.group(0)}.*" if minor else ""


def _extras(
    project: dict[str, object], poetry: dict[str, object], setup: dict[str, object], cfg: dict[str, object]
) -> dict[str, frozenset[str]]:
    declared = {
        **table(setup, "extras_require"),
        **{key: string(value).splitlines() for key, value in table(cfg, "options.extras_require").items()},
        **table(poetry, "extras"),
        **table(project, "optional-dependencies"),
    }
    return {key: names(strings(value)) for key, value in declared.items() if re.fullmatch(r"[\w.-]+", key)}


def _groups(pyproject: dict[str, object], poetry: dict[str, object]) -> dict[str, frozenset[str]]:
    """Return the dependency groups of PEP 735, Poetry, PDM, uv and hatch, by name."""
    groups: dict[str, frozenset[str]] = {}
    for key, value in table(pyproject, "dependency-groups").items():
        groups[key] = names(strings(value))
    for key, value in table(poetry, "group").items():
        groups[key] = normal(table(value, "dependencies"))
    if table(poetry, "dev-dependencies"):
        groups["dev"] = normal(table(poetry, "dev-dependencies"))
    for key, value in table(pyproject, "tool", "pdm", "dev-dependencies").items():
        groups[key] = names(strings(value))
    uv = strings(table(pyproject, "tool", "uv").get("dev-dependencies"))
    if uv:
        groups.setdefault("dev", names(uv))
    return {key: value for key, value in groups.items() if re.fullmatch(r"[\w.-]+", key)}


def _setup_call(text: str) -> dict[str, object]:
    """Return the literal keyword arguments of `setup(…)`; a name is looked up among the module's literals."""
    module = read_python(text) if text else None
    if module is None:
        found = re.search(r"python_requires\s*=\s*['\"]([^'\"]+)", text)
        return {"python_requires": found.group(1)} if found else {}
    known = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call) and _called(node) == "setup"]
    keywords = {each.arg: each.value for call in calls[:1] for each in call.keywords if each.arg}
    return {key: value for key, node in keywords.items() if (value := _literal(node, known)) is not None}


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _literal(node: ast.expr, known: dict[str, ast.expr]) -> object:
    if isinstance(node, ast.Name):
        node = known.get(node.id, node)
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {key.value: _literal(value, known) for key, value in pairs if isinstance(key, ast.Constant)}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _literal(node.left, known), _literal(node.right, known)
        return [*left, *right] if isinstance(left, list) and isinstance(right, list) else left or right
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
