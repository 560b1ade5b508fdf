"""The tool that explains a failed pipeline to the model, which may put it into the person's words."""

from bot.agent.tool import Tool
from bot.domain import AccessLevel, CannotError, ToolError, ToolSpec
from bot.proposals.explain import explained_text
from bot.proposals.order import Order
from bot.proposals.rights import require
from bot.services import Services

EXPLAIN = ToolSpec(
    name="explain_failure",
    description="Say why a pipeline failed: the cause, the lines of the log, and what would mend it. Changes nothing.",
    parameters={
        "type": "object",
        "properties": {
            "branch": {
                "type": "string",
                "description": "branch, number of the pipeline, or name of the job; empty for this conversation's",
            }
        },
        "required": ["branch"],
    },
)


def explaining_tool(services: Services, order: Order) -> Tool:
    """Return the tool, bound to one order's project and person."""

    def explain(arguments: dict[str, object]) -> str:
        try:
            require(services, order, AccessLevel.REPORTER, "have a pipeline explained")
            return explained_text(services, order, str(arguments.get("branch", "")))
        except CannotError as cannot:
            raise ToolError(str(cannot)) from cannot

    return Tool(spec=EXPLAIN, call=explain, defaults={"branch": ""})
