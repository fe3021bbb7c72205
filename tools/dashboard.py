"""Grafana's dashboard of a fleet, by the typed builder that Grafana makes from its own schema."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import (
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders.common import StackingConfig
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import StackingMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    RangeMap,
    RegexMap,
    SpecialValueMap,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

Mapping = ValueMap | RangeMap | RegexMap | SpecialValueMap

SOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")
# The selection of hosts in queries.
HOSTS = 'instance=~"$instance"'
WIDTH, HEIGHT = 12, 8
STATES = {"0": ("well", "green"), "1": ("warning", "orange"), "2": ("broken", "red")}


def fleet() -> str:
    """The dashboard, as JSON."""
    board = (
        dashboard.Dashboard("Weather stations")
        .uid("weather-toolkit")
        .description("Collection, detection and health of a fleet of weather hosts")
        .tags(["weather"])
        .refresh("1m")
        .time("now-24h", "now")
        .timezone("browser")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("instance")
            .label("Host")
            .query('label_values(up{job="weather"}, instance)')
            .datasource(SOURCE)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
        )
        .with_row(dashboard.Row("Fleet"))
        .with_panel(_hosts())
        .with_panel(_wrong())
        .with_row(dashboard.Row("Collection"))
        .with_panel(
            _lines("Observations stored", "an hour", [
                (f'sum by (instance) (rate(weather_observations_total{{change="new", {HOSTS}}}[1h])) * 3600',
                 "{{instance}}"),
            ])
        )
        .with_panel(
            _lines("Age of the newest observation", "how old it is; the feed is renewed every ten minutes", [
                (f"weather_data_age_seconds{{{HOSTS}}}", "{{instance}}"),
            ], unit="s")
        )
        .with_panel(
            _lines("Cycles", "an hour, by how they ended", [
                (f"sum by (status) (rate(weather_collection_cycles_total{{{HOSTS}}}[1h])) * 3600", "{{status}}"),
            ], stacked=True)
        )
        .with_panel(
            _lines("Left out", "observations and values in six hours, by reason", [
                (f"sum by (reason) (increase(weather_rejections_total{{{HOSTS}}}[6h]))", "{{reason}}"),
            ], stacked=True)
        )
        .with_panel(
            _lines("Sources", "how old the newest observation of each is; the oldest ten", [
                (
                    f"topk(10, time() - weather_source_newest_observation_timestamp_seconds{{{HOSTS}}})",
                    "{{instance}} {{source}}",
                ),
            ], unit="s")
        )
        .with_panel(
            _lines("Cycles of sources that failed", "an hour, the ten with the most", [
                (
                    f"topk(10, rate(weather_source_failures_total{{{HOSTS}}}[1h]) * 3600 > 0)",
                    "{{instance}} {{source}}",
                ),
            ])
        )
        .with_row(dashboard.Row("Detection"))
        .with_panel(
            _lines("Detection runs", "in six hours", [
                (f"sum by (instance) (increase(weather_detections_total{{{HOSTS}}}[6h]))", "{{instance}}"),
            ])
        )
        .with_panel(
            _lines("New anomalies", "in a day, by class", [
                (f"sum by (class) (increase(weather_anomalies_total{{{HOSTS}}}[1d]))", "{{class}}"),
            ], stacked=True)
        )
        .with_panel(
            _lines("Anomalies that last", "by class", [
                (f"sum by (class) (weather_anomalies_open{{{HOSTS}}})", "{{class}}"),
            ], stacked=True)
        )
        .with_panel(
            _lines("Silent stations", "the age of a station's newest observation, the ten oldest", [
                (f"topk(10, weather_station_data_age_seconds{{{HOSTS}}})", "{{instance}} {{station}}"),
            ], unit="s")
        )
        .with_row(dashboard.Row("Incidents"))
        .with_panel(_incidents())
        .with_panel(
            _lines("Incidents that are not over", "by severity", [
                (f"sum by (severity) (weather_incidents_active{{{HOSTS}}})", "{{severity}}"),
            ], stacked=True)
        )
        .with_panel(
            _lines("How fast people are", "means over the incidents that were resolved in 30 days", [
                (_mean("acknowledge", "acknowledged"), "to acknowledge"),
                (_mean("repair", "resolved"), "to repair"),
            ], unit="s")
        )
        .with_panel(
            _lines("Availability", "the share of the expected observations in 24 hours, the ten worst stations", [
                (f"bottomk(10, weather_station_availability_ratio{{{HOSTS}}})", "{{instance}} {{station}}"),
            ], unit="percentunit")
        )
        .with_panel(
            _lines("Messages that wait", "for how long the oldest waits that people should have been told of", [
                (f"weather_outbox_age_seconds{{{HOSTS}}}", "{{instance}}"),
            ], unit="s")
        )
        .with_row(dashboard.Row("HTTP API"))
        .with_panel(
            _lines("Requests", "a second, by status; none of an API that Prometheus cannot reach", [
                (f"sum by (status) (rate(weather_api_requests_total{{{HOSTS}}}[5m]))", "{{status}}"),
            ], unit="reqps", stacked=True)
        )
        .with_panel(
            _lines("Time to answer", "of 19 requests in 20, at most", [
                ("histogram_quantile(0.95, sum by (instance, le) "
                 f"(rate(weather_api_request_duration_seconds_bucket{{{HOSTS}}}[5m])))", "{{instance}}"),
            ], unit="s")
        )
        .with_row(dashboard.Row("System health"))
        .with_panel(_checks())
        .with_panel(
            _lines("Database", "the space that it takes", [
                (f"weather_db_size_bytes{{{HOSTS}}}", "{{instance}}"),
            ], unit="bytes")
        )
        .with_panel(
            _lines("Age of the newest backup", "what would be lost if the host were lost now", [
                (f"weather_backup_age_seconds{{{HOSTS}}}", "{{instance}}"),
            ], unit="s")
        )
        .with_panel(_stat("Slowest restore drill", f"max(weather_restore_duration_seconds{{{HOSTS}}})", "s"))
        .with_panel(_stat("Documents that wait", f"sum(weather_spool_documents{{{HOSTS}}})", "short"))
    )  # fmt: skip
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _query(expression: str, legend: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expression).legend_format(legend).datasource(SOURCE)


def _instant(expression: str, name: str) -> prometheus.Dataquery:
    return _query(expression, name).instant().format(PromQueryFormat.TABLE).ref_id(name)


def _lines(
    title: str, description: str, queries: Sequence[tuple[str, str]], *, unit: str = "short", stacked: bool = False
) -> timeseries.Panel:
    panel = timeseries.Panel().title(title).description(description).datasource(SOURCE).unit(unit).min(0)
    panel = panel.span(WIDTH).height(HEIGHT).fill_opacity(10)
    if stacked:
        panel = panel.stacking(StackingConfig().mode(StackingMode.NORMAL))
    for expression, legend in queries:
        panel = panel.with_target(_query(expression, legend))
    return panel


def _stat(title: str, expression: str, unit: str) -> stat.Panel:
    panel = stat.Panel().title(title).datasource(SOURCE).unit(unit).span(WIDTH // 2).height(HEIGHT)
    return panel.with_target(_query(expression, ""))


def _hosts() -> table.Panel:
    """One row for each host."""
    columns = {
        "state": f"max by (instance) (weather_check_cause{{{HOSTS}}}) or max by (instance) (0 * up{{{HOSTS}}})",
        "newest": f"weather_data_age_seconds{{{HOSTS}}}",
        "stations": 'max by (instance) (weather_stations_observed{within="3600", ' + HOSTS + "})",
        "anomalies": f"sum by (instance) (weather_anomalies_open{{{HOSTS}}})",
        "backup": f"weather_backup_age_seconds{{{HOSTS}}}",
        "drill": f"weather_drill_success{{{HOSTS}}}",
    }
    panel = table.Panel().title("Hosts").description("Each host, and its state").datasource(SOURCE)
    panel = panel.span(2 * WIDTH).height(HEIGHT)
    for name, expression in columns.items():
        panel = panel.with_target(_instant(expression, name))
    hidden = dict.fromkeys(("Time", "job", "__name__"), True)
    names = {f"Value #{name}": name for name in columns}
    for one, options in (("merge", {}), ("organize", {"excludeByName": hidden, "renameByName": names})):
        panel = panel.with_transformation(DataTransformerConfig(id_val=one, options=options))
    panel = panel.override_by_name("state", [
        DynamicConfigValue("mappings", _states()), DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
    ])  # fmt: skip
    for name in ("newest", "backup"):
        panel = panel.override_by_name(name, [DynamicConfigValue("unit", "s")])
    return panel


def _wrong() -> table.Panel:
    """What is wrong now."""
    panel = table.Panel().title("What is wrong").description("Causes, not symptoms; weather-tool doctor says more")
    panel = panel.datasource(SOURCE).span(2 * WIDTH).height(HEIGHT)
    panel = panel.with_target(_instant(f"weather_check_cause{{{HOSTS}}} > 0", "severity"))
    hidden = {"excludeByName": dict.fromkeys(("Time", "job", "__name__"), True), "renameByName": {"Value": "severity"}}
    panel = panel.with_transformation(DataTransformerConfig(id_val="organize", options=hidden))
    return panel.override_by_name("severity", [DynamicConfigValue("mappings", _states())])


def _mean(what: str, number: str) -> str:
    return f"sum(weather_incidents_{what}_seconds{{{HOSTS}}}) / sum(weather_incidents_{number}{{{HOSTS}}})"


def _incidents() -> table.Panel:
    """One row for each incident that is not over."""
    panel = table.Panel().title("Incidents").description("weather-tool incidents show NUMBER says more")
    panel = panel.datasource(SOURCE).span(2 * WIDTH).height(HEIGHT)
    # Grafana wants milliseconds.
    panel = panel.with_target(_instant(f"weather_incident_started_timestamp_seconds{{{HOSTS}}} * 1000", "since"))
    hidden = {"excludeByName": dict.fromkeys(("Time", "job", "__name__"), True), "renameByName": {"Value": "since"}}
    panel = panel.with_transformation(DataTransformerConfig(id_val="organize", options=hidden))
    return panel.override_by_name("since", [DynamicConfigValue("unit", "dateTimeAsIso")])


def _checks() -> statetimeline.Panel:
    """When which check failed."""
    panel = statetimeline.Panel().title("Checks that failed").description("Causes, by host").datasource(SOURCE)
    panel = panel.span(2 * WIDTH).height(HEIGHT).mappings(_states())
    panel = panel.thresholds(
        dashboard.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(color="green"), Threshold(color="orange", value=1.0), Threshold(color="red", value=2.0)])
    )
    return panel.with_target(_query(f"weather_check_cause{{{HOSTS}}}", "{{instance}} {{check}}"))


def _states() -> list[Mapping]:
    return [ValueMap(options={value: ValueMappingResult(text=text, color=c) for value, (text, c) in STATES.items()})]
