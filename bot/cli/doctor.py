"""`doctor`: looks at every outside part and says in one line how it is, with the mend beside what is ill."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bot.cli.templates import open_catalog
from bot.domain import CannotError, UnreachableError

if TYPE_CHECKING:
    from bot.gitlab.client import GitLab
    from bot.gitlab.sign_in import SignIn
    from bot.settings import Settings

_OLDEST_POSTGRESQL = 14
_OLDEST_GITLAB = (17, 5)  # reactions are sure to reach webhooks since then


@dataclass(frozen=True)
class Diagnosis:
    """How one part is. What is ill and not `needed` only takes something away: the bot works without it."""

    part: str
    is_well: bool
    says: str
    mend: str = ""
    needed: bool = True

    @property
    def is_ill(self) -> bool:
        """Tell whether the bot cannot work like this."""
        return self.needed and not self.is_well

    def shown(self) -> str:
        """Return the line for people."""
        sign = "✓" if self.is_well else "✗" if self.needed else "!"
        return f"{sign} {self.part}: {self.says}" + (f" — {self.mend}" if self.mend else "")


@click.command("doctor", short_help="look at every outside part")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def doctor_command(*, as_json: bool) -> None:
    """Look at every outside part, one line each; exit code 1 when something that the bot needs is ill."""
    from bot.settings import read_settings

    try:
        diagnoses = examine(read_settings())
    except CannotError as error:
        diagnoses = iter([Diagnosis("settings", False, str(error))])
    is_ill = False
    for diagnosis in diagnoses:
        click.echo(json.dumps(asdict(diagnosis)) if as_json else diagnosis.shown())
        is_ill = is_ill or diagnosis.is_ill
    if is_ill:
        sys.exit(1)


def examine(settings: "Settings") -> Iterator[Diagnosis]:
    """Look at one part after the other."""
    yield Diagnosis("settings", True, "complete")
    yield from _gitlab(settings)
    yield _webhook(settings)
    yield _public_url(settings)
    yield _sign_in(settings)
    yield _templates(settings)
    yield from _templates_project(settings)
    yield _data_dir(settings)
    yield _database(settings)
    yield _chroma(settings)
    yield _model(settings)


def _gitlab(settings: "Settings") -> Iterator[Diagnosis]:
    from bot.main import open_gitlab

    gitlab = open_gitlab(settings)
    version = _tried("GitLab", gitlab.version, "Check PIPEWRIGHT_GITLAB_URL and PIPEWRIGHT_GITLAB_TOKEN.")
    if not version.is_well:
        yield version
        return
    yield _judged_version(version.says)
    yield _tried("account", lambda: _account(gitlab, settings), "Check PIPEWRIGHT_GITLAB_TOKEN.")
    yield _scopes(gitlab)


def _judged_version(version: str) -> Diagnosis:
    numbers = tuple(int(part) for part in version.split("-", maxsplit=1)[0].split(".")[:2] if part.isdigit())
    if numbers and numbers < _OLDEST_GITLAB:
        mend = "It is older than 17.5: reactions may not arrive; approve with a comment instead."
        return Diagnosis("GitLab", False, version, mend, needed=False)
    return Diagnosis("GitLab", True, version)


def _account(gitlab: "GitLab", settings: "Settings") -> str:
    account = gitlab.me()
    kind = "a bot's account" if account.is_bot else "an ordinary account"
    return f"@{account.username} ({kind}), answers to @{settings.mention}"


def _scopes(gitlab: "GitLab") -> Diagnosis:
    try:
        token = gitlab.own_token()
    except (CannotError, UnreachableError):
        return Diagnosis("token", True, "GitLab does not tell its scopes; it needs `api`")
    ending = f", until {token.expires_on}" if token.expires_on else ""
    says = f"scopes {', '.join(token.scopes) or 'none'}{ending}"
    if "api" not in token.scopes:
        return Diagnosis("token", False, says, "Make one with the scope `api`.")
    warning = token.warning(datetime.now(UTC).date())
    return Diagnosis(
        "token", not warning, says, f"{warning[:1].upper()}{warning[1:]}." if warning else "", needed=False
    )


def _webhook(settings: "Settings") -> Diagnosis:
    known = [
        name
        for name, value in (("secret", settings.webhook_secret), ("signature", settings.webhook_signing_token))
        if value
    ]
    if known:
        return Diagnosis("webhook", True, f"authenticated by {' or '.join(known)}")
    return Diagnosis("webhook", False, "nothing to trust it by", "Set PIPEWRIGHT_WEBHOOK_SECRET to a long random text.")


def _public_url(settings: "Settings") -> Diagnosis:
    if settings.public_url:
        return Diagnosis("address", True, settings.public_url)
    return Diagnosis(
        "address", False, "unknown", "Set PIPEWRIGHT_PUBLIC_URL, so that `hooks install` can tell GitLab.", needed=False
    )


def _sign_in(settings: "Settings") -> Diagnosis:
    from bot.web.door.state import CALLBACK, open_sign_in

    sign_in = open_sign_in(settings)
    if sign_in is None:
        mend = "Set PIPEWRIGHT_OAUTH_CLIENT_ID, PIPEWRIGHT_OAUTH_CLIENT_SECRET and PIPEWRIGHT_PUBLIC_URL (see README)."
        return Diagnosis("sign-in", False, "nobody can sign in to the pages", mend, needed=False)
    says = f"GitLab knows the application; its redirect URI must be {settings.public_url}{CALLBACK}"
    mend = "Check PIPEWRIGHT_OAUTH_CLIENT_ID and PIPEWRIGHT_OAUTH_CLIENT_SECRET."
    return _tried("sign-in", lambda: _known(sign_in, says), mend)


def _known(sign_in: "SignIn", says: str) -> str:
    sign_in.check()
    return says


def _templates(settings: "Settings") -> Diagnosis:
    mend = "Check PIPEWRIGHT_TEMPLATES_DIR."
    return _tried("templates", lambda: _readable_templates(settings), mend)


def _readable_templates(settings: "Settings") -> str:
    catalog = open_catalog(settings.templates_dir)
    if catalog.skipped:
        raise CannotError("; ".join(catalog.skipped))
    return f"{len(catalog.templates)} readable"


def _templates_project(settings: "Settings") -> Iterator[Diagnosis]:
    if settings.templates_project:
        mend = "Check PIPEWRIGHT_TEMPLATES_PROJECT, and let the bot's account read that project."
        yield _tried("templates project", lambda: _project_of_templates(settings), mend)


def _project_of_templates(settings: "Settings") -> str:
    from bot.library.project import read_templates
    from bot.main import open_gitlab

    path = settings.templates_project or ""
    read = read_templates(open_gitlab(settings), path, None)
    folders = sorted({name.split("/")[0] for name in read.texts})
    return f"{path} at {read.commit_sha[:8]}: {', '.join(folders) or 'no folder with files'}"


def _data_dir(settings: "Settings") -> Diagnosis:
    folder = settings.data_dir
    nearest = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return Diagnosis("data folder", True, f"{folder} can be written")
    needed = settings.database_url is None or settings.chroma_url is None
    return Diagnosis("data folder", False, f"{folder} cannot be written", "Set PIPEWRIGHT_DATA_DIR.", needed=needed)


def _database(settings: "Settings") -> Diagnosis:
    url = settings.database_url
    if url is None:
        return Diagnosis("PostgreSQL", True, f"embedded, in {settings.data_dir}")
    return _tried("PostgreSQL", lambda: _database_version(url.get_secret_value()), "Check PIPEWRIGHT_DATABASE_URL.")


def _database_version(url: str) -> str:
    from bot.store.pool import open_pool

    pool = open_pool(url, size=1)
    try:
        with pool.connection() as connection:
            version = connection.info.server_version // 10_000
    finally:
        pool.close()
    if version < _OLDEST_POSTGRESQL:
        raise CannotError(f"version {version} is too old; {_OLDEST_POSTGRESQL} or newer is needed")
    return f"version {version}"


def _chroma(settings: "Settings") -> Diagnosis:
    if settings.chroma_url is None:
        return Diagnosis("Chroma", True, f"embedded, in {settings.data_dir}")
    mend = "Check PIPEWRIGHT_CHROMA_URL; without it templates are chosen by facts alone."
    return _tried("Chroma", lambda: _chroma_answers(settings), mend)


def _chroma_answers(settings: "Settings") -> str:
    from bot.knowledge.embed import StaticEmbedder
    from bot.knowledge.knowledge import Knowledge

    index = Knowledge.open(data_dir=None, chroma_url=settings.chroma_url, embedder=StaticEmbedder())
    return f"answers at {settings.chroma_url}, {index.count()} documents"


def _model(settings: "Settings") -> Diagnosis:
    from bot.llm.choose import open_model

    name, addresses = settings.ollama_model, ", ".join(settings.ollama_urls)
    model = open_model(settings.ollama_urls, name, settings.tool_calling)
    if model.is_up():
        return Diagnosis("Ollama", True, f"{name} at {addresses}, asked for tools in {model.mode} mode")
    mend = f"Start Ollama and run `ollama pull {name}`; without a model the commands still work."
    return Diagnosis("Ollama", False, f"no {name} at {addresses}", mend, needed=False)


def _tried(part: str, ask: Callable[[], str], mend: str) -> Diagnosis:
    try:
        return Diagnosis(part, True, ask())
    except (CannotError, UnreachableError) as error:
        return Diagnosis(part, False, str(error), mend)
