"""What describes machines and clusters: Terraform modules, Helm charts, Ansible roles and playbooks."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.facts import Facts
from bot.survey.other_ci.model import OtherCi
from bot.survey.parsing import strings
from bot.survey.tree import Folder
from bot.survey.versions import TOOLS

_MAX_CHARTS = 100
_CHART_TESTING = tuple(
    f"{folder}{name}.{ending}"
    for folder in ("", ".github/", ".ct/", ".ci/")
    for name in ("ct", ".ct", "chart-testing", "ct-config")
    for ending in ("yaml", "yml")
)


def survey_terraform(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder with Terraform files: they are formatted and validated, never applied."""
    files = folder.names(r"[\w.-]+\.tf")
    if not files:
        return None
    facts = declared.opened(
        folder, folder.first("versions.tf", "main.tf") or files[0], "hcl", "terraform", ".terraform.lock.hcl"
    )
    where = Evidence(path=facts.first("manifest"))
    needs = next(
        (
            (name, found)
            for name in files
            if (found := re.search(r'required_version\s*=\s*"([^"]+)"', folder.text(name)))
        ),
        None,
    )
    spec = (declared.bounded(needs[1].group(1)), folder.evidence(needs[0], "required_version")) if needs else ("", None)
    exact = declared.pinned(folder, "terraform", ".terraform-version")
    declared.add_version(facts, folder, "terraform", ci, exact=exact, spec=spec)
    facts.add("lint", "terraform fmt -check -recursive -diff", "Terraform has one format", where, confidence=0.9)
    facts.add("lint_tool", "terraform", "of the lint command", where)
    facts.add(
        "install",
        "terraform init -backend=false -input=false",
        "validation needs the providers' schemas, no state",
        where,
    )
    facts.add("lint", "terraform validate", "Terraform checks itself", where)
    if folder.under(r"(?:tests/)?[\w.-]+\.tftest\.hcl"):
        facts.add("test", "terraform test", "there are tests of Terraform's own kind", where, confidence=0.7)
        facts.add("test_tool", "terraform", "of the test command", where)
    return facts.unit(folder.root, "terraform")


def survey_helm(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a Helm chart, or of a folder of charts: linted, rendered and packed, never installed."""
    found = folder.under(r"(?:[\w.-]+/){0,2}Chart\.yaml")
    charts = [path.removesuffix("Chart.yaml").rstrip("/") or "." for path in found]
    outer = [
        chart
        for chart in charts
        if not any(chart != each and (each == "." or chart.startswith(f"{each}/")) for each in charts)
    ]
    if not outer:
        return None
    facts = declared.opened(folder, found[charts.index(outer[0])], "helm", "helm")
    _add_chart_testing(facts, folder, ci, outer)
    has_chart_testing = bool(facts.first("lint"))
    for chart in outer[:_MAX_CHARTS]:
        path = f"{chart}/Chart.yaml".removeprefix("./")
        where = folder.evidence(path, "name:")
        if re.search(r"^dependencies:", folder.text(path), re.MULTILINE):
            facts.add(
                "install",
                f"helm dependency build {chart}",
                "the chart has dependencies",
                folder.evidence(path, "dependencies:"),
            )
        # chart-testing calls it for every chart.
        facts.add("lint", "" if has_chart_testing else f"helm lint {chart}", "there is a chart", where)
        if re.search(r"^type:\s*library", folder.text(path), re.MULTILINE) is None:
            facts.add(
                "test",
                f"helm template {chart} > /dev/null",
                "a chart has to render with its own values",
                where,
                confidence=0.9,
            )
    for chart in outer[:_MAX_CHARTS]:
        # Charts at the top, or below `charts`, are there to be published; others are installed from where they are.
        if chart == "." or chart.startswith("charts/"):
            where = folder.evidence(f"{chart}/Chart.yaml".removeprefix("./"), "version:")
            facts.add(
                "build", f"helm package {chart} --destination dist", "the chart is published", where, confidence=0.8
            )
            facts.add("artifact", "dist/", "the packed charts are there", where, confidence=0.8)
    where = Evidence(path=facts.first("manifest"))
    facts.add("lint_tool", "chart-testing" if has_chart_testing else "helm", "of the lint command", where)
    facts.add("test_tool", "helm" if facts.first("test") else "", "of the test command", where)
    return facts.unit(folder.root, "helm")


def _add_chart_testing(facts: Facts, folder: Folder, ci: OtherCi, charts: list[str]) -> None:
    """Lint with chart-testing where it is set up or other CI calls it: all charts, as there is no branch to compare."""
    runs = (command for job in ci.jobs for command in job.commands(job.rows[0]))
    called = next((each for each in runs if re.match(r"ct lint(?:-and-install)?\b", each.raw)), None)
    config = folder.first(*_CHART_TESTING)
    if not config and called is None:
        return
    places = strings(folder.yaml(config).get("chart-dirs")) if config else []
    below = [f"{each.strip('/')}/" for each in places or ["charts"]]
    is_found = all(chart.startswith(tuple(below)) for chart in charts)
    which = "--all" if is_found else f"--charts {','.join(charts[:_MAX_CHARTS])}"
    # Maintainers are looked up as accounts of the server that the repository lies on.
    line = f"ct lint {which} --validate-maintainers=false"
    where = called.evidence if called else Evidence(path=folder.full(config))
    why = "other CI calls chart-testing" if called else "chart-testing is set up"
    facts.add("lint", f"{line} --config {config}" if config not in {"", "ct.yaml"} else line, why, where)


def survey_ansible(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a role, a collection or playbooks: they are linted and their syntax is checked."""
    manifest = folder.first("galaxy.yml", "meta/main.yml", "ansible.cfg", "site.yml", "playbook.yml")
    tasks = folder.under(r"(?:roles/[\w.-]+/|playbooks/)?(?:tasks/main\.ya?ml|[\w.-]+\.ya?ml)")
    if not manifest or not (tasks or folder.has("ansible.cfg")):
        return None
    if manifest in {"site.yml", "playbook.yml"} and not folder.under(r"roles/.*"):
        return None
    del ci
    facts = declared.opened(folder, manifest, "ansible", "ansible")
    where = Evidence(path=folder.full(manifest))
    facts.add("version", "3.13", "Ansible runs on Python", where, confidence=0.9)
    facts.add(
        "install",
        f"pip install ansible-core=={TOOLS['ansible-core']} ansible-lint=={TOOLS['ansible-lint']}",
        "they check playbooks and roles",
        where,
    )
    requirements = folder.first(
        "requirements.yml", "requirements.yaml", "collections/requirements.yml", "roles/requirements.yml"
    )
    if requirements:
        facts.add(
            "install",
            f"ansible-galaxy install -r {requirements}",
            "it names roles and collections",
            Evidence(path=folder.full(requirements)),
        )
    is_set_up = folder.first(".ansible-lint", ".ansible-lint.yml", ".ansible-lint.yaml", ".config/ansible-lint.yml")
    line = "ansible-lint" if is_set_up else "ansible-lint --profile min"
    facts.add(
        "lint",
        line,
        "it is set up" if is_set_up else "nothing sets it up, so only what cannot work counts",
        where,
        confidence=0.9 if is_set_up else 0.7,
    )
    facts.add("lint_tool", "ansible-lint", "of the lint command", where)
    for play in folder.names(r"(?:site|playbook|main|deploy)\.ya?ml")[:3]:
        facts.add(
            "test",
            f"ansible-playbook --syntax-check -i localhost, {play}",
            "there is a playbook",
            Evidence(path=folder.full(play)),
            confidence=0.8,
        )
    return facts.unit(folder.root, "ansible")
