"""Documents of the NOA network's feed, as the collector reads them."""

from toolkit.collector.feed import reader_of
from toolkit.feed.reader import DocumentReader
from toolkit.settings import load


def noa() -> DocumentReader:
    """The reader of the default settings."""
    return reader_of(load({}, {"WEATHER_ENV_FILE": "/nonexistent"}).settings)


parse = noa().read
