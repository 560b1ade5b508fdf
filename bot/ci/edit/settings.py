"""The edits that give a key a value, or take it away: each knows where the value goes."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

Target = tuple[tuple[str, ...], Any]


class SetKey(Struct, frozen=True, kw_only=True, tag="set_key"):
    """Set any key of a job, of `default`, or of the file (without `job`); None removes it."""

    key: str
    value: Any
    job: str | None = None

    @property
    def target(self) -> Target:
        """Where the value goes, and the value."""
        return ((self.key,) if self.job is None else (self.job, self.key)), self.value


class SetImage(Struct, frozen=True, kw_only=True, tag="set_image"):
    """Set the image of a job (or of `default`), keeping its other settings; None removes it."""

    job: str
    image: str | None

    @property
    def target(self) -> Target:
        """Where the value goes, and the value."""
        return (self.job, "image"), self.image


class SetServices(Struct, frozen=True, kw_only=True, tag="set_services"):
    """Set the services of a job (or of `default`); none of them removes the key."""

    job: str
    services: Sequence[str | Mapping[str, Any]]

    @property
    def target(self) -> Target:
        """Where the value goes, and the value."""
        return (self.job, "services"), list(self.services) or None


class SetVariable(Struct, frozen=True, kw_only=True, tag="set_variable"):
    """Set a variable of a job, or of the whole pipeline; None removes it."""

    name: str
    value: str | None
    job: str | None = None

    @property
    def target(self) -> Target:
        """Where the value goes, and the value."""
        return (("variables", self.name) if self.job is None else (self.job, "variables", self.name)), self.value


class SetRules(Struct, frozen=True, kw_only=True, tag="set_rules"):
    """Set when a job runs; no rules removes the key."""

    job: str
    rules: Sequence[Mapping[str, Any]]

    @property
    def target(self) -> Target:
        """Where the value goes, and the value."""
        return (self.job, "rules"), list(self.rules) or None


class SetCache(Struct, frozen=True, kw_only=True, tag="set_cache"):
    """Set what a job (or `default`) keeps between pipelines; None removes it."""

    job: str
    cache: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

    @property
    def target(self) -> Target:
        """Where the value goes, and the value."""
        return (self.job, "cache"), self.cache


class SetArtifacts(Struct, frozen=True, kw_only=True, tag="set_artifacts"):
    """Set what a job leaves behind; None removes it."""

    job: str
    artifacts: Mapping[str, Any] | None

    @property
    def target(self) -> Target:
        """Where the value goes, and the value."""
        return (self.job, "artifacts"), self.artifacts


class SetNeeds(Struct, frozen=True, kw_only=True, tag="set_needs"):
    """Set which jobs a job waits for: none at all with an empty list, its stage with None."""

    job: str
    needs: Sequence[str | Mapping[str, Any]] | None

    @property
    def target(self) -> Target:
        """Where the value goes, and the value."""
        return (self.job, "needs"), None if self.needs is None else list(self.needs)


class SetDefault(Struct, frozen=True, kw_only=True, tag="set_default"):
    """Set what every job has unless it says otherwise; None removes it."""

    key: str
    value: Any

    @property
    def target(self) -> Target:
        """Where the value goes, and the value."""
        return ("default", self.key), self.value


class SetWorkflow(Struct, frozen=True, kw_only=True, tag="set_workflow"):
    """Set which pipelines are created; no rules removes them."""

    rules: Sequence[Mapping[str, Any]]

    @property
    def target(self) -> Target:
        """Where the value goes, and the value."""
        return ("workflow", "rules"), list(self.rules) or None


Setting = (
    SetKey
    | SetImage
    | SetServices
    | SetVariable
    | SetRules
    | SetCache
    | SetArtifacts
    | SetNeeds
    | SetDefault
    | SetWorkflow
)
