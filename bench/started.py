"""Whether what was built starts: its command as its user, cut off from every network, and one question to its port."""

import shlex
from collections.abc import Sequence

import msgspec

from bench.builder import Builder, Stage

_PATIENCE = 40
_LIMIT = 120.0


def started(builder: Builder, stage: Stage, settings: Sequence[str] = ()) -> tuple[bool, str]:
    """Return whether the last stage answers on the port it exposes, and what was heard; settings are NAME=VALUE."""
    if not stage.port:
        return True, "exposes no port, so it was not started"
    given = "".join(f"export {shlex.quote(each)}\n" for each in settings)
    ran = builder.rooms.run(stage.room, given + _script(stage), _LIMIT, is_cut_off=True)
    heard = " / ".join(line.strip() for line in ran.output.splitlines() if line.strip())
    return ran.code == 0, f"{'answers' if ran.code == 0 else 'does not answer'} on {stage.port}: {heard[-900:]}"


def _script(stage: Stage) -> str:
    """As in a container: the user of the image with the group and home that its passwd knows, else 0 and /."""
    probe = f"$as {_line(stage.probe)} && echo 'its health check passes' || failed=1" if stage.probe else ""
    return f"""{stage.exports}cd {stage.folder}
knows() {{ getent passwd {stage.user} | cut -d: -f$1; }}
home=$(knows 6) group=$(knows 4) failed=
as="env HOME=${{home:-/}} setpriv --reuid {stage.user} --regid ${{group:-0}} --clear-groups"
$as {_line(stage.command)} >/tmp/said 2>&1 &
for _ in $(seq {_PATIENCE * 2}); do
  kill -0 $! 2>/dev/null && ! (exec 3<>/dev/tcp/127.0.0.1/{stage.port}) 2>/dev/null || break
  sleep 0.5
done
exec 3<>/dev/tcp/127.0.0.1/{stage.port} || {{ tail -n 12 /tmp/said; exit 1; }}
printf 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
IFS= read -r -t 20 line <&3
echo "${{line:-nothing}}"
{probe}
[ -n "$line" ] && [ -z "$failed" ] || {{ tail -n 12 /tmp/said; exit 1; }}
"""


def _line(command: str) -> str:
    """Return a CMD in the form of a shell: it is a JSON list, or a line for sh."""
    words = msgspec.json.decode(command, type=list[str]) if command.startswith("[") else ["/bin/sh", "-c", command]
    return shlex.join(words)
