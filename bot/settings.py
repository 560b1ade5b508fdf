"""Every setting of the program: environment or `.env`, prefix `PIPEWRIGHT_`."""

import os
import re
from base64 import b64decode
from collections.abc import Mapping
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dotenv.parser import Binding, parse_stream
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.domain import CannotError

PREFIX = "PIPEWRIGHT_"
_SIGN_IN = (
    "is gone: people sign in with GitLab now and see what they may see there. Remove it, and set "
    "PIPEWRIGHT_OAUTH_CLIENT_ID, PIPEWRIGHT_OAUTH_CLIENT_SECRET and PIPEWRIGHT_PUBLIC_URL"
)
_ALIKE = 0.85  # Kubernetes sets names such as PIPEWRIGHT_SERVICE_PORT, which are nobody's mistake
_GONE = {"history_open": _SIGN_IN, "history_password": _SIGN_IN}


class Settings(BaseSettings):
    """What an administrator can set; the description of each field says what it is and how to get it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    gitlab_url: str = Field(
        description="address of GitLab, with the path below which it runs if there is one, such as https://example.com/gitlab"
    )
    gitlab_token: SecretStr = Field(
        description="access token of the bot's account with the scope `api` (a project, group or service-account token)"
    )
    mention: str = Field("pipewright", description="name by which people call the bot, without the @")
    webhook_secret: SecretStr | None = Field(None, description="the webhook's secret token (X-Gitlab-Token)")
    webhook_signing_token: SecretStr | None = Field(
        None, description="the webhook's signing token (whsec_…, GitLab 19.0 and newer)"
    )
    webhook_secret_old: SecretStr | None = Field(
        None, description="the secret token before a rotation, still accepted until every webhook has the new one"
    )
    webhook_signing_token_old: SecretStr | None = Field(
        None, description="the signing token before a rotation, still accepted until every webhook has the new one"
    )
    webhooks: Literal["on", "off"] = Field(
        "on",
        description="off: for a GitLab that cannot reach this program; it only looks at its to-do list, drafts and "
        "conversations (the account needs a name that people can mention)",
    )
    sweep_seconds: float = Field(
        60.0, ge=0, le=3600, description="seconds between looks for what no webhook brought; 0: never look"
    )
    order_characters: int = Field(
        20_000, ge=200, le=20_000, description="the longest order in free words that is taken"
    )
    orders_per_person: int = Field(20, ge=0, description="orders taken from one person in ten minutes; 0: any number")
    orders_per_project: int = Field(100, ge=0, description="orders taken in one project in ten minutes; 0: any number")
    orders_per_discussion: int = Field(
        40, ge=0, description="orders taken in one issue or merge request in ten minutes; 0: any number"
    )
    turns_in_a_row: int = Field(
        6,
        ge=0,
        description="so many orders in a row within seconds of the answers are a program's: a pause follows; 0: never",
    )
    notes_per_minute: int | None = Field(
        None,
        ge=0,
        description="notes GitLab lets one account write in a minute; more wait; 0: any number; "
        "unset: 300, on gitlab.com 60",
    )
    takeover_seconds: float = Field(
        20.0, ge=1, le=300, description="seconds after which orders of a worker that died are taken over"
    )
    ollama_url: str = Field(
        "http://127.0.0.1:11434", description="address of Ollama; several with commas between are used in turn"
    )
    ollama_model: str = Field("llama3.1:8b", description="the model to talk with")
    ollama_context: int = Field(
        8192,
        description="the model's window in tokens, the same in every call: 4096, 8192, 16384, 32768, 65536 or 131072",
    )
    ollama_pull: bool = Field(False, description="true lets Ollama fetch the model at the start when it is missing")
    tool_calling: Literal["auto", "constrained", "native"] = Field(
        "auto", description="how the model is asked for tools: by its family, by constrained JSON, or by its own calls"
    )
    embeddings: Literal["static", "ollama"] = Field(
        "static", description="how templates are compared with words: without any download, or by Ollama"
    )
    embedding_model: str = Field("nomic-embed-text", description="Ollama's embedding model, when EMBEDDINGS=ollama")
    database_url: SecretStr | None = Field(None, description="PostgreSQL 14 or newer; unset: embedded in DATA_DIR")
    chroma_url: str | None = Field(None, description="address of a Chroma server; unset: embedded in DATA_DIR")
    templates_dir: Path | None = Field(
        None, description="folder with templates of your own, which win over the shipped ones"
    )
    templates_project: str | None = Field(
        None, description="path of a GitLab project with templates, such as platform/ci-templates; its default branch"
    )
    data_dir: Path = Field(Path(".pipewright"), description="where the embedded parts keep their data")
    public_url: str | None = Field(
        None, description="address under which GitLab and people reach this program; unset: no links, no signing in"
    )
    ca_file: Path | None = Field(
        None, description="certificates to trust for GitLab, as a PEM file; unset: those of the system's list"
    )
    listen_host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 for all of the machine's")
    listen_port: int = Field(8080, ge=0, le=65535, description="port to listen on")
    worker_concurrency: int = Field(4, ge=1, le=64, description="orders at the same time in one worker process")
    pending_minutes: float = Field(
        15.0, gt=0, description="after so many minutes people are told why a draft's pipeline waits"
    )
    running_minutes: float = Field(
        180.0, gt=0, description="after so many minutes people are told that a draft's pipeline still runs"
    )
    oauth_client_id: str | None = Field(
        None, description="the application by which people sign in with GitLab: its id (scope `read_api`, confidential)"
    )
    oauth_client_secret: SecretStr | None = Field(None, description="the secret of that application")
    operators: str = Field(
        "", description="who may open the operator's page beside GitLab's administrators: user names or ids with commas"
    )
    metrics_token: SecretStr | None = Field(
        None, description="whoever sends it as a Bearer token reads the metrics; unset: loopback and private networks"
    )
    trusted_proxies: str = Field(
        "127.0.0.1", description="addresses of proxies whose word counts for where a request comes from, with commas"
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="how log lines look: for programs, one object a line, or for eyes"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing but what is given: `read_settings` is the one place that looks at the environment."""
        return (init_settings,)

    @field_validator("gitlab_url", "public_url", "chroma_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return value and _address(value)

    @field_validator("public_url")
    @classmethod
    def _without_path_of_webhooks(cls, value: str | None) -> str | None:
        return value and value.removesuffix("/webhooks/gitlab")

    @field_validator("ollama_url")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        found = [_address(each.strip()) for each in value.split(",") if each.strip()]
        if not found:
            raise ValueError("names no address")
        return ",".join(found)

    @field_validator("gitlab_token", "webhook_secret", "webhook_secret_old")
    @classmethod
    def _fits_into_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value() if value else ""
        if not text.isascii() or not text.isprintable():
            raise ValueError("must be one line of plain ASCII; copy it anew")
        return value

    @field_validator("webhook_signing_token", "webhook_signing_token_old")
    @classmethod
    def _signs(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            b64decode(value.get_secret_value().removeprefix("whsec_") if value else "", validate=True)
        except ValueError:
            raise ValueError("must be whsec_ and then Base64; `pipewright init` makes one") from None
        return value

    @field_validator("ollama_context")
    @classmethod
    def _is_window(cls, value: int) -> int:
        if value not in (4096, 8192, 16384, 32768, 65536, 131072):
            raise ValueError("must be 4096, 8192, 16384, 32768, 65536 or 131072")
        return value

    @field_validator("mention")
    @classmethod
    def _is_one_word(cls, value: str) -> str:
        name = value.lstrip("@")
        if not re.fullmatch(r"[\w./-]+", name):
            raise ValueError("must be one word of letters, digits, dots, dashes and underscores")
        return name

    @property
    def operator_names(self) -> frozenset[str]:
        """Names and ids of the operators, in lower case."""
        return frozenset(name.strip().lstrip("@").lower() for name in self.operators.split(",") if name.strip())

    @property
    def note_budget(self) -> int:
        """Notes in a minute: GitLab's own default, or what gitlab.com allows (docs.gitlab.com/user/gitlab_com)."""
        if self.notes_per_minute is not None:
            return self.notes_per_minute
        return 60 if self.gitlab_url == "https://gitlab.com" else 300

    @property
    def ollama_urls(self) -> tuple[str, ...]:
        """Every Ollama address."""
        return tuple(self.ollama_url.split(","))


def read_settings(
    environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env"), *, needs_secret: bool = True
) -> Settings:
    """Read the settings; raise CannotError with one message that names every missing or wrong variable."""
    values = {**(read_env_file(env_file) if env_file else {}), **(os.environ if environ is None else environ)}
    given = {
        key[len(PREFIX) :].lower(): value.strip()
        for key, value in values.items()
        if key.startswith(PREFIX) and value.strip()
    }
    gone = [f"  {PREFIX}{name.upper()} {why}" for name, why in _GONE.items() if name in given]
    if gone:
        raise CannotError("\n".join(["some settings are of an earlier version (environment or .env):", *gone]))
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        needs_secret = needs_secret and given.get("webhooks") != "off"
        raise CannotError(_explain(error, given, needs_secret=needs_secret)) from error


def misspelt(environ: Mapping[str, str] | None = None, env_file: Path = Path(".env")) -> dict[str, str]:
    """Return names that look like those of settings but are none, with what each was meant to be."""
    names = {*read_env_file(env_file), *(os.environ if environ is None else environ)}
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    unknown = sorted(name for name in names if name.startswith(PREFIX) and name.upper() not in known)
    near = {name: get_close_matches(name, known, n=1, cutoff=_ALIKE) for name in unknown}
    return {name: found[0] for name, found in near.items() if found}


def _address(value: str) -> str:
    """Return an address without slashes at its end; raises ValueError when nothing can be reached by it."""
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    try:
        parts = urlsplit(value)
        is_whole = bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", value)
    except ValueError:  # brackets that do not close, or a port that is no number or too large
        is_whole = False
    if not is_whole:
        raise ValueError("must go on with a host, and a port from 1 to 65535 if there is one")
    return value.rstrip("/")


def read_env_file(path: Path) -> dict[str, str]:
    """Return what a file like `.env` sets, nothing when there is none; raises CannotError for what cannot be read."""
    if not path.is_file() and not path.is_fifo():
        return {}
    try:
        lines = tuple(parse_stream(StringIO(path.read_text(encoding="utf-8"))))
    except UnicodeDecodeError as error:
        raise CannotError(f"{path} is no UTF-8 text (byte {error.start}): save it anew, encoded as UTF-8") from error
    garbled = next(filter(_is_garbled, lines), None)
    if garbled is not None:
        why = "this is not NAME=value on one line, with each quote closed again"
        raise CannotError(f"{path}, line {_line_of(garbled)}: {why}")
    return {each.key: each.value for each in lines if each.key is not None and each.value is not None}


def _is_garbled(read: Binding) -> bool:
    """Tell whether a setting of ours is lost: its line was not understood, or vanished in another's quotes."""
    return PREFIX in read.original.string and (read.error or "\n" in (read.value or ""))


def _line_of(read: Binding) -> int:
    """What was read begins with the blank lines before it."""
    text = read.original.string
    return read.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _explain(error: ValidationError, given: Mapping[str, str], *, needs_secret: bool) -> str:
    lines = ["the settings are not complete (environment or .env):"]
    for problem in error.errors(include_input=False, include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else "?"
        field = Settings.model_fields.get(name)
        what = (
            "is missing"
            if problem["type"] == "missing"
            else f"is wrong: {problem['msg'].removeprefix('Value error, ')}"
        )
        hint = f" — {field.description}" if field and field.description else ""
        lines.append(f"  {PREFIX}{name.upper()} {what}{hint}")
    if needs_secret and not given.get("webhook_secret") and not given.get("webhook_signing_token"):
        lines.append(f"  {PREFIX}WEBHOOK_SECRET is missing — any long random text; `hooks install` tells GitLab")
    lines.append("`pipewright init` asks for what is needed; .env.example shows how to write all of them.")
    return "\n".join(lines)
