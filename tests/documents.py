"""What the documents tell a reader to type."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
# The list of all commands, with how each is run. It is no page to follow itself.
LIST = ROOT / "docs" / "newcomer.md"
PAGES = [
    ROOT / "README.md",
    *sorted({*(ROOT / "docs").glob("*.md"), ROOT / "docs" / "contributing" / "index.md"} - {LIST}),
    *sorted((ROOT / "roles").glob("*/README.md")),
]
PROGRAMS = {
    ".", ".venv/bin/ansible-playbook", ".venv/bin/pytest", "ansible-playbook", "ansible-vault", "cd", "cp", "curl", "datasette",
    "export", "kubectl", "ls", "make", "molecule", "openssl", "podman", "podman-compose", "sqlite-utils", "sqlite3", "systemctl",
    "weather-job", "weather-tool",
}  # fmt: skip


def commands_of(page: Path) -> list[str]:
    """The commands of a page, in its order: lines of blocks, and what stands between backticks with its arguments."""
    found = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if block := re.match(r"(?: {4,}|.*\$ )(.*)", line):
            found += [block[1]]
        found += [one.replace(r"\|", "|") for one in re.findall(r"`([^`]+)`", line)]
    bare = [re.sub(r"\s+#.*", "", one).strip() for one in found]
    # With an ellipsis at its end it is no command, but a kind of them.
    return [one for one in dict.fromkeys(bare) if re.search(r" [^…]", one) and program(one) in PROGRAMS]


def program(command: str) -> str:
    """What a command runs, without what stands before it: sudo, env, variables."""
    words = command.split()
    while len(words) > 1 and (words[0] in {"sudo", "env"} or re.match(r"[A-Z_]+=", words[0])):
        words = words[3:] if words[1] == "-u" else words[1:]
    return words[0]


def listed(section: str = "") -> list[tuple[str, str]]:
    """The commands of the list, of one section or of all, each with how it is run."""
    text = LIST.read_text(encoding="utf-8")
    if section:
        text = re.split(r"^## ", text.partition(f"## {section}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| `(.+?)` \| (.+) \|$", text, re.MULTILINE)
    return [(command.replace(r"\|", "|"), how) for command, how in rows]
