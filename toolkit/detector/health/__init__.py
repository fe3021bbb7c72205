"""The health of sensors over weeks, one kind of fault in each module."""
