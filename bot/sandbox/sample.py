"""The projects of the demonstration: a web service, and a C program that wants its tags; without CI."""

FILES = {
    "README.md": """# Tea timer

Says how long a tea has to steep.

    pip install -e .
    flask --app app run
""",
    "pyproject.toml": """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "teatimer"
version = "0.3.0"
description = "Says how long a tea has to steep"
requires-python = ">=3.11"
dependencies = ["flask>=3.1", "gunicorn>=23"]

[project.optional-dependencies]
test = ["pytest>=8.4", "pytest-cov>=6"]

[tool.pytest.ini_options]
testpaths = ["tests"]

[tool.setuptools]
py-modules = ["app"]
""",
    "app.py": '''"""A web service that knows its teas."""

from flask import Flask, abort

MINUTES = {"green": 2, "black": 4, "herbal": 8}

app = Flask(__name__)


@app.get("/teas/<name>")
def steep(name: str) -> dict[str, object]:
    if name not in MINUTES:
        abort(404)
    return {"tea": name, "minutes": MINUTES[name]}
''',
    "tests/test_teas.py": """from app import app


def test_green_tea_steeps_for_two_minutes():
    answer = app.test_client().get("/teas/green")
    assert answer.json == {"tea": "green", "minutes": 2}


def test_coffee_is_not_a_tea():
    assert app.test_client().get("/teas/coffee").status_code == 404
""",
    ".gitignore": "__pycache__/\n*.egg-info/\n.venv/\n",
}

# Its newest tag is older than the commits that a runner fetches, which nothing in these files tells.
STOPWATCH = {
    "README.md": """# Stopwatch

Says how long something took.

    make
    make test
""",
    "Makefile": """# What is built is called after the newest release.
VERSION := $(shell git describe --tags --abbrev=0)
CFLAGS = -O2 -Wall -DVERSION='"$(VERSION)"'

.PHONY: all test

all: stopwatch

stopwatch: stopwatch.c
\t$(CC) $(CFLAGS) -o $@ $<

test: stopwatch
\t./stopwatch 125 | grep -x 02:05
\t./stopwatch --version | grep -x 'stopwatch v[0-9.]*'
""",
    "stopwatch.c": """#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "--version") == 0) {
        printf("stopwatch %s\\n", VERSION);
        return 0;
    }
    if (count != 2) {
        fprintf(stderr, "usage: stopwatch SECONDS\\n");
        return 2;
    }
    long seconds = strtol(words[1], NULL, 10);
    printf("%02ld:%02ld\\n", seconds / 60, seconds % 60);
    return 0;
}
""",
    ".gitignore": "stopwatch\n",
}
