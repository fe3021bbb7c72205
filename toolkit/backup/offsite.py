"""Copies of the folder of backups in a restic repository, encrypted, wherever restic can keep one."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from toolkit import times
from toolkit.address import shown, without_secrets
from toolkit.backup.folder import PACKED, PREFIX, SCRATCH, Folder, manifest_of
from toolkit.backup.pruning import Keep
from toolkit.errors import ToolkitError, UsageError
from toolkit.settings import Settings, read_file

PASSWORD = "restic_password"  # noqa: S105 - a credential's name
ENVIRONMENT = "restic_environment"
# What a check reads of the packed data each week: in so many weeks it has read all of it.
WEEKS = 4


@dataclass(frozen=True, slots=True)
class Offsite:
    """A repository.

    Attributes:
        repository: as restic names it, for people.
        environment: restic's, with the repository and where its password is.
    """

    repository: str
    environment: dict[str, str] = field(repr=False)

    def copy(self, folder: Folder, keep: Keep) -> None:
        """Bring the present backups there, and forget what is too old; the repository is made if there is none.

        Raises:
            ToolkitError: it did not work; what was there before is there still.
        """
        if (found := self._restic("cat", "config")).returncode:
            if "Is there a repository at the following location" not in found.stderr:
                raise self._failed(found)
            self._do("init")
        self._do("unlock")  # what a copy left that was killed; locks of those that run stay
        files = [path for one in folder.look()[0] for path in (one.path, manifest_of(one.path))]
        self._do("backup", "--quiet", "--host", platform.node(), *map(str, files))
        kept = [f"--keep-{name}={number}" for name, number in keep._asdict().items() if number]
        forget = ["forget", "--quiet", "--prune", "--host", platform.node(), "--group-by", "host", "--keep-last=1"]
        self._do(*forget, *kept)

    def check(self) -> None:
        """Look whether what is there is whole.

        Raises:
            ToolkitError: it is not, or cannot be reached.
        """
        part = times.now().isocalendar().week % WEEKS + 1
        self._do("check", "--quiet", f"--read-data-subset={part}/{WEEKS}")

    def fetch(self, folder: Folder, host: str) -> list[str]:
        """Bring a host's backups back into a folder, which is locked by the caller; those that are there stay.

        Returns:
            The names of those that came.

        Raises:
            ToolkitError: it did not work.
        """
        with TemporaryDirectory(prefix=SCRATCH, dir=folder.path) as scratch:
            self._do("restore", "latest", "--quiet", "--host", host, "--target", scratch)
            found = sorted(Path(scratch).rglob(f"{PREFIX}*{PACKED}"))
            came = [path for path in found if not (folder.path / path.name).exists()]
            for path in came:
                for part in (manifest_of(path), path):
                    shutil.move(part, folder.path / part.name)
        return [path.name for path in came]

    def _do(self, *words: str) -> None:
        done = self._restic(*words)
        if done.returncode:
            raise self._failed(done)

    def _restic(self, *words: str) -> subprocess.CompletedProcess[str]:
        # A cache would be a second place to keep whole; what is kept is a few large files.
        command = ["restic", "--no-cache", *words]
        try:
            return subprocess.run(  # noqa: S603
                command, env=self.environment, capture_output=True, text=True, errors="replace", check=False
            )
        except FileNotFoundError:
            raise ToolkitError("restic is not installed: apt-get install restic") from None

    def _failed(self, done: subprocess.CompletedProcess[str]) -> ToolkitError:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        said = lines[0] if lines else f"exit code {done.returncode}"
        return ToolkitError(f"off-site copy: restic {done.args[2]} of {self.repository}: {without_secrets(said)}")


def configured(settings: Settings) -> Offsite | None:
    """The repository that the settings name; None without one.

    Raises:
        UsageError: its password is not there.
    """
    if not settings.restic_repository:
        return None
    credentials = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/etc/weather/credentials"))
    password = credentials / PASSWORD
    place = shown(settings.restic_repository)
    if not os.access(password, os.R_OK):
        raise UsageError(f"there is an off-site repository, {place}, but no password for it in {password}")
    own = {name: origin.text for name, origin in read_file(credentials / ENVIRONMENT).items()}
    environment = {"RESTIC_REPOSITORY": settings.restic_repository, "RESTIC_PASSWORD_FILE": str(password), **own}
    return Offsite(place, {**os.environ, **environment})
