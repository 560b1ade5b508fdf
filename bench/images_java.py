"""What stands for the images of Java: the JDKs of this machine and of Debian, Maven, Gradle."""

import re
from pathlib import Path

from bench.image import Image
from bench.programs import run


def _jdk(version: str) -> Image:
    """JDK 17 and 25 of this machine, 21 of Debian; the older ones are not to be had."""
    folders = {"17": "/usr/lib/jvm/java-17-openjdk-amd64", "25": "/usr/lib/jvm/temurin-25-jdk-amd64"}
    near = {"8": "17", "11": "17", "": "21"}.get(version, version)
    differs = "" if near == version else f"JDK {version} is not here, {near} is"
    if near == "21":
        home = "/usr/lib/jvm/java-21-openjdk-amd64"
        return _java(home, ("openjdk-21-jdk-headless",), (), differs)
    home = folders.get(near, "")
    if not Path(home or "/nowhere").is_dir():
        return Image(is_missing=True, differs=f"JDK {version} is not here")
    configuration = ((f"/etc/java-{near}-openjdk", f"/etc/java-{near}-openjdk"),) if near == "17" else ()
    return _java(home, ("zlib1g", "libstdc++6"), ((home, home), *configuration), differs)


def _java(home: str, packages: tuple[str, ...], folders: tuple[tuple[str, str], ...], differs: str) -> Image:
    return Image(
        packages=(*packages, "curl", "wget", "gnupg", "libfontconfig1", "libfreetype6"),
        folders=folders,
        path=(f"{home}/bin",),
        variables=(("JAVA_HOME", home),),
        # Java has certificates of its own; these know the way to the registries.
        finish=f"cp --remove-destination /etc/ssl/machine-cacerts {home}/lib/security/cacerts",
        differs=differs,
    )


def temurin(version: str, _: str, __: Path) -> Image:
    """A JDK alone."""
    return _jdk(version)


_MAVEN = "3.9.11"


def maven(_: str, tag: str, cache: Path) -> Image:
    """Maven as it is published, with the JDK that the tag names."""
    jdk = _jdk((re.search(r"temurin-(\d+)", tag) or ["", "21"])[1])
    unpacked = cache / f"apache-maven-{_MAVEN}"
    if not jdk.is_missing and not unpacked.is_dir():
        wanted = f"org.apache.maven:apache-maven:{_MAVEN}:tar.gz:bin"
        got = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={wanted}", f"-DoutputDirectory={cache}"]
        run(got, limit=300)
        run(["tar", "-xzf", str(cache / f"apache-maven-{_MAVEN}-bin.tar.gz"), "-C", str(cache)], limit=60)
    if not unpacked.is_dir():
        return Image(is_missing=True, differs="Maven could not be fetched")
    return Image(
        packages=(*jdk.packages, "git", "openssh-client", "procps"),
        folders=(*jdk.folders, (str(unpacked), "/usr/share/maven")),
        path=("/usr/share/maven/bin", *jdk.path),
        variables=(*jdk.variables, ("MAVEN_HOME", "/usr/share/maven")),
        finish=jdk.finish,
        differs=jdk.differs,
    )


def gradle(_: str, tag: str, __: Path) -> Image:
    """Debian's Gradle is the only one that can be fetched here; it needs the JDK that Debian has."""
    jdk = _jdk("21")
    said = f"Gradle is Debian's 4.4 with JDK 21 instead of gradle:{tag}"
    return Image(
        packages=(*jdk.packages, "gradle", "git", "unzip"),
        path=jdk.path,
        variables=jdk.variables,
        finish=jdk.finish,
        differs=said,
    )
