"""What the bot says in notes: short first, the details folded away.

These return Markdown that is not yet safe; callers pass it through `render.safe`.
"""

from uuid import UUID

from bot.domain import AccessLevel, Composition, Fact, Finding, JobRow, Source, Survey
from bot.replies.render import cell, code_block, folded, quoted
from bot.replies.risks import risk_list
from bot.replies.scorecard import scorecard

COMMANDS = (
    ("generate", "survey the repository and open a draft merge request with the pipeline; add wishes in plain "
     "words, such as `generate with python 3.12, without docker`"),
    ("status", "say where the proposal and its pipeline stand (or `status BRANCH`)"),
    ("approve", "merge the draft as it stands (or `approve SHA` for exactly that commit)"),
    ("reject", "close the draft"),
    ("retry", "run the failed jobs of the draft's pipeline again"),
    ("explain", "say why the pipeline failed (or `explain BRANCH`, the number of a pipeline, the name of a job)"),
    ("repair", "mend the draft's red pipeline, where this project wants to be asked first"),
    ("cancel", "stop the draft's running pipeline, and with it a merge that waits for it"),
    ("undo", "take the last change of the draft back; again to go further back"),
    ("help", "show this list"),
)  # fmt: skip

MAX_CONVERTED = 60


def mark(order_id: UUID) -> str:
    """Return the hidden mark by which the bot finds its own note again."""
    return f"\n\n<!-- pipewright:order={order_id} -->"


def conversation_link(address: str | None, conversation_id: UUID) -> str:
    """Return the line that leads to the whole conversation; nothing without an address of our own."""
    return f"\n\n[Open the conversation]({address}/conversations/{conversation_id})" if address else ""


def help_text(mention: str) -> str:
    """Say what the bot can do."""
    rows = "\n".join(f"| `{mention} {name}` | {does} |" for name, does in COMMANDS)
    return (
        "I write CI pipelines and open them as draft merge requests. Nothing is merged without a person.\n\n"
        f"| write | and I will |\n|---|---|\n{rows}\n\n"
        "Anything else you write to me is answered in conversation, if a language model is connected."
    )


def unknown_command(word: str, guess: str, mention: str) -> str:
    """Ask whether another command was meant."""
    return f"I don't know {quoted(word)}. Did you mean `{mention} {guess}`? `{mention} help` lists what I can do."


def working(stage: str) -> str:
    """Say what is being done now; the note is edited when it is finished."""
    return f"⏳ {stage} I'll edit this note when there is something to see."


def refusal(reason: str) -> str:
    """Say why not."""
    return f"I can't do that: {reason}"


def unreachable(part: str) -> str:
    """Say that an outside part kept silent for too long."""
    return (
        f"I had to give up: {part} did not answer, although I tried for a while. Nothing half-done is left behind "
        "that a new try would double; please repeat your request later."
    )


def broken(error_id: str) -> str:
    """Say that something of ours failed, with the id under which it is logged."""
    return (
        f"Something went wrong on my side (error `{error_id}`). Your request is stored; an administrator finds the "
        "cause in my log under that id. You can simply ask again."
    )


def model_down(mention: str) -> str:
    """Say in one line that free conversation is not possible now."""
    return f"The language model is not reachable right now; the commands still work, see `{mention} help`."


def nothing_useful(mention: str) -> str:
    """Say honestly that the model came to nothing."""
    return (
        "The language model did not come to a useful answer, so I leave everything as it is. Try other words, or one "
        f"of the commands that need no model: `{mention} help`."
    )


def strangers(level: AccessLevel, needed: AccessLevel, what: str) -> str:
    """Say which role an order needs."""
    have = "no role" if level == AccessLevel.NONE else f"the role {level.name.title()}"
    return f"to {what} one needs at least the role {needed.name.title()} in this project, and you have {have} here."


def bot_lacks(level: AccessLevel, needed: AccessLevel, what: str) -> str:
    """Say which role the bot's own account lacks for an order."""
    have = "no role" if level == AccessLevel.NONE else f"only the role {level.name.title()}"
    return (
        f"you may {what}, but my own account has {have} in this project and needs {needed.name.title()} for it. "
        "A Maintainer can give it that under *Manage › Members*."
    )


def proposal_note(
    survey: Survey, composition: Composition, *, merge_request: str, mention: str, files: tuple[str, ...]
) -> str:
    """Show an opened draft in the conversation."""
    what = ", ".join(f"`{path}`" for path in files)
    parts = [
        f"Here is the draft: {merge_request} with {what}.",
        job_table(composition),
        risk_list(composition.risks),
        *([f"**One question:** {survey.question}"] if survey.question else []),
        how_to_approve(mention),
        details(survey, composition),
    ]
    return "\n\n".join(part for part in parts if part)


