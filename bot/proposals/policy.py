"""What a project lets the bot do: `.pipewright.yml`, read from its default branch only."""

from typing import Annotated, Any, Literal

import yaml
from msgspec import Meta, Struct, ValidationError, convert

from bot.domain import CannotError, RiskKind
from bot.domain.known import known

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


class Images(Struct, frozen=True, forbid_unknown_fields=True):
    """How images are named. `digest`: with the digest that the repository itself names for them, if it does."""

    digest: bool = False


Verdict = Literal["refuse", "flag", "allow"]


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """What a draft may bring: `refuse` it, `flag` it to whoever approves, or `allow` it without a word.

    `paths` narrows what a draft may touch; `trusted_projects` and `trusted_registries` are prefixes of what is no
    stranger's.
    """

    remote_includes: Verdict = "refuse"
    foreign_includes: Verdict = "flag"
    foreign_triggers: Verdict = "flag"
    foreign_images: Verdict = "flag"
    unpinned_images: Verdict = "flag"
    piped_scripts: Verdict = "flag"
    printed_variables: Verdict = "flag"
    privileged_services: Verdict = "flag"
    id_tokens: Verdict = "flag"
    paths: tuple[str, ...] = ("*",)
    trusted_projects: tuple[str, ...] = ()
    trusted_registries: tuple[str, ...] = ()

    def verdict(self, kind: RiskKind) -> Verdict:
        """Return what is to be done about a kind of risk."""
        found: Verdict = getattr(self, kind)
        return found


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """The project's own rules for the bot.

    `merge`: `auto` as soon as GitLab allows it, waiting for a pipeline that runs; `on_green` only after a pipeline of
    that commit passed; `never` leaves the merge to a person. `repair`: what to do about a red pipeline of an own draft:
    mend it, ask first, or leave it. `policy`: what a draft may bring.
    """

    approval: Approval = Approval()
    merge: Literal["auto", "on_green", "never"] = "auto"
    repair: Literal["auto", "ask", "off"] = "auto"
    runners: Runners = Runners()
    images: Images = Images()
    policy: Rules = Rules()


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


known(Policy)
