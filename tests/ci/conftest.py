from collections.abc import Callable

import pytest

from bot.ci.assignment import Assignment
from bot.ci.catalog import Catalog, default_templates_dir, load_catalog
from bot.ci.compose import compose
from bot.domain import Composition, Fact, Survey, Unit

Values = str | tuple[str, ...]


def make_unit(ecosystem: str, root: str = "", **facts: Values) -> Unit:
    """Build a unit by hand, as the survey would hand it over."""
    found: list[Fact] = []
    for name, values in facts.items():
        for value in (values,) if isinstance(values, str) else values:
            found.append(Fact(name=name, value=value, because="the test says so"))
    return Unit(root=root, ecosystem=ecosystem, facts=tuple(found))


@pytest.fixture(scope="session")
def unit() -> Callable[..., Unit]:
    return make_unit


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog(default_templates_dir())


@pytest.fixture(scope="session")
def composed(catalog: Catalog) -> Callable[..., Composition]:
    def compose_units(*units: Unit, **more: object) -> Composition:
        given = {"paths": ("README.md",), **more}
        return compose(Assignment(survey=Survey(units=units), **given), catalog)  # type: ignore[arg-type]

    return compose_units
