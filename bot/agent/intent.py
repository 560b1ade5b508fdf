"""Reads from a person's words what a model may be offered at all: nothing for small talk, no change for a question.

Small models call a tool for "hello" too, and a text they read may talk them into a change nobody asked for. What is
beyond doubt is decided here; whatever is not, the model decides.
"""

import re
from collections.abc import Mapping
from typing import Literal

from bot.agent.tool import Tool

Intent = Literal["talk", "question", "anything"]

_MOST_WORDS_OF_TALK = 8
_MENTION = re.compile(r"@[\w./-]+[:,]?")
_SYMBOLS = re.compile(r"[^\w\s'’?!.,:;()-]")
_TALK = re.compile(
    r"^(?:(?:hi|hey|hello|hallo|moin|servus|salut|bonjour|hola|ciao|olá|ola|hej|привет|你好|こんにちは|"
    r"good (?:morning|day|evening|afternoon|night)|guten (?:morgen|"
    r"tag|abend)|buenos días|thanks?(?: you)?|thx|ty|"
    r"danke(?: schön)?|merci|gracias|obrigad[oa]|спасибо|谢谢|ありがとう|cheers|"
    r"great(?: job| work)?|nice(?: job| work)?|"
    r"well done|good (?:job|bot|work)|cool|awesome|perfect|super|ok(?:ay)?|bye|goodbye|tschüss|"
    r"how are you(?: doing)?(?: today)?|how's it going|what's up|wie geht(?: e)?s(?: dir)?|ça va|who are you|"
    r"are you there|are you (?:a bot|human|alive)|very much|so much|a lot|vielen|again|there|all|everyone|bot|"
    r"pipewright|today|you|for (?:that|this|the help|your help))(?=$|\W)[\s,.!?…:;)(-]*)+$",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"^(?:(?:and|so|but|hi|hey|hello|hmm|sorry|please|und|also|et|y|e)\b[\s,]*)*"
    r"(?:why|what(?:'s)?|which|who|when|where|how (?:come|do|does|did|is|are|many|much|long|often)|is|are|was|"
    r"were|does|did|do (?:we|you|i)|has|have|warum|wieso|weshalb|was|"
    r"welche[rsnm]?|wer|wann|wo|wie (?:viele|lange|oft|ist|läuft)|"
    r"ist|sind|gibt|pourquoi|quel(?:le)?s?|qui|quand|où|comment|"
    r"est-ce|por qué|qué|cuál(?:es)?|quién|cuándo|dónde|cómo|"
    r"perché|quale|chi|quando|dove|почему|что|какой|какие|кто|когда|где|为什么|什么|なぜ|どうして)(?=\W|$)",
    re.IGNORECASE,
)
_WANTS_CHANGE = re.compile(
    r"\b(?:please|add|remove|delete|drop|change|set|use|run|make|"
    r"create|open|update|switch|replace|rename|fix|repair|"
    r"enable|disable|put|undo|revert|bitte|füge?|entferne|lösche|"
    r"ändere?|setze|nutze|ersetze|repariere|mache?|ajoute[rz]?|"
    r"supprime[rz]?|change[rz]?|utilise[rz]?|répare[rz]?|añade|agrega|"
    r"quita|elimina|cambia|usa|arregla|aggiungi|rimuovi|"
    r"cambia|usa)\b|добав|удал|измен|исправ|сделай|添加|删除|修改|修复|追加|削除|変更|修正",
    re.IGNORECASE,
)


def intent_of(words: str) -> Intent:
    """Return what the words leave open."""
    plain = " ".join(_SYMBOLS.sub(" ", _MENTION.sub(" ", words)).split())
    if not re.search(r"\w", plain):
        return "talk"
    if len(plain.split()) <= _MOST_WORDS_OF_TALK and _TALK.match(plain):
        return "talk"
    return "question" if _ASKS.match(plain) and not _WANTS_CHANGE.search(plain) else "anything"


def offered(tools: Mapping[str, Tool], words: str, *, may_change: bool = True) -> dict[str, Tool]:
    """Return what a model may be offered for these words: nothing for small talk, no change for a question."""
    intent = intent_of(words)
    if intent == "talk":
        return {}
    may_change = may_change and intent == "anything"
    return {name: tool for name, tool in tools.items() if may_change or not tool.has_effect}
