"""Cuts quick actions out of a text the way GitLab does before it saves it (lib/gitlab/quick_actions/extractor.rb).

All command names count, whatever the target; lines in fences, quotes and HTML blocks are left alone. Lists are
not: older extractors look into them.
"""

import re

_NAMES = (
    "approve unapprove merge draft ready rebase target_branch submit_review request_changes assign_reviewer "
    "unassign_reviewer reassign_reviewer request_review close reopen title label unlabel relabel remove_label assign "
    "unassign reassign milestone remove_milestone todo done subscribe unsubscribe lock unlock due remove_due_date "
    "estimate remove_estimate spend spent spend_time time_estimate remove_time_spent confidential move clone "
    "copy_metadata react award create_merge_request promote promote_to promote_to_incident duplicate board_move zoom "
    "remove_zoom weight clear_weight epic remove_epic iteration remove_iteration health_status clear_health_status "
    "link relate unlink blocks blocked_by parent set_parent remove_parent add_child remove_child type tag publish "
    "severity page timeline add_contacts remove_contacts add_email remove_email convert_to_ticket cc"
).split()
_SUBSTITUTES = {"shrug": r"¯\＿(ツ)＿/¯", "tableflip": "(╯°□°)╯︵ ┻━┻"}
_COMMAND = re.compile(rf"^/(?P<name>{'|'.join(_NAMES)})(?:[ ](?P<argument>[^\n]*))?\s*$", re.IGNORECASE)
_SUBSTITUTION = re.compile(rf"^/(?P<name>{'|'.join(_SUBSTITUTES)})(?:[ ](?P<before>[^\n]*))?\s*$", re.IGNORECASE)
_FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
# CommonMark: these tags begin a block, any other only where it stands alone on the first line of a paragraph.
_BLOCK_TAG = re.compile(
    r"^ {0,3}</?(?:address|article|aside|blockquote|body|center|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|"
    r"figure|footer|form|h[1-6]|header|hr|html|iframe|legend|li|link|main|menu|nav|ol|optgroup|option|p|param|pre|"
    r"script|section|style|summary|table|tbody|td|textarea|tfoot|th|thead|title|tr|track|ul)(?:\s|/?>|$)",
    re.IGNORECASE,
)
_LONE_TAG = re.compile(r"^ {0,3}</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>\s*$")


def extract(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text without its commands, and the commands as (name, argument)."""
    kept: list[str] = []
    commands: list[tuple[str, str]] = []
    fence, in_block, is_first = "", False, True
    for line in text.split("\n"):
        inside = bool(fence)
        fence = _fence_after(fence, line)
        inside = inside or bool(fence)
        in_block = not inside and bool(line.strip()) and (in_block or _opens_block(line, is_first=is_first))
        is_first = inside or not line.strip()
        found = None if inside or in_block else _COMMAND.match(line)
        if found:
            commands.append((found["name"].lower(), (found["argument"] or "").strip()))
            continue
        kept.append(line if inside or in_block else _substituted(line))
    return ("\n".join(kept).rstrip() if commands else "\n".join(kept)), commands


def _fence_after(fence: str, line: str) -> str:
    """Return the mark of the fence that is open after a line, or nothing."""
    mark = _FENCE.match(line)
    if not fence:
        return mark["mark"] if mark else ""
    closes = mark is not None and mark["mark"].startswith(fence) and not mark["info"].strip()
    return "" if closes else fence


def _opens_block(line: str, *, is_first: bool) -> bool:
    """A quote or an HTML block runs to the next blank line."""
    opens = line.lstrip(" ").startswith(">") or bool(_BLOCK_TAG.match(line))
    return opens or (is_first and bool(_LONE_TAG.match(line)))


def _substituted(line: str) -> str:
    found = _SUBSTITUTION.match(line)
    return f"{found['before'] or ''} {_SUBSTITUTES[found['name'].lower()]}".strip() if found else line
