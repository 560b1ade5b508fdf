"""What looks like chance beside a word for secrets is masked; names and plain values are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.masking import mask_secrets, secrets_in

RANDOM = [
    "x7Kp2Qm9Zt4Lw8Rb",
    "d41d8cd98f00b204e9800998ecf8427e",
    "aGVsbG8gd29ybGQgMTIzNDU2Nzg5MA==",
    "hV9!kQ2#xT7%mB4^",
]
NAMES = ["password=", "DB_PASSWORD: ", 'api_key = "', "APIKEY=", "secret_token='", '{"access-key": "', "client_secret="]


@pytest.mark.parametrize("value", RANDOM)
@pytest.mark.parametrize("name", NAMES)
def test_a_random_value_named_as_a_secret_is_masked(name: str, value: str) -> None:
    assert value not in mask_secrets(f"set {name}{value} now")
    assert "[secret]" in mask_secrets(f"set {name}{value} now")


@pytest.mark.parametrize(
    "text",
    [
        "POSTGRES_PASSWORD: postgres",
        "password: correct-horse-battery-staple",
        "SECRET_KEY: insecure-key-for-the-tests-only",
        "token: $CI_JOB_TOKEN",
        "password=${{ secrets.DEPLOY_PASSWORD }}",
        "SECRET_KEY_BASE: $SECRET_KEY_BASE_FOR_TESTS",
        "secrets: inherit",
        "tokens: 12000 of 12000",
        "integrity sha512-x7Kp2Qm9Zt4Lw8Rbx7Kp2Qm9Zt4Lw8Rb",
        "commit 45ee377c9a0b45ee377c9a0b45ee377c9a0b45ee",
        "token_bucket: requests_per_minute",
    ],
)
def test_names_and_plain_values_stay(text: str) -> None:
    assert mask_secrets(text) == text


TOKEN = "".join(("aB3dE6gH", "9jK2mN5p", "Q8sT1vX4", "z7Y0"))  # in pieces: nothing here shall look like a real one
KEY = TOKEN[:16].upper()
OF_EACH_SHAPE = [
    f"glpat-{TOKEN}", f"GR1348941{TOKEN}", f"whsec_{TOKEN}", f"ghp_{TOKEN}", f"github_pat_{TOKEN}",
    f"AKIA{KEY}", f"ASIA{KEY}", f"xoxb-{TOKEN}", f"sk-{TOKEN}", f"npm_{TOKEN}12345678",
    f"pypi-{TOKEN}{TOKEN}", f"dckr_pat_{TOKEN}", f"eyJ{TOKEN}.eyJ{TOKEN}.{TOKEN}",
    "-----BEGIN RSA {0}-----\nabc\n-----END RSA {0}-----".format("PRIVATE KEY"), f"Bearer {TOKEN}",
    f"AUTHOR\u0131zat\u0131on: Basic {TOKEN}", f"Authorization: Basic {TOKEN}",
    f"PRIVATE-TOKEN: {TOKEN}", f"x-gitlab-to\u212aen={TOKEN}", f"https://me:{TOKEN}@host.test",
    f"pa\u017fsword={TOKEN}",
    f"Passphrase: {TOKEN}", f"SECRET={TOKEN}", f"token={TOKEN}", f"ap\u0131_key={TOKEN}", f"access-key={TOKEN}",
    f"credent\u0131al={TOKEN}", f"private_key={TOKEN}",
]  # fmt: skip


@pytest.mark.parametrize("secret", OF_EACH_SHAPE)
def test_each_shape_is_masked_in_a_line_whatever_its_case(secret: str) -> None:
    assert "[secret]" in mask_secrets(f'{{"event": "it said {secret} at last", "level": "info"}}')


def test_of_a_key_whose_beginning_is_cut_off_nothing_is_left() -> None:
    body = "\n".join([TOKEN * 2] * 40)
    assert mask_secrets(f"$ cat key\n{body}\nabc=\n-----END RSA PRIVATE KEY-----\nend") == "$ cat key\n[secret]\nend"
    assert mask_secrets(f"{TOKEN * 2}\\nabc=\\n-----END PRIVATE KEY-----\\nend") == "[secret]\\nend"
    assert mask_secrets(f"{body}\n-----END CERTIFICATE-----") == f"{body}\n-----END CERTIFICATE-----"


PIECES = st.sampled_from(
    [*OF_EACH_SHAPE, "glpat-", "token", "key: ", "://", "@", "-----", " ", "\n", "=", TOKEN, "ſ", "İ"]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=6).map("".join))
def test_whatever_is_a_secret_is_masked_and_nothing_else_changes(text: str) -> None:
    """What secrets there are is found without looking for signs first."""
    assert (mask_secrets(text) != text) == bool(secrets_in(text))
