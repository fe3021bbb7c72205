"""Which kind of trouble each test and rule tells of, and how bad trouble is: declared here and nowhere else."""

from __future__ import annotations

from toolkit.detector.report import Class
from toolkit.store.incidents import SEVERITIES, Kind, Severity
from toolkit.variables import STATION

# By the names of quality-control tests and of the rules of sensor health; all others see wrong data.
_MISSING = {"missing", "silent", "completeness"}
_SITING = {"indoors", "sunlit", "misplaced", "clock", "exchanged", "level", "correlation"}
# Rules of sensor health that judge a station as a whole, whichever of its sensors they name.
OF_STATIONS = {"clock", "misplaced", "completeness"}
# Rules of sensor health for which a few days are enough; the others take a week.
SOON = {"silent", "completeness", "missing", "stuck", "stalled"}
# What a sensor that measures wrongly shows as well: where it does, this is no trouble of its own.
FOLLOWING = {"level", "correlation"}

# Symptoms of a level that changed at once. Weather changes it too, but takes its time from one station to another.
JUMPS = {"step", "shared"}


def kind(symptom: str) -> Kind:
    """The kind of trouble that a test or a rule tells of."""
    if symptom in _MISSING:
        return "data_missing"
    return "siting" if symptom in _SITING else "data_wrong"


def severity_of_class(class_: Class, variable: str) -> Severity:
    """How bad an anomaly of a class is."""
    if class_ != "device_failure":
        return "info"
    return "critical" if variable == STATION else "warning"


def severity_of_health(state: str) -> Severity:
    """How bad a rule of sensor health that is broken is."""
    return "warning" if state == "critical" else "info"


def worse(one: Severity, other: Severity) -> Severity:
    """The worse of two."""
    return max(one, other, key=rank)


def rank(severity: str) -> int:
    """How bad a severity is, as a number; one that is none counts least."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1
