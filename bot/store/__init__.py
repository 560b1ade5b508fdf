"""Remembers everything in PostgreSQL: one function per query, plain SQL."""
