"""The bench of a model's turn runs: every order is answered, and the parts of its prompts add up."""

import re

from click.testing import CliRunner

from bench.turns import ORDERS, main


def test_the_overhead_of_turns_is_measured_and_prompts_are_shown_by_their_parts() -> None:
    ran = CliRunner().invoke(main, ["--times", "1"])
    assert ran.exit_code == 0, ran.output
    assert f"({sum(len(order.turns) for order in ORDERS)} turns)" in ran.output
    for order in ORDERS:
        row = re.search(rf"\| {order.name} \| (.*) \|", ran.output)
        assert row is not None
        turns, _all, largest, *parts = (int(cell) for cell in row[1].split(" | "))
        assert (turns, sum(parts)) == (len(order.turns), largest)
        assert largest <= 8192 - 1500