def merge_request_description(
    survey: Survey, composition: Composition, *, asked_in: str, requester: str, mention: str
) -> str:
    """Describe a draft: what was found, which jobs, from which sources, how to approve."""
    parts = [
        f"Asked for by {quoted(requester)} in {asked_in}.",
        job_table(composition),
        risk_list(composition.risks),
        "### How to approve\n\n" + how_to_approve(mention),
        *([f"**One question:** {survey.question}"] if survey.question else []),
        "### What I found\n\n" + fact_list(survey),
        source_list(composition),
        assumption_list(survey, composition),
        conversion_table(survey),
        scorecard(composition.score),
    ]
    return "\n\n".join(part for part in parts if part)


def how_to_approve(mention: str) -> str:
    """Say how a person lets the draft be merged."""
    return (
        "To merge it, someone who may merge into the target branch reacts with 👍 to this or to the merge request, "
        f"approves the merge request, or writes `{mention} approve`. I merge exactly the commit shown, nothing newer."
    )


def job_table(composition: Composition) -> str:
    """Return the table of jobs, and what was kept of an existing file."""
    rows = "\n".join(
        f"| `{cell(job.name)}`{_of_child(job)} | {cell(job.stage)} | `{cell(job.image) or '–'}` | {cell(job.does)} |"
        for job in composition.jobs
    )
    table = f"| job | stage | image | does |\n|---|---|---|---|\n{rows}"
    if not composition.kept:
        return table
    return table + "\n\nKept as they were: " + ", ".join(f"`{name}`" for name in composition.kept) + "."


def _of_child(job: JobRow) -> str:
    return f" of `{cell(job.file)}`" if job.file else ""


def details(survey: Survey, composition: Composition) -> str:
    """Return facts, sources and assumptions, folded away."""
    inner = "\n\n".join(
        part for part in (fact_list(survey), source_list(composition), assumption_list(survey, composition)) if part
    )
    return "\n\n".join(part for part in (folded("Why it looks like this", inner), conversion_table(survey)) if part)


def conversion_table(survey: Survey) -> str:
    """Return what became of every line of another CI, folded away; nothing where there was none."""
    if not survey.conversion:
        return ""
    shown = survey.conversion[:MAX_CONVERTED]
    rows = [
        f"| {cell(quoted(f'{row.where.path}:{row.where.line or 1}'))} | {cell(quoted(row.where.quote, 100))} "
        f"| {cell(row.became) or '–'} | {cell(row.why)} |"
        for row in shown
    ]
    left = len(survey.conversion) - len(shown)
    more = [f"\nand {left} more lines, which `generate --json` lists."] if left else []
    table = "\n".join(["| where | line | became | how |", "|---|---|---|---|", *rows, *more])
    return folded("What became of the other CI, line by line", table)


def fact_list(survey: Survey) -> str:
    """Return what the survey found, each fact with its evidence."""
    lines: list[str] = []
    for unit in survey.units:
        if unit.root:
            lines.append(f"- **{quoted(unit.root)}** ({unit.ecosystem})")
        lines += [_fact_line(fact) for fact in unit.facts]
    return "\n".join(lines) or "Nothing that I recognise."


def _fact_line(fact: Fact) -> str:
    places = ", ".join(quoted(f"{one.path}:{one.line}" if one.line else one.path) for one in fact.evidence[:2])
    name = fact.name.replace("_", " ")
    return f"- {name} {quoted(fact.value)}, because {_one_line(fact.because)}" + (f" ({places})" if places else "")


def source_list(composition: Composition) -> str:
    """Return the templates used, with the hash of their content."""
    if not composition.sources:
        return ""
    return f"Templates used: {', '.join(map(_source, composition.sources))}."


def _source(source: Source) -> str:
    origin = f" of {quoted(source.origin)}" if source.origin else ""
    return f"`{source.template}` (`{source.content_hash[:12]}`){origin}"


def assumption_list(survey: Survey, composition: Composition) -> str:
    """Return what was assumed and what contradicts."""
    lines = [f"- {_one_line(text)}" for text in (*survey.remarks, *composition.assumptions)]
    return "Worth knowing:\n\n" + "\n".join(lines) if lines else ""


def finding_list(findings: tuple[Finding, ...]) -> str:
    """Return the messages of the check ladder as a list."""
    return "\n".join(
        f"- `{finding.path}{f':{finding.line}' if finding.line else ''}` {_one_line(finding.message)}"
        + (f" — {_one_line(finding.mend)}" if finding.mend else "")
        for finding in findings
    )


def file_diff(title: str, diff: str) -> str:
    """Return a folded diff."""
    return folded(title, code_block(diff, "diff"))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def heard_late(why: str) -> str:
    """Say below an answer that no webhook told of the comment, and `why`."""
    return f"*I found this comment by looking through my to-do list, for no webhook told me of it: {why}.*"
