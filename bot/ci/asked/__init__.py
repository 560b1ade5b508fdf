"""Changes as people ask for them and small models can write them down: flat operations, and the edits they become."""

from bot.ci.asked.apply import Outcome, apply_operations
from bot.ci.asked.operation import DOCKER, NAMES, WHEN, Operation, read_operations

__all__ = ["DOCKER", "NAMES", "WHEN", "Operation", "Outcome", "apply_operations", "read_operations"]
