"""Our own address: who answers there, whether it takes the secret of these settings, and signing in."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.cli.delivering import caller, delivered
from bot.cli.doctor.diagnosis import Diagnosis, ill, lacking, tried
from bot.cli.hooks import PATH

if TYPE_CHECKING:
    import httpx

    from bot.gitlab.sign_in import SignIn
    from bot.settings import Settings


def look(settings: "Settings", *, with_gitlab: bool) -> Iterator[Diagnosis]:
    """Look at the secret, the address and, where GitLab can be asked, signing in."""
    yield _secret(settings)
    yield from _public_url(settings)
    if with_gitlab:
        yield _sign_in(settings)


def _secret(settings: "Settings") -> Diagnosis:
    known = [
        name
        for name, value in (("secret", settings.webhook_secret), ("signature", settings.webhook_signing_token))
        if value
    ]
    if known or settings.webhooks == "off":
        return Diagnosis("secret", True, f"webhooks are trusted by {' or '.join(known) or 'nothing: they are off'}")
    return ill("secret", "nothing to trust webhooks by", "Set PIPEWRIGHT_WEBHOOK_SECRET to a long random text.")


def _public_url(settings: "Settings") -> Iterator[Diagnosis]:
    import httpx

    url = settings.public_url
    if url is None:
        mend = "Set PIPEWRIGHT_PUBLIC_URL, so that `hooks install` can tell GitLab."
        yield lacking("address", "unknown", mend)
        return
    try:
        with caller(settings) as client:
            yield _answering(url, client)
            yield from _delivered(settings, url, client)
    except httpx.HTTPError as error:
        mend = "Start the bot (`pipewright serve`); when it runs, check PIPEWRIGHT_PUBLIC_URL, its DNS and its proxy."
        yield lacking("address", f"nobody answers at {url} from here ({type(error).__name__})", mend)


def _answering(url: str, client: "httpx.Client") -> Diagnosis:
    answer = client.get(f"{url}/health/live")
    if answer.status_code == 200 and answer.text.startswith('{"status":"alive"'):
        return Diagnosis("address", True, url)
    mend = "Check PIPEWRIGHT_PUBLIC_URL, and what the proxy before it passes on: all paths, unchanged."
    return ill("address", f"something else answers at {url} ({answer.status_code})", mend)


def _delivered(settings: "Settings", url: str, client: "httpx.Client") -> Iterator[Diagnosis]:
    status = delivered(settings, url + PATH, client)
    if status == 401:
        mend = (
            "Restart every process of the bot, so that all read the settings; after `hooks rotate` refresh the hooks."
        )
        yield ill("secret", "the bot that runs there has another secret than these settings", mend)
    elif status != 200:
        mend = f"Let the proxy before it pass POST {PATH} on."
        yield ill("address", f"a delivery to {url}{PATH} was answered {status}", mend)


def _sign_in(settings: "Settings") -> Diagnosis:
    from bot.web.door.state import CALLBACK, open_sign_in

    sign_in = open_sign_in(settings)
    if sign_in is None:
        names = "PIPEWRIGHT_OAUTH_CLIENT_ID, PIPEWRIGHT_OAUTH_CLIENT_SECRET and PIPEWRIGHT_PUBLIC_URL"
        mend = f"Set {names} (docs/administration.md, “Signing in”)."
        return lacking("sign-in", "nobody can sign in to the pages", mend)
    says = f"GitLab knows the application; its redirect URI must be {settings.public_url}{CALLBACK}"
    mend = "Check PIPEWRIGHT_OAUTH_CLIENT_ID and PIPEWRIGHT_OAUTH_CLIENT_SECRET against the application in GitLab."
    return tried("sign-in", lambda: _known(sign_in, says), mend)


def _known(sign_in: "SignIn", says: str) -> str:
    sign_in.check()
    return says
