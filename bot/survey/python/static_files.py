"""Whether Django's static files are gathered while an image is built: WhiteNoise serves only what was gathered."""

import re

from bot.survey.python.project import Project

_SETTINGS = re.compile(r"DJANGO_SETTINGS_MODULE['\"]\s*,\s*['\"]([\w.]+)['\"]")
# What os, django-environ and python-decouple read from the environment with nothing to stand for it.
_DEMANDED = re.compile(
    r"environ\[\s*['\"](\w+)['\"]\s*\]|getenv\(\s*['\"](\w+)['\"]\s*\)"
    r"|\b(?:env(?:\.\w+)?|config)\(\s*['\"](\w+)['\"](?![^)]{0,300}default)"
)
_SECRET = re.compile(r"SECRET|_KEY$")


def add_static_files(project: Project) -> None:
    """Add the command, and the secrets it demands; nothing where it needs more, or settings that were not read."""
    folder, facts = project.folder, project.facts
    named = _SETTINGS.search(folder.text("manage.py"))
    if named is None or "whitenoise" not in project.manifest.dependencies:
        return
    file = named.group(1).replace(".", "/") + ".py"
    text = folder.text(file)
    demanded = dict.fromkeys("".join(names) for names in _DEMANDED.findall(text))
    if "STATIC_ROOT" not in text or "import *" in text or not all(_SECRET.search(name) for name in demanded):
        return
    where = folder.evidence(file, "STATIC_ROOT")
    facts.add("static", "python manage.py collectstatic --noinput", "WhiteNoise serves what was gathered", where)
    for name in demanded:
        facts.add("static_variable", name, "the settings demand it", folder.evidence(file, name))
