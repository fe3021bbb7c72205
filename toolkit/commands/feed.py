"""`weather-tool feed`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Set
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.address import shown
from toolkit.address_template import columns
from toolkit.broker import is_broker
from toolkit.cli.options import add_setting, overrides
from toolkit.cli.show import table
from toolkit.errors import UsageError, reason
from toolkit.presets import Preset, names, preset
from toolkit.push import protocol_of
from toolkit.settings import DECLARATIONS, Loaded, Settings
from toolkit.sources import FIELDS, ONLY, Source, sources_of
from toolkit.text import did_you_mean, one_line

if TYPE_CHECKING:
    from toolkit.feed.fetch import Fetched, Fetcher

EXAMPLES = (
    "weather-tool feed try",
    "weather-tool feed guess https://data.example.org/latest.csv",
    "weather-tool feed try sample.json --format json --records stations --fields 'station_id=id, time=at'",
    "weather-tool feed presets meteoswiss",
    "weather-tool feed try --preset meteoswiss",
)
# The largest sample that is read from a file, in bytes.
LARGEST = 64 << 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    look = actions.add_parser(
        "try",
        help="fetch it once: what would be stored, what not, and why",
        description="Fetch a feed once and show what would be stored of it, what not, and why. Nothing is stored.",
    )
    look.add_argument("source", nargs="?", metavar="URL|FILE", help="default: the feed that the settings name")
    for flag, setting, metavar in (
        ("--format", "feed_format", "FORMAT"),
        ("--records", "feed_records", "WHERE"),
        ("--fields", "feed_fields", "OURS=THEIRS,…"),
        ("--stations", "feed_stations", "FILE"),
    ):
        add_setting(look, flag, setting, metavar)
    look.add_argument(
        "--name", metavar="NAME", help="the source of that name, of the file of sources; an option says what differs"
    )
    look.add_argument(
        "--preset", metavar="NAME", help="read it as this network's; an option says what differs (see `feed presets`)"
    )
    look.add_argument("--json", action="store_true", help="as JSON")

    guess = actions.add_parser(
        "guess",
        help="propose its whole configuration from a sample, to be pasted into the inventory",
        description="Fetch a feed once and propose how it is to be read: format, entries, fields, units, the form of "
        "times, cadence. What a person has to look at is said. Nothing is stored.",
    )
    guess.add_argument("source", nargs="?", metavar="URL|FILE", help="default: the feed that the settings name")
    guess.add_argument("--json", action="store_true", help="as JSON")

    presets = actions.add_parser(
        "presets",
        help="the networks whose feeds are known, and what one of them needs",
        description="List the networks whose feeds are known, or say of one of them what it is, whose its data are, "
        "what has to be asked for, and what belongs into the inventory. Nothing is fetched.",
    )
    presets.add_argument("name", nargs="?", metavar="NAME", help="one of them")
    presets.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Look at a feed."""
    settings = loaded.settings
    if args.action == "presets":
        return _presets(args.name, args.json)
    if args.action == "try":
        settings = _as_named(args, settings)
    settings = _at(args.source, settings)
    body, named = _document(args.source, Source(_name_of(args), settings))
    return _try(args, settings, body, named) if args.action == "try" else _guess(args, settings, body, named)


def _name_of(args: argparse.Namespace) -> str:
    """The name by which the credential has the secrets of what is tried."""
    return getattr(args, "name", None) or getattr(args, "preset", None) or ONLY


def _at(place: str | None, settings: Settings) -> Settings:
    """The settings with the address that is asked for, if it is one."""
    if place is None or "://" not in place:
        return settings
    try:
        return replace(settings, feed_url=DECLARATIONS["feed_url"].kind.parse(place))
    except ValueError as error:
        raise UsageError(f"{shown(place)}: {error}") from None


def _document(place: str | None, source: Source) -> tuple[bytes, str]:
    """A document of a file or of a source's address, and where it is from, for people.

    Raises:
        UsageError: it is no file, or a file that belongs to the address cannot be used.
        FeedError: there is no document at the address.
    """
    from toolkit.collector.feed import fetcher_of, subscriber_of

    if place is not None and "://" not in place:
        try:
            with Path(place).open("rb") as file:
                body = file.read(LARGEST + 1)
        except OSError as error:
            raise UsageError(f"{place} is no address and no file that can be read: {reason(error)}") from None
        if len(body) > LARGEST:
            raise UsageError(f"{place} is larger than {LARGEST >> 20} MiB: give a part of it")
        return body, place
    if protocol_of(source.settings.feed_url):
        raise UsageError(f"stations push to the source {source.name}, nothing is fetched: give a file with reports")
    if is_broker(source.settings.feed_url):
        fetched = subscriber_of(source, lasting=False).fetch()
    else:
        fetcher = fetcher_of(source)
        fetched = fetcher.fetch()
        if fetched and source.settings.feed_next:
            fetched = _with_data(fetcher, fetched, source.settings)
    return fetched.body if fetched else b"", shown(source.settings.feed_url)


