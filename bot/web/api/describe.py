"""What the description of the API says of every route: how one fails, and under which heading it stands."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
    SecurityRequirement,
    SecurityScheme,
)
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

TAGS_TALK, TAGS_PIPELINES, TAGS_LISTS, TAGS_HEALTH = ["talk"], ["pipelines"], ["lists"], ["health"]


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong and how to mend it (RFC 9457). Further members say more, such as `sha` and `current_sha`."""

    type: str
    title: str
    status: int
    detail: str
    error_id: str | None = None
    session_id: str | None = None


def _problem(status: int, title: str, detail: str) -> ResponseSpec:
    shown = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return ResponseSpec(
        data_container=Problem,
        generate_examples=False,
        description=title,
        media_type="application/problem+json",
        examples=[Example(value=shown)],
    )


_PROBLEMS = {
    400: _problem(400, "Bad Request", "message: Expected `str` of length >= 1"),
    401: _problem(401, "Sign in", "GitLab does not know this token (any more)."),
    403: _problem(403, "Closed", "This token only reads; to change something it needs the scope `api`."),
    404: _problem(404, "Not found", "There is no such conversation, or your account may not read it."),
    409: _problem(409, "Conflict", "A newer proposal took the place of the commit 1f3a…; the newest is 9c4e…"),
    413: _problem(413, "Request Entity Too Large", "The body is too large."),
    415: _problem(415, "Unsupported Media Type", "Send JSON with `Content-Type: application/json`."),
    422: _problem(422, "Unprocessable Entity", "This address is not on the GitLab that this bot serves."),
    429: _problem(429, "Too often", "That was too often. Please wait 3 s and try again."),
    500: _problem(500, "Internal Server Error", "Something went wrong here. […] under the id 4a1b…"),
    502: _problem(502, "Bad Gateway", "GitLab refused what this needs: 405 Method Not Allowed"),
    503: _problem(503, "Not now", "GitLab does not answer right now; nothing was stored. Please send it again later."),
}

_ANYWHERE = (400, 401, 403, 429, 500, 502, 503)


def problems(*more: int) -> dict[int, ResponseSpec]:
    """Return how a route can fail: in the ways of all of them, and in these."""
    return {status: _PROBLEMS[status] for status in sorted({*_ANYWHERE, *more})}


TOKEN: list[SecurityRequirement] = [{"token": []}]
HOOK: list[SecurityRequirement] = [{"webhook-token": []}, {"webhook-signature": []}]
COMPONENTS = Components(
    security_schemes={
        "token": SecurityScheme(
            type="http",
            scheme="bearer",
            description="an access token of GitLab with the scope `api`, or `read_api` where nothing is changed",
        ),
        "webhook-token": SecurityScheme(type="apiKey", security_scheme_in="header", name="X-Gitlab-Token"),
        "webhook-signature": SecurityScheme(type="apiKey", name="webhook-signature", security_scheme_in="header"),
    }
)


@dataclass
class Delivery(Operation):
    """A route that reads the body itself: whatever JSON GitLab sends."""

    def __post_init__(self) -> None:
        """Describe the body, which litestar cannot see."""
        body = Schema(description="as in GitLab's documentation of webhook events; what is none of them is ignored")
        self.request_body = RequestBody(content={"application/json": OpenAPIMediaType(schema=body)}, required=True)


EVENT = Schema(
    type=OpenAPIType.OBJECT,
    description="at last `answer`, whose data are the JSON of the whole answer",
    properties={
        "event": Schema(type=OpenAPIType.STRING, enum=["session", "step", "text", "answer"]),
        "data": Schema(type=OpenAPIType.STRING, description="JSON"),
    },
    required=["event", "data"],
)


class NothingUnknown(OpenAPISchemaPlugin):
    """Says of bodies that refuse unknown fields that they do, which litestar leaves out."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        """Tell whether it is such a body."""
        if field_definition.is_union or not field_definition.is_subclass_of(msgspec.Struct):
            return False
        return bool(field_definition.type_.__struct_config__.forbid_unknown_fields)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        """Describe it as litestar does, and add that."""
        others = (one for one in schema_creator.plugins if one is not self)
        usual = next(one for one in others if schema_creator.plugin_supports_field(one, field_definition))
        schema: Schema = usual.to_openapi_schema(field_definition, schema_creator)
        schema.additional_properties = False
        return schema
