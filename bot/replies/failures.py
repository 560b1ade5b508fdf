"""What is said about failures: the cause first, the log folded away, then what was changed or why nothing was."""

from collections.abc import Sequence

from msgspec import Struct

from bot.replies.render import closed, code_block, folded, quoted


class Told(Struct, frozen=True, kw_only=True):
    """One failure, in the words of whoever found it."""

    job: str
    title: str
    why: str
    advice: str = ""
    excerpt: str = ""
    words: str = ""


class Story(Struct, frozen=True, kw_only=True):
    """One failed pipeline of a draft and what became of it: a `change`, or none because of `reason`."""

    url: str
    sha: str
    told: tuple[Told, ...]
    change: str = ""
    new_sha: str = ""
    diff: str = ""
    reason: str = ""
    is_offered: bool = False


def explanation(told: Sequence[Told], *, left: int = 0) -> str:
    """Say why jobs failed."""
    parts = [_one(each) for each in told]
    if left:
        parts.append(f"and {left} more failed jobs; `explain JOB` looks at one of them.")
    return "\n\n".join(parts)


def suggested(title: str, diff: str) -> str:
    """Say what would mend a pipeline that the bot does not touch."""
    return f"**What would mend it:** {quoted(title)}.\n\n{folded('The change', code_block(diff, 'diff'))}"


def nothing_failed(line: str) -> str:
    """Say that there is nothing to explain; `line` tells how the pipeline stands."""
    return f"{line}\n\nNo job of it failed, so there is nothing to explain."


def story(stories: Sequence[Story], mention: str) -> str:
    """Tell what failed in a draft's pipelines and what was done about it, the newest first and open."""
    if not stories:
        return ""
    *earlier, newest = stories
    shown = [_told_whole(newest, mention)]
    if earlier:
        lines = "\n\n".join(_told_whole(each, mention) for each in reversed(earlier))
        shown.append(f"*Before that:*\n\n{lines}")
    return "\n\n".join(shown)


def _told_whole(one: Story, mention: str) -> str:
    head = f"🔎 The [pipeline]({one.url}) of `{one.sha[:8]}` failed."
    parts = [head, explanation(one.told)]
    if one.change and one.is_offered:
        parts.append(f"I could change: {quoted(one.change)}. Write `{mention} repair` and I do.")
    elif one.change:
        parts.append(f"🔧 I changed: {quoted(one.change)} (`{one.new_sha[:8]}`), on the same draft.")
    if one.diff:
        parts.append(folded("The change", code_block(one.diff, "diff")))
    if one.reason:
        parts.append(f"I changed nothing: {one.reason}")
    return "\n\n".join(parts)


def _one(told: Told) -> str:
    name = f"{quoted(told.job)}: " if told.job else ""
    lines = [f"**{name}{told.title}.** {told.why}"]
    if told.words:
        lines.append(f"The language model thinks (a guess, not a finding): {closed(told.words)}")
    if told.advice:
        lines.append(told.advice)
    if told.excerpt:
        lines.append(folded("What the log says", code_block(told.excerpt)))
    return "\n\n".join(lines)
