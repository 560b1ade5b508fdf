"""Where the program begins: `pipewright`, or `python -m bot`."""

import signal


def main() -> None:
    """Load the commands and run one; Ctrl-C while they are loaded ends the program without a stack trace."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bot.cli import main as command

    signal.signal(signal.SIGINT, before)
    command(prog_name="pipewright")


if __name__ == "__main__":
    main()
