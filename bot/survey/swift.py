"""Swift packages that build on Linux."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.other_ci.model import OtherCi
from bot.survey.other_ci.services import add_services
from bot.survey.taking import take
from bot.survey.tree import Folder


def survey_swift(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder with a Package.swift."""
    if not folder.has("Package.swift"):
        return None
    facts = declared.opened(folder, "Package.swift", "swift", "swiftpm", "Package.resolved")
    where = folder.evidence("Package.swift", "swift-tools-version")
    least = re.search(r"swift-tools-version\s*:\s*(\d+(?:\.\d+)?)", folder.text("Package.swift"))
    spec = (f">={least.group(1)}", where) if least else ("", None)
    version = declared.add_version(
        facts, folder, "swift", ci, exact=declared.pinned(folder, "swift", ".swift-version"), spec=spec
    )
    runs = ci.runs("swift", version, folder.root)
    if not take(facts, "test", runs, r"swift test(?: [\w =-]+)?") and folder.under(r"Tests/.*\.swift"):
        facts.add("test", "swift test", "there are tests", where)
    facts.add("test_tool", "swift-test" if facts.first("test") else "", "of the test command", where)
    if folder.has(".swift-format"):
        facts.add(
            "lint",
            "swift format lint --recursive --strict .",
            "there is a .swift-format",
            Evidence(path=folder.full(".swift-format")),
        )
        facts.add("lint_tool", "swift-format", "of the lint command", where)
    facts.add("build", "swift build --configuration release", "the package manager builds every target", where)
    if re.search(r"vapor/vapor", folder.text("Package.swift")):
        vapor = folder.evidence("Package.swift", "vapor/vapor")
        facts.add("framework", "vapor", "the package depends on it", vapor)
    add_services(facts, folder, ci)
    return facts.unit(folder.root, "swift")
