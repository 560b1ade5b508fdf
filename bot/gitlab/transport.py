"""Makes single calls to GitLab: every one with a timeout, retried only where that is safe."""

import time
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import quote

import gitlab
import requests
import structlog
from gitlab.exceptions import GitlabError, GitlabHttpError

from bot.domain import CannotError, UnreachableError

log = structlog.get_logger()

_RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
_WAITS = (0.3, 1.0, 3.0)
_LONGEST_WAIT = 20.0

OnCall = Callable[[str, int, float], None]


class RefusedError(CannotError):
    """GitLab answered with a client error; `status` tells which, `detail` is its own message."""

    def __init__(self, status: int, detail: str, what: str) -> None:
        super().__init__(_words(status, detail, what))
        self.status = status
        self.detail = detail


class Transport:
    """One connection to GitLab. `route` in every call is the path with placeholders, for logs and metrics."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        ca_file: str | None = None,
        timeout: tuple[float, float] = (3.0, 20.0),
        on_call: OnCall | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gitlab = gitlab.Gitlab(
            url,
            private_token=token,
            ssl_verify=ca_file or True,
            timeout=cast(float, timeout),  # requests takes (connect, read) too
            user_agent="pipewright",
            keep_base_url=True,
        )
        self._on_call = on_call
        self._sleep = sleep
        self.url = url

    def read(self, route: str, query: Mapping[str, Any] | None = None, /, **ids: object) -> requests.Response:
        """GET, tried again a few times when GitLab is silent, busy or ill."""
        return self._patiently("get", route, ids, query=query)

    def read_json(self, route: str, query: Mapping[str, Any] | None = None, /, **ids: object) -> Any:
        """GET and decode; raises UnreachableError for an answer that is no JSON."""
        return _json(self.read(route, query, **ids))

    def ask(self, route: str, body: Mapping[str, Any], /, **ids: object) -> Any:
        """POST that changes nothing (lint, GraphQL), so that it may be repeated like a GET."""
        return _json(self._patiently("post", route, ids, body=body))

    def write(
        self,
        verb: str,
        route: str,
        body: Mapping[str, Any] | None = None,
        /,
        **ids: object,
    ) -> Any:
        """Change something, once. Raises UnreachableError(effect_possible=True) when the answer was lost.

        Only 429 is repeated: GitLab refuses such calls before doing anything.
        """
        for wait in (*_WAITS, None):
            response = self._once(verb, route, ids, body=body)
            if response.status_code == 429 and wait is not None:
                self._sleep(_wait_asked_for(response, wait))
                continue
            _raise_for(response, route, is_write=True)
            return _json(response) if response.content else {}
        raise AssertionError("the loop returns or raises")

    def _patiently(
        self,
        verb: str,
        route: str,
        ids: Mapping[str, object],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        for wait in (*_WAITS, None):
            try:
                response = self._once(verb, route, ids, query=query, body=body)
            except UnreachableError:
                if wait is None:
                    raise
                self._sleep(wait)
                continue
            if response.status_code in _RETRY_STATUSES and wait is not None:
                self._sleep(_wait_asked_for(response, wait))
                continue
            _raise_for(response, route, is_write=False)
            return response
        raise AssertionError("the loop returns or raises")

    def _once(
        self,
        verb: str,
        route: str,
        ids: Mapping[str, object],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        path = route.format(**{key: quote(str(value), safe="") for key, value in ids.items()})
        started = time.monotonic()
        status = 0
        try:
            response = self._send(verb, path, query, body)
            status = response.status_code
            return response
        except requests.RequestException as error:
            detail = f"{type(error).__name__} at {verb.upper()} {route}"
            raise UnreachableError("GitLab", detail, effect_possible=verb != "get") from error
        finally:
            if self._on_call is not None:
                self._on_call(f"{verb.upper()} {route}", status, time.monotonic() - started)

    def _send(
        self, verb: str, path: str, query: Mapping[str, Any] | None, body: Mapping[str, Any] | None
    ) -> requests.Response:
        """Use python-gitlab's session, headers and TLS settings, but none of its retries (429 sleeps for ever)."""
        try:
            return self._gitlab.http_request(
                verb,
                path,
                query_data=dict(query or {}),
                post_data=dict(body) if body is not None else None,
                obey_rate_limit=False,
                retry_transient_errors=False,
                max_retries=0,
            )
        except GitlabHttpError as error:
            return _as_response(error)
        except GitlabError as error:
            if error.response_code:
                return _as_response(error)
            raise UnreachableError("GitLab", str(error)[:200]) from error


def _as_response(error: GitlabError) -> requests.Response:
    """python-gitlab raises for an error status; the status and body are all we need of it."""
    response = requests.Response()
    response.status_code = error.response_code or 0
    response._content = error.response_body if isinstance(error.response_body, bytes) else b""
    return response


def _raise_for(response: requests.Response, route: str, *, is_write: bool) -> None:
    status = response.status_code
    if status < 400:
        return
    if status == 429 or status >= 500:
        # A 5xx may come after the effect was taken; 429 comes before.
        raise UnreachableError("GitLab", f"{status} at {route}", effect_possible=is_write and status != 429)
    raise RefusedError(status, _detail(response), route)


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise UnreachableError("GitLab", "an answer that is no JSON", effect_possible=True) from error


def _detail(response: requests.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.text[:200]
    message = body.get("message") or body.get("error") if isinstance(body, dict) else body
    return str(message)[:300]


def _wait_asked_for(response: requests.Response, default: float) -> float:
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isdigit() else default


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
