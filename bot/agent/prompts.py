"""The words said to the model, for the rooms above."""

from bot.llm.prompts import default_prompts_dir, nudge, render_prompt

__all__ = ["default_prompts_dir", "nudge", "render_prompt"]
