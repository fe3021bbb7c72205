"""Backups that are known to restore: each is verified when it is made, and says in a manifest what it holds."""
