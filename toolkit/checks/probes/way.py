"""Check of this host's own part of the way to the feed: names, interfaces, routes, neighbours, ports.

It is looked at only where the feed cannot be reached.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.each_source import each_source
from toolkit.checks.firewall import refusing
from toolkit.checks.host import Host
from toolkit.checks.host.feed import SourceSeen
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.host_as_deployed import kept, put_back, routes_lost
from toolkit.checks.reach import DISCARDED, ConnectError, UnresolvedError
from toolkit.checks.remedies import OnMachine, Remedy, Restart, Sequence, allow
from toolkit.durations import humanize
from toolkit.errors import ToolkitError
from toolkit.feed.errors import TooSlowError

HOSTS, RESOLVER, NAME_SERVICES = Path("/etc/hosts"), Path("/etc/resolv.conf"), Path("/etc/nsswitch.conf")
PORTS = Path("/proc/sys/net/ipv4")
INTERFACES = Path("/sys/class/net")
# Every host takes packets of so many bytes (RFC 791).
LEAST_MTU = 576
# The kernel's default has 28,232.
LEAST_PORTS = 50
DEFAULT_PORTS = "32768 60999"
# Routes and rules that discard, as ip(8) names them.
_DISCARDS = r"blackhole|unreachable|prohibit"


@check(
    id="feed-way", area="feed",
    invariant="This host's own network leads to the feed's server.",
    problem="This host's own network does not lead to the feed's server.",
    severity=Status.CRITICAL, remedy=OnMachine("ip route"),
    caused_by=("settings-known", "settings-valid", "settings-once", "settings-of-units", "files-alone"), on_feed=True,
)  # fmt: skip
@each_source
def feed_way(host: Host, feed: SourceSeen) -> Finding | None:
    discarded = False
    try:
        feed.fetched  # noqa: B018 - asked for what it raises
    except UnresolvedError:
        pass
    except ConnectError as error:
        discarded = error.code in DISCARDED
    except TooSlowError:
        return narrow()
    except ToolkitError:
        return None
    else:
        return good("it leads there")
    name = urlsplit(feed.settings.feed_proxy or feed.settings.feed_url).hostname or ""
    found = _names(host)
    if found:
        return found
    with suppress(OSError, UnicodeError):
        address = str(socket.getaddrinfo(name, 80, family=socket.AF_INET, type=socket.SOCK_STREAM)[0][4][0])
        steps: tuple[Callable[[Host, str, str], Finding | None], ...] = (
            _pinned, _own, _interface, _route, _firewall, _neighbour, _lost,
        )  # fmt: skip
        for step in (_route,) if discarded else steps:
            with suppress(ToolkitError, ValueError):
                if found := step(host, name, address):
                    return found
    return _interface(host, name, "") or _ports()


def _mended(*remedies: Remedy) -> Remedy:
    return Sequence(*remedies, Restart("collector"))


def _names(host: Host) -> Finding | None:
    """The finding of what keeps the service user from resolving names; None where it is none of these files."""
    for file in (HOSTS, RESOLVER, NAME_SERVICES):
        found = host.look(file)
        if found and not found.st_mode & 0o004:
            return bad(
                f"the service user may not read {file}: {owner_of(found)}'s, mode {mode_of(found)}",
                _mended(allow("a+r", file, OnMachine)),
            )
    with suppress(OSError):
        line = re.search(r"(?m)^hosts:(.*)", NAME_SERVICES.read_text(encoding="utf-8", errors="replace"))
        words = set(line[1].split()) if line else {"files", "dns"}
        if line and not ("files" in words and words & {"dns", "resolve"}):
            change = r"s/^hosts:.*/hosts: files dns/"
            return bad(
                f"{NAME_SERVICES} has names looked up in {line[1].strip()!r} alone, not in files and dns",
                _mended(OnMachine("sed -i {} {}", change, NAME_SERVICES)),
            )
    return None


def _pinned(host: Host, name: str, address: str) -> Finding | None:
    """A line of the file of hosts gives the name another address than another line, or than the resolver does."""
    lines = HOSTS.read_text(encoding="utf-8", errors="replace").splitlines()
    its = [line for line in lines if name in line.partition("#")[0].split()[1:]]
    if name == "localhost" or not its or its[0].split()[0] != address:
        return None
    others = {line.split()[0] for line in its[1:]}
    if not others and not address.startswith("127."):
        with suppress(ToolkitError):
            others = {line.split()[0] for line in host.ask("getent", "-s", "hosts:dns", "ahostsv4", name).splitlines()}
    said = f"{HOSTS} gives {name} the address {address}, where nothing takes a connection: {its[0].strip()!r}"
    if (was := _as_deployed(name)) is not None and address not in was:
        had = f"it had {', '.join(was)}" if was else "it did not name it"
        return bad(f"{said}; when the service was deployed {had}", _mended(put_back(HOSTS)))
    if not others - {address} and not address.startswith("127."):
        return _changed_lately(host, name, address, its[0])
    change = rf"/^[[:space:]]*{re.escape(address)}[[:space:]].*{re.escape(name)}/d"
    # The file may be mounted: it is written, not replaced.
    return bad(said, _mended(OnMachine("sed {0} {1} > {1}.new && cat {1}.new > {1} && rm {1}.new", change, HOSTS)))


def _as_deployed(name: str) -> list[str] | None:
    """The addresses that the file of hosts gave a name when the service was deployed; None where that is not known."""
    try:
        lines = kept(HOSTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found = [line.partition("#")[0].split() for line in lines]
    return [words[0] for words in found if name in words[1:]]


def _changed_lately(host: Host, name: str, address: str, line: str) -> Finding | None:
    """The file of hosts was changed after the last document came; nobody else knows the address of the name."""
    changed = HOSTS.stat().st_mtime
    came = max((one.time for one in host.log if one.status == "success"), default=None)
    if came is None or not came < changed <= host.now:
        return None
    return bad(
        f"{HOSTS} was changed {humanize(host.now - changed)} ago, after the last document came, and gives {name} the "
        f"address {address}, where nothing takes a connection: {line.strip()!r}",
        OnMachine("grep -n {} {}", name, HOSTS),
    )


def _own(host: Host, name: str, address: str) -> Finding | None:
    """The address of the feed is one of this host's."""
    if address.startswith("127.") or name == "localhost":
        return None
    for link in _asked(host, "addr"):
        for one in link.get("addr_info", ()):
            if one.get("local") == address:
                its = f"{address}/{one['prefixlen']}"
                return bad(
                    f"the feed's address {address} is assigned to this host's own interface {link['ifname']}",
                    _mended(OnMachine("ip addr del {} dev {}", its, link["ifname"])),
                )
    return None


