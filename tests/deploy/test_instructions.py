"""What `docs/administration.md` tells people to type to deploy fits the files that are deployed."""

import re
from pathlib import Path

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs/administration.md").read_text(encoding="utf-8")


def test_the_account_that_the_units_run_as_is_made() -> None:
    units = [file.read_text(encoding="utf-8") for file in (TOP / "deploy/systemd").glob("*.service")]
    accounts = {name for unit in units for name in re.findall(r"^User=(\w+)$", unit, re.MULTILINE)}
    assert accounts
    assert all(f"`useradd --system {name}`" in PAGE for name in accounts)
