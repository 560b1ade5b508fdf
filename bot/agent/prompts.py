"""Every word said to the model is a file in `prompts/`; this fills them in."""

from pathlib import Path

import jinja2


def default_prompts_dir() -> Path:
    """Return the shipped prompts: inside the package when installed, else beside it in the checkout."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_shipped" / "prompts"
    return shipped if shipped.is_dir() else package.parent / "prompts"


def render_prompt(folder: Path, name: str, **values: object) -> str:
    """Fill in one prompt; a missing value is an error, not an empty word."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # prompts are plain text
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(**values).strip()
