"""Delivers something that means nothing to the bot that runs, as GitLab would: does it take these settings' secret?"""

import json
import time
from typing import TYPE_CHECKING

from bot.domain import CannotError

if TYPE_CHECKING:
    import httpx

    from bot.settings import Settings

_PATIENCE_SECONDS = 5.0


def caller(settings: "Settings") -> "httpx.Client":
    """Return a client that trusts what the settings trust, and waits only a moment."""
    import ssl

    import httpx

    trusted = ssl.create_default_context(cafile=settings.ca_file) if settings.ca_file else True
    return httpx.Client(timeout=_PATIENCE_SECONDS, verify=trusted)


def delivered(settings: "Settings", target: str, client: "httpx.Client") -> int:
    """Return the status of the answer; raises httpx.HTTPError when nobody answers."""
    from bot.gitlab.webhook import signed

    body = json.dumps({"object_kind": "doctor"}).encode()
    headers = {"Content-Type": "application/json"}
    if settings.webhook_secret:
        headers["X-Gitlab-Token"] = settings.webhook_secret.get_secret_value()
    if settings.webhook_signing_token:
        token = settings.webhook_signing_token.get_secret_value()
        headers |= signed(body, token, name="doctor", now=int(time.time()))
    return client.post(target, content=body, headers=headers).status_code


def check_restarted(settings: "Settings", target: str) -> None:
    """Raise CannotError when a secret is being rotated that the bot does not take yet; webhooks must not have it then.

    A bot that only GitLab reaches is not judged.
    """
    if not settings.webhook_secret_old and not settings.webhook_signing_token_old:
        return
    import httpx

    try:
        with caller(settings) as client:
            status = delivered(settings, target, client)
    except httpx.HTTPError:
        return
    if status == 401:
        raise CannotError(
            f"the bot at {target} does not take the new secret yet, so deliveries with it would be lost. Restart every "
            "process of the bot, then try again."
        )
