"""Who may read the metrics and which parts fail: private networks, or whoever has the token, and nobody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.house import House, open_house


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database, tmp_path) as opened:
        yield opened


@pytest.fixture
def guarded(database: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database, tmp_path, METRICS_TOKEN="numbers") as opened:
        yield opened


# (the proxy that tells where a request comes from is the test itself, on loopback, which is trusted)
PRIVATE = ("127.0.0.1", "10.1.2.3", "172.31.255.1", "192.168.1.1", "::1", "fd12::1", "::ffff:10.0.0.1")
ELSEWHERE = ("8.8.8.8", "172.32.0.1", "2001:4860:4860::8888", "::ffff:8.8.8.8", "unknown", "10.0.0.1, 8.8.8.8",
             "8.8.8.8, 10.0.0.1")  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_networks_read_numbers(house: House, address: str) -> None:
    came = {"X-Forwarded-For": address}
    assert "pipewright_queue_length 0" in house.browser().get("/metrics", headers=came).text
    assert "worker" in house.browser().get("/health/ready", headers=came).json()["silent"]


def test_others_learn_that_it_lives_and_is_ready_and_no_more(house: House) -> None:
    for address in ELSEWHERE:
        came = {"X-Forwarded-For": address}
        refused = house.browser().get("/metrics", headers=came)
        assert (refused.status_code, "PIPEWRIGHT_METRICS_TOKEN" in refused.json()["error"]) == (403, True), address
        assert "pipewright_" not in refused.text
        assert house.browser().get("/health/ready", headers=came).json() == {"status": "degraded"}, address
        assert house.browser().get("/health/live", headers=came).json() == {"status": "alive"}


def test_with_a_token_it_is_the_token_that_counts(guarded: House) -> None:
    told = {"Authorization": "Bearer numbers", "X-Forwarded-For": "8.8.8.8"}
    assert guarded.browser().get("/metrics", headers=told).status_code == 200
    assert "silent" in guarded.browser().get("/health/ready", headers=told).json()
    for wrong in ({}, {"Authorization": "Bearer number"}, {"Authorization": "Basic numbers"}, {"Authorization": "x"}):
        assert guarded.browser().get("/metrics", headers=wrong).status_code == 403
        assert guarded.browser().get("/health/ready", headers=wrong).json() == {"status": "degraded"}
