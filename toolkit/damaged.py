"""What is said where Python's library, or a package, is so damaged that a command cannot begin.

The doctor and the health check say it in their own form. What does so needs next to nothing of the library.
"""

from __future__ import annotations

import sys

SCHEMA = "weather-toolkit/doctor/1"
CHECK, AREA = "python-runs", "Python environment"
_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
# Python with its standard library, as Debian packages it.
PYTHON_AGAIN = (
    f"apt-get install --reinstall python{_VERSION}-minimal libpython{_VERSION}-minimal libpython{_VERSION}-stdlib"
)
# The package of a library of the system's, by the name of its file.
_LIBRARY = "cannot open shared object file"
RELEASE_AGAIN = "ansible-playbook site.yml  # on the controller"


def report(error: ImportError | SyntaxError) -> int:
    """Say what cannot be imported, as the command that was called does; returns its exit code."""
    words = sys.argv[1:]
    name = (error.name if isinstance(error, ImportError) else error.filename) or "a module"
    said = f"{name} cannot be imported: {type(error).__name__}: {error}"
    remedy = library_again(str(error)) or (PYTHON_AGAIN if _is_pythons(name) else RELEASE_AGAIN)
    if "healthcheck" in words[:1]:
        print(f"WEATHER CRITICAL - {said} (try: {remedy})".replace("|", "/"))
    elif "doctor" not in words[:1]:
        print(f"weather-tool: {said}. Try: {remedy}", file=sys.stderr)
        return 1
    elif "--json" in words:
        found = f'"id": "{CHECK}", "area": "{AREA}", "status": "CRITICAL", "evidence": {_quoted(said)}'
        found += f', "remedy": {_quoted(remedy)}'
        print(
            f'{{"schema": "{SCHEMA}", "verdict": "CRITICAL", "causes": [{{{found}, "explains": []}}], '
            f'"checks": [{{{found}, "because": null}}]}}'
        )
    else:
        print(f"CRITICAL  {CHECK}\n    {said}\n    mend it: {remedy}\nno other check could be made")
    return 2


def _quoted(text: str) -> str:
    """A text as JSON has it, without what would have to be escaped: the module json may be what is damaged."""
    return '"' + "".join(one if " " <= one <= "~" and one not in '"\\' else "?" for one in text) + '"'


def library_again(said: str) -> str:
    """What puts back a library of the system's that the loader did not find; empty where it misses none."""
    if _LIBRARY not in said:
        return ""
    name = said.partition(_LIBRARY)[0].rpartition(": ")[0].rpartition(" ")[2]
    if not name or not name.replace(".", "").replace("-", "").replace("_", "").replace("+", "").isalnum():
        return ""
    return f"apt-get install --reinstall $(dpkg-query --search {name} | sed -n '1s/:.*//p')"


def _is_pythons(name: str) -> bool:
    """Whether a module, or the file of one, belongs to Python itself."""
    if name.startswith("/"):
        return "site-packages" not in name
    return name.partition(".")[0] in sys.stdlib_module_names
