"""What is said, and done, of a file system that fstab(5) has and that is not mounted."""

from __future__ import annotations

from pathlib import Path

from toolkit.checks.host.files import FSTAB, source_of
from toolkit.checks.host_as_deployed import since, state
from toolkit.checks.remedies import OfSystemd, OnMachine, Remedy, Sequence, Shell

DISKS = Path("/dev/disk")
_BY = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel"}


def unmounted(place: Path, *then: Remedy) -> tuple[str, Remedy]:
    """What is to be said besides of a file system that is not mounted, and what mends it; `then` is done after that.

    A disk that is not there cannot be mounted. The line that names one came later than the deployment if no disk was
    there then: what the service has is beneath.
    """
    source = source_of(place)
    kind, _, name = source.partition("=")
    disk = DISKS / _BY[kind] / name.strip('"') if kind in _BY else Path(source)
    if not disk.is_absolute() or not (kind in _BY or source.startswith("/dev/")) or disk.exists():
        return "", Sequence(OnMachine("mount {}", place), *then)
    if since() is None or any(Path(one) == place for one, *_ in state().get("mounts", ())):
        return f"; {source} is not there", Shell("lsblk -f")
    away = OnMachine("sed -i {} {}", rf"\|^[^#]*[[:space:]]{place}[[:space:]]|s/^/# /", FSTAB)
    return (
        f"; {source} is not there, and was not when the service was deployed",
        Sequence(away, OfSystemd("systemctl daemon-reload"), *then),
    )
