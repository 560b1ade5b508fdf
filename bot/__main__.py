"""`python -m bot` is the same as `pipewright`."""

from bot.cli import main

if __name__ == "__main__":
    main(prog_name="pipewright")
