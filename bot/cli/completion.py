"""`completion`: what a shell needs in order to complete commands, options and their choices."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="print the script by which a shell completes these commands")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion_command(ctx: click.Context, *, shell: str) -> None:
    """Print a script for SHELL: bash 4.4 or newer, zsh or fish.

    \b
    bash  eval "$(pipewright completion bash)"                         in ~/.bashrc
    zsh   eval "$(pipewright completion zsh)"                          in ~/.zshrc, below `compinit`
    fish  pipewright completion fish > ~/.config/fish/completions/pipewright.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # click knows the three that may be chosen
    click.echo(kind(ctx.find_root().command, {}, "pipewright", "_PIPEWRIGHT_COMPLETE").source())