def _interface(host: Host, _name: str, _address: str) -> Finding | None:
    """An interface that has an address is down."""
    with suppress(ToolkitError, ValueError):
        for link in _asked(host, "addr"):
            if link.get("addr_info") and "UP" not in link["flags"] and link["ifname"] != "lo":
                up = OnMachine("ip link set {} up", link["ifname"])  # with which its routes do not come back
                lost = [one.split() for one in routes_lost(()) if f" dev {link['ifname']} " in f"{one} "]
                again = [OnMachine("ip route replace {}", words) for words in lost if "kernel" not in words]
                return bad(f"the network interface {link['ifname']} is down", _mended(up, *again))
    return None


def narrow() -> Finding | None:
    """An interface takes no packets of the size that a document comes in."""
    for file in sorted(INTERFACES.glob("*/mtu")):
        with suppress(OSError, ValueError):
            if (mtu := int(file.read_text(encoding="ascii"))) < LEAST_MTU:
                name = file.parent.name
                return bad(
                    f"the network interface {name} takes packets of {mtu} bytes alone (its MTU), fewer than a document "
                    "comes in",
                    _mended(OnMachine("ip link set {} mtu 1500", name)),
                )
    return None


def way_to(host: Host, server: str) -> Finding | None:
    """The finding that this host's own routing does not lead to a server; None where it does, or cannot be asked."""
    with suppress(OSError, UnicodeError, ToolkitError, ValueError):
        address = str(socket.getaddrinfo(server, None, family=socket.AF_INET, type=socket.SOCK_STREAM)[0][4][0])
        return _interface(host, server, address) or _route(host, server, address)
    return None


