"""The nouns of the bot, frozen and without any I/O: read this first.

GitLab's words win: a *pipeline* is one run, a *job* is a part of it, a *note* is a comment, a *noteable* is
what a note hangs on, an *award emoji* is a reaction. `iid` counts inside a project, `id` on the instance.
"""

from bot.domain.chat import ChatMessage, ModelTurn, ToolCall, ToolSpec
from bot.domain.events import (
    FINAL_PIPELINE_STATUSES,
    Chat,
    ChatAct,
    Decision,
    Event,
    Mention,
    MergeRequestAction,
    MergeRequestChanged,
    PipelineChanged,
    Reaction,
)
from bot.domain.outcomes import CannotError, LostError, SkipError, ToolError, UnreachableError
from bot.domain.places import AccessLevel, Noteable, NoteableKind, Person, ProjectRef
from bot.domain.repository import Carried, Evidence, Fact, Snapshot, Survey, Unit
from bot.domain.work import (
    Composition,
    Conventions,
    Finding,
    Included,
    JobRow,
    ProposalStatus,
    Risk,
    RiskKind,
    Rung,
    RungName,
    Runner,
    SafeText,
    Scorecard,
    Source,
    Surroundings,
    Wishes,
)

__all__ = [
    "FINAL_PIPELINE_STATUSES",
    "AccessLevel",
    "CannotError",
    "Carried",
    "Chat",
    "ChatAct",
    "ChatMessage",
    "Composition",
    "Conventions",
    "Decision",
    "Event",
    "Evidence",
    "Fact",
    "Finding",
    "Included",
    "JobRow",
    "LostError",
    "Mention",
    "MergeRequestAction",
    "MergeRequestChanged",
    "ModelTurn",
    "Noteable",
    "NoteableKind",
    "Person",
    "PipelineChanged",
    "ProjectRef",
    "ProposalStatus",
    "Reaction",
    "Risk",
    "RiskKind",
    "Rung",
    "RungName",
    "Runner",
    "SafeText",
    "Scorecard",
    "SkipError",
    "Snapshot",
    "Source",
    "Surroundings",
    "Survey",
    "ToolCall",
    "ToolError",
    "ToolSpec",
    "Unit",
    "UnreachableError",
    "Wishes",
]
