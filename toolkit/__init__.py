"""Collect weather observations, find anomalies, and tell a broken sensor from real weather."""

__version__ = "1.11.0"
"""Of the program and of everything that is built from this tree; CHANGELOG.md has a section for it."""
