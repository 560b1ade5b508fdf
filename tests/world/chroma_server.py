"""The server that ships with Chroma's own wheel, on loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

PATIENCE_SECONDS = 120.0
TRIES = 3


@dataclass
class ChromaServer:
    """A running server; `pause` keeps it from answering without closing anything."""

    url: str
    process: "subprocess.Popen[bytes]"

    def pause(self) -> None:
        """Stop it, and wait until it stands: on a busy machine it would answer once more before it hears of that."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.go_on()
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_SECONDS)


def started(folder: Path) -> ChromaServer:
    """Start it; a port that was free a moment ago may have been taken meanwhile, and then another one is tried."""
    for _ in range(TRIES):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        command = [Path(sys.executable).with_name("chroma"), "run", "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(
            [*command, "--path", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
        )
        server = ChromaServer(f"http://127.0.0.1:{port}", process)
        if _answers(server):
            return server
        process.kill()
        process.wait()
    raise AssertionError("Chroma's server did not start")


def _answers(server: ChromaServer) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            httpx.get(f"{server.url}/api/v2/heartbeat", timeout=5, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return server.process.poll() is None
    return False
