"""Which Python of a pipeline the machine lacks, and the same pipeline with the nearest one it has."""

import re

from bench.toolchains import nearest_python

_IMAGE = re.compile(r"\bpython:(3\.\d+)")


def with_nearest(text: str) -> tuple[str, str]:
    """Return a pipeline for the Pythons of this machine, and what was changed; images, tox names and all."""
    notes: list[str] = []
    for wanted in sorted(set(_IMAGE.findall(text))):
        found, differs = nearest_python(wanted)
        near = re.search(r"3\.\d+", found.name)
        if not differs or near is None:
            continue
        text = re.sub(rf"(?<![\w.]){re.escape(wanted)}(?![\d.])", near[0], text)
        text = re.sub(rf"\bpy{wanted.replace('.', '')}\b", f"py{near[0].replace('.', '')}", text)
        notes.append(f"run with Python {near[0]} for want of {wanted}")
    return text, "; ".join(notes)
