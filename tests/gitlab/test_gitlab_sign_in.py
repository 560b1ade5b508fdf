"""Signing in, where GitLab refuses, is ill, sends elsewhere or says nothing; and what is sent to it."""

import json

import pytest

from bot.domain import UnreachableError
from bot.gitlab.sign_in import Grant, SignIn, SignInRefusedError
from tests.world.wire import HUNG_UP, Wire, WireServer

GIVEN = {"access_token": "at", "token_type": "Bearer", "expires_in": 7200, "refresh_token": "rt", "created_at": 1}
GOOD = Wire(200, json.dumps(GIVEN))


@pytest.fixture
def sign_in(wires: WireServer) -> SignIn:
    return SignIn(wires.url, "the-id", "the-secret", "https://bot.test/sign-in/callback", None)


def test_a_code_is_sent_with_its_verifier_and_the_secret_in_the_body(wires: WireServer, sign_in: SignIn) -> None:
    wires.script = [GOOD]
    grant = sign_in.redeem("the-code", "the-verifier")
    assert (grant.access_token, grant.refresh_token) == ("at", "rt")
    (asked,) = wires.asked
    assert (asked.method, asked.path) == ("POST", "/oauth/token")
    assert asked.body == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "code_verifier": "the-verifier",
        "redirect_uri": "https://bot.test/sign-in/callback",
        "client_id": "the-id",
        "client_secret": "the-secret",
    }


def test_a_refresh_token_is_exchanged(wires: WireServer, sign_in: SignIn) -> None:
    wires.script = [GOOD]
    assert sign_in.renew("old").access_token == "at"
    (asked,) = wires.asked
    assert (asked.body["grant_type"], asked.body["refresh_token"]) == ("refresh_token", "old")


def test_the_challenge_is_the_one_of_gitlabs_own_documentation(sign_in: SignIn) -> None:
    address = sign_in.address("the-state", "ks02i3jdikdo2k0dkfodf3m39rjfjsdk0wk349rj3jrhf")
    assert "code_challenge=2i0WFA-0AerkjQm4X4oDEhqA17QIAKNjXpagHBXmO_U" in address
    assert "the-secret" not in address


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        pytest.param(Wire(400, '{"error":"invalid_grant","error_description":"x"}'), "invalid_grant", id="code"),
        pytest.param(Wire(401, '{"error":"invalid_client","error_description":"x"}'), "invalid_client", id="client"),
        pytest.param(Wire(400, '{"error":"invalid_request"}'), "invalid_request", id="without words"),
    ],
)
def test_a_refusal_says_why(wires: WireServer, sign_in: SignIn, wire: Wire, code: str) -> None:
    wires.script = [wire]
    with pytest.raises(SignInRefusedError) as refused:
        sign_in.redeem("c", "v")
    assert refused.value.code == code
    assert len(wires.asked) == 1, "a code works once, so nothing is sent again"


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(Wire(502, "<html>"), id="a proxy"),
        pytest.param(Wire(200, "<html>", {"Content-Type": "text/html"}), id="a page"),
        pytest.param(Wire(200, "[]"), id="a list"),
        pytest.param(Wire(200, '{"token_type":"Bearer"}'), id="no token"),
        pytest.param(Wire(200, '{"access_token":"at","expires_in":"soon"}'), id="no number"),
        pytest.param(Wire(307, "", {"Location": "http://127.0.0.1:9/elsewhere"}), id="sent elsewhere"),
        pytest.param(HUNG_UP, id="hung up"),
    ],
)
def test_what_is_no_answer_is_silence(wires: WireServer, sign_in: SignIn, wire: Wire) -> None:
    wires.script = [wire]
    for ask in (lambda: sign_in.redeem("c", "v"), lambda: sign_in.renew("r")):
        with pytest.raises(UnreachableError):
            ask()


def test_revoking_tells_when_it_did_not_work(wires: WireServer, sign_in: SignIn) -> None:
    wires.script = [Wire(200, "{}"), Wire(403, '{"error":"unauthorized_client"}'), HUNG_UP]
    sign_in.revoke("at")
    assert wires.asked[0].body == {"token": "at", "client_id": "the-id", "client_secret": "the-secret"}
    with pytest.raises(SignInRefusedError):
        sign_in.revoke("at")
    with pytest.raises(UnreachableError):
        sign_in.revoke("at")


def test_tokens_show_in_no_log() -> None:
    assert "secret" not in repr(Grant(access_token="secret", refresh_token="secret", expires_at=1))
