"""What mends a finding, as a value. Each target prints it as its own commands: see `toolkit/checks/targets.py`.

What is printed is safe for root to run as it stands. Names come from settings and from folders that the service
account can write, so every argument of a command is quoted. Root follows no link there: it changes the owner of a name,
not of what the name points at, and what the owner may do is done as the owner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.checks.quoting import Argument, quoted, quoted_argument
from toolkit.checks.runs_as import As

if TYPE_CHECKING:
    from toolkit.checks.targets import Target


class Remedy:
    """A command, or several; `comment` is printed behind them as a shell's comment."""

    @property
    def steps(self) -> tuple[Remedy, ...]:
        """The remedies that it consists of."""
        return (self,)

    def does(self, other: Remedy) -> bool:
        """Whether its steps do what another does."""
        return all(any(step.includes(one) for step in self.steps) for one in other.steps)

    def includes(self, other: Remedy) -> bool:
        """Whether this one step does what another does."""
        return self == other

    def commands(self, target: Target) -> list[str]:
        """Its commands on a target, one after the other; none where the target has nothing of the kind."""
        raise NotImplementedError

    def comment(self, _target: Target) -> str:
        """What a person has to know besides; empty for nothing."""
        return ""

    def render(self, target: Target) -> str:
        """The line that a person runs on a target; empty where the target has nothing of the kind."""
        command, comment = self.line(target), self.comment(target)
        return f"{command}  # {comment}" if command and comment else command

    def line(self, target: Target) -> str:
        """The same without the comment."""
        return target.joined(self.commands(target))


@dataclass(frozen=True, slots=True)
class Start(Remedy):
    """Start a service, or run a scheduled job now."""

    job: str

    def includes(self, other: Remedy) -> bool:
        return other in {self, Restart(self.job)}  # what is down has only to be started

    def commands(self, target: Target) -> list[str]:
        return target.start(self.job)


@dataclass(frozen=True, slots=True)
class Stop(Remedy):
    """Stop a service."""

    job: str

    def commands(self, target: Target) -> list[str]:
        return target.stop(self.job)


@dataclass(frozen=True, init=False, slots=True)
class Restart(Remedy):
    """Restart services."""

    jobs: tuple[str, ...]

    def __init__(self, *jobs: str) -> None:
        object.__setattr__(self, "jobs", jobs)

    def includes(self, other: Remedy) -> bool:
        return isinstance(other, Restart) and set(other.jobs) <= set(self.jobs)

    def commands(self, target: Target) -> list[str]:
        return target.restart(self.jobs)


@dataclass(frozen=True, slots=True)
class Enable(Remedy):
    """Start a unit, now and with the host: a service's, or a job's timer."""

    job: str
    timer: bool = False

    def commands(self, target: Target) -> list[str]:
        return target.of_systemd(f"systemctl enable --now weather-{self.job}.{'timer' if self.timer else 'service'}")


@dataclass(frozen=True, slots=True)
class ServiceStatus(Remedy):
    """Show how a service stands."""

    job: str

    def commands(self, target: Target) -> list[str]:
        return target.status(self.job)


@dataclass(frozen=True, slots=True)
class Logs(Remedy):
    """Show the last lines that a job has logged."""

    job: str
    lines: int | None = 20

    def commands(self, target: Target) -> list[str]:
        return target.logs(self.job, self.lines)


@dataclass(frozen=True, slots=True)
class AllServices(Remedy):
    """Show how every job stands."""

    def commands(self, target: Target) -> list[str]:
        return target.all_services()


@dataclass(frozen=True, slots=True)
class AllTimers(Remedy):
    """Show when every job is run."""

    def commands(self, target: Target) -> list[str]:
        return target.all_timers()


@dataclass(frozen=True, init=False, slots=True)
class Shell(Remedy):
    """A command of the shell. Each `{}` of the template stands for an argument, or for several, which are quoted."""

    text: str
    note: str
    runs_as: As = As.ANYBODY

    def __init__(self, template: str, *arguments: Argument, note: str = "", runs_as: As = As.ANYBODY) -> None:
        object.__setattr__(self, "text", template.format(*map(quoted_argument, arguments)))
        object.__setattr__(self, "note", note)
        object.__setattr__(self, "runs_as", runs_as)

    def commands(self, target: Target) -> list[str]:
        return target.shell(self.text, self.runs_as)

    def comment(self, _target: Target) -> str:
        return self.note


def AsRoot(template: str, *arguments: Argument) -> Shell:  # noqa: N802 - it makes a value
    """A command that needs root in a container as well."""
    return Shell(template, *arguments, runs_as=As.ROOT)


def AsUser(template: str, *arguments: Argument) -> Shell:  # noqa: N802
    """A command that is run as the service user."""
    return Shell(template, *arguments, runs_as=As.SERVICE)


def OnMachine(template: str, *arguments: Argument, note: str = "") -> Shell:  # noqa: N802
    """A command for the machine itself, also where the service is in a container on it."""
    return Shell(template, *arguments, note=note, runs_as=As.MACHINE)


@dataclass(frozen=True, init=False, slots=True)
class OfSystemd(Remedy):
    """A command about units or their files, which no other target has."""

    text: str
    note: str

    def __init__(self, template: str, *arguments: Argument, note: str = "") -> None:
        object.__setattr__(self, "text", template.format(*map(quoted_argument, arguments)))
        object.__setattr__(self, "note", note)

    def commands(self, target: Target) -> list[str]:
        return target.of_systemd(self.text)

    def comment(self, _target: Target) -> str:
        return self.note


@dataclass(frozen=True, slots=True)
class Tool(Remedy):
    """A command of weather-tool, by its arguments."""

    arguments: str
    note: str = ""

    def commands(self, target: Target) -> list[str]:
        return target.shell(f"weather-tool {self.arguments}", As.ANYBODY)

    def comment(self, _target: Target) -> str:
        return self.note


