"""Where observations are kept."""

from toolkit.store.sqlite import Store, Stored, StoreError, open_for_reading, open_for_writing

__all__ = ["Store", "StoreError", "Stored", "open_for_reading", "open_for_writing"]
