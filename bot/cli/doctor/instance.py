"""GitLab itself: whether it answers, how old it is, what time it has, whose token this is and what it may."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.cli.doctor.diagnosis import Diagnosis, ill, lacking
from bot.domain import CannotError, UnreachableError
from bot.gitlab.answers import RefusedError, SilenceError

if TYPE_CHECKING:
    from bot.gitlab.client import GitLab
    from bot.gitlab.values import Release
    from bot.settings import Settings

_OLDEST, SIGNED_SINCE = (16, 0), (19, 0)
# What older ones lack, and since when it is there (docs: webhook_events, webhooks, merge_requests).
_SINCE = (
    ((17, 5), "reactions may not arrive: approve with a comment instead"),
    ((17, 4), "deliveries have no key of their own: a repeated one is known by its text"),
    (SIGNED_SINCE, "webhooks are not signed: PIPEWRIGHT_WEBHOOK_SECRET is needed"),
)
_LATEST_LACK = (17, 5)
_MOST_SKEW_SECONDS, _SKEW_TO_SAY = 300, 30
_MENDS = {
    "certificate": "Its certificate is signed by nobody this machine trusts: set PIPEWRIGHT_CA_FILE to a PEM file with "
    "your own authority's.",
    "proxy": "Mend the proxy of HTTPS_PROXY or HTTP_PROXY, or name GitLab's host in NO_PROXY.",
    "name": "No such host is known here: check PIPEWRIGHT_GITLAB_URL and this machine's DNS.",
    "no connection": "Nobody listens there: check PIPEWRIGHT_GITLAB_URL, and the firewall between.",
    "too slow": "Packets seem to get lost: check the firewall between, and whether HTTPS_PROXY has to be set.",
    "cut off": "Something between hangs up: check PIPEWRIGHT_GITLAB_URL (http or https?), and proxies.",
    "busy": "It is overloaded, starting, or limits the rate: look at its own pages, then try again.",
    "no GitLab": "Something else answers there: check PIPEWRIGHT_GITLAB_URL.",
}


def open_for_looking(settings: "Settings") -> "GitLab":
    """Return the way to GitLab, on which nothing waits before it tries again."""
    from bot.parts import open_gitlab

    return open_gitlab(settings, sleep=lambda _seconds: None)


def look(gitlab: "GitLab", settings: "Settings") -> Iterator[Diagnosis]:
    """Look at GitLab, then at the account, then at the token; what rests on something ill is not looked at."""
    try:
        release = gitlab.release()
    except (RefusedError, SilenceError) as error:
        yield _unusable(error, settings)
        return
    yield _version(release.version, settings)
    yield from _clock(release)
    yield _account(gitlab, settings)
    yield _token(gitlab)


def _unusable(error: RefusedError | SilenceError, settings: "Settings") -> Diagnosis:
    if isinstance(error, SilenceError):
        return ill("GitLab", str(error), _MENDS[error.why])
    says = f"it refuses ({error.status}: {error.detail})"
    if error.status == 401:
        return ill("GitLab", says, "Make a new token with the scope `api`, and set PIPEWRIGHT_GITLAB_TOKEN.")
    if error.status == 403:
        return ill("GitLab", says, "Make a token with the scope `api` of an account that is not blocked.")
    if error.status == 404:
        mend = (
            f"There is no API below {settings.gitlab_url}. PIPEWRIGHT_GITLAB_URL has to be GitLab's own address, "
            "without a project's path, and with the path below which GitLab runs, as in https://example.com/gitlab."
        )
        return ill("GitLab", says, mend)
    return ill("GitLab", says, "Check PIPEWRIGHT_GITLAB_URL.")


def numbers_of(version: str) -> tuple[int, int] | None:
    """Return the two numbers a version begins with."""
    first = version.split("-", maxsplit=1)[0].split(".")[:2]
    return (int(first[0]), int(first[1])) if len(first) == 2 and all(part.isdigit() for part in first) else None


def _version(version: str, settings: "Settings") -> Diagnosis:
    numbers = numbers_of(version)
    if numbers is None or numbers >= SIGNED_SINCE:
        return Diagnosis("GitLab", True, version)
    if numbers < _OLDEST:
        return ill("GitLab", f"{version} is older than 16.0", "Upgrade GitLab: what the bot asks for is not there yet.")
    lacks = [lack for since, lack in _SINCE if numbers < since]
    if settings.webhook_secret:
        lacks = [lack for lack in lacks if "signed" not in lack]
    if not lacks:
        return Diagnosis("GitLab", True, version)
    if not settings.webhook_secret:
        return ill("GitLab", version, f"Before 19.0 {lacks[-1]}.")
    return lacking("GitLab", version, f"In it {'; '.join(lacks)}.")


def _clock(release: "Release") -> Iterator[Diagnosis]:
    ahead = release.ahead_seconds
    if ahead is None or abs(ahead) < _SKEW_TO_SAY:
        return
    says = f"GitLab's is {abs(ahead):.0f} seconds {'ahead of' if ahead > 0 else 'behind'} this machine's"
    mend = "Let both machines follow a time server (`timedatectl set-ntp true`)."
    if abs(ahead) >= _MOST_SKEW_SECONDS:
        yield ill("clock", says, f"Signed webhooks are refused from five minutes on. {mend}")
    else:
        yield lacking("clock", says, mend)


def _account(gitlab: "GitLab", settings: "Settings") -> Diagnosis:
    try:
        account = gitlab.me()
    except (CannotError, UnreachableError) as error:
        return ill("account", str(error), "Check PIPEWRIGHT_GITLAB_TOKEN.")
    says = f"@{account.username}, answers to @{settings.mention}"
    if account.is_bot:
        return Diagnosis("account", True, says)
    kind = "an administrator's" if account.is_admin else "a person's"
    mend = (
        f"What @{account.username} writes is the bot's own word, so no order from them is heard. Unless the account is "
        "the bot's alone, make a token of a project, a group or a service account."
    )
    return lacking("account", f"{says}: {kind} account", mend)


def _token(gitlab: "GitLab") -> Diagnosis:
    try:
        token = gitlab.own_token()
    except (CannotError, UnreachableError):
        return Diagnosis("token", True, "GitLab does not tell its scopes; it needs `api`")
    ending = f", until {token.expires_on}" if token.expires_on else ""
    says = f"scopes {', '.join(token.scopes) or 'none'}{ending}"
    if "api" not in token.scopes:
        return ill("token", says, "Make one with the scope `api`, and set PIPEWRIGHT_GITLAB_TOKEN.")
    warning = token.warning(datetime.now(UTC).date())
    if warning:
        return lacking("token", says, f"{warning[:1].upper()}{warning[1:]}.")
    return Diagnosis("token", True, says)
