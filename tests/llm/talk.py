"""What is said to models in these tests, and what they may call."""

from bot.domain import ChatMessage, ToolCall, ToolSpec


def tool(name: str, description: str, *arguments: str) -> ToolSpec:
    properties = {argument: {"type": "string", "description": f"the {argument}"} for argument in arguments}
    schema: dict[str, object] = {"type": "object", "properties": properties, "required": list(arguments)}
    return ToolSpec(name=name, description=description, parameters=schema)


URL = "https://gitlab.example.test/g/p"
GENERATE = tool("generate_pipeline", "Compose a pipeline.", "repo_url")
STATUS = tool("check_pipeline_status", "Say how a pipeline stands.", "repo_url", "branch")
TOOLS = (GENERATE, STATUS)

SYSTEM = ChatMessage(role="system", content="You are Pipewright.")
HELLO = ChatMessage(role="user", content="Hello!")
ASKED = ChatMessage(
    role="assistant", content="", tool_calls=(ToolCall(name="generate_pipeline", arguments={"repo_url": URL}),)
)
TOLD = ChatMessage(role="tool", content="Composed .gitlab-ci.yml.", tool_name="generate_pipeline")
