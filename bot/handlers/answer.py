"""Answers free words through the model's tool loop."""

from bot.agent.loop import Answer, Limits, run_agent
from bot.agent.prompts import render_prompt
from bot.domain import AccessLevel, ChatMessage, UnreachableError
from bot.handlers import orders
from bot.handlers.reply import Reply
from bot.proposals.order import Order
from bot.proposals.rights import require
from bot.replies import texts
from bot.services import Services
from bot.store import messages
from bot.tools.project_tools import ProjectTools, stored_calls

HISTORY = 12


def answer(services: Services, order: Order, words: str, reply: Reply) -> str:
    """Let the model answer; with no model reachable say so in one line."""
    require(services.gitlab, order.project.id, order.person, AccessLevel.REPORTER, "talk with me about this project")
    history = _history(services, order)
    _keep(services, order, ChatMessage(role="user", content=words), author=order.person.username)
    if not services.model.is_up():
        reply.show(texts.model_down(services.mention))
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
        lambda message: _keep(services, order, message, author=None),
    )


def _show(services: Services, order: Order, tools: ProjectTools, said: Answer, reply: Reply) -> None:
    """The proposal's own words come from code; the model's words stand above them."""
    text = said.text or texts.nothing_useful(services.mention)
    if tools.opened is None:
        reply.show(text)
        return
    orders.show_proposal(services, order, tools.opened, reply, above=text)


def _history(services: Services, order: Order) -> list[ChatMessage]:
    with services.pool.connection() as connection:
        rows = messages.recent_chat(connection, order.conversation_id, HISTORY)
    return [ChatMessage(role=row.role, content=row.content) for row in rows if row.role != "tool" and row.content]


def _keep(services: Services, order: Order, message: ChatMessage, *, author: str | None) -> None:
    with services.pool.connection() as connection:
        messages.add(
            connection,
            conversation_id=order.conversation_id,
            order_id=order.id,
            role=message.role,
            content=message.content,
            tool_calls=stored_calls(message.tool_calls),
            tool_name=message.tool_name,
            author=author,
        )
