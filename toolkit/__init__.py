"""Collect weather observations, find anomalies, and tell a broken sensor from real weather."""

__version__ = "0.1.0"
