"""Written when the package is built."""

__version__ = "0.0.1.dev385+g4419310c2"
