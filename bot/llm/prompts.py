"""Every word said to the model is a file in `prompts/`; this fills them in."""

from functools import cache
from pathlib import Path

import jinja2
import yaml


def default_prompts_dir() -> Path:
    """Return the shipped prompts: inside the package when installed, else beside it in the checkout."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_shipped" / "prompts"
    return shipped if shipped.is_dir() else package.parent / "prompts"


def render_prompt(folder: Path, name: str, **values: object) -> str:
    """Fill in one prompt; a missing value is an error, not an empty word."""
    return _environment(folder).get_template(name).render(**values).strip()


def nudge(name: str, /, **values: object) -> str:
    """Return a short word to the model, filled in."""
    return _nudges(default_prompts_dir())[name].format(**values)


@cache
def _environment(folder: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # prompts are plain text
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _nudges(folder: Path) -> dict[str, str]:
    words: dict[str, str] = yaml.safe_load((folder / "nudges.yml").read_text(encoding="utf-8"))
    return words
