"""Other CI systems as evidence: what a repository already runs, with which versions and services."""