@dataclass(frozen=True, slots=True)
class Restore(Remedy):
    """Restore a backup. On a host weather-tool stops the collector meanwhile; elsewhere the commands have to."""

    backup: str = "LATEST"

    def commands(self, target: Target) -> list[str]:
        return target.restore(f"weather-tool restore {quoted(self.backup)}")


@dataclass(frozen=True, slots=True)
class EditSettings(Remedy):
    """Change the settings file by a script of sed."""

    script: str
    file: Path

    def commands(self, target: Target) -> list[str]:
        return target.edit_settings(self.script, self.file)


@dataclass(frozen=True, slots=True)
class OnController(Remedy):
    """Deploy again, from the controller; `once` says what is to be so before."""

    once: str = ""

    def commands(self, target: Target) -> list[str]:
        return [f"ansible-playbook {target.playbook}"]

    def comment(self, _target: Target) -> str:
        return f"on the controller, once {self.once}" if self.once else "on the controller"


@dataclass(frozen=True, init=False, slots=True)
class Sequence(Remedy):
    """Remedies, each run if the one before it succeeded. A target without one of them has none of them."""

    remedies: tuple[Remedy, ...]
    note: str

    def __init__(self, *remedies: Remedy, note: str = "") -> None:
        object.__setattr__(self, "remedies", remedies)
        object.__setattr__(self, "note", note)

    @property
    def steps(self) -> tuple[Remedy, ...]:
        return tuple(step for one in self.remedies for step in one.steps)

    def commands(self, target: Target) -> list[str]:
        parts = [one.commands(target) for one in self.remedies]
        return [command for part in parts for command in part] if all(parts) else []

    def comment(self, target: Target) -> str:
        return self.note or next(filter(None, (one.comment(target) for one in self.remedies)), "")


@dataclass(frozen=True, slots=True)
class Also(Remedy):
    """A remedy, and others that are run whatever becomes of it and of one another."""

    first: Remedy
    others: tuple[Remedy, ...]

    @property
    def steps(self) -> tuple[Remedy, ...]:
        return tuple(step for one in (self.first, *self.others) for step in one.steps)

    def commands(self, target: Target) -> list[str]:
        return [self.line(target)]

    def line(self, target: Target) -> str:
        return "; ".join(one.line(target) for one in (self.first, *self.others))


@dataclass(frozen=True, slots=True)
class Then(Remedy):
    """A command, and one that a person runs later: it is printed in the comment, in the place of `{}` in `words`."""

    first: Remedy
    words: str
    later: Remedy

    def commands(self, target: Target) -> list[str]:
        return self.first.commands(target)

    def comment(self, target: Target) -> str:
        return self.words.format(self.later.line(target))


# What several checks need


def put_aside(file: Path, run: Callable[..., Remedy] = Shell) -> Remedy:
    """Move a file to root's folder, where it has no effect any more; `run` is what runs the command."""
    return run("mv -- {} {}", file, f"/root/{file.name}.weather")


def give(path: Path, mode: int) -> Remedy:
    """Make a file or folder the service user's."""
    return Sequence(AsRoot("chown -h weather:weather {}", path), AsUser("chmod {} {}", f"{mode:04o}", path))


def root_owns(path: Path, mode: int, group: str = "root", *, made: bool = False) -> Remedy:
    """Make a file or folder root's that is in a folder of root's. No link is followed: it is moved away.

    Args:
        path: what is root's.
        mode: its mode.
        group: its group.
        made: whether a command before this one makes it, in the place of whatever is there now.
    """
    if path.is_symlink() and not made:
        return Sequence(put_aside(path), note="then site.yml again")
    return Sequence(AsRoot(f"chown -h root:{group} {{}}", path), Shell("chmod {} {}", f"{mode:04o}", path))


def allow(change: str, path: Path, run: Callable[..., Remedy] = Shell) -> Remedy:
    """Change the mode of a file or folder, as root: the one command of chmod that names what others may have put there.

    It would follow a link. One that stands for a file is moved away; that of a folder is named by where it leads.

    Args:
        change: as chmod has it.
        path: of what.
        run: what runs the command.
    """
    if path.is_symlink() and not path.is_dir():
        return Sequence(put_aside(path, run), note="then site.yml again")
    return run("chmod {} {}", change, path.resolve() if path.is_symlink() else path)


def give_all(path: Path, mode: int) -> Remedy:
    """The same, with everything in it."""
    return Sequence(owned([path]), AsUser("chmod {} {}", f"{mode:04o}", path))


def owned(places: list[Path]) -> Remedy:
    """Make folders the service user's, with what is in them. What has another name elsewhere stays whose it is."""
    whose = "! -user weather '(' -type d -o -links 1 ')'"
    return AsRoot(f"find {{}} -xdev {whose} -execdir chown -h weather:weather '{{{{}}}}' +", places)


def ended(unit: str, *pids: int) -> Remedy:
    """End processes, or the unit that they belong to, which would begin them anew."""
    return OnMachine("systemctl disable --now {}", unit) if unit else OnMachine("kill {}", map(str, pids))


def make(folder: Path, mode: int, *, above_is_ours: bool) -> Remedy:
    """Make a folder of the service user's; root does it only where the folder above is not the service user's."""
    if above_is_ours:
        return AsUser("mkdir -m {} {}", f"{mode:04o}", folder)
    return AsRoot("install -d -o weather -g weather -m {} {}", f"{mode:04o}", folder)


def python(program: Path | str, code: str) -> Remedy:
    """Run a line of Python as the service user."""
    return AsUser("{} -I -c {}", program, code)
