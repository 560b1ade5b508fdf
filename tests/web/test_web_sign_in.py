"""Signing in with GitLab, over real HTTP: the stand-in is the provider, and the browser keeps its cookies."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from bot.sandbox import seed
from bot.sandbox.oauth.records import register
from tests.web.house import House, another_web, open_house


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database, tmp_path) as opened:
        yield opened


def test_a_person_signs_in_and_is_brought_to_where_they_wanted(house: House) -> None:
    browser = house.browser()
    assert browser.get("/?status=none").headers["location"] == "/sign-in?next=%2F%3Fstatus%3Dnone"
    page = browser.get("/sign-in?next=%2F%3Fstatus%3Dnone").text
    link = re.search(r'href="(/sign-in/gitlab[^"]*)"', page)
    assert link is not None
    back = house.consent(browser.get(link[1].replace("&amp;", "&")).headers["location"], "mia")
    arrived = browser.get(back)
    assert (arrived.status_code, arrived.headers["location"]) == (303, "/?status=none")
    assert browser.get("/?status=none").status_code == 200


def test_the_request_to_gitlab_carries_pkce_state_and_the_least_scope(house: House) -> None:
    address = house.browser().get("/sign-in/gitlab").headers["location"]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["scope"] == "read_api"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 40
    assert asked["redirect_uri"] == f"{house.address}/sign-in/callback"


def test_the_cookies_are_kept_from_scripts_and_other_sites(house: House) -> None:
    browser = house.browser()
    begun = browser.get("/sign-in/gitlab")
    arrived = browser.get(house.consent(begun.headers["location"], "mia"))
    for line in (*begun.headers.get_list("set-cookie"), *arrived.headers.get_list("set-cookie")):
        assert {"httponly", "path=/", "samesite=lax"} <= {part.strip().lower() for part in line.split(";")}
        assert "domain" not in line.lower()


def test_a_code_works_in_the_browser_that_began_only(house: House) -> None:
    begun = house.browser().get("/sign-in/gitlab")
    back = house.consent(begun.headers["location"], "mia")
    stranger = house.browser()
    answer = stranger.get(back)
    assert answer.status_code == 400
    assert "began in another browser" in answer.text
    assert stranger.get("/").status_code == 303


def test_a_wrong_state_signs_nobody_in(house: House) -> None:
    browser = house.browser()
    back = house.consent(browser.get("/sign-in/gitlab").headers["location"], "mia")
    assert browser.get(re.sub(r"state=[^&]+", "state=forged", back)).status_code == 400
    assert browser.get("/").status_code == 303


def test_a_code_works_once(house: House) -> None:
    browser = house.browser()
    back = house.consent(browser.get("/sign-in/gitlab").headers["location"], "mia")
    pending = dict(browser.cookies)
    assert browser.get(back).status_code == 303
    again = house.browser()
    again.cookies.update(pending)
    answer = again.get(back)
    assert (answer.status_code, "begin again" in answer.text) == (400, True)


def test_whoever_denies_is_told_what_that_means(house: House) -> None:
    browser = house.browser()
    answer = browser.get(house.deny(browser.get("/sign-in/gitlab").headers["location"]))
    assert answer.status_code == 403
    assert "begin again" in answer.text


@pytest.mark.parametrize(
    "place",
    ["https://evil.test/", "//evil.test/", "/\\evil.test", "\\/evil.test", "/\t/evil.test", "javascript:alert(1)"],
)
def test_nobody_is_sent_to_another_site(house: House, place: str) -> None:
    browser = house.browser()
    back = house.consent(browser.get("/sign-in/gitlab", params={"next": place}).headers["location"], "mia")
    arrived = urlsplit(browser.get(back).headers["location"])
    assert (arrived.scheme, arrived.netloc) == ("", "")
    assert arrived.path == "/"


def test_signing_out_ends_the_session_here_and_the_token_in_gitlab(house: House) -> None:
    browser = house.signed_in("mia")
    cookies = dict(browser.cookies)
    token = house.last_token()
    answer = browser.post("/sign-out", data={"csrf_token": house.csrf(browser)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    kept = house.browser()
    kept.cookies.update(cookies)
    assert kept.get("/").status_code == 303
    assert token.is_revoked


def test_another_site_cannot_sign_anybody_out(house: House) -> None:
    browser = house.signed_in("mia")
    for sent in ({}, {"csrf_token": "guessed"}, {"csrf_token": "ü"}):
        assert browser.post("/sign-out", data=sent).status_code == 403
    right = house.csrf(browser)
    elsewhere = {"X-CSRF-Token": right, "Sec-Fetch-Site": "cross-site"}
    assert browser.post("/sign-out", headers=elsewhere).status_code == 403
    assert browser.get("/").status_code == 200
    assert browser.post("/sign-out", headers={"X-CSRF-Token": right}).status_code == 303


def test_the_database_holds_neither_cookie_nor_token(house: House) -> None:
    browser = house.signed_in("mia")
    with house.pool.connection() as connection:
        rows = repr(connection.execute("select * from user_sessions").fetchall())
    assert "mia" in rows
    for secret in (house.last_token().value, *browser.cookies.values()):
        assert secret not in rows


def test_an_old_token_is_renewed_once_however_many_ask(house: House) -> None:
    browser = house.signed_in("mia")
    house.age_tokens()
    first = house.last_token()
    assert browser.get("/").status_code == 200
    assert first.is_revoked
    assert house.last_token() is not first
    assert browser.get("/").status_code == 200
    assert house.sandbox.calls.count("POST /oauth/token") == 2


def test_of_many_requests_at_once_one_renews_and_all_are_let_in(house: House) -> None:
    browser = house.signed_in("mia")
    house.age_tokens()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: httpx.get(f"{house.address}/", cookies=browser.cookies), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    renewed = [one for one in register(house.sandbox.world).consents if not one.is_revoked]
    assert len(renewed) == 1


def test_a_renewal_that_gitlab_does_not_answer_ends_no_session(house: House) -> None:
    browser = house.signed_in("mia")
    house.age_tokens()
    house.sandbox.fail("POST", "/oauth/token", 503)
    assert browser.get("/").status_code == 503
    assert browser.get("/").status_code == 200


def test_a_session_whose_consent_was_taken_back_ends(house: House) -> None:
    browser = house.signed_in("mia")
    house.revoke_all()
    house.forget_everything()
    assert browser.get("/").status_code == 303
    with house.pool.connection() as connection:
        assert connection.execute("select count(*) from user_sessions").fetchone() == (0,)


def test_a_consent_taken_back_while_it_is_remembered_leads_to_signing_in_and_not_in_circles(house: House) -> None:
    browser = house.signed_in("mia")
    with house.pool.connection() as connection:
        connection.execute("insert into conversations (project_id, project_path) values (1, 'a/b')")
    house.revoke_all()
    assert browser.get("/").headers["location"] == "/sign-in?next=%2F"
    assert browser.get("/sign-in?next=%2F").status_code == 200


def test_a_token_that_ends_while_it_is_remembered_is_a_401(house: House) -> None:
    program = house.browser()
    token = seed.add_token(house.sandbox.world, house.people["mia"], "api")
    program.headers["Authorization"] = f"Bearer {token.value}"
    with house.pool.connection() as connection:
        row = connection.execute(
            "insert into conversations (project_id, project_path) values (1, 'a/b') returning id"
        ).fetchone()
    asked = {"message": "hi", "session_id": str(row[0] if row else "")}
    assert program.post("/api/v1/chat", json=asked | {"session_id": str(uuid4())}).status_code == 404
    token.is_revoked = True
    answer = program.post("/api/v1/chat", json=asked)
    assert (answer.status_code, answer.json()["title"]) == (401, "Sign in")


def test_a_blocked_account_is_shown_nothing(house: House) -> None:
    browser = house.signed_in("mia")
    house.people["mia"].state = "blocked"
    house.forget_everything()
    answer = browser.get("/")
    assert answer.status_code == 403
    assert "blocked" in answer.text


@pytest.mark.parametrize("column", ["seen_at", "created_at"])
def test_a_session_ends_after_disuse_and_at_last_in_any_case(house: House, column: str) -> None:
    browser = house.signed_in("mia")
    with house.pool.connection() as connection:
        connection.execute(f"update user_sessions set {column} = now() - interval '8 days'".encode())
    assert browser.get("/").status_code == 303
    house.signed_in("max")
    with house.pool.connection() as connection:
        assert connection.execute("select username from user_sessions").fetchall() == [("max",)]


def test_signing_in_again_makes_a_new_session_and_ends_the_old(house: House) -> None:
    browser = house.signed_in("mia")
    before = dict(browser.cookies)
    house.sign_in(browser, "max")
    assert dict(browser.cookies) != before
    old = house.browser()
    old.cookies.update(before)
    assert old.get("/").status_code == 303


def test_while_gitlab_is_silent_signing_in_says_so(house: House) -> None:
    browser = house.browser()
    back = house.consent(browser.get("/sign-in/gitlab").headers["location"], "mia")
    house.sandbox.fail("POST", "/oauth/token", 503)
    answer = browser.get(back)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


def test_without_its_settings_the_page_says_what_to_set(
    database: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with open_house(database, tmp_path_factory.mktemp("gitlab"), OAUTH_CLIENT_SECRET="") as house:
        answer = house.browser().get("/sign-in")
    assert answer.status_code == 403
    assert "PIPEWRIGHT_OAUTH_CLIENT_SECRET" in answer.text
    assert "PIPEWRIGHT_OAUTH_CLIENT_ID" not in answer.text
    assert f"{house.address}/sign-in/callback" in answer.text


def test_whoever_is_blocked_may_sign_in_as_somebody_else(house: House) -> None:
    browser = house.signed_in("mia")
    house.people["mia"].state = "blocked"
    house.forget_everything()
    assert browser.get("/sign-in").status_code == 200
    house.sign_in(browser, "max")
    assert browser.get("/").status_code == 200


def test_a_blocked_account_cannot_sign_in_and_leaves_no_token(house: House) -> None:
    browser = house.browser()
    back = house.consent(browser.get("/sign-in/gitlab").headers["location"], "mia")
    house.people["mia"].state = "blocked"
    answer = browser.get(back)
    assert (answer.status_code, "blocked" in answer.text) == (403, True)
    assert house.last_token().is_revoked
    assert "pipewright" not in browser.cookies


def test_signing_out_works_while_gitlab_is_silent(house: House) -> None:
    browser = house.signed_in("mia")
    house.sandbox.fail("POST", "/oauth/revoke", 503)
    assert browser.post("/sign-out", headers={"X-CSRF-Token": house.csrf(browser)}).status_code == 303
    assert browser.get("/").status_code == 303


def test_behind_tls_cookies_are_bound_to_the_host(database: str, tmp_path: Path) -> None:
    with open_house(database, tmp_path, PUBLIC_URL="https://bot.test") as house:
        answer = house.browser().get("/sign-in/gitlab")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-pipewright-sign-in=")
    assert {"secure", "httponly", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "domain" not in cookie.lower()
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert "redirect_uri=https%3A%2F%2Fbot.test%2Fsign-in%2Fcallback" in answer.headers["location"]


def test_a_changed_secret_ends_all_sessions(database: str, tmp_path: Path) -> None:
    with open_house(database, tmp_path / "one") as house:
        cookies = dict(house.signed_in("mia").cookies)
    with open_house(database, tmp_path / "two") as house:
        browser = house.browser()
        browser.cookies.update(cookies)
        assert browser.get("/").status_code == 303


@pytest.mark.parametrize("cookie", ["x", "x" * 5000, "ü", "a" * 43])
def test_a_cookie_of_nobody_is_nobody(house: House, cookie: str) -> None:
    answer = httpx.get(f"{house.address}/", headers={"Cookie": f"pipewright={cookie}".encode()})
    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/", "/sign-in", "/api/v1/nothing", "/health/live", "/static/style.css"])
def test_every_answer_carries_the_headers_of_safety(house: House, path: str) -> None:
    headers = house.browser().get(path).headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert ("no-store" in headers["cache-control"]) == (path != "/static/style.css")


def test_one_person_may_not_crowd_out_the_others(house: House) -> None:
    mia, max_ = house.signed_in("mia"), house.signed_in("max")
    assert mia.get("/").status_code == 200
    house.use_up()
    assert (mia.get("/").status_code, max_.get("/").status_code) == (429, 200)
    house.pass_time(61)
    assert mia.get("/").status_code == 200


def test_a_person_has_one_limit_however_many_web_processes_there_are(
    house: House,
) -> None:
    headers = {"Authorization": f"Bearer {house.token('mia')}"}
    with another_web(house) as other:
        first, second = (web.get("/api/v1/conversations", headers=headers) for web in (house.browser(), other))
        assert [each.headers["ratelimit-policy"] for each in (first, second)] == ['"person";q=120;w=30'] * 2
        assert remaining(second) <= remaining(first)
        house.use_up()
        for web in (house.browser(), other):
            late = web.get("/api/v1/conversations", headers=headers)
            assert (late.status_code, remaining(late)) == (429, 0)
            assert late.headers["content-type"].startswith("application/problem+json")
            told = late.json()
            assert (told["status"], told["title"]) == (429, "Too often")
            assert f"Please wait {late.headers['retry-after']} s" in told["detail"]


def remaining(answer: httpx.Response) -> int:
    found = re.fullmatch(r'"person";r=(\d+);t=\d+', answer.headers["ratelimit"])
    assert found is not None
    return int(found[1])


def test_a_proxy_that_is_trusted_tells_where_requests_come_from(house: House) -> None:
    def knock(address: str) -> int:
        return house.browser().get("/sign-in/gitlab", headers={"X-Forwarded-For": address}).status_code

    assert [knock("192.0.2.1") for _ in range(21)][-1] == 429
    assert knock("192.0.2.2") == 303
    assert [knock(f"2001:db8:1:2::{number}") for number in range(21)][-1] == 429
    assert knock("2001:db8:1:3::1") == 303


def test_parts_of_a_page_tell_the_browser_to_sign_in(house: House) -> None:
    answer = house.browser().get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


def test_too_many_sign_ins_have_to_wait(house: House) -> None:
    browser = house.browser()
    answers = [browser.get("/sign-in/gitlab") for _ in range(22)]
    assert [answer.status_code for answer in answers[:20]] == [303] * 20
    late = answers[-1]
    assert (late.status_code, late.headers["retry-after"]) == (429, "3")
    house.pass_time(3)
    assert browser.get("/sign-in/gitlab").status_code == 303


def test_whoever_tries_tokens_out_is_soon_asked_no_more(house: House) -> None:
    browser = house.browser()
    tried: list[httpx.Response] = []
    for number in range(21):
        headers = {"Authorization": f"Bearer guess-{number}"}
        tried.append(browser.post("/api/v1/chat", json={"message": "x", "project": "a/b"}, headers=headers))
    assert [answer.status_code for answer in tried] == [401] * 20 + [429]
    assert tried[-1].headers["content-type"].startswith("application/problem+json")
    assert tried[-1].json()["detail"].startswith("That was too often.")
    assert house.sandbox.calls.count("GET /api/v4/user") == 20
