"""Groups of checks whose failures explain those of others, by id; the causes come before what they cause."""

from __future__ import annotations

# The release and its packages.
RELEASE = (
    "release-current", "release-complete", "python-runs", "packages-alone", "packages-complete", "packages-whole",
)  # fmt: skip
# What systemd runs, as it was deployed.
UNIT = ("units-present", "units-genuine", "units-as-deployed", "units-start", "units-hardened")
SETTINGS = ("settings-readable", "settings-valid")
# Whatever names another feed, or hides which one is meant.
FEED_SETTINGS = (
    "settings-known", "settings-valid", "settings-once", "settings-of-units", "settings-same", "packages-complete",
    "files-alone",
)  # fmt: skip
CLOCK = ("clock-right", "clock-after-release")

# Where the database, the backups and the reports are.
DISK = ("disk-data-writable", "disk-data-space", "disk-data-inodes", "data-folder")
BACKUP_DISK = ("backup-lasting", "disk-backups-writable", "disk-backups-space", "disk-backups-inodes", "backup-folder")

# The database's file, and whether it can be used.
DATABASE = (
    "database-exists", "database-owner", "database-mode", "database-kind", "database-schema", "database-shape",
    "database-sound",
)  # fmt: skip
STORE = (*DATABASE, "database-unlocked", "database-server", "database-readable", "spool-empty")

# A job that cannot begin, or cannot work, whatever it does.
JOB = (
    *RELEASE, "system-places", *UNIT, "database-named", "units-may-write", "cron-table", "places-open", "places-plain",
    "places-owned", "settings-valid", "settings-readable", "service-user", *DISK,
)  # fmt: skip
COLLECTOR = (
    "collector-alone", "cron-table", "cron-runs", "collector-enabled", "collector-running", "collector-responds",
)  # fmt: skip
FEED = (
    "feed-way", "feed-name", "feed-connects", "feed-trusted", "feed-in-time", "feed-answers", "feed-readable",
    "feed-current", "feed-passed-on",
)  # fmt: skip

# Whatever can keep observations out of the database, or spoil them.
OBSERVATIONS = (*DISK, *STORE, *RELEASE, *UNIT, "places-plain", *COLLECTOR, *SETTINGS, *FEED, *CLOCK)

# What fails where units cannot be started, or cannot work.
OF_UNITS = frozenset((
    "units-start", "units-loaded", "units-alone", "collector-running", "collector-responds", "collector-memory",
    "jobs-end", "jobs-succeed", "detector-succeeds", "maintenance-succeeds", "processes-unlimited",
    "processes-current", "cron-begins", "observations-fresh", "collection-succeeds", "detection-recent",
    "stations-reporting", "sources-told", "sources-fresh", "inbox-empty", "spool-empty", "feed-passed-on",
    "backup-succeeds", "backup-recent", "drill-well", "drill-recent", "people-told", "people-named",
    "exporter-running", "exporter-answers", "api-running", "api-answers",
))  # fmt: skip
