"""What a document is written in, where it has its entries, and what those say: fields by name, with some values."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from toolkit.feed import expressions, table
from toolkit.feed.errors import UnreadableError
from toolkit.feed.guessing.words import words_of
from toolkit.feed.json import content
from toolkit.feed.values import number
from toolkit.text import decoded

# So many entries are looked at.
MOST = 500
_METAR = re.compile(r"^(?:(?:METAR|SPECI) )?[A-Z][A-Z0-9]{3} \d{6}Z ", re.MULTILINE)
# Within so many bytes a message of BUFR begins: a header of the GTS is before it.
BULLETIN = 64
# How deep a list of entries may lie in JSON.
DEPTH = 8
# In so many ways at most a document is taken.
LISTS = 12
# A name that a JMESPath expression needs no quotes for.
_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# What names the variable of a row of a long table, what has its value, and what says its unit.
_VARIABLE = (
    r"((observed )?(variable|parameter|element|property|phenomenon|quantity)|data ?type)( ?(id|name|code))?|title"
)
_VALUE = r"((variable|parameter|element|data|result|measurement) ?)?(value|val|result|reading)"
_UNIT = r"units?|uom|unit (code|symbol)"


class Sample(NamedTuple):
    """What a document says.

    Attributes:
        format: one of `model.FORMATS`.
        records: where it has its entries, as the setting `feed_records` says it.
        columns: the values of each field, by its name as `feed_fields` names it, for as many entries as have it.
        entries: how many entries were looked at.
        place: whether the format itself says where a station is.
        long: of a long table the fields that name a row's variable and that have its value; `columns` then has the
            values of each variable by its name, too.
        units: of a long table the unit that is said of a variable, by its name.
    """

    format: str
    records: str
    columns: Mapping[str, list[Any]]
    entries: int
    place: bool = False
    long: tuple[str, str] | None = None
    units: Mapping[str, str] = MappingProxyType({})


def samples(body: bytes) -> Sequence[Sample]:
    """Look at a document: the ways in which it may be taken, the likeliest first.

    Raises:
        UnreadableError: it is written in no format that is known, or has no entries.
    """
    if b"BUFR" in body[:BULLETIN]:
        return [Sample("bufr", "", {}, body.count(b"BUFR"), place=True)]
    beginning = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if beginning in (b"{", b"["):
        return _of_json(content(body))
    if beginning == b"<":
        return [_of_xml(body)]
    text = decoded(body)
    if len(_METAR.findall(text)) * 4 > len([line for line in text.splitlines() if line.strip()]):
        return [Sample("metar", "", {}, len(_METAR.findall(text)))]
    return [_of_csv(text)]


def sample(body: bytes) -> Sample:
    """The likeliest way in which a document may be taken.

    Raises:
        UnreadableError: it is written in no format that is known, or has no entries.
    """
    return samples(body)[0]


def _sampled(format_: str, records: str, rows: Sequence[Mapping[str, Any]], place: bool = False) -> Sample:
    looked = rows[:MOST]
    found = _long(looked)
    if found is None:
        return Sample(format_, records, _columns(looked), len(rows), place)
    variable, value, unit = found
    units = {str(row[variable]): str(row[unit]) for row in looked if unit in row and variable in row}
    wide = [
        {name: one for name, one in row.items() if name not in found} | {str(row[variable]): row.get(value)}
        for row in looked
        if variable in row
    ]
    return Sample(format_, records, _columns(wide), len(rows), place, (variable, value), units)


def _long(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str, str] | None:
    """What names a row's variable, has its value, and says its unit, if anything; None if it is no long table."""
    if len(rows) < 2:
        return None
    ends = {name: words_of(re.split(r"[./@]", name)[-1]) for name in rows[0] if not name.startswith("../")}
    variable, value, unit = (
        next((name for name, words in ends.items() if re.fullmatch(pattern, words)), "")
        for pattern in (_VARIABLE, _VALUE, _UNIT)
    )
    if not variable or not value:
        return None
    named = [str(row[variable]) for row in rows if isinstance(row.get(variable), str | int)]
    numbers = [row for row in rows if number(row.get(value)) is not None]
    several = len(set(named)) > 1 and len(named) == len(rows)
    return (variable, value, unit) if several and len(numbers) * 2 >= len(rows) else None


