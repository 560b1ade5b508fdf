"""Makes single calls to GitLab: every one with a timeout, retried only where that is safe."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote

import gitlab
import requests

from bot.claim import assured
from bot.gitlab import answers

_WAITS = (0.3, 1.0, 3.0)
_PIECE_BYTES = 64 * 1024
_PAGE = 100

OnCall = Callable[[str, int, float], None]


class BearerToken(str):
    """A token sent as `Authorization: Bearer`, which GitLab takes for its own kinds and for OAuth's."""


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
        session = requests.Session()
        session.hooks["response"] = [_stop_at_errors]
        self._gitlab = gitlab.Gitlab(
            url,
            private_token=None if isinstance(token, BearerToken) else token,
            oauth_token=str(token) if isinstance(token, BearerToken) else None,
            session=session,
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
        return self._repeated("get", route, ids, query=query)

    def read_json(self, route: str, query: Mapping[str, Any] | None = None, /, **ids: object) -> Any:
        """GET and decode; raises UnreachableError for an answer that is no JSON."""
        return answers.decoded(self.read(route, query, **ids), is_write=False)

    def read_rows(self, route: str, /, *, most_pages: int, **ids: object) -> list[Any]:
        """GET a list whole, page by page; what lies beyond `most_pages` pages of a hundred is left out."""
        rows: list[Any] = []
        for page in range(1, most_pages + 1):
            query = {"per_page": _PAGE, **({"page": page} if page > 1 else {})}
            rows += (found := self.read_json(route, query, **ids))
            if len(found) < _PAGE:
                break
        return rows

    def stream(self, route: str, /, *, most_bytes: int, **ids: object) -> Iterator[bytes]:
        """GET a body piece by piece, never held whole; what is longer than `most_bytes` is not fetched further."""
        response = self._repeated("get", route, ids, is_streamed=True)
        fetched = 0
        try:
            for piece in response.iter_content(_PIECE_BYTES):
                yield piece
                fetched += len(piece)
                if fetched >= most_bytes:
                    return
        except requests.RequestException as error:
            raise answers.silence(error, "get", route, effect_possible=False) from error
        finally:
            response.close()

    def silence(self) -> str | None:
        """Say why GitLab cannot be used now, None when it can; asked once and not again."""
        try:
            response = self._once("get", "/version", {})
        except requests.RequestException as error:
            return f"does not answer: {type(error).__name__}"
        return None if response.status_code < 500 else f"answers {response.status_code}"

    def ask(self, route: str, body: Mapping[str, Any], /, **ids: object) -> Any:
        """POST that changes nothing (lint, GraphQL), so that it may be repeated like a GET."""
        return answers.decoded(self._repeated("post", route, ids, body=body), is_write=False)

    def write(
        self,
        verb: str,
        route: str,
        body: Mapping[str, Any] | None = None,
        /,
        **ids: object,
    ) -> Any:
        """Change something, once. Raises UnreachableError(effect_possible=True) when the answer was lost.

        Repeated is only what cannot have had an effect: a connection that never stood, and refusals before any work.
        Raises LostError, and changes nothing, when the order on whose behalf it is may be another worker's by now.
        """
        response = self._repeated(verb, route, ids, body=body, is_write=True)
        return answers.decoded(response, is_write=True) if response.content else {}

    def _repeated(
        self,
        verb: str,
        route: str,
        ids: Mapping[str, object],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        is_streamed: bool = False,
        is_write: bool = False,
    ) -> requests.Response:
        passes = answers.came_too_early if is_write else answers.may_pass
        for wait in (*_WAITS, None):
            if is_write:
                assured()
            try:
                response = self._once(verb, route, ids, query=query, body=body, is_streamed=is_streamed)
            except requests.RequestException as error:
                effect_possible = is_write and not answers.never_stood(error)
                if wait is None or effect_possible:
                    raise answers.silence(error, verb, route, effect_possible=effect_possible) from error
                self._sleep(wait)
                continue
            if wait is not None and passes(response):
                self._sleep(answers.wait_asked_for(response, wait))
                continue
            answers.raise_for(response, route, is_write=is_write)
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
        is_streamed: bool = False,
    ) -> requests.Response:
        path = route.format(**{key: quote(str(value), safe="") for key, value in ids.items()})
        started = time.monotonic()
        status = 0
        try:
            response = self._send(verb, path, query, body, is_streamed=is_streamed)
            status = response.status_code
            return response
        finally:
            if self._on_call is not None:
                self._on_call(f"{verb.upper()} {route.removeprefix(self.url)}", status, time.monotonic() - started)

    def _send(
        self,
        verb: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        *,
        is_streamed: bool,
    ) -> requests.Response:
        """Use python-gitlab's session, headers and TLS settings, but none of its retries (429 sleeps for ever)."""
        try:
            return self._gitlab.http_request(
                verb,
                path,
                query_data=dict(query or {}),
                post_data=dict(body) if body is not None else None,
                streamed=is_streamed,
                obey_rate_limit=False,
                retry_transient_errors=False,
                max_retries=0,
            )
        except _ErrorAnswerError as error:
            return error.response


class _ErrorAnswerError(Exception):
    def __init__(self, response: requests.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def _stop_at_errors(response: requests.Response, **_options: object) -> None:
    """Hand over whole answers: python-gitlab's own exceptions forget the headers, Retry-After among them.

    A redirect turns a POST into a GET, so a write that is sent elsewhere stops here too.
    """
    is_sent_elsewhere = response.is_redirect and response.request.method != "GET"
    if is_sent_elsewhere or response.status_code >= 400:
        _ = response.content  # read it now: silence in the middle of it is still told as silence
        raise _ErrorAnswerError(response)
