"""Webhooks and their deliveries as JSON (lib/api/entities/hook.rb, web_hook_log.rb)."""

from bot.sandbox.rest.shapes import Json, date
from bot.sandbox.state import Delivery, Hook


def hook(one: Hook, owner: Json) -> Json:
    """Return a webhook without its secrets; `owner` is its `project_id` or `group_id`."""
    names = (
        "push_events issues_events confidential_issues_events merge_requests_events tag_push_events note_events "
        "confidential_note_events job_events pipeline_events wiki_page_events emoji_events"
    ).split()
    return {
        "id": one.id,
        "url": one.url,
        "created_at": date(one.created_at),
        **owner,
        **{name: one.flags.get(name, False) for name in names},
        "enable_ssl_verification": one.verifies_tls,
        "alert_status": one.alert_status,
        "disabled_until": date(one.disabled_until),
        "token_present": one.token is not None,
        "signing_token_present": one.signing_token is not None,
    }


def delivery(hook: Hook, one: Delivery) -> Json:
    """Return what a webhook was told and answered (lib/api/entities/web_hook_log.rb)."""
    return {
        "id": id(one) % 2**31,
        "url": hook.url,
        "trigger": f"{one.event}_hooks",
        "request_headers": {name: value for name, value in one.headers.items() if name != "X-Gitlab-Token"},
        "request_data": {},
        "response_headers": {},
        "response_body": "",
        "execution_duration": 0.01,
        "response_status": str(one.status) if one.status else "internal error",
        "created_at": date(one.created_at),
    }
