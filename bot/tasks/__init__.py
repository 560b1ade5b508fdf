"""The queue: takes events in durably, runs them one after another for each conversation, rescues lost ones.

procrastinate's own "jobs" stay hidden in here: elsewhere a job is a part of a CI pipeline.
"""

from bot.tasks.queue import Queue, queue_schema
from bot.tasks.work import Work

__all__ = ["Queue", "Work", "queue_schema"]
