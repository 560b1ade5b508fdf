"""A machine in a network of its own, a router away from everything else: what it swallows, neither side hears of."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Network:
    """This side has two addresses, so that the way to one of them can be cut alone."""

    database_host: str
    gitlab_host: str
    far_host: str
    router: int
    machine: int

    def on_the_machine(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs something on the far machine."""
        return _inside(self.machine, *command)

    def swallow(self, *hosts: str) -> None:
        """Let the router swallow from now on what is sent to these."""
        for host in hosts:
            _run(*_inside(self.router, "ip", "route", "add", "blackhole", f"{host}/32"))

    def let_through(self, *hosts: str) -> None:
        """Mend it."""
        for host in hosts:
            _run(*_inside(self.router, "ip", "route", "del", "blackhole", f"{host}/32"))


@contextmanager
def network() -> Iterator[Network]:
    """Make a network; skip the test where that is forbidden."""
    if shutil.which("ip") is None:
        pytest.skip("networks are made with the program ip, which is not here")
    number = os.getpid()
    part = f"198.18.{number % 256}"  # addresses for trials, RFC 2544
    ends = [f"pw{number % 100_000}{letter}" for letter in "abcd"]
    with ExitStack() as stack:
        router, machine = _namespace(stack), _namespace(stack)
        try:
            _run("ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", str(router))
            stack.callback(subprocess.run, ["ip", "link", "del", ends[0]], check=False, capture_output=True)
            far_end = ("peer", "name", ends[3], "netns", str(machine))
            _run(*_inside(router, "ip", "link", "add", ends[2], "type", "veth", *far_end))
            for inside, name, address in (
                (None, ends[0], f"{part}.1/29"),
                (None, ends[0], f"{part}.2/29"),
                (router, ends[1], f"{part}.3/29"),
                (router, ends[2], f"{part}.9/29"),
                (machine, ends[3], f"{part}.10/29"),
                (machine, "lo", "127.0.0.1/8"),
            ):
                _run(*_inside(inside, "ip", "address", "add", address, "dev", name))
                _run(*_inside(inside, "ip", "link", "set", name, "up"))
            _run("ip", "route", "add", f"{part}.8/29", "via", f"{part}.3")
            _run(*_inside(machine, "ip", "route", "add", "default", "via", f"{part}.9"))
            _run(*_inside(router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no networks can be made here: {error.stderr!r}")
        yield Network(f"{part}.1", f"{part}.2", f"{part}.10", router, machine)


def _namespace(stack: ExitStack) -> int:
    if os.geteuid() != 0:
        pytest.skip("only root may make networks")
    held = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 3600"], stdout=subprocess.PIPE)
    stack.callback(held.wait)
    stack.callback(held.kill)
    assert held.stdout is not None
    if not held.stdout.readline():
        pytest.skip("no networks can be made here: unshare is refused")
    return held.pid


def _inside(process: int | None, *command: str) -> list[str]:
    return [*command] if process is None else ["nsenter", "--net", "--target", str(process), *command]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=20)
