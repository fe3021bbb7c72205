"""The variables of an observation, each declared once.

Everything that treats variables alike reads this declaration: the columns of the store and how they are packed, the
fields and units of feeds and how they are guessed, imports and exports, the detector and its tests, the health of
sensors, the page, the console, and docs/reference/variables.md. To add one, declare it at the end of MEASURED and
add one migration for each engine under toolkit/store/migrations/ that adds its column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Statistic = Literal["instantaneous", "mean", "maximum", "minimum", "prevailing", "accumulated"]
"""What a value says about its period, in the terms of WMO-No. 8, vol. I."""

Nature = Literal["level", "gusty", "circular", "rare"]


@dataclass(frozen=True, slots=True)
class Scale:
    """What is small and what is large for a variable, on the scale on which stations are compared.

    Attributes:
        root: whether values are compared by their square roots. The spread of gusts grows with the wind; the spread of
            their square roots does not.
        noise: one standard deviation of the difference between two good sensors side by side.
        resolution: the smallest step that a sensor shows.
        step: a change from one reading to the next below this is never suspicious. For temperature and humidity it is
            two thirds of what WMO-No. 8 (vol. V, ch. 1) calls suspicious within a minute, because these readings are
            minutes apart.
        difference: in the variable's unit, by how much good stations in one region may differ from what is usual for
            hours, as a town's warmth, a pool of cold air or a shower makes them. Nobody is called for less.
    """

    root: bool
    noise: float
    resolution: float
    step: float
    difference: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A measured quantity.

    Attributes:
        name: the field of a feed, and the column of the table `observations`.
        label: what people call it.
        unit: the unit in which it is stored and shown.
        standard_name: in the CF conventions' table of standard names.
        statistic: what a value says about its period.
        period: the period, where the value is not instantaneous.
        note: what else a reader of the values has to know.
        low, high: the physically possible values, in `unit`. They are wider than the WMO's records of weather extremes,
            or are the quantity's own bounds.
        below, above: how far beyond `low` and `high` a working sensor may read, in `unit`. Such a value is stored and
            judged as the bound.
        per_unit: how many steps of the store there are in one unit. 10 stores tenths as small integers; a value between
            two steps is stored as it is (see `store.encoding`).
        accuracy: of a good station's sensor, in `unit`. A deviation within it is never an anomaly.
        nature: how it varies: `level` around a level that neighbours share; `gusty` likewise, with a spread that grows
            with the level; `circular`, a direction; or `rare`, zero for hours or days at a time.
        scale: the scale on which stations are compared; None if they are not.
        follows: the variables that it is computed of or is an extreme of. A station that measures them is compared with
            its neighbours by them: by this one too, a fault of theirs would be named twice.
        saturation: from here upwards an unchanged reading is normal, in `unit`.
        speed: for a direction, the variable that tells whether there is wind.
        words: for a direction, the column that has it as a compass point.
        detected: whether a detection run judges it unless told otherwise.
        monitored: whether `weather-tool sensors` reports the health of its sensor.
        plot: how it is drawn: a line, a line of steps, or points.
        typical: where the median of some outdoor readings is, in `unit`: `weather-tool feed guess` tells units apart by
            it. None for `low` and `high`.
        called: what feeds call it besides `name` and `label`, for `weather-tool feed guess`: regular expressions of a
            name in small letters, whose words are separated by blanks; the best first.
    """

    name: str
    label: str
    unit: str
    standard_name: str
    statistic: Statistic = "instantaneous"
    period: str = ""
    note: str = ""
    low: float
    high: float
    below: float = 0.0
    above: float = 0.0
    per_unit: int = 10
    accuracy: float
    nature: Nature
    scale: Scale | None = None
    follows: tuple[str, ...] = ()
    saturation: float | None = None
    speed: str = ""
    words: str = ""
    detected: bool = False
    monitored: bool = False
    plot: Literal["line", "steps", "points"] = "line"
    typical: tuple[float, float] | None = None
    called: tuple[str, ...] = ()

    @property
    def readable(self) -> tuple[float, float]:
        """The least and the largest value that a working sensor may read; what lies beyond is rejected."""
        return self.low - self.below, self.high + self.above


_INTERVAL = "the reporting interval"
_DAVIS = (
    "The NOA network's fields have the names of a Davis archive record, whose interval is the station's reporting "
    "interval. The feed itself does not say it; other feeds may give the day's."
)
_TEMPERATURE = Scale(root=False, noise=0.15, resolution=0.1, step=2.5, difference=3.0)
_SPEED = Scale(root=True, noise=0.25, resolution=0.4, step=1.8, difference=20.0)

