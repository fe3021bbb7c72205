"""Detection runs whose tiles a Dask cluster judges: scheduler and workers as services, and the client.

See docs/distributed.md. Only what is called loads `distributed`: it takes a second.
"""
