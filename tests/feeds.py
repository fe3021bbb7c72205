"""Documents of the NOA network's feed, as the collector reads them."""

from toolkit.feed.form import Form, form_of
from toolkit.settings import load


def noa() -> Form:
    """The form that is read unless told otherwise."""
    return form_of(load({}, {"WEATHER_ENV_FILE": "/nonexistent"}).settings)


parse = noa().parse
