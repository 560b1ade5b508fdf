"""A machine loses its network amid orders and nothing is closed: another takes over, and it disturbs nobody later."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.orders import NO_LIMITS
from bench.place import Place
from bot.sandbox import seed
from bot.sandbox.faults import Fault
from bot.sandbox.server import Sandbox
from bot.store.embedded import EmbeddedPostgres
from tests.stories.test_story_two_machines import (
    DONE,
    PLACES,
    PROJECTS,
    SECRET,
    WORKER,
    Site,
    open_issues,
    start_worker,
)
from tests.world.networks import Network, network

# The same bounds as in production, but shorter.
SOON = (
    "tcp_user_timeout=2000 keepalives_idle=1 keepalives_interval=1 keepalives_count=2 options='-c tcp_keepalives_idle=1"
    " -c tcp_keepalives_interval=1 -c tcp_keepalives_count=2 -c tcp_user_timeout=3000'"
)


@pytest.fixture
def apart() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.fixture
def site(apart: Network) -> Iterator[Site]:
    """The web and a worker here, a worker on the machine in the other network."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pw-")))
        folder.chmod(0o755)
        (folder / "hba").write_text("local all all trust\nhost all all 198.18.0.0/15 trust\n")
        server = EmbeddedPostgres(
            folder / "bot", settings={"listen_addresses": apart.database_host, "hba_file": str(folder / "hba")}
        )
        conninfo = server.start()
        stack.callback(server.stop)
        sandbox = Sandbox(folder / "gitlab", host=apart.gitlab_host, job_seconds=0.01).start()
        stack.callback(sandbox.stop)
        bot = seed.add_user(sandbox.world, "pipewright", is_bot=True)
        place = Place(folder=folder, sandbox=sandbox, bot=bot, conninfo=conninfo, signing_token="whsec_a2tra2tr")
        _, port = stack.enter_context(place.web(WEBHOOK_SECRET=SECRET, **NO_LIMITS))
        from_afar = f"host={apart.database_host} user=pipewright dbname=postgres {SOON}"
        far = start_worker(stack, place, "far", apart.on_the_machine(WORKER), DATABASE_URL=from_afar)
        site = Site(place, open_issues(sandbox, bot, port), [far, start_worker(stack, place, "near")])
        site.until("select count(*) from procrastinate_workers", 2)
        yield site


@pytest.mark.parametrize("way", ["every way", "the way to PostgreSQL"])
def test_a_machine_that_loses_its_network_amid_orders_is_replaced_and_disturbs_nobody_when_it_is_back(
    site: Site, apart: Network, way: str
) -> None:
    hosts = [apart.far_host, apart.database_host, apart.gitlab_host] if way == "every way" else [apart.database_host]
    site.place.sandbox.faults.add(Fault("*", ".", times=0, seconds=0.1))  # orders take a while, as with a real GitLab
    rounds = site.rounds_until_each_ended_some()
    site.comment("@pipewright generate")
    site.until("select count(*) from orders where state = 'running'", PLACES + 1)  # so each machine has one at least
    apart.swallow(*hosts)
    site.until(DONE, (rounds + 1) * PROJECTS)
    apart.let_through(*hosts)
    rounds = site.rounds_until_each_ended_some(rounds + 1)
    assert site.answers() == [rounds] * PROJECTS
    assert [len(issue.project.merge_requests) for issue in site.issues] == [1] * PROJECTS
    assert site.number("select count(*) from orders where kind = 'mention' and state <> 'done'") == 0
