"""One Ollama: sends a request, hears the answer as it comes, and knows whether it has failed lately."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import ollama

from bot.llm.chat import Watch
from bot.llm.faults import Duty, FaultError, refused
from bot.llm.reading import Heard, lines, whole

_MOST_REFUSAL = 100_000
_UNREACHABLE = "nobody answers at its address"
_SILENT = "it fell silent while it answered"


@dataclass(frozen=True)
class Timing:
    """How long a host may take, in seconds: to let us in, for its first word, and for each next one.

    Not even headers come before the model is loaded, and a caller who hangs up earlier aborts the load: so the first
    word gets long.
    """

    connect: float = 2.0
    first: float = 300.0
    gap: float = 60.0


Progress = Callable[[str, int, int], None]


def _unheard(_doing: str, _done: int, _whole: int) -> None:
    """Nobody listens."""


class Host:
    """One Ollama, asked for one answer at a time."""

    def __init__(self, url: str, timing: Timing) -> None:
        self.url = url
        self.breaker = Breaker()
        self._timing = timing
        self._quick = httpx.Timeout(timing.connect)
        # trust_env off: a proxy of the environment must never see the conversation.
        self._client = httpx.Client(
            base_url=url,
            timeout=httpx.Timeout(30.0, connect=timing.connect, read=timing.first),
            trust_env=False,
            follow_redirects=True,
            max_redirects=3,
        )

    def chat(self, request: Mapping[str, Any], watch: Watch, hear: Callable[[Heard, str], None]) -> Heard:
        """Return a whole answer; raises FaultError or StoppedError. `hear` is called with each new piece."""
        with self._sent(request) as response:
            if response.status_code >= 300:
                raise refused(response.status_code, _some(response), str(request["model"]))
            heard = Heard()
            for chunk in self._chunks(response, is_stream=bool(request["stream"])):
                watch.check()
                hear(heard, heard.add(chunk))
                if heard.is_running_away():
                    raise FaultError(Duty.BABBLED, "the model ran away", heard.content[:200])
                if heard.is_done:
                    break
        if heard.done_reason == "load":
            raise FaultError(Duty.ONCE, "it loaded the model but did not answer")
        return heard

    def _chunks(self, response: httpx.Response, *, is_stream: bool) -> Iterator[dict[str, Any]]:
        if not is_stream:
            yield whole(response.read())
            return
        # httpx reads this again before every piece: the first word is there, so the rest may not take long.
        response.request.extensions["timeout"]["read"] = self._timing.gap
        yield from lines(response.iter_bytes())

    @contextmanager
    def _sent(self, request: Mapping[str, Any]) -> Iterator[httpx.Response]:
        """Send, and tell what the network does in the words of faults."""
        has_begun = False
        try:
            with self._client.stream("POST", "/api/chat", json=request) as response:
                has_begun = True
                yield response
        except httpx.TooManyRedirects as error:
            raise FaultError(Duty.FATAL, "its address leads in a circle", str(error)) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise FaultError(Duty.AGAIN, _UNREACHABLE, f"{type(error).__name__}: {error}") from error
        except httpx.ReadTimeout as error:
            duty, seconds = (Duty.ONCE, self._timing.gap) if has_begun else (Duty.FATAL, self._timing.first)
            advice = _SILENT if has_begun else f"it said nothing for {seconds:.0f} seconds"
            raise FaultError(duty, advice, str(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise FaultError(Duty.ONCE, "its answer was cut off", f"{type(error).__name__}: {error}") from error

    def is_well(self) -> bool:
        """Tell whether it answers at all, quickly."""
        try:
            return self._client.get("/api/version", timeout=self._quick).status_code == 200
        except httpx.HTTPError:
            return False

    def has_model(self, model: str) -> bool:
        """Tell whether it has the model, quickly."""
        wanted = model.lower() if ":" in model else f"{model.lower()}:latest"
        try:
            with ollama.Client(host=self.url, timeout=self._quick, trust_env=False) as client:
                return any((one.model or "").lower() == wanted for one in client.list().models)
        except (ollama.ResponseError, httpx.HTTPError, ConnectionError, ValueError, AttributeError, TypeError):
            return False  # the last two: the library trips over JSON that is no object

    def abilities(self, model: str) -> frozenset[str]:
        """Return what the host says the model can, such as `tools`; nothing when it does not say."""
        try:
            told = self._client.post("/api/show", json={"model": model}, timeout=self._quick).json()
        except (httpx.HTTPError, ValueError):
            return frozenset()
        return frozenset(told.get("capabilities") or ()) if isinstance(told, dict) else frozenset()

    def warm_up(self, model: str, options: Mapping[str, Any], keep_alive: str) -> bool:
        """Load the model, however long that takes; the same options as later, else it would be loaded again."""
        body = {"model": model, "options": dict(options), "keep_alive": keep_alive}
        try:
            return self._client.post("/api/chat", json=body).status_code == 200
        except httpx.HTTPError:
            return False

    def pull(self, model: str, hear: Progress = _unheard) -> None:
        """Let the host fetch the model; raises FaultError unless it says that it succeeded: its 200 means nothing.

        `hear` gets what is done now, the bytes there and the bytes in all (0: not known).
        """
        try:
            timeout = httpx.Timeout(self._timing.first, connect=self._timing.connect)
            with ollama.Client(host=self.url, timeout=timeout, trust_env=False) as client:
                told = []
                for progress in client.pull(model, stream=True):
                    told.append(progress.status)
                    hear(progress.status or "", progress.completed or 0, progress.total or 0)
        except (ollama.ResponseError, httpx.HTTPError, ConnectionError, ValueError, AttributeError) as error:
            raise FaultError(Duty.FATAL, f"it could not fetch the model {model!r}", str(error)) from error
        if "success" not in told:
            raise FaultError(Duty.FATAL, f"it could not fetch the model {model!r}", str(told[-1:]))


def _some(response: httpx.Response) -> bytes:
    """Read an error's body, but not a web page without end."""
    read = b""
    for part in response.iter_bytes():
        read += part
        if len(read) > _MOST_REFUSAL:
            break
    return read


class Breaker:
    """Opens after failures in a row, so that nobody waits for a host that is known to be ill.

    It lets somebody try again after a rest, which doubles with each failed try.
    """

    def __init__(self, *, after: int = 3, rest_seconds: float = 30.0, longest_seconds: float = 300.0) -> None:
        self._after, self._rest, self._longest = after, rest_seconds, longest_seconds
        self._failures = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """True while nobody should try."""
        return time.monotonic() < self._open_until

    def failed(self, *, for_good: bool) -> None:
        """Note a failure; one that only an administrator mends opens at once."""
        self._failures = max(self._failures + 1, self._after if for_good else 0)
        beyond = self._failures - self._after
        if beyond >= 0:
            self._open_until = time.monotonic() + min(self._longest, self._rest * 2 ** min(beyond, 10))

    def worked(self) -> None:
        """Note a success."""
        self._failures, self._open_until = 0, 0.0
