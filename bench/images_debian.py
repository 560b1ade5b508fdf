"""What stands for images whose language the releases of Debian have in different versions: Ruby and Elixir."""

import re
from pathlib import Path

from bench.image import BUILDPACK, Image

# The Debian that has a version; every other one gets what today's stable has.
_RUBIES, _RUBY = {"2.7": "bullseye", "3.1": "bookworm"}, "3.3"
_ELIXIRS, _ELIXIR = {"1.20": "forky"}, "1.18"
_OF_ELIXIR = ("elixir", "erlang-dev", "erlang-nox", "erlang-hex", "rebar3", "openssl")
_GEMS = "/usr/local/bundle"
_BUILDS = "/opt/builds"
# Debian's Hex and Rebar laid out and signed as Mix fetches them; the key stands beside that of the real place.
_LAY_BUILDS = f"""
mkdir -p {_BUILDS}/installs/1.0.0 /root/.mix/public_keys
cd {_BUILDS}/installs
version() {{ dpkg-query -Wf '${{Version}}' $1 | sed 's/-[^-]*$//'; }}
hex=$(version erlang-hex) rebar=$(version rebar3)
LANG=C.UTF-8 mix archive.build -i /usr/lib/elixir/lib/hex -o 1.0.0/hex-$hex.ez </dev/null
cp /usr/bin/rebar3 1.0.0/rebar3-$rebar
rm -rf /usr/lib/elixir/lib/hex
openssl genrsa -out /tmp/key 2048 2>/dev/null
openssl rsa -in /tmp/key -pubout -out /root/.mix/public_keys/bench.pem 2>/dev/null
lay() {{ echo "$2,$(sha512sum 1.0.0/$3 | cut -d' ' -f1),1.0.0" >$1-1.x.csv; }}
lay hex $hex hex-$hex.ez
lay rebar3 $rebar rebar3-$rebar
for list in *.csv; do openssl dgst -sha512 -sign /tmp/key $list | base64 >$list.signed; done
rm /tmp/key
"""


def ruby(version: str, tag: str, _: Path) -> Image:
    """Ruby, RubyGems and Bundler of a Debian, with the places for gems that the image sets."""
    return Image(
        suite=_RUBIES.get(_minor(version), ""),
        packages=("ruby", "bundler", *(() if "slim" in tag else ("ruby-dev", *BUILDPACK))),
        path=(f"{_GEMS}/bin",),
        variables=(
            ("LANG", "C.UTF-8"),
            ("GEM_HOME", _GEMS),
            ("BUNDLE_APP_CONFIG", _GEMS),
            ("BUNDLE_SILENCE_ROOT_WARNING", "1"),
        ),
        finish=f"mkdir -p {_GEMS} && chmod 1777 {_GEMS}",
        differs=_differs("Ruby", version, _minor(version) if _minor(version) in _RUBIES else _RUBY),
    )


def elixir(version: str, tag: str, _: Path) -> Image:
    """Elixir and Erlang of a Debian; Hex and Rebar come by `mix local.hex` and `mix local.rebar`, as to the image."""
    minor = _minor(version)
    return Image(
        suite=_ELIXIRS.get(minor, ""),
        packages=(*_OF_ELIXIR, *(() if "slim" in tag else BUILDPACK)),
        variables=(("LANG", "C.UTF-8"), ("HEX_BUILDS_URL", _BUILDS)),
        finish=_LAY_BUILDS,
        differs=_differs("Elixir", version, minor if minor in _ELIXIRS else _ELIXIR),
    )


def _minor(version: str) -> str:
    return (re.match(r"\d+\.\d+", version) or [""])[0]


def _differs(name: str, version: str, found: str) -> str:
    return f"{name} is Debian's" + ("" if _minor(version) == found else f" {found} instead of {version}")
