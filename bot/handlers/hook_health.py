"""Says why a comment was heard of late: what is wrong with the project's webhook, and who mends it how."""

from bot.domain import CannotError, UnreachableError
from bot.gitlab.read import HOOK_EVENTS
from bot.gitlab.values import Hook
from bot.replies import texts
from bot.services import Services

PATH = "/webhooks/gitlab"


def why_late(services: Services, project_id: int) -> str:
    """Return a sentence for below the answer; nothing where no webhook is expected."""
    if services.settings.webhooks == "off":
        return ""
    try:
        hooks = services.gitlab.hooks(str(project_id))
    except (CannotError, UnreachableError):
        return texts.heard_late("I may not look at this project's webhooks, so I don't know why")
    return texts.heard_late(_fault(services, [hook for hook in hooks if _is_ours(services, hook)]))


def _is_ours(services: Services, hook: Hook) -> bool:
    public = services.settings.public_url
    return hook.url == public + PATH if public else hook.url.endswith(PATH)


def _fault(services: Services, hooks: list[Hook]) -> str:
    if not hooks:
        return "this project has no webhook that calls me. An administrator of mine can run `pipewright hooks install`"
    hook = hooks[0]
    if hook.alert_status != "executable":
        return (
            f"GitLab has switched my webhook off (`{hook.alert_status}`) after failed deliveries. A Maintainer can "
            "enable it again under *Settings › Webhooks › Test*"
        )
    missing = [name for name in HOOK_EVENTS if name not in hook.events]
    if missing:
        return f"my webhook lacks the events {', '.join(f'`{name}`' for name in missing)}"
    return "my webhook looks well, so that delivery was lost on its way"
