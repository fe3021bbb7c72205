"""Backups of SQLite databases."""
