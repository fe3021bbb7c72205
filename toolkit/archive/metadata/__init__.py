"""Metadata of stations from files: which forms are read, and what of them is declared in the store."""
