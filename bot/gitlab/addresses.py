"""Reads the addresses of projects."""

import re


def project_path(address: str, gitlab_url: str) -> str | None:
    """Return the path of a project from its address on this GitLab; None for another address."""
    if not address.startswith(gitlab_url + "/"):
        return None
    path = re.split(r"/-(?:/|$)|[?#]", address[len(gitlab_url) + 1 :])[0]
    return path.strip("/").removesuffix(".git") or None