def _route(host: Host, _name: str, address: str) -> Finding | None:
    """A rule or a route discards what the service sends to the address, or there is no route."""
    uid = str(host.user.pw_uid) if host.user else "0"
    try:
        host.ask("ip", "route", "get", address, "uid", uid)
    except ToolkitError as error:
        said = str(error).rpartition("answers: ")[2]
    else:
        return None
    for line in host.ask("ip", "rule", "show").splitlines():
        if (found := re.match(rf"(\d+):\s+(.*\b({_DISCARDS})\b.*)", line)) and found[3]:
            return bad(
                f"a rule of this host's routing discards what is sent to {address}: {' '.join(found[2].split())}",
                _mended(OnMachine("ip rule del pref {}", found[1])),
            )
    for line in host.ask("ip", "route", "show", "table", "all").splitlines():
        if (found := re.match(rf"({_DISCARDS}) (\S+)( table \S+)?", line)) and _covers(found[2], address):
            its = f"{found[1]} {found[2]}{found[3] or ''}"
            return bad(
                f"a route of this host discards what is sent to {address}: {its}",
                _mended(OnMachine(f"ip route del {its}")),
            )
    return _lost(host, "", address) or bad(f"this host has no route to {address}: {said}", OnMachine("ip route"))


def _firewall(host: Host, name: str, address: str) -> Finding | None:
    """A rule of the host's own firewall, as root's half of weather-tool sees it, refuses what is sent there."""
    urls = [urlsplit(one.settings.feed_proxy or one.settings.feed_url) for one in host.sources]
    ports = {url.port or {"https": 443}.get(url.scheme, 80) for url in urls if url.hostname == name}
    if not (found := refusing(host, address, ports)):
        return None
    said, remedy = found
    return bad(f"a rule of this host's firewall refuses what the service sends to {address}: {said}", _mended(remedy))


def _lost(host: Host, _name: str, address: str) -> Finding | None:
    """Routes that led to the address when the service was deployed are gone, or others are in their place."""
    now = host.ask("ip", "-4", "route", "show").splitlines()
    lost = [one.split() for one in routes_lost(now) if _covers(one.split()[0], address)]
    if not lost or any("dhcp" in line.split() for line in now):  # it gives others as it likes
        return None
    # The nearest first: by it the gateway of the next is reached.
    lost.sort(key=lambda words: (words[0] == "default", "via" in words))
    instead = [line for line in now if line.split()[:1] == lost[0][:1]]
    return bad(
        f"when the service was deployed the route to {address} was {' '.join(lost[0])}: "
        + (f"now it is {' '.join(instead[0].split())}" if instead else "it is gone"),
        _mended(*(OnMachine("ip route replace {}", words) for words in lost)),
    )


def _covers(network: str, address: str) -> bool:
    import ipaddress

    if network == "default":
        return True
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _neighbour(host: Host, _name: str, address: str) -> Finding | None:
    """A person has fixed the hardware address of the feed, or of the gateway on the way there."""
    way = _asked(host, "route", "get", address)
    for one in _asked(host, "neigh"):
        if "PERMANENT" in one.get("state", ()) and one["dst"] in {address, way[0].get("gateway")}:
            return bad(
                f"the hardware address of {one['dst']} is fixed to {one.get('lladdr')} in this host's neighbour table",
                _mended(OnMachine("ip neigh del {} dev {}", one["dst"], one["dev"])),
            )
    return None


def _ports() -> Finding | None:
    """The kernel has hardly a local port to give to a connection."""
    try:
        first, last = map(int, (PORTS / "ip_local_port_range").read_text(encoding="ascii").split())
        reserved = (PORTS / "ip_local_reserved_ports").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    taken = 0
    for part in filter(None, reserved.split(",")):
        start, _, end = part.partition("-")
        taken += max(0, min(int(end or start), last) - max(int(start), first) + 1)
    if last - first + 1 - taken >= LEAST_PORTS:
        return None
    return bad(
        f"the kernel has {last - first + 1 - taken} local ports for connections: net.ipv4.ip_local_port_range",
        _mended(
            OnMachine("echo > {}", PORTS / "ip_local_reserved_ports"),
            OnMachine("echo {} > {}", DEFAULT_PORTS, PORTS / "ip_local_port_range"),
        ),
    )


def _asked(host: Host, *words: str) -> list[dict[str, Any]]:
    """What ip(8) answers."""
    found: list[dict[str, Any]] = json.loads(host.ask("ip", "-json", *words) or "[]")
    return found
