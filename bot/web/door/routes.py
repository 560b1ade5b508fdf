"""Signing in with GitLab and out again."""

import secrets
from typing import Any
from urllib.parse import urlencode

import msgspec
import structlog
from litestar import MediaType, Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.exceptions import ClientException, NotAuthorizedException, PermissionDeniedException
from litestar.response import Redirect

from bot.domain.known import known
from bot.gitlab.sign_in import SignIn, SignInRefusedError
from bot.store.sessions import LONGEST
from bot.web.door.limits import address_of, check
from bot.web.door.places import safe_place
from bot.web.door.sealing import key_from, seal, unseal
from bot.web.door.sessions import Sessions
from bot.web.door.state import CALLBACK, Door, door_of
from bot.web.door.visitors import visitor_or_none
from bot.web.pages.render import render
from bot.web.parts import parts_of

_PENDING_SECONDS = 600
_UNSET = (
    "Nobody can sign in yet. An administrator makes an application in GitLab (Admin area or group › Applications; "
    "scope `read_api`, confidential, redirect URI {callback}) and sets {missing}. `pipewright doctor` checks them."
)
_STALE = "This sign-in took longer than ten minutes, or began in another browser. Please begin again."
_REFUSED = "GitLab was told not to let Pipewright know who you are, so nothing can be shown. You can begin again."
_USED = "GitLab did not accept this sign-in (any more). Please begin again."

log = structlog.get_logger()

AnyRequest = Request[Any, Any, Any]


class _Pending(msgspec.Struct, frozen=True):
    """A sign-in under way: what must come back, the verifier of PKCE, and where to go on."""

    state: str
    verifier: str
    next: str


@get("/sign-in", sync_to_thread=True, include_in_schema=False)
def sign_in(request: AnyRequest) -> Response[Any]:
    """Offer to sign in; whoever is already goes on."""
    place = safe_place(request.query_params.get("next"))
    door = door_of(request)
    if door.sessions is None:
        raise PermissionDeniedException(_what_is_unset(request))
    if _is_known(request):
        return Redirect(place, status_code=303)
    page = render("sign_in.html", gitlab=parts_of(request).settings.gitlab_url, link=_begin_link(place))
    return Response(page, media_type=MediaType.HTML)


@get("/sign-in/gitlab", sync_to_thread=True, include_in_schema=False)
def begin(request: AnyRequest) -> Redirect:
    """Send the browser to GitLab, and remember in a sealed cookie what must come back."""
    door, (client, _) = door_of(request), _configured(request)
    check(door.limits.sign_in, address_of(request))
    pending = _Pending(
        secrets.token_urlsafe(32), secrets.token_urlsafe(48), safe_place(request.query_params.get("next"))
    )
    sealed = seal(_key(request), msgspec.json.encode(pending)).decode()
    cookie = door.cookies.make(door.cookies.sign_in, sealed, seconds=_PENDING_SECONDS)
    return Redirect(client.address(pending.state, pending.verifier), status_code=303, cookies=[cookie])


@get(CALLBACK, sync_to_thread=True, include_in_schema=False)
def come_back(request: AnyRequest) -> Redirect:
    """Take in who GitLab sends back: the same browser, the same sign-in, a code that GitLab honours."""
    door, (client, sessions) = door_of(request), _configured(request)
    check(door.limits.sign_in, address_of(request))
    pending = _pending(request, door)
    if pending is None or not secrets.compare_digest(
        request.query_params.get("state", "").encode(), pending.state.encode()
    ):
        raise ClientException(_STALE)
    if "error" in request.query_params:
        log.info("sign-in refused in GitLab", reason=str(request.query_params["error"])[:100])
        raise PermissionDeniedException(_REFUSED)
    try:
        grant = client.redeem(request.query_params.get("code", ""), pending.verifier)
    except SignInRefusedError as refused:
        log.warning("sign-in failed", reason=refused.code, detail=str(refused))
        raise ClientException(_USED) from refused
    before = request.cookies.get(door.cookies.session)
    cookie, person = sessions.begin(grant)
    if before:
        sessions.end(before)
    log.info("signed in", username=person.username)
    return Redirect(pending.next, status_code=303, cookies=[_kept(door, cookie), _gone(door, door.cookies.sign_in)])


@post("/sign-out", sync_to_thread=True, include_in_schema=False)
def sign_out(request: AnyRequest) -> Redirect:
    """End the session here and its tokens in GitLab."""
    door = door_of(request)
    cookie = request.cookies.get(door.cookies.session)
    if door.sessions and cookie:
        door.sessions.end(cookie)
    return Redirect("/sign-in", status_code=303, cookies=[_gone(door, door.cookies.session)])


ROUTES = (sign_in, begin, come_back, sign_out)


def _is_known(request: AnyRequest) -> bool:
    """Somebody whose account is blocked may still sign in as somebody else."""
    try:
        return visitor_or_none(request) is not None
    except (NotAuthorizedException, PermissionDeniedException):
        return False


def _begin_link(place: str) -> str:
    return "/sign-in/gitlab?" + urlencode({"next": place})


def _configured(request: AnyRequest) -> tuple[SignIn, Sessions]:
    door = door_of(request)
    if door.sign_in is None or door.sessions is None:
        raise PermissionDeniedException(_what_is_unset(request))
    return door.sign_in, door.sessions


def _what_is_unset(request: AnyRequest) -> str:
    settings = parts_of(request).settings
    wanted = {
        "PIPEWRIGHT_OAUTH_CLIENT_ID": settings.oauth_client_id,
        "PIPEWRIGHT_OAUTH_CLIENT_SECRET": settings.oauth_client_secret,
        "PIPEWRIGHT_PUBLIC_URL": settings.public_url,
    }
    missing = ", ".join(name for name, value in wanted.items() if not value)
    address = settings.public_url or "https://the-address-of-pipewright"
    return _UNSET.format(callback=address + CALLBACK, missing=missing)


def _pending(request: AnyRequest, door: Door) -> _Pending | None:
    sealed = request.cookies.get(door.cookies.sign_in, "")
    content = unseal(_key(request), sealed.encode(), seconds=_PENDING_SECONDS)
    return None if content is None else msgspec.json.decode(content, type=_Pending)


def _key(request: AnyRequest) -> bytes:
    secret = parts_of(request).settings.oauth_client_secret
    assert secret is not None  # asked for after _configured only
    return key_from(secret.get_secret_value(), purpose="a sign-in under way")


def _kept(door: Door, cookie: str) -> Cookie:
    return door.cookies.make(door.cookies.session, cookie, seconds=int(LONGEST.total_seconds()))


def _gone(door: Door, name: str) -> Cookie:
    return door.cookies.make(name, "", seconds=0)


known(_Pending)
