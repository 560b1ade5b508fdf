"""Reads why a job failed: the failing region of its log, the class of the failure, and the edit that mends it.

Thinks only: a log comes in as bytes, a `Diagnosis` and typed edits of the pipeline go out. What is recognised stands in
`catalogue.yml`, which package brings what in `packages.yml`.
"""
