"""How Dask is set up in every process of a cluster, before it is loaded."""

from __future__ import annotations

import logging
import os

# A member that says nothing for so many seconds is given up.
SILENT_SECONDS = 60
CONNECT_SECONDS = 10
# A tile is given up by the cluster after this many workers died of it and one more.
ALLOWED_FAILURES = 2

# Nothing is served over HTTP, nothing is profiled, and no more tiles wait at a worker than it has threads.
CONFIG = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
    "distributed.scheduler.worker-ttl": f"{SILENT_SECONDS}s",
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.profile.enabled": False,
    # Dask also has MALLOC_TRIM_THRESHOLD_ here. Whatever its value, the GNU C library then does not learn which sizes
    # to reuse (mallopt(3)): memory for each array is asked of the system anew, which takes more than twice the time.
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1
    ),
    "distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s",
    "distributed.comm.timeouts.tcp": f"{SILENT_SECONDS}s",
    "distributed.admin.large-graph-warning-threshold": "1GiB",
    "distributed.diagnostics.nvml": False,
}


def settle(level: int = logging.CRITICAL) -> None:
    """Set Dask up in this process and those that it starts.

    Args:
        level: what of Dask's own log is shown. What an operator has to know is logged by us.
    """
    os.environ["DASK_DISTRIBUTED__LOGGING__DISTRIBUTED"] = "warning"
    import dask
    import distributed  # noqa: F401 - it sets levels when it is loaded

    dask.config.set(CONFIG)
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(level)
