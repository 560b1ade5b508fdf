"""Which versions have reached their end of life, and when; right in November 2026 (endoflife.date)."""

import re

# Oldest first. All of them still have an official image, so they can be used where nothing newer is allowed.
ENDED: dict[str, dict[str, str]] = {
    "python": {
        "3.6": "2021-12-23",
        "3.7": "2023-06-27",
        "3.8": "2024-10-07",
        "3.9": "2025-10-31",
        "3.10": "2026-10-31",
    },
    "node": {
        "10": "2021-04-30",
        "12": "2022-04-30",
        "14": "2023-04-30",
        "16": "2023-09-11",
        "18": "2025-04-30",
        "20": "2026-04-30",
    },
    "go": {"1.23": "2025-08-12", "1.24": "2026-02-10", "1.25": "2026-08-19"},
    "ruby": {
        "2.6": "2022-04-12",
        "2.7": "2023-03-31",
        "3.0": "2024-04-23",
        "3.1": "2025-03-26",
        "3.2": "2026-03-31",
    },
    "php": {
        "7.2": "2020-11-30",
        "7.3": "2021-12-06",
        "7.4": "2022-11-28",
        "8.0": "2023-11-26",
        "8.1": "2025-12-31",
    },
    "dotnet": {
        "2.1": "2021-08-21",
        "3.1": "2022-12-13",
        "5.0": "2022-05-10",
        "6.0": "2024-11-12",
        "7.0": "2024-05-14",
        "8.0": "2026-11-10",
        "9.0": "2026-11-10",
    },
    "elixir": {
        "1.11": "2023-06-19",
        "1.12": "2023-09-01",
        "1.13": "2024-06-12",
        "1.14": "2025-06-18",
        "1.15": "2026-06-03",
    },
    "swift": {"5.8": "2023-09-18", "5.9": "2024-03-05", "5.10": "2024-09-17", "6.0": "2025-09-15"},
    "haskell": {"8.10": "2023-04-01", "9.0": "2023-04-01", "9.2": "2024-01-01", "9.4": "2025-01-01"},
    "julia": {"1.6": "2024-10-08", "1.8": "2023-05-08", "1.9": "2023-12-26", "1.11": "2025-10-08"},
    "perl": {"5.30": "2022-05-28", "5.32": "2023-05-20", "5.34": "2024-05-28", "5.36": "2025-07-02"},
    "terraform": {"1.5": "2023-12-12", "1.9": "2025-02-27", "1.12": "2025-11-19", "1.13": "2026-04-29"},
}
# Ended so recently that today's tools still run on them: taken when nothing newer was ever tested.
LATELY: dict[str, tuple[str, ...]] = {"python": ("3.9", "3.10"), "node": ("18", "20")}

# The confidence of a version past its end: low enough to be listed among the assumptions.
CALLED_OUT = 0.65

# The newest major (or major.minor) of a service's image that is no longer supported.
_ENDED_SERVICES = {
    "postgres": (14,),
    "mysql": (8, 0),
    "mariadb": (10, 5),
    "redis": (7, 0),
    "mongo": (6,),
    "rabbitmq": (3,),
    "elasticsearch": (7,),
}


def end_of_life(language: str, version: str) -> str:
    """Return the day support ended, or nothing while it lasts."""
    return ENDED.get(language, {}).get(version, "")


def told(language: str, version: str, why: str, sure: float) -> tuple[str, float]:
    """Return reason and confidence for a version; one past its end says so and is worth a person's look."""
    day = end_of_life(language, version)
    return (f"{why}; it has had no fixes since {day}", min(sure, CALLED_OUT)) if day else (why, sure)


def is_ended_service(image: str) -> bool:
    """Say whether a service's image is a version without support."""
    found = re.fullmatch(r"(?:.*/)?([a-z]+):(\d+)(?:\.(\d+))?.*", image)
    last = _ENDED_SERVICES.get(found.group(1)) if found else None
    if found is None or last is None:
        return False
    given = (int(found.group(2)), int(found.group(3) or 0))
    return given[: len(last)] <= last
