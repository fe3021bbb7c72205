"""Backups of PostgreSQL databases."""
