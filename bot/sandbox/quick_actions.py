"""Cuts quick actions out of a text the way GitLab does before it saves it (lib/gitlab/quick_actions/extractor.rb).

All command names count, whatever the target; lines in fences, quotes, HTML blocks and lists are left alone.
"""

import re

_NAMES = (
    "approve unapprove merge draft ready rebase target_branch submit_review request_changes assign_reviewer "
    "unassign_reviewer request_review close reopen title label unlabel relabel assign unassign reassign milestone "
    "remove_milestone todo done subscribe unsubscribe lock unlock due remove_due_date estimate remove_estimate spend "
    "spent confidential move clone copy_metadata react award create_merge_request promote duplicate board_move zoom "
    "weight clear_weight epic iteration health_status link relate unlink parent severity page timeline cc"
).split()
_COMMAND = re.compile(rf"^/(?P<name>{'|'.join(_NAMES)})(?:[ ](?P<argument>[^\n]*))?\s*$", re.IGNORECASE)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HTML_BLOCK = re.compile(r"^ {0,3}</?[A-Za-z][^>]*>?")


def extract(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text without its commands, and the commands as (name, argument)."""
    kept: list[str] = []
    commands: list[tuple[str, str]] = []
    fence = ""
    in_block = False
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark.group(1).startswith(fence) else fence
        elif mark:
            fence = mark.group(1)
        in_block = bool(line.strip()) and (in_block or _opens_block(line))
        found = None if fence or in_block else _COMMAND.match(line)
        if found:
            commands.append((found["name"].lower(), (found["argument"] or "").strip()))
            continue
        kept.append(line)
    return ("\n".join(kept).rstrip() if commands else text), commands


def _opens_block(line: str) -> bool:
    """A quote or an HTML block runs to the next blank line."""
    return line.lstrip(" ").startswith(">") or bool(_HTML_BLOCK.match(line))
