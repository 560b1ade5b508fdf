"""What a project lets the bot do: `.pipewright.yml`, read from its default branch only."""

from typing import Annotated, Any, Literal

import yaml
from msgspec import Meta, Struct, ValidationError, convert

from bot.domain import CannotError

POLICY_PATH = ".pipewright.yml"


class Approval(Struct, frozen=True, forbid_unknown_fields=True):
    """Which approvals count. Emoji are named without colons and without skin tone; `minimum` counts people."""

    requester_may_approve: bool = True
    minimum: Annotated[int, Meta(ge=1, le=20)] = 1
    allowed_emoji: tuple[str, ...] = ("thumbsup", "white_check_mark", "heavy_check_mark", "rocket")


class Runners(Struct, frozen=True, forbid_unknown_fields=True):
    """What GitLab does not tell of the project's runners; None where the rules do not say it either."""

    privileged: bool | None = None
    tags: tuple[str, ...] | None = None


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """The project's own rules for the bot.

    `merge`: `auto` as soon as GitLab allows it, waiting for a pipeline that runs; `on_green` only after a pipeline of
    that commit passed; `never` leaves the merge to a person. `repair`: what to do about a red pipeline of an own draft:
    mend it, ask first, or leave it.
    """

    approval: Approval = Approval()
    merge: Literal["auto", "on_green", "never"] = "auto"
    repair: Literal["auto", "ask", "off"] = "auto"
    runners: Runners = Runners()


def read_policy(text: str | None) -> Policy:
    """Read the file's text; raise CannotError, naming the mend, when it is not understood.

    An unreadable policy refuses instead of falling back: a rule with a typing error must not vanish.
    """
    if text is None:
        return Policy()
    try:
        return convert(_with_words(yaml.safe_load(text) or {}), Policy)
    except (yaml.YAMLError, ValidationError) as error:
        raise CannotError(
            f"`{POLICY_PATH}` on the default branch is not valid ({error}). Mend it there, then try again."
        ) from error


def _with_words(rules: Any) -> Any:
    """YAML reads a bare `off` as false, so that is what people mean by it."""
    if isinstance(rules, dict) and isinstance(rules.get("repair"), bool):
        return {**rules, "repair": "auto" if rules["repair"] else "off"}
    return rules


def is_approving(emoji: str, policy: Policy) -> bool:
    """Tell whether a reaction approves; skin tones don't matter."""
    return emoji.split("_tone", maxsplit=1)[0] in policy.approval.allowed_emoji