def _of_json(document: Any) -> Sequence[Sample]:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind in ("FeatureCollection", "Feature"):
        features = document.get("features") if kind == "FeatureCollection" else [document]
        found = [one for one in features if isinstance(one, dict)] if isinstance(features, list) else []
        properties = [one["properties"] for one in found if isinstance(one.get("properties"), dict)]
        return [_sampled("geojson", "", [_flat(one) for one in properties], place=True)]
    if kind in ("Coverage", "CoverageCollection"):
        return [_of_coverages(document)]
    lists = [("", [document])] if isinstance(document, dict) else []
    lists += [(path, found) for path, found in _lists(document, "", DEPTH)]
    # The longest list of objects has the entries; of lists of one object each the one with the most in it.
    path, found = max(lists, key=lambda one: (len(one[1]), len(_flat(one[1][0]))), default=("", []))
    if not found:
        raise UnreadableError("the document is JSON without a list of objects")
    samples = [_sampled("json", path, [_flat(one) for one in found])]
    for outer, objects in lists:
        inner = {step for one in objects[:MOST] for name, value in one.items() for step in _inner(name, value)}
        samples += [_of_levels(outer, objects, step) for step in sorted(inner)]
    return samples[:LISTS]


def _inner(name: str, value: Any) -> Iterator[str]:
    """The expression that finds the objects in a member of an object, if it has any."""
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        yield _step(name)
    elif isinstance(value, dict) and _rows(value):
        yield f"rows({_step(name)})"


def _of_levels(path: str, objects: Sequence[Mapping[str, Any]], step: str) -> Sample:
    """The objects of lists that lie in objects of a list, with what these say around them."""
    rows = []
    for one in objects[:MOST]:
        around = {f"../{field}": value for field, value in _flat(one).items()}
        try:
            within = expressions.search(step, one)
        except ValueError:  # another kind of member than that of others
            continue
        rows += [around | _flat(each) for each in within if isinstance(each, dict)] if isinstance(within, list) else []
    return _sampled("json", f"{path or '@'} / {step}", rows)


def _of_coverages(document: Mapping[str, Any]) -> Sample:
    coverages = document.get("coverages", [document])
    columns: defaultdict[str, list[Any]] = defaultdict(list)
    for one in coverages[:MOST] if isinstance(coverages, list) else []:
        if isinstance(one, dict):
            for name, value in one.items():
                if isinstance(value, str | int | float) and name != "type":
                    columns[name].append(value)
            ranges = one.get("ranges")
            for name, values in ranges.items() if isinstance(ranges, dict) else ():
                found = values.get("values") if isinstance(values, dict) else None
                columns[name] += found[:MOST] if isinstance(found, list) else []
    columns["time"] = []
    return Sample("coveragejson", "", columns, len(coverages) if isinstance(coverages, list) else 0, place=True)


