"""Written when the package is built."""

__version__ = "0.0.1.dev383+g562bdc0d9"
