"""Detection runs that a Dask cluster takes part in: scheduler and workers as services, and the client.

See docs/distributed.md. Only what is called loads `distributed`: it takes a second.
"""