def _lists(value: Any, path: str, depth: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The lists of objects in JSON, each with the JMESPath expression that finds it."""
    if isinstance(value, list):
        objects = [one for one in value if isinstance(one, dict)]
        if objects:
            yield path, objects
    elif isinstance(value, dict) and depth:
        for function, found in (("rows", _rows(value)), ("to_entries", _members(value))):
            if found:
                yield f"{function}({path or '@'})", found
        for name, inner in value.items():
            yield from _lists(inner, f"{path}.{_step(name)}" if path else _step(name), depth - 1)


def _rows(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What `rows` makes of an object of parallel lists of single values; empty where it is none."""
    lists = [one for one in value.values() if isinstance(one, list) and one]
    parallel = len(lists) > 1 and len({len(one) for one in lists}) == 1
    if not parallel or any(isinstance(each, dict | list) for one in lists for each in one[:1]):
        return []
    found: list[dict[str, Any]] = expressions.search("rows(@)", value)
    return found


def _members(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What `to_entries` makes of an object whose members are alike, such as one for each station; empty where not."""
    members = list(value.values())
    if len(members) < 2 or not all(isinstance(one, dict) and one for one in members):
        return []
    if not (common := set.intersection(*(set(one) for one in members))) or "value" in common:
        return []  # of the latter each is a variable
    found: list[dict[str, Any]] = expressions.search("to_entries(@)", value)
    return found


def _step(name: str) -> str:
    """A member's name as JMESPath writes it."""
    if _PLAIN.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _flat(entry: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """The single values of an object, and of objects in it, by names with dots."""
    found: dict[str, Any] = {}
    for name, value in entry.items():
        if isinstance(value, dict) and before.count(".") < DEPTH:
            found |= _flat(value, f"{before}{name}.")
        elif isinstance(value, str | int | float) or value is None:
            found[f"{before}{name}"] = value
    return found


def _columns(entries: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    columns: defaultdict[str, list[Any]] = defaultdict(list)
    for one in entries:
        for name, value in one.items():
            columns[name].append(value)
    return dict(columns)


def _of_csv(text: str) -> Sample:
    lines = list(table.lines_of(text))
    header = _header(lines)
    if header is None:
        beginning = next((line for line in lines if line.strip()), "")[:60]
        raise UnreadableError(
            f"the document is no JSON, XML, METAR, BUFR or CSV with a header: it begins with {beginning!r}"
        )
    rows = [row for _, row in table.rows(iter(lines), [header[0]], [header[-1]]) if row]
    return _sampled("csv", "", rows)


def _header(lines: list[str]) -> list[str] | None:
    """The cells of the header: the line of names that as many of the lines below it as possible agree with."""
    best: tuple[int, list[str]] | None = None
    for at, line in enumerate(lines[: table.HEADER_WITHIN]):
        for delimiter in table.DELIMITERS:
            cells = [cell.strip().strip('"') for cell in line.split(delimiter)]
            while cells and not cells[-1]:
                cells.pop()
            if len(cells) < 2 or not all(cells) or any(number(cell) is not None for cell in cells):
                continue
            alike = sum(one.count(delimiter) + 1 >= len(cells) for one in lines[at + 1 : at + 50])
            if alike and (best is None or alike * len(cells) > best[0]):
                best = alike * len(cells), cells
    return best and best[1]


def _of_xml(body: bytes) -> Sample:
    from lxml import etree

    try:
        root = etree.fromstring(
            body, etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True)
        )
    except etree.XMLSyntaxError as error:
        raise UnreadableError(f"the document is not XML: {error.msg}") from None
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise UnreadableError("the document is XML with a DTD, which is not read")
    paths: defaultdict[str, list[Any]] = defaultdict(list)
    for element in root.iter("*"):
        if len(element.attrib) + len(element) > 1:
            paths[_path(element)].append(element)
    if not paths:
        raise UnreadableError("the document is XML without elements that say several things")
    # The entries: what there is most of; of equals the innermost, for what it lies in is found from there.
    path, found = max(paths.items(), key=lambda one: (len(one[1]), one[0].count("/")))
    return _sampled("xml", path, [_said(one) for one in found])


def _path(element: Any) -> str:
    """The names from below the root to an element."""
    names = [_name(element), *map(_name, element.iterancestors())][::-1]
    return "/".join(names[1:] or names)


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _said(element: Any) -> dict[str, str]:
    """What an element says, and what it lies in, by XPath."""
    found = {}
    for before, one in zip(("", "../", "../../"), [element, *element.iterancestors()], strict=False):
        repeated = Counter(_name(child) for child in one)
        for child in one:
            name = _name(child)
            if len(child) or not (child.text or "").strip():
                continue
            if repeated[name] == 1:
                found[f"{before}{name}"] = child.text.strip()
            elif not before and child.attrib and (key := next(iter(child.attrib))):
                found[f"{name}[@{key.rpartition('}')[2]}='{child.attrib[key]}']"] = child.text.strip()
        found |= {f"{before}@{name.rpartition('}')[2]}": value for name, value in one.attrib.items()}
    return found
