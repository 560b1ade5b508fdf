"""The only room that speaks GitLab: reads its webhooks, makes its calls."""
