"""Settings: every gap named at once, with how to close it; secrets never shown."""

from pathlib import Path

import pytest

from bot.domain import CannotError
from bot.settings import PREFIX, Settings, misspelt, read_settings

GOOD = {"GITLAB_URL": "https://gitlab.test", "GITLAB_TOKEN": "glpat-abc", "WEBHOOK_SECRET": "sesame"}
SECRETS = {
    "GITLAB_TOKEN": "a-secret-of-gitlab",
    "WEBHOOK_SECRET": "a-secret-of-the-webhook",
    "WEBHOOK_SIGNING_TOKEN": "whsec_YS1zZWNyZXQtdG8tc2lnbg==",
    "DATABASE_URL": "postgres://app:a-secret-of-the-database@db/app",
    "OAUTH_CLIENT_SECRET": "a-secret-of-the-application",
}


def read(**values: str) -> Settings:
    return read_settings({PREFIX + name: value for name, value in values.items()}, env_file=None)


def complaint(**values: str) -> str:
    with pytest.raises(CannotError) as refused:
        read(**values)
    return str(refused.value)


def test_the_least_that_is_needed() -> None:
    settings = read(**GOOD)
    assert settings.gitlab_url == "https://gitlab.test"
    assert settings.gitlab_token.get_secret_value() == "glpat-abc"


def test_every_missing_variable_is_named_at_once_with_how_to_get_it() -> None:
    text = complaint()
    for name, hint in (("GITLAB_URL", "address of GitLab"), ("GITLAB_TOKEN", "scope `api`")):
        line = next(line for line in text.splitlines() if PREFIX + name in line)
        assert "is missing" in line
        assert hint in line


def test_an_empty_variable_is_a_missing_one() -> None:
    assert f"{PREFIX}GITLAB_TOKEN is missing" in complaint(**GOOD | {"GITLAB_TOKEN": ""})