def _with_data(fetcher: Fetcher, page: Fetched, settings: Settings) -> Fetched | None:
    """A page, or the next one where it only says where the data are."""
    from toolkit.collector.feed import reader_of
    from toolkit.feed.errors import AnswerError, NotAFeedError
    from toolkit.feed.pages import NextPage

    try:
        reader_of(settings).read(page.body)
    except NotAFeedError:
        try:
            following = NextPage(settings.feed_next).of(page)
        except ValueError as error:
            raise AnswerError(fetcher.message(page.url, str(error))) from None
        return fetcher.fetch(following) if following else page
    return page


def _try(args: argparse.Namespace, settings: Settings, body: bytes, named: str) -> int:
    from toolkit.collector.trial import trial

    found = trial(settings, body, time.time(), _station_of(args.source, settings))
    if args.json:
        print(json.dumps({"feed": named, **found.form()}, ensure_ascii=False, indent=2))
    else:
        print(f"{named}: {found.summary()}")
        table(("stored as", "from", "values", "least", "most"), found.rows())
        if found.left_out:
            print("left out:")
            for why, number in found.left_out.most_common():
                print(f"  {number}  {why}")
    return 0 if found.observations else 1


def _station_of(source: str | None, settings: Settings) -> str:
    """The station that a document is of, where each has an address: the name of a file, or the first of the list."""
    from toolkit.collector.feed import first_station

    if not columns(settings.feed_url):
        return ""
    is_file = source is not None and "://" not in source
    return Path(source or "").stem if is_file else first_station(settings)


def _preset(name: str) -> Preset:
    try:
        return preset(name)
    except ValueError as error:
        raise UsageError(f"there is no preset {one_line(name, 60)!r}; {error}") from None


def _as_named(args: argparse.Namespace, settings: Settings) -> Settings:
    """The settings as they are for the source or the preset that the options name."""
    given = overrides(args).keys()
    if args.name is not None:
        sources = {one.name: one.settings for one in sources_of(settings)}
        if args.name not in sources:
            hint = did_you_mean(args.name, sources, f"know {', '.join(sources)}")
            raise UsageError(f"there is no source {one_line(args.name, 60)!r}; {hint}")
        settings = replace(sources[args.name], **{name: getattr(settings, name) for name in given})
    return settings if args.preset is None else _as_preset(_preset(args.preset), settings, given)


def _as_preset(one: Preset, settings: Settings, given: Set[str]) -> Settings:
    """The settings with what a preset says, but for what an option says."""
    said = {FIELDS[field]: str(value) for field, value in one.source.items()}
    return replace(settings, **{name: DECLARATIONS[name].kind.parse(said[name]) for name in said.keys() - given})


def _presets(name: str | None, as_json: bool) -> int:
    shown_ = [preset(one) for one in names()] if name is None else [_preset(name)]
    if as_json:
        told = [{**asdict(one), "source": dict(one.source), "inventory": one.inventory()} for one in shown_]
        print(json.dumps(told if name is None else told[0], ensure_ascii=False, indent=2))
    elif name is None:
        table(("name", "network", "where", "needs"), [(one.name, one.title, one.area, one.needs) for one in shown_])
    else:
        (one,) = shown_
        print(one.title)
        for what, text in one.facts():
            print(f"{what}: {text}")
        print(f"\n# For the inventory:\n{one.inventory()}", end="")
    return 0


def _guess(args: argparse.Namespace, settings: Settings, body: bytes, named: str) -> int:
    from toolkit.collector.trial import trial
    from toolkit.feed.guessing.guess import FIXED, best
    from toolkit.feed.guessing.known import known
    from toolkit.feed.guessing.samples import samples
    from toolkit.mapping import parse_mapping

    now = time.time()
    proposed = best(samples(body), now)
    values: dict[str, Any] = {
        "weather_feed_url": named,
        "weather_feed_format": proposed.sample.format,
        "weather_feed_records": proposed.sample.records,
        "weather_feed_fields": proposed.fields(),
        "weather_cadence_seconds": proposed.cadence,
    }
    values = {name: value for name, value in values.items() if value not in {"", None} or name == "weather_feed_fields"}
    doubts = list(proposed.doubts)
    complete = {"station_id", "time"} <= {one.stored for one in proposed.named} or proposed.sample.format in FIXED
    if complete:
        tried = trial(
            replace(
                settings,
                feed_format=proposed.sample.format,
                feed_records=proposed.sample.records,
                feed_fields=parse_mapping(proposed.fields()),
                feed_stations=None,
            ),
            body,
            now,
        )
        doubts += [f"left out: {number} times {why}" for why, number in tried.left_out.most_common()]
    network = known(body, proposed.sample.format)
    if args.json:
        told = {
            "settings": values,
            "look_at": doubts,
            "unused": list(proposed.unused),
            "preset": network and network.name,
        }
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        print(f"# Proposed from {proposed.sample.entries} entries" + (f": {tried.summary()}" if complete else ""))
        for name, value in values.items():
            print(f"{name}: {json.dumps(value, ensure_ascii=False)}")
        for doubt in doubts:
            print(f"# Look at it: {doubt}")
        if proposed.unused:
            print(f"# Not used: {', '.join(proposed.unused)}")
        if network:
            print(
                f"# The preset {network.name} reads it, too ({network.title}): weather-tool feed presets {network.name}"
            )
    if not complete:
        print("the configuration is not complete: see what is to be looked at", file=sys.stderr)
    return 0 if complete else 1
