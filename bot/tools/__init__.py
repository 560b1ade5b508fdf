"""The functions the model may call, bound to one project and one person."""
