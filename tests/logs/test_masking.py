"""What looks like chance beside a word for secrets is masked; names and plain values are not."""

import pytest

from bot.masking import mask_secrets

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
