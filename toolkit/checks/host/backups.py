"""The backups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.checks.host.facts import Facts, fact

if TYPE_CHECKING:
    from toolkit.backup.drill_record import Drill
    from toolkit.backup.folder import Backup, Damaged


class Backups(Facts):
    """The folder of backups, and the record of the last drill."""

    @fact
    def backups(self) -> tuple[list[Backup], list[Damaged]]:
        """The backups, the newest first, and the files that only have the name of one.

        Raises:
            ToolkitError: the folder cannot be read.
        """
        from toolkit.backup.folder import Folder

        return Folder(self.settings.backups).look()

    @fact
    def drill(self) -> Drill | None:
        """The last drill; None where there was none.

        Raises:
            ToolkitError: its record cannot be read.
        """
        from toolkit.backup.drill_record import last

        return last(Path(self.settings.backups))
