"""What the index holds: a document for each template and for each learned pipeline."""

import hashlib

from bot.ci.catalog import Catalog, Template
from bot.knowledge.knowledge import Document
from bot.store.examples import Example

TEMPLATE, EXAMPLE = "template", "example"
_MOST_CHARACTERS = 2_000


def template_documents(catalog: Catalog) -> list[Document]:
    """Return what retrieval knows of each template."""
    return [_template_document(template) for template in catalog.templates]


def _template_document(template: Template) -> Document:
    return Document(
        id=template.name,
        kind=TEMPLATE,
        text=f"{template.description} {' '.join(template.provides)} {' '.join(template.asked_by)}".strip(),
        content_hash=template.content_hash,
        names=(*template.known_by, *template.asked_by, template.name),
        is_usual=template.is_usual,
        is_chosen_by_facts=template.role == "unit",
        metadata={"ecosystem": (template.applies_to.get("ecosystem") or ("any",))[0]},
    )


def example_document(example: Example) -> Document:
    """Return what retrieval knows of a learned pipeline; its group is what every search has to ask for."""
    text = f"{example.about}\n{example.gitlab_ci}"[:_MOST_CHARACTERS]
    content = f"{example.top_group}\0{example.commit_sha}\0{text}"
    return Document(
        id=str(example.project_id),
        kind=EXAMPLE,
        text=text,
        content_hash=hashlib.sha256(content.encode()).hexdigest()[:12],
        metadata={"group": example.top_group},
    )
