"""Answers free words through the model's tool loop."""

from bot.agent.loop import Answer, Limits, run_agent
from bot.agent.prompts import render_prompt
from bot.domain import AccessLevel, ChatMessage, UnreachableError
from bot.handlers import memory, orders
from bot.handlers.reply import Reply
from bot.proposals.order import Order
from bot.proposals.rights import require
from bot.replies import texts
from bot.services import Services
from bot.tools.project_tools import ProjectTools

HISTORY = 12


def answer(services: Services, order: Order, words: str, reply: Reply) -> str:
    """Let the model answer; with no model reachable say so in one line."""
    require(services.gitlab, order.project.id, order.person, AccessLevel.REPORTER, "talk with me about this project")
    history = memory.history(services, order, HISTORY)
    if not services.model.is_up():
        _say_without_model(services, order, texts.model_down(services.mention), reply)
        return "model down"
    reply.show(texts.working("I'm thinking about it."))
    tools = ProjectTools(services, order, words)
    try:
        said = _ask(services, order, words, history, tools)
    except UnreachableError as error:
        if error.part != "Ollama":
            raise
        said = Answer(text=texts.model_down(services.mention), turns=0, stopped_by="model down")
    _show(services, order, tools, said, reply)
    return said.stopped_by or "answered"


def _ask(services: Services, order: Order, words: str, history: list[ChatMessage], tools: ProjectTools) -> Answer:
    system = render_prompt(
        services.prompts_dir,
        "system.md.j2",
        project_path=order.project.path,
        repo_url=order.project.web_url,
        mention=services.mention,
    )
    conversation = [ChatMessage(role="system", content=system), *history, ChatMessage(role="user", content=words)]
    return run_agent(
        services.model,
        conversation,
        tools.all(),
        Limits(),
        lambda message: memory.keep(services, order, message),
    )


def _show(services: Services, order: Order, tools: ProjectTools, said: Answer, reply: Reply) -> None:
    """The proposal's own words come from code; the model's words stand above them."""
    text = said.text or texts.nothing_useful(services.mention)
    if tools.opened is not None:
        orders.show_proposal(services, order, tools.opened, reply, above=text)
    elif said.turns and said.text:
        reply.show(text)
    else:
        _say_without_model(services, order, text, reply)


def _say_without_model(services: Services, order: Order, text: str, reply: Reply) -> None:
    reply.show(text)
    memory.keep(services, order, ChatMessage(role="assistant", content=text))
