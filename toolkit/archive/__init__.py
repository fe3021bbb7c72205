"""Observations in files: recordings, exports, and the database of the system before this one."""