# Accuracies are those of the Davis Vantage Pro2, which the NOA network uses, unless a comment says otherwise. Among the
# names of `called` are those of MeteoSwiss, DWD, the National Weather Service, MET Norway, Meteo-France, Davis, Ecowitt
# and Weather Underground, besides those of the CF conventions and plain English.
MEASURED = (
    Variable(
        name="temp_out", label="air temperature", unit="°C", standard_name="air_temperature",
        low=-95, high=62,  # records: -89.2 and 56.7 °C
        accuracy=0.3, nature="level", scale=_TEMPERATURE, detected=True, monitored=True,
        typical=(-45, 48),
        called=(
            r"(air|out(door|side)?) ?temp(erature)?|temp(erature)? ?(out(door|side)?|air)|air temperature.*",
            r"temp(erature)?|t2m|tre200s0|ta|tt ?10|tl|temp ?1",
            r"t",
        ),
    ),
    Variable(
        name="hi_temp", label="highest air temperature", unit="°C", standard_name="air_temperature",
        statistic="maximum", period=_INTERVAL, note=_DAVIS,
        low=-95, high=62, accuracy=0.3, nature="level", scale=_TEMPERATURE, follows=("temp_out",), detected=True,
        typical=(-45, 50),
        called=(r"(hi(gh)?|max(imum)?) ?temp(erature)?( out)?|temp(erature)? ?max|tamax|tx",),
    ),
    Variable(
        name="low_temp", label="lowest air temperature", unit="°C", standard_name="air_temperature",
        statistic="minimum", period=_INTERVAL, note=_DAVIS,
        low=-95, high=62, accuracy=0.3, nature="level", scale=_TEMPERATURE, follows=("temp_out",), detected=True,
        typical=(-50, 45),
        called=(r"(low|min(imum)?) ?temp(erature)?( out)?|temp(erature)? ?min|tamin|tn",),
    ),
    Variable(
        name="out_hum", label="relative humidity", unit="%", standard_name="relative_humidity",
        low=0, high=100, above=5,  # in fog, a capacitive sensor that has drifted reads up to so much too high
        per_unit=1, accuracy=3.0, nature="level",
        scale=Scale(root=False, noise=1.5, resolution=1.0, step=15.0, difference=15.0),
        saturation=95.0, detected=True, monitored=True,
        typical=(3, 100),
        called=(
            r"(rel(ative)?|out(door|side)?) ?hum(idity)?|hum(idity)? ?out",
            r"hum(idity)?|rh|hr|uu|rf ?10|ure200s0",
        ),
    ),
    Variable(
        name="bar", label="air pressure", unit="hPa", standard_name="air_pressure",
        note=(
            "At the station or reduced to mean sea level, as each station is set up: assume neither. A Davis console "
            "reduces it by the elevation that is set in it, so most stations of the NOA network probably do; its feed "
            "does not say which. Comparisons with neighbours use changes against the days before, and need not know."
        ),
        low=450, high=1100,  # from the highest stations to the highest pressure at sea level, 1083.8 hPa
        accuracy=1.0, nature="level", scale=Scale(root=False, noise=0.15, resolution=0.1, step=1.5, difference=2.5),
        detected=True, monitored=True,
        typical=(550, 1065),
        called=(
            r"(station|sea ?level|barometric|atmospheric|air|relative|absolute|barom)? ?press(ure)?( rel| abs| msl)?",
            r"press(ure)?.*",
            r"bar(om(eter)?)?( ?rel)?( ?in)?|baro|mslp|slp|qnh|qfe|pp|pres|prestas0|altim(eter)?",
            r"surface air pressure|p",
        ),
    ),
    Variable(
        name="rain", label="rain", unit="mm", standard_name="thickness_of_rainfall_amount",
        statistic="accumulated", period="the time since the station's last reset",
        note=(
            "In the NOA network probably the total since local midnight; its feed does not say when it is reset. Other "
            "feeds give the amount of one reporting interval. A value below the one before it is a reset."
        ),
        low=0, high=2000,  # record: 1825 mm in a day
        accuracy=0.2, nature="rare", detected=True, plot="steps",
        typical=(0, 300),
        called=(
            r"rain ?(today|daily|day)|daily ?rain|day ?rain",
            r"rain(fall)?|precip(itation)?( amount| last hour| 1 ?h| total)?|rre150z0|rr ?(1|10)?|prec|ppt|rain ?1 ?h",
        ),
    ),
    Variable(
        name="wind_speed", label="wind speed", unit="km/h", standard_name="wind_speed",
        statistic="mean", period=_INTERVAL, note="WMO-No. 8 asks for a mean over 10 minutes.",
        low=0, high=450,  # record: a gust of 408 km/h
        accuracy=3.2, nature="gusty", scale=_SPEED, detected=True, monitored=True,
        typical=(0, 150),
        called=(
            r"(mean )?wind ?sp(ee)?d( avg| mean)?|wind ?(avg|mean)|wind ?speed.*",
            r"ff( ?10)?|fu3010z0|ws|vv|wind",
        ),
    ),
    Variable(
        name="wind_dir", label="wind direction", unit="°", standard_name="wind_from_direction",
        statistic="prevailing", period=_INTERVAL, note="Clockwise from north; 16 points at a Davis station.",
        low=0, high=360, accuracy=22.5, nature="circular", speed="wind_speed", words="wind_dir_str",
        detected=True, monitored=True, plot="points",
        typical=(0, 360),
        called=(
            r"(mean )?wind ?dir(ection)?( avg| mean)?|wind from direction|wind ?dir.*",
            r"dd( ?10)?|dkl010z0|wd|dv",
        ),
    ),
    Variable(
        name="hi_speed", label="gust", unit="km/h", standard_name="wind_speed_of_gust",
        statistic="maximum", period=_INTERVAL, note=_DAVIS,
        low=0, high=450, accuracy=3.2, nature="gusty", scale=_SPEED, follows=("wind_speed",), detected=True,
        typical=(0, 250),
        called=(
            r"(wind ?)?gust( ?sp(ee)?d)?|wind ?sp(ee)?d ?max|hi ?speed|max ?wind",
            r"fu3010z1|fx( ?10)?|wg|vmax|raf ?10",
        ),
    ),
    Variable(
        name="hi_dir", label="gust direction", unit="°", standard_name="wind_gust_from_direction",
        note="At the moment of `hi_speed`; clockwise from north.",
        low=0, high=360, accuracy=22.5, nature="circular", speed="hi_speed", words="hi_dir_str", plot="points",
        typical=(0, 360),
        called=(r"gust ?dir(ection)?|hi ?dir|dmax",),
    ),
    Variable(
        name="solar_radiation", label="global solar radiation", unit="W/m²",
        standard_name="surface_downwelling_shortwave_flux_in_air", statistic="mean", period=_INTERVAL,
        note="On a horizontal surface. A pyranometer reads a little below zero on clear nights.",
        low=-4, high=2200,  # the physically possible limits of the Baseline Surface Radiation Network (Long and Dutton)
        accuracy=90.0,  # 5 % of the sensor's range of 1800
        nature="rare", detected=True,
        typical=(0, 1400),
        called=(r"(global |solar |short ?wave )+(rad(iation)?|irradiance)", r"solar|gre000z0|srad|ghi|glob|radiation"),
    ),
    Variable(
        name="dew_point", label="dew point", unit="°C", standard_name="dew_point_temperature",
        note="Most stations compute it of temperature and humidity: a fault of either shows there first.",
        low=-100, high=45,  # below the lowest air temperature; record: 35 °C
        accuracy=1.0, nature="level",
        # What the noise of temperature and humidity makes of it at 10 °C and 60 %; a jump of 15 % makes 4 K there.
        scale=Scale(root=False, noise=0.4, resolution=0.1, step=4.0, difference=4.0),
        follows=("temp_out", "out_hum"), detected=True,
        typical=(-50, 32),
        called=(r"dew ?(point|pt)( temperature)?|dew ?p", r"td( ?10)?|tde200s0|tpr|dew"),
    ),
    Variable(
        name="snow_depth", label="snow depth", unit="cm", standard_name="surface_snow_thickness",
        low=0, high=1500,  # record: 1182 cm
        below=1,  # a distance sensor over bare ground reads a little below zero
        accuracy=1.0,  # what WMO-No. 8 asks for
        nature="rare", detected=True, plot="steps",
        typical=(0, 700),
        called=(r"snow ?(depth|height|on ground)|depth of snow|htoauts0|sh|hs|nv",),
    ),
)  # fmt: skip

BY_NAME = {variable.name: variable for variable in MEASURED}

STATION = "all"
"""Stands for the variable where a station as a whole is meant."""

DETECTED = tuple(variable.name for variable in MEASURED if variable.detected)
"""What a detection run judges unless told otherwise, at the stations that measure it.

All but the direction of the gust, which is a single moment's and, at many stations, of a vane that is judged already.
"""

MONITORED = tuple(variable.name for variable in MEASURED if variable.monitored)
"""What `weather-tool sensors` reports."""

WORDS = tuple(variable.words for variable in MEASURED if variable.words)
"""The columns that are text: compass points."""

COLUMNS = tuple(name for variable in MEASURED for name in (variable.name, variable.words) if name)
"""The columns of an observation's values, in their order everywhere."""

COMPASS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
"""The 16 points, clockwise from north, 22.5° apart."""
