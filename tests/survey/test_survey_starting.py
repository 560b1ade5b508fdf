"""How a web application is started: objects, factories and what serves them."""

import json
from collections.abc import Callable, Mapping

import pytest

from bot.domain import Survey, Unit
from bot.survey.wanted import wanted_paths

Look = Callable[[Mapping[str, str]], Unit]

FACTORY = "from flask import Flask\n\ndef create_app(config=None):\n    return Flask(__name__)\n"


@pytest.mark.parametrize(
    ("files", "start"),
    [
        pytest.param(
            {"requirements.txt": "flask\ngunicorn\n", "shop/__init__.py": FACTORY},
            "gunicorn --bind 0.0.0.0:8000 'shop:create_app()'",
            id="a factory in the package",
        ),
        pytest.param(
            {"requirements.txt": "flask\n", "src/shop/__init__.py": FACTORY},
            "flask --app shop:create_app run --host 0.0.0.0 --port 8000",
            id="a factory below src, without a server",
        ),
        pytest.param(
            {"requirements.txt": "flask\nwaitress\n", "app.py": FACTORY},
            "waitress-serve --port=8000 --call app:create_app",
            id="a factory for waitress",
        ),
        pytest.param(
            {"requirements.txt": "flask\ngunicorn\n", "wsgi.py": "from shop import create_app\napp = create_app()\n"},
            "gunicorn --bind 0.0.0.0:8000 wsgi:app",
            id="what a factory made",
        ),
        pytest.param(
            {"requirements.txt": "flask\ngunicorn\n", "Procfile": "web: gunicorn shop:app --log-file -\n"},
            "gunicorn shop:app --log-file - --bind 0.0.0.0:8000",
            id="a Procfile whose platform says where to listen",
        ),
        pytest.param(
            {
                "requirements.txt": "fastapi\n",
                "Procfile": "web: uvicorn shop:app --host 0.0.0.0 --port ${PORT:-5000}\n",
            },
            "uvicorn shop:app --host 0.0.0.0 --port 8000",
            id="a Procfile with the variable of its platform",
        ),
        pytest.param(
            {"requirements.txt": "fastapi\nuvicorn\n", "app/main.py": "def create_app():\n    return FastAPI()\n"},
            "uvicorn --factory app.main:create_app --host 0.0.0.0 --port 8000",
            id="a factory of FastAPI",
        ),
        pytest.param(
            {"requirements.txt": "flask\n", "app.py": "def create_app(config):\n    return Flask(config)\n"},
            None,
            id="a factory that wants to be told something",
        ),
        pytest.param(
            {"requirements.txt": "flask\n", "app.py": "app = Flask(__name__)\n"},
            "flask --app app:app run --host 0.0.0.0 --port 8000",
            id="an object",
        ),
    ],
)
def test_web_applications(unit_of: Look, files: dict[str, str], start: str | None) -> None:
    unit = unit_of({"test_a.py": "", **files})
    assert (unit.first("start"), unit.first("deployable")) == (start, "yes" if start else None)


def test_packages_are_read_near_the_top_alone() -> None:
    paths = ["shop/__init__.py", "src/shop/__init__.py", "src/shop/deep/__init__.py", "tests/__init__.py"]
    assert wanted_paths(paths) == ("shop/__init__.py", "src/shop/__init__.py")


@pytest.mark.parametrize(
    ("package", "needs"),
    [
        pytest.param({}, "manifests", id="nothing runs"),
        pytest.param({"scripts": {"start": "node a.js", "postinstall": "node make.js"}}, "", id="a hook"),
        pytest.param({"dependencies": {"express": "5", "own": "file:./own"}}, "", id="a folder as package"),
        pytest.param({"dependencies": {"express": "5", "@prisma/client": "6"}}, "", id="a schema"),
        pytest.param({"workspaces": ["packages/*"]}, "", id="workspaces"),
    ],
)
def test_node_packages_can_be_installed_alone_when_nothing_of_the_project_runs(
    look: Callable[[Mapping[str, str]], Survey], package: dict[str, object], needs: str
) -> None:
    whole = {"dependencies": {"express": "5"}, "scripts": {"start": "node a.js"}, **package}
    unit = look({"package.json": json.dumps(whole), "a.js": "", "own/package.json": "{}"}).units[0]
    assert unit.first("deployable") == "yes"
    assert (unit.first("install_needs") or "") == needs


MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
ROOT = 'STATIC_ROOT = BASE_DIR / "static"\n'


@pytest.mark.parametrize(
    ("settings", "secrets"),
    [
        pytest.param(ROOT, (), id="nothing is demanded"),
        pytest.param(ROOT + 'SECRET_KEY = os.environ["SECRET_KEY"]\n', ("SECRET_KEY",), id="a secret"),
        pytest.param(ROOT + "SECRET_KEY = env.str('APP_SECRET')\n", ("APP_SECRET",), id="a secret of django-environ"),
        pytest.param(ROOT + 'K = os.getenv("A_KEY")\nA = os.getenv("A", "b")\n', ("A_KEY",), id="one has a default"),
        pytest.param(ROOT + 'DEBUG = config("DEBUG", default=False, cast=bool)\n', (), id="a default of decouple"),
    ],
)
def test_static_files_are_gathered_where_nothing_but_secrets_is_demanded(
    settings: str, secrets: tuple[str, ...], unit_of: Look
) -> None:
    files = {"requirements.txt": "django\nwhitenoise\ngunicorn\n", "manage.py": MANAGE, "shop/settings.py": settings}
    unit = unit_of({**files, "shop/wsgi.py": ""})
    assert unit.first("static") == "python manage.py collectstatic --noinput"
    assert unit.all("static_variable") == secrets


@pytest.mark.parametrize(
    ("requirements", "settings"),
    [
        pytest.param("django\n", ROOT, id="somebody else serves them"),
        pytest.param("django\nwhitenoise\n", "STATIC_URL = 'static/'\n", id="there is no place for them"),
        pytest.param("django\nwhitenoise\n", ROOT + 'DATABASE = env.db("DATABASE_URL")\n', id="a database is demanded"),
        pytest.param("django\nwhitenoise\n", ROOT + 'DEBUG = config("DEBUG", cast=bool)\n', id="a switch is demanded"),
        pytest.param("django\nwhitenoise\n", "from .base import *\n" + ROOT, id="most is elsewhere"),
    ],
)
def test_static_files_are_not_gathered_where_that_may_fail(requirements: str, settings: str, unit_of: Look) -> None:
    unit = unit_of({"requirements.txt": requirements, "manage.py": MANAGE, "shop/settings.py": settings})
    assert unit.all("static") == ()
