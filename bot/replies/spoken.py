"""The reply that a talk with the model ends in: its words where they hold, what is known where they don't."""

import re
from collections.abc import Sequence

from bot.masking import mask_secrets
from bot.replies.render import closed, folded, quoted
from bot.replies.texts import nothing_useful

_MOST_SAID = 10_000  # as much as a model is let say; what says more shall leave room for what stands below it
_MOST_KNOWN = 3_000
_GOOD = re.compile(
    r"\b(?:pass(?:ed|es|ing)|succe(?:eded|ss|ssful|ssfully)|green|erfolgreich|bestanden|grün|réussi[es]?|vert|éxito|"
    r"correctamente|verde|riuscit[ao])\b|успешн|成功",
    re.IGNORECASE,
)
_BAD = re.compile(
    r"\b(?:fail(?:ed|s|ing|ure)?|red|broken|did(?:n't| not) pass|not (?:pass|succe)\w*|fehlgeschlagen|gescheitert|rot|"
    r"échou[ée]+s?|échec|rouge|fall(?:ó|ado|ida)|rojo|fallit[ao])\b|не прош|провал|失败|失敗",
    re.IGNORECASE,
)
_WHY_STOPPED = {
    "going in circles": "it asked for the same thing again and again",
    "too many turns": "it did not come to an end",
    "too many tokens": "it used up its share of words",
    "out of time": "it took too long",
    "silent": "it said nothing",
    "babbling": "it did not keep to the form I need",
    "too long": "the conversation does not fit into its window",
    "stopped": "it was stopped",
}


def contradicts(words: str, fact: str) -> bool:
    """Tell whether a model says of a pipeline the opposite of what GitLab says."""
    if "failed ❌" in fact:
        return bool(_GOOD.search(words)) and not _BAD.search(words)
    return "passed ✅" in fact and bool(_BAD.search(words)) and not _GOOD.search(words)


def answer(words: str, facts: Sequence[str], *, is_cut: bool = False) -> str:
    """Return a model's words with the sentences of fact that code wrote below; words against a fact are left out."""
    if any(contradicts(words, fact) for fact in facts):
        return "\n\n".join(dict.fromkeys(facts))
    text = words.strip()
    shown = closed(text[:_MOST_SAID])
    if is_cut or len(text) > _MOST_SAID:
        shown += "\n\n… (cut)" if shown.endswith(("`", "~", ">")) else " … (cut)"
    return "\n\n".join([shown, *(fact for fact in dict.fromkeys(facts) if fact not in text)])


def without_answer(reason: str, facts: Sequence[str], known: str, mention: str) -> str:
    """Say honestly that the model came to no answer and why, and what is known all the same."""
    why = _WHY_STOPPED.get(reason, reason)
    if not facts and not known.strip():
        return f"{nothing_useful(mention)} (The reason: {why}.)"
    found = "\n\n".join(dict.fromkeys(facts)) or closed(mask_secrets(known).strip()[:_MOST_KNOWN])
    return f"The language model did not come to a useful answer ({why}), but this is what I found:\n\n{found}"


def model_trouble(advice: str, mention: str) -> str:
    """Say in one line that free conversation is not possible now, and why."""
    return f"The language model is not reachable right now ({advice}); the commands still work, see `{mention} help`."


def how_answered(*, model: str, turns: int, seconds: float, tokens: int, sources: Sequence[str]) -> str:
    """Return model, time and what was looked at, folded away."""
    plural = "" if turns == 1 else "s"
    line = f"{quoted(model)}, {turns} turn{plural}, {seconds:.1f} s, {tokens} tokens."
    looked = "\n".join(f"- {source}" for source in sources)
    return folded("How this was answered", f"{line}\n\n{looked}" if looked else line)


WAITING = "Other orders are before yours; I'm waiting for the language model."
THINKING = "I'm thinking about it."
_STAGES = {
    "generate_pipeline": "I'm reading the repository and composing the pipeline.",
    "commit_pipeline": "I'm opening the draft merge request.",
    "check_pipeline_status": "I'm looking at the pipeline.",
    "edit_pipeline": "I'm changing the draft.",
    "undo": "I'm taking the last change back.",
    "explain_failure": "I'm reading the log of the failed job.",
    "read_file": "I'm reading a file.",
    "list_files": "I'm looking through the files.",
    "search_templates": "I'm looking through the templates.",
}


def stage(tool: str) -> str:
    """Say what is being done while a tool works."""
    return _STAGES.get(tool, THINKING)


def source(tool: str, arguments: dict[str, object]) -> str:
    """Name what a call looked at; nothing for calls that look at nothing people can open."""
    match tool:
        case "read_file":
            return f"read {quoted(str(arguments.get('path', '')))}"
        case "list_files":
            return f"listed {quoted(str(arguments.get('folder') or '/'))}"
        case "search_templates":
            return f"searched the templates for {quoted(str(arguments.get('query', '')))}"
        case "check_pipeline_status":
            return f"asked GitLab for the pipeline of {quoted(str(arguments.get('branch') or 'the default branch'))}"
        case "explain_failure":
            return "read the log of the failed job"
        case "generate_pipeline":
            return "surveyed the repository"
        case _:
            return ""
