"""The stand-in as OAuth provider: Doorkeeper's words, and no kindness that GitLab would not show."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from bot.sandbox.oauth.records import Application, add_application, register
from tests.sandbox.conftest import Place

BACK = "https://bot.test/back"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def application(place: Place) -> Application:
    return add_application(place.world, BACK, "read_api")


@pytest.fixture
def http(place: Place) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=place.sandbox.url, trust_env=False, timeout=60) as client:
        yield client


def asked(application: Application, **more: str) -> dict[str, str]:
    return {
        "client_id": application.uid,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "read_api",
        "state": "s p",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | more


def code(http: httpx.Client, place: Place, application: Application, **more: str) -> str:
    form = asked(application, **more) | {"user": place.people["mia"].username}
    answer = http.post("/oauth/authorize", data=form)
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["state"] == ["s p"]
    return query["code"][0]


def redeem(http: httpx.Client, application: Application, value: str, **more: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": value,
        "redirect_uri": BACK,
        "client_id": application.uid,
        "client_secret": application.secret,
        "code_verifier": VERIFIER,
    }
    return http.post("/oauth/token", data={name: text for name, text in (form | more).items() if text})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_its_page_offers_everybody_who_can_sign_in(http: httpx.Client, place: Place, application: Application) -> None:
    place.people["rob"].state = "blocked"
    page = http.get("/oauth/authorize?" + urlencode(asked(application)))
    assert page.status_code == 200
    assert f'value="{place.people["mia"].username}"' in page.text
    assert f'value="{place.people["rob"].username}"' not in page.text
    assert "form-action 'self' https://bot.test;" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("wrong", "status", "words"),
    [
        pytest.param({"client_id": "x"}, 401, "unknown client", id="client"),
        pytest.param({"redirect_uri": "https://evil.test"}, 400, "redirect URI", id="address"),
        pytest.param({"redirect_uri": BACK + "/more"}, 400, "redirect URI", id="longer address"),
        pytest.param({"response_type": "token"}, 400, "response type", id="kind"),
        pytest.param({"scope": "api"}, 400, "scope", id="a scope the application has not"),
        pytest.param({"code_challenge_method": "MD5"}, 400, "challenge method", id="challenge"),
    ],
)
def test_a_wrong_request_sends_nobody_back(
    http: httpx.Client, application: Application, wrong: dict[str, str], status: int, words: str
) -> None:
    for answer in (
        http.get("/oauth/authorize?" + urlencode(asked(application, **wrong))),
        http.post("/oauth/authorize", data=asked(application, **wrong) | {"user": "mia", "_method": "delete"}),
    ):
        assert answer.status_code in (status, 400)
        assert words in answer.text


def test_denying_sends_back_with_the_reason(http: httpx.Client, application: Application) -> None:
    answer = http.post("/oauth/authorize", data=asked(application) | {"_method": "delete"})
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (query["error"], query["state"]) == (["access_denied"], ["s p"])


def test_a_code_gives_tokens_that_act_as_the_person(http: httpx.Client, place: Place, application: Application) -> None:
    given = redeem(http, application, code(http, place, application)).json()
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("Bearer", 7200, "read_api")
    me = http.get("/api/v4/user", headers=bearer(given["access_token"])).json()
    assert me["username"] == place.people["mia"].username
    told = http.get("/oauth/token/info", headers=bearer(given["access_token"])).json()
    assert (told["scope"], told["application"]) == (["read_api"], {"uid": application.uid})
    assert http.get("/api/v4/user", headers={"PRIVATE-TOKEN": given["access_token"]}).status_code == 401
    own = http.get("/api/v4/personal_access_tokens/self", headers=bearer(given["access_token"]))
    assert own.status_code == 400
    noted = http.post(
        f"/api/v4/projects/{place.project.id}/issues", json={"title": "x"}, headers=bearer(given["access_token"])
    )
    assert (noted.status_code, noted.json()["error"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        pytest.param({"code": "unknown"}, 400, "invalid_grant", id="code"),
        pytest.param({"code_verifier": "w" * 50}, 400, "invalid_grant", id="verifier"),
        pytest.param({"code_verifier": ""}, 400, "invalid_grant", id="no verifier"),
        pytest.param({"redirect_uri": "https://bot.test/other"}, 400, "invalid_grant", id="address"),
        pytest.param({"redirect_uri": ""}, 400, "invalid_request", id="no address"),
        pytest.param({"client_secret": "wrong"}, 401, "invalid_client", id="secret"),
        pytest.param({"client_id": "unknown"}, 401, "invalid_client", id="client"),
        pytest.param({"grant_type": "password"}, 400, "unsupported_grant_type", id="kind"),
        pytest.param({"grant_type": ""}, 400, "invalid_request", id="no kind"),
    ],
)
def test_a_wrong_exchange_gives_nothing(
    http: httpx.Client, place: Place, application: Application, wrong: dict[str, str], status: int, error: str
) -> None:
    answer = redeem(http, application, code(http, place, application), **wrong)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert [one for one in register(place.world).consents if one.application is application] == []


def test_a_code_works_once_for_ten_minutes_and_its_own_application(
    http: httpx.Client, place: Place, application: Application
) -> None:
    used, late, foreign = (code(http, place, application) for _ in range(3))
    assert redeem(http, application, used).status_code == 200
    register(place.world).codes[late].created_at -= timedelta(minutes=10)
    other = add_application(place.world, BACK, "read_api")
    for answer in (redeem(http, application, used), redeem(http, application, late), redeem(http, other, foreign)):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def tokens(http: httpx.Client, place: Place, application: Application) -> dict[str, Any]:
    given: dict[str, Any] = redeem(http, application, code(http, place, application)).json()
    return given


def renew(http: httpx.Client, application: Application, refresh_token: str) -> httpx.Response:
    more = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return redeem(http, application, "", **more)


def test_renewing_ends_both_old_tokens(http: httpx.Client, place: Place, application: Application) -> None:
    old = tokens(http, place, application)
    new = renew(http, application, old["refresh_token"]).json()
    assert http.get("/api/v4/user", headers=bearer(new["access_token"])).status_code == 200
    refused = http.get("/api/v4/user", headers=bearer(old["access_token"]))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert renew(http, application, old["refresh_token"]).json()["error"] == "invalid_grant"


def test_an_access_token_lasts_two_hours(http: httpx.Client, place: Place, application: Application) -> None:
    given = tokens(http, place, application)
    consent = register(place.world).consents[-1]
    assert consent.token.expires_at is not None
    consent.token.expires_at -= timedelta(hours=2)
    refused = http.get("/api/v4/user", headers=bearer(given["access_token"]))
    assert refused.json()["error_description"].startswith("Token is expired.")
    assert http.get("/oauth/token/info", headers=bearer(given["access_token"])).status_code == 401
    assert renew(http, application, given["refresh_token"]).status_code == 200


def test_revoking_takes_the_application(http: httpx.Client, place: Place, application: Application) -> None:
    given = tokens(http, place, application)
    form = {"token": given["access_token"], "client_id": application.uid}
    assert http.post("/oauth/revoke", data=form).status_code == 403
    assert http.get("/api/v4/user", headers=bearer(given["access_token"])).status_code == 200
    form["client_secret"] = application.secret
    assert http.post("/oauth/revoke", data=form).json() == {}
    assert http.get("/api/v4/user", headers=bearer(given["access_token"])).status_code == 401
    assert renew(http, application, given["refresh_token"]).status_code == 400
    assert http.post("/oauth/revoke", data=form | {"token": "unknown"}).status_code == 200


def test_an_application_may_show_itself_in_the_header(
    http: httpx.Client, place: Place, application: Application
) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
    form["code"] = code(http, place, application)
    answer = http.post("/oauth/token", data=form, auth=(application.uid, application.secret))
    assert answer.status_code == 200
