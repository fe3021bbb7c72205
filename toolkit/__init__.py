"""Collect weather observations, find anomalies, and tell a broken sensor from real weather."""

try:
    from toolkit._version import __version__
except ImportError:  # sources that were never built
    __version__ = "0.0.0"

__all__ = ["__version__"]
