"""Judges what came back from GitLab: an answer, a refusal, or silence that can be waited for."""

from typing import Any, Literal

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError

from bot.domain import CannotError, UnreachableError

_PASSING = frozenset({429, 500, 502, 503, 504})
_LONGEST_WAIT = 20  # seconds in one call; for longer the whole order is laid aside
_LONGEST_RETRY_AFTER = 3600
_NO_FIELDS = frozenset({"base", "error", "message"})


class RefusedError(CannotError):
    """GitLab answered with a client error; `status` tells which, `detail` is its own message."""

    def __init__(self, status: int, detail: str, what: str) -> None:
        super().__init__(_words(status, detail, what))
        self.status = status
        self.detail = detail


Silence = Literal["certificate", "proxy", "name", "no connection", "too slow", "cut off", "busy", "no GitLab"]


class SilenceError(UnreachableError):
    """GitLab did not answer; `why` tells whoever has to mend it where to look."""

    def __init__(self, detail: str, why: Silence, *, effect_possible: bool = False, retry_after: int = 0) -> None:
        super().__init__("GitLab", detail, effect_possible=effect_possible, retry_after=retry_after)
        self.why = why


def silence(error: requests.RequestException, verb: str, route: str, *, effect_possible: bool) -> SilenceError:
    """Return what to raise when no answer came."""
    return SilenceError(
        f"{type(error).__name__} at {verb.upper()} {route}", _why_silent(error), effect_possible=effect_possible
    )


def _why_silent(error: requests.RequestException) -> Silence:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    match error:
        case requests.exceptions.SSLError():
            return "certificate"
        case requests.exceptions.ProxyError():
            return "proxy"
        case requests.Timeout():
            return "too slow"
        case _ if isinstance(reason, NameResolutionError):
            return "name"
        case _ if isinstance(reason, NewConnectionError):
            return "no connection"
    return "cut off"


def never_stood(error: requests.RequestException) -> bool:
    """Tell whether no connection came about, so that GitLab cannot have heard of the call."""
    cause = error.args[0] if error.args else None
    return isinstance(error, requests.ConnectTimeout) or isinstance(getattr(cause, "reason", None), NewConnectionError)


def came_too_early(response: requests.Response) -> bool:
    """Tell whether GitLab refused before doing anything and wants to be asked again soon: busy, or a lock is held."""
    status = response.status_code
    is_early = status == 429 or (status == 409 and "Resource lock" in response.text)
    return is_early and _retry_after(response) <= _LONGEST_WAIT


def may_pass(response: requests.Response) -> bool:
    """Tell whether the same question can get another answer a little later."""
    return response.status_code in _PASSING and _retry_after(response) <= _LONGEST_WAIT


def raise_for(response: requests.Response, route: str, *, is_write: bool) -> None:
    """Raise RefusedError or UnreachableError unless the answer is a good one."""
    status = response.status_code
    if status < 300:
        return
    if status == 429 or status >= 500:
        # A 5xx may come after the effect was taken; 429 comes before.
        raise SilenceError(
            f"{status} at {route}",
            "busy",
            effect_possible=is_write and status != 429,
            retry_after=_retry_after(response),
        )
    raise RefusedError(status, _detail(response), route)


def decoded(response: requests.Response, *, is_write: bool) -> Any:
    """Return the JSON of a good answer; what is no JSON is no answer of GitLab."""
    try:
        return response.json()
    except ValueError as error:
        raise SilenceError("an answer that is no JSON", "no GitLab", effect_possible=is_write) from error


def _detail(response: requests.Response) -> str:
    if response.is_redirect:
        return f"it sends me on to {response.headers['Location'][:200]}; PIPEWRIGHT_GITLAB_URL should name that address"
    try:
        body = response.json()
    except ValueError:
        is_page = "html" in response.headers.get("Content-Type", "")
        return "a web page instead of an answer" if is_page else response.text[:200]
    if not isinstance(body, dict):
        return str(body)[:300]
    more = f": {body['error_description']}" if body.get("error_description") else ""
    said = body.get("message") or body.get("error") or body.get("errors")  # the last is GraphQL's
    return f"{_in_words(said)}{more}"[:300]


def _in_words(said: Any) -> str:
    """Return in one line what GitLab says as a text, in a list, or by the field that it is said of."""
    if isinstance(said, dict):
        named = ((name, _in_words(inner)) for name, inner in said.items())
        return ", ".join(inner if name in _NO_FIELDS else f"{name} {inner}" for name, inner in named)
    return ", ".join(map(_in_words, said)) if isinstance(said, list) else str(said)


def wait_asked_for(response: requests.Response, default: float) -> float:
    """Return the seconds GitLab asks to be left alone."""
    asked = response.headers.get("Retry-After", "")
    return float(_retry_after(response)) if asked.isdecimal() else default


def _retry_after(response: requests.Response) -> int:
    asked = response.headers.get("Retry-After", "")
    return min(int(asked), _LONGEST_RETRY_AFTER) if asked.isdecimal() and asked.isascii() else 0


def _words(status: int, detail: str, what: str) -> str:
    match status:
        case 401:
            return (
                f"GitLab does not accept my token for this ({detail}). An administrator should run `pipewright doctor`."
            )
        case 403:
            return f"GitLab forbids it to my account ({detail}). It needs the role Maintainer and the scope `api`."
        case 404:
            return "GitLab says it does not exist, or my account may not see it."
        case _:
            return f"GitLab refused ({status}: {detail})."
