"""Python projects: how they are installed, tested, linted and started."""
