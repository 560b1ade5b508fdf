"""Where one may be sent on to after signing in: never off our address, whatever somebody made of the link."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.door.places import safe_place

OURS = "https://bot.test"
TRICKY = st.text(alphabet="/\\.:@?#%a\t\n\r evil-test", max_size=30)


def as_a_browser_reads_it(place: str) -> str:
    """The URL standard's parser: tabs and line ends vanish, backslashes are slashes, spaces around fall away."""
    seen = place.strip("".join(map(chr, range(33))))
    for gone in "\t\n\r":
        seen = seen.replace(gone, "")
    return urljoin(OURS, seen.replace("\\", "/"))


@given(TRICKY | st.text(max_size=30))
def test_nobody_is_led_away(wanted: str) -> None:
    led_to = urlsplit(as_a_browser_reads_it(safe_place(wanted)))
    assert (led_to.scheme, led_to.netloc) == ("https", "bot.test")


@pytest.mark.parametrize("place", ["/", "/?status=none", "/conversations/1?x=%2F%2Fevil.test#y", "/a:b", "/@x"])
def test_our_own_pages_are_kept(place: str) -> None:
    assert safe_place(place) == place


@pytest.mark.parametrize("place", [None, "", "/sign-in", "/sign-in?next=/", "/sign-out", "/" + "x" * 3000])
def test_what_would_lead_in_circles_or_is_none_leads_home(place: str | None) -> None:
    assert safe_place(place) == "/"
