"""What the description of the API says of every route: how one fails, and under which heading it stands."""

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

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


PROBLEMS = {
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
    503: _problem(503, "Not now", "GitLab does not answer right now; nothing was stored. Please send it again later."),
}
