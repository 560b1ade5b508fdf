"""A real browser: Debian's Chromium without a window, told what to do by Playwright. Nothing is downloaded."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from bot.sandbox.state import User

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Alone on the machine: no look-ups of its maker's hosts, and root (as in containers) has no sandbox.
_QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
_SHIFTS = """
new PerformanceObserver((list) => {
  const own = list.getEntries().filter((entry) => !entry.hadRecentInput);
  window.shifted = own.reduce((sum, entry) => sum + entry.value, window.shifted || 0);
}).observe({ type: "layout-shift", buffered: true });
"""
PATIENCE_MS = 30_000


def chromium() -> str:
    """Return where the browser is; skip the test, saying so, on a machine without one."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    return found


def skip_without_driver() -> None:
    """Playwright brings a program of its own, which does not start on every Debian that has a Chromium."""
    program, arguments = compute_driver_executable()
    started = subprocess.run(
        [program, arguments, "--version"], capture_output=True, text=True, check=False, timeout=120
    )
    if started.returncode:
        pytest.skip(f"no program drives the browser (Debian: apt-get install libatomic1): {started.stderr.strip()}")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the browser. While it runs, this thread has an event loop, so it must end before other tests begin."""
    path = chromium()
    skip_without_driver()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield browser
        browser.close()


@dataclass
class Reader:
    """A person at a browser of their own. `complaints` are errors that the browser showed, of the policy above all."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in self.expected):
            self.complaints.append(message.text)

    def sign_in(self, person: User) -> None:
        """Sign in on the stand-in's page, where one chooses who one is."""
        self.page.goto(f"{self.address}/sign-in")
        self.page.get_by_role("link", name="Sign in with GitLab").click()
        self.page.get_by_role("button", name=person.username).click()
        self.page.wait_for_url(f"{self.address}/**")

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def serious(self) -> list[str]:
        """Return what axe finds that keeps people out."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical", "moderate")
            for node in each["nodes"]
        ]

    def width(self) -> int:
        """Return how wide the page is, with what sticks out."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def shifted(self) -> float:
        """Return how far things jumped while the page was drawn (0.1 is where people notice)."""
        return float(self.page.evaluate("window.shifted || 0"))


@contextmanager
def reader(browser: Browser, address: str, **options: Any) -> Iterator[Reader]:
    """Open a window of a fresh person; at the end, the browser must have had nothing to complain about."""
    context = browser.new_context(**{"viewport": {"width": 1100, "height": 900}, **options})
    context.add_init_script(_SHIFTS)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    opened = Reader(page, address)
    page.on("console", opened.hear)
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    context.close()
    assert opened.complaints == []