WRONG = {
    "GITLAB_URL": "gitlab.test",
    "PUBLIC_URL": "ftp://x.test",
    "CHROMA_URL": "chroma:8000",
    "TOOL_CALLING": "sometimes",
    "EMBEDDINGS": "magic",
    "LISTEN_PORT": "70000",
    "WORKER_CONCURRENCY": "0",
    "LOG_FORMAT": "xml",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_variable_is_named_with_what_it_should_be(name: str) -> None:
    text = complaint(**GOOD | {name: WRONG[name]})
    field = Settings.model_fields[name.lower()]
    line = next(line for line in text.splitlines() if PREFIX + name in line)
    assert "is wrong" in line
    assert str(field.description) in line


@pytest.mark.parametrize("name", ["GITLAB_URL", "PUBLIC_URL", "CHROMA_URL", "OLLAMA_URL"])
@pytest.mark.parametrize(
    "value", ["https://", "http://[oops", "http://x.test:port", "http://x.test:99999", "http://:80", "http://x y.test"]
)
def test_an_address_by_which_nothing_can_be_reached_is_refused(name: str, value: str) -> None:
    """Else every command ended in a stack trace, or said that the network was to blame."""
    assert f"{PREFIX}{name} is wrong: must go on with a host" in complaint(**GOOD | {name: value})


@pytest.mark.parametrize("value", [",", "localhost:11434", "http://a:1,b:2"])
def test_a_list_of_addresses_holds_addresses(value: str) -> None:
    assert f"{PREFIX}OLLAMA_URL is wrong" in complaint(**GOOD | {"OLLAMA_URL": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITLAB_TOKEN", "glpat-a-password\nmore"),
        ("GITLAB_TOKEN", "\ufeffglpat-a-password"),
        ("WEBHOOK_SECRET", "a-password-\N{LATIN SMALL LETTER U WITH DIAERESIS}"),
        ("WEBHOOK_SIGNING_TOKEN", "whsec_a-password"),
        ("WEBHOOK_SIGNING_TOKEN_OLD", "whsec_YS1wYXNzd29yZA"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_without_showing_it(name: str, value: str) -> None:
    """Else libraries end in a stack trace with the secret in it."""
    text = complaint(**GOOD | {name: value})
    assert f"{PREFIX}{name} is wrong: must" in text
    assert value not in text
    assert "a-password" not in text


@pytest.mark.parametrize(("name", "value"), [("HISTORY_OPEN", "true"), ("HISTORY_PASSWORD", "a-password")])
def test_a_setting_that_is_gone_says_what_takes_its_place(name: str, value: str) -> None:
    text = complaint(**GOOD | {name: value})
    assert f"{PREFIX}{name} is gone" in text
    assert f"{PREFIX}OAUTH_CLIENT_ID" in text
    assert value not in text.replace(PREFIX + name, "")


@pytest.mark.parametrize("value", ["my bot", "@", "bot,", "bot!", "@my@bot", "b\nt"])
def test_a_name_that_nobody_can_call_by_is_refused(value: str) -> None:
    assert f"{PREFIX}MENTION is wrong: must be one word" in complaint(**GOOD | {"MENTION": value})


@pytest.mark.parametrize("value", ["pipe-wright", "ci.bot_2", "platform/bots", "ботик"])
def test_a_name_may_have_all_that_names_in_gitlab_have(value: str) -> None:
    assert read(**GOOD, MENTION=value).mention == value


def test_operators_are_names_or_ids() -> None:
    assert read(**GOOD, OPERATORS="@Ada, 17,").operator_names == {"ada", "17"}


def test_missing_and_wrong_ones_stand_in_one_message() -> None:
    text = complaint(**WRONG)
    assert {name for name in WRONG if f"{PREFIX}{name} is wrong" in text} == set(WRONG)
    assert f"{PREFIX}GITLAB_TOKEN is missing" in text


def test_a_secret_is_shown_nowhere() -> None:
    settings = read(**GOOD | SECRETS)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert [name for name, value in SECRETS.items() if value in shown] == []


@pytest.mark.parametrize("name", SECRETS)
def test_a_complaint_repeats_no_secret(name: str) -> None:
    assert SECRETS[name] not in complaint(**SECRETS | {"GITLAB_URL": "x", "LISTEN_PORT": "x"})


def test_a_setting_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read(**GOOD).mention = "other"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("GITLAB_URL", "https://gitlab.test/", "https://gitlab.test"),
        ("MENTION", "@pipewright", "pipewright"),
        ("PUBLIC_URL", "http://x.test/y/", "http://x.test/y"),
        ("PUBLIC_URL", "http://x.test/webhooks/gitlab", "http://x.test"),
    ],
)
def test_harmless_slips_are_put_right(name: str, value: str, expected: str) -> None:
    assert getattr(read(**GOOD | {name: value}), name.lower()) == expected


@pytest.mark.parametrize("value", ["8000", "many", "0"])
def test_a_window_of_another_size_is_refused(value: str) -> None:
    with pytest.raises(CannotError, match="OLLAMA_CONTEXT is wrong"):
        read(**GOOD, OLLAMA_CONTEXT=value)


def test_several_ollamas_stand_with_commas_between() -> None:
    assert read(**GOOD, OLLAMA_URL="http://a:1/, http://b:2,").ollama_urls == ("http://a:1", "http://b:2")


@pytest.mark.parametrize("name", ["GITLAB_TOKEN", "GITLAB_URL", "WEBHOOK_SECRET", "MENTION", "DATABASE_URL"])
@pytest.mark.parametrize("around", ["{}\n", " {}", "{}\r\n"])
def test_blanks_and_line_ends_around_a_value_do_not_count(name: str, around: str) -> None:
    """A secret read from a file ends in a line end, which no HTTP header may hold."""
    values = GOOD | {"MENTION": "bot", "DATABASE_URL": "postgres://db/app"}
    plain, odd = read(**values), read(**values | {name: around.format(values[name])})
    assert getattr(odd, name.lower()) == getattr(plain, name.lower())


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"{PREFIX}GITLAB_URL=https://file.test\n{PREFIX}GITLAB_TOKEN='a$b'\nOTHER=1\n")
    settings = read_settings({PREFIX + "GITLAB_URL": "https://env.test", PREFIX + "WEBHOOK_SECRET": "x"}, file)
    assert settings.gitlab_url == "https://env.test"
    assert settings.gitlab_token.get_secret_value() == "a$b", "a dollar stays a dollar"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(f"{PREFIX}MENTION='helper\n", 1, id="not closed"),
        pytest.param(f'OTHER=1\n\n{PREFIX}MENTION="helper\nOTHER=2\n', 3, id="not closed, more follows"),
        pytest.param(f"OTHER='1\n{PREFIX}MENTION='helper'\n", 1, id="another's swallows ours"),
        pytest.param(f"{PREFIX}MENTION='helper\nOTHER=2'\n", 1, id="closed a line further"),
        pytest.param(f"OTHER='1\n{PREFIX}MENTION=helper\nOTHER=2'\n", 1, id="another's closed behind ours"),
        pytest.param(f"{PREFIX}MENTION='help'er\n", 1, id="more behind"),
    ],
)
def test_a_file_whose_quotes_do_not_close_is_refused(tmp_path: Path, text: str, line: int) -> None:
    """Else the bot starts without the setting, which stands in the file for all to see."""
    (tmp_path / ".env").write_text(text)
    with pytest.raises(CannotError, match=rf"\.env, line {line}: .*quote") as refused:
        read_settings({PREFIX + name: value for name, value in GOOD.items()}, tmp_path / ".env")
    assert "helper" not in str(refused.value)


@pytest.mark.parametrize("text", ["OTHER='1\n", "just words\n", "OTHER='1\n2'\n", f"# {PREFIX}MENTION='x\n"])
def test_what_is_odd_in_a_file_but_not_ours_does_not_matter(tmp_path: Path, text: str) -> None:
    (tmp_path / ".env").write_text(f"{PREFIX}MENTION=helper\n{text}")
    values = {PREFIX + name: value for name, value in GOOD.items()}
    assert read_settings(values, tmp_path / ".env").mention == "helper"


def test_a_missing_file_is_no_matter(tmp_path: Path) -> None:
    values = {PREFIX + name: value for name, value in GOOD.items()}
    assert read_settings(values, tmp_path / "none").mention == "pipewright"


def test_variables_of_others_do_not_matter() -> None:
    values = {PREFIX + name: value for name, value in GOOD.items()}
    assert read_settings(values | {"GITLAB_URL": "nonsense", "PATH": "/"}, None).gitlab_url == "https://gitlab.test"


def test_a_name_that_is_nearly_a_settings_is_found(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"{PREFIX}METNION=helper\n{PREFIX}MENTION=bot\n")
    environ = {f"{PREFIX}SERVICE_PORT": "1", f"{PREFIX}PORT": "1", f"{PREFIX}GITLAB_URI": "x", "METRICS_TOKE": "x"}
    found = {f"{PREFIX}METNION": f"{PREFIX}MENTION", f"{PREFIX}GITLAB_URI": f"{PREFIX}GITLAB_URL"}
    assert misspelt(environ, file) == found


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_example_shows_every_setting_and_is_not_to_be_copied_over_what_is_there() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    assert [name for name in Settings.model_fields if f"{PREFIX}{name.upper()}=" not in example] == []
    assert "Copy" not in complaint(**GOOD | {"LISTEN_PORT": "x"})
