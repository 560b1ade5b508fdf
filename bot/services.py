"""The things a handler may use, opened once and handed down."""

from dataclasses import dataclass, field
from pathlib import Path

from bot.ci.catalog import Catalog
from bot.domain import Person
from bot.gitlab.client import GitLab
from bot.gitlab.values import OwnToken
from bot.library.examples import Examples
from bot.library.templates import Templates
from bot.llm.chat import ChatModel
from bot.settings import Settings
from bot.store.pool import Pool


@dataclass(frozen=True)
class Services:
    """Everything outside and everything loaded, for one process. `is_admin` is about the bot's account."""

    settings: Settings
    gitlab: GitLab
    model: ChatModel
    templates: Templates
    examples: Examples
    pool: Pool
    bot: Person
    prompts_dir: Path
    instance_url: str = ""
    is_admin: bool = False
    token: OwnToken = field(default_factory=OwnToken)

    @property
    def catalog(self) -> Catalog:
        """The templates as they were last read."""
        return self.templates.catalog

    @property
    def mention(self) -> str:
        """The name by which people call the bot, with the @."""
        return "@" + self.mention_names[0]

    @property
    def homes(self) -> tuple[str, ...]:
        """Where links in what we write may lead: GitLab, by both its addresses, and our own pages."""
        addresses = (self.settings.gitlab_url, self.instance_url, self.settings.public_url)
        return tuple(dict.fromkeys(address for address in addresses if address))

    @property
    def mention_names(self) -> tuple[str, ...]:
        """Every name that means the bot: the configured one first, then the account's own."""
        configured = self.settings.mention.lstrip("@")
        return tuple(dict.fromkeys(name for name in (configured, self.bot.username) if name))
