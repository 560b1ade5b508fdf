"""What a project trusts beside itself: its own group, the house's registries and templates, well-known publishers."""

import re

from msgspec import Struct

# Only their owners publish there.
_PUBLISHERS = tuple(
    "mcr.microsoft.com/ gcr.io/distroless/ registry.gitlab.com/gitlab-org/ registry.gitlab.com/security-products/"
    " public.ecr.aws/docker/library/ public.ecr.aws/aws-cli/ registry.k8s.io/ quay.io/buildah/ quay.io/podman/"
    " quay.io/skopeo/ moby/ alpine/ oven/ gitlab/ hashicorp/ sbtscala/ ghcr.io/astral-sh/ ghcr.io/gohugoio/ cimg/"
    " rocker/ swiftlang/ hexpm/ denoland/".split()
)
_DOCKER_HUB = ("docker.io/", "index.docker.io/", "registry-1.docker.io/")
_OWN_COMPONENTS = "components/"


class Trust(Struct, frozen=True, kw_only=True):
    """Whose images, files and projects are no news to a project.

    `projects` and `registries` are prefixes of paths and image names; `texts` are the templates that an administrator
    laid in, whose images and includes are therefore wanted.
    """

    project: str
    projects: tuple[str, ...] = ()
    registries: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def has_project(self, path: str) -> bool:
        """Tell whether a project is of the same top-level group, or one that was named as trusted."""
        path = path.strip("/").lower()
        own = self.project.lower().partition("/")[0] + "/"
        named = (one.strip("/").lower() for one in self.projects)
        return path.startswith((own, _OWN_COMPONENTS)) or any(
            path == one or path.startswith(f"{one}/") for one in named
        )

    def has_image(self, repository: str) -> bool:
        """Tell whether an image (without its tag) comes from somewhere known."""
        name = _without_hub(repository)
        if "/" not in name:
            return True  # Docker Hub's official images
        prefixes = (*_PUBLISHERS, *(f"{one.rstrip('/')}/" for one in self.registries if one.strip("/")))
        return name.startswith(prefixes) or self.is_wanted(repository)

    def is_wanted(self, name: str) -> bool:
        """Tell whether a template names exactly this."""
        whole = re.compile(rf"(?<![\w./-]){re.escape(name)}(?![\w/-])")
        return any(whole.search(text) for text in self.texts)


def _without_hub(repository: str) -> str:
    for host in _DOCKER_HUB:
        repository = repository.removeprefix(host)
    return repository.removeprefix("library/")
