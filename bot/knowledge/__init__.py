"""Finds templates and past pipelines by what they do; the only room that speaks Chroma."""
