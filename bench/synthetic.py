"""Repositories made up for measuring: a realistic top, some units, and any number of source files."""

import subprocess
from pathlib import Path

_PYPROJECT = """\
[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.12"
dependencies = ["flask>=3"]

[dependency-groups]
dev = ["pytest>=8", "ruff"]

[tool.ruff]
line-length = 100

[tool.pytest.ini_options]
testpaths = ["tests"]
"""
_PACKAGE = """\
{{"name": "{name}", "version": "1.0.0", "engines": {{"node": ">=22"}},
 "scripts": {{"test": "vitest run", "lint": "eslint .", "build": "vite build"}},
 "devDependencies": {{"vitest": "^3", "eslint": "^9", "vite": "^6"}}}}
"""
_WORKFLOW = """\
on: [push]
jobs:
  test:
    runs-on: ubuntu-latest
    strategy: {matrix: {python: ["3.12", "3.13"]}}
    steps:
      - uses: actions/checkout@v4
      - run: pip install -e . --group dev
      - run: pytest
"""
FILES_IN_FOLDER = 50


def texts_of(files: int) -> dict[str, str]:
    """Return the texts by path of about `files` files: a Python project with Node.js packages below it."""
    texts = {
        "pyproject.toml": _PYPROJECT.format(name="shop"),
        "README.md": "# Shop\n",
        ".github/workflows/ci.yml": _WORKFLOW,
        "tests/test_shop.py": "def test_shop():\n    assert True\n",
    }
    for number in range(min(5, files // 200)):
        texts[f"packages/web{number}/package.json"] = _PACKAGE.format(name=f"web{number}")
        texts[f"packages/web{number}/package-lock.json"] = '{"lockfileVersion": 3}\n'
    for number in range(files - len(texts)):
        texts[f"src/shop/part{number // FILES_IN_FOLDER}/module{number}.py"] = f"NUMBER = {number}\n"
    return texts


def make(folder: Path, files: int) -> None:
    """Write these as a git repository."""
    for path, text in texts_of(files).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q", str(folder)], check=True, timeout=60)
    subprocess.run(["git", "-C", str(folder), "add", "-A"], check=True, timeout=300)
