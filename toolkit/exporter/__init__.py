"""Metrics for Prometheus: from the store, from the backups, and from the checks."""
