"""What `search_templates` tells the model: templates, and pipelines of the same group, each with its source."""

from bot.ci.catalog import Template
from bot.services import Services
from bot.store.examples import Example

_MOST_CHARACTERS = 1_500


def found_blocks(services: Services, project_id: int, words: str) -> str:
    """Return what fits, best first; empty when nothing does."""
    project = services.gitlab.project(project_id)
    blocks = [_template(template) for template in services.templates.search(words)]
    blocks += [_example(example) for example in services.examples.search(project, words)]
    return "\n".join(blocks)


def _template(template: Template) -> str:
    origin = f" of {template.origin}" if template.origin else ""
    return f"{template.name} ({template.content_hash}{origin}): {' '.join(template.description.split())}"


def _example(example: Example) -> str:
    text = example.gitlab_ci[:_MOST_CHARACTERS]
    return f"merged pipeline of {example.project_path} at {example.commit_sha[:8]} ({example.about}):\n{text}"
