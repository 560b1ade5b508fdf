"""What is left out when two endings are compared."""

import pytest

from tests.world.ending import plain


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Merged `1f2e3d4c` into `main`", "Merged `<hash>` into `main`"),
        pytest.param("of `bedfbdab` failed", "of `<hash>` failed", id="a sha that begins with letters alone"),
        ("the facade was decade-old", "the facade was decade-old"),
    ],
)
def test_shas_differ_from_run_to_run_and_words_do_not(said: str, kept: str) -> None:
    assert plain(said) == kept
