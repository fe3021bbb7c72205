// A station's variables over time: one chart for each unit.
import { useMemo } from "preact/hooks";
import { useAbout, type Variable } from "../../about";
import { Chart } from "../../parts/chart/chart";
import type { Band, Line, Span } from "../../parts/chart/shapes";
import { nameOf } from "../../parts/name";
import { t } from "../../words";
import type { IncidentBand, MaintenanceBand, Neighbours, Rain, Series } from "./shapes";

// Levels have no zero to stand on.
const SCALES = { level: "level", gusty: "zero", rare: "zero", circular: "compass" } as const;
const DAY = 86400;
const COLOURS = ["--link", "--well", "--silent", "--ink"];

export interface ChartsProps {
  chosen: string[];
  series: Series;
  rain: Rain | undefined;
  /** The variable of which neighbours are shown. */
  compared: string | undefined;
  neighbours: Neighbours | undefined;
  span: Span;
  bounds: Span;
  onSpan: (span: Span) => void;
}

export function Charts(props: ChartsProps) {
  const { variables } = useAbout();
  const groups = new Map<string, Variable[]>();
  for (const one of variables)
    if (props.chosen.includes(one.name)) groups.set(one.unit, [...(groups.get(one.unit) ?? []), one]);
  return (
    <>
      {[...groups.values()].map((group) => (
        <GroupChart key={group[0]?.unit} group={group} {...props} />
      ))}
    </>
  );
}

function GroupChart({ group, ...props }: ChartsProps & { group: Variable[] }) {
  const { series, rain, compared, neighbours, span, bounds, onSpan } = props;
  const names = group.map((one) => one.name).join();
  const unit = group[0]?.unit ?? "";
  const with_ = group.some((one) => one.name === compared) ? neighbours : undefined;
  const lines = useMemo(() => {
    const own = group.map((one, place) =>
      one.name === "rain"
        ? rainLine(one, series, rain)
        : lineOf(one, series, COLOURS[place % COLOURS.length] as string),
    );
    return with_ ? [...own, ...neighbourLines(with_)] : own;
  }, [names, series, rain, with_]);
  const bands = useMemo(() => bandsOf(group, series), [names, series]);
  if (unit === "°" && series.step >= DAY)
    return <p class="faint">{t("Directions have no mean over a day: see the wind rose.")}</p>;
  return (
    <Chart
      label={group.map((one) => t(one.label)).join(", ")}
      unit={unit}
      lines={lines}
      bands={bands}
      scale={SCALES[group[0]?.nature ?? "level"]}
      span={span}
      bounds={bounds}
      onSpan={onSpan}
    />
  );
}

function lineOf(variable: Variable, series: Series, colour: string): Line {
  const { value = [], low, high, flags = [] } = series.variables[variable.name] ?? {};
  return {
    label: t(variable.label),
    times: value.length ? series.time : [],
    values: value,
    step: series.step,
    ...(low && high && { low, high }),
    flags,
    shape: variable.plot,
    colour,
  };
}

function rainLine(variable: Variable, series: Series, rain: Rain | undefined): Line {
  const steps = { hour: t("rain of an hour"), day: t("rain of a day"), month: t("rain of a month") };
  return {
    label: rain ? steps[rain.step] : t(variable.label),
    times: rain?.time ?? [],
    ends: rain?.end ?? [],
    values: rain?.sum ?? [],
    flags: series.variables[variable.name]?.flags ?? [],
    shape: "bars",
    colour: "--link",
  };
}

function neighbourLines({ step, time, implied, neighbours }: Neighbours): Line[] {
  const others = neighbours.map(({ km, value, ...names }): Line => {
    const label = t("{name}, {km} km", { name: nameOf(names), km: km.toFixed(km < 10 ? 1 : 0) });
    return { label, times: time, values: value, step, weight: "thin", colour: "--shore" };
  });
  const expected: Line = { label: t("implied by neighbours"), times: time, values: implied, step };
  return [{ ...expected, weight: "dashed", colour: "--warning" }, ...others];
}

function bandsOf(group: Variable[], series: Series): Band[] {
  return series.bands
    .filter(({ variable }) => variable === "all" || group.some((one) => one.name === variable))
    .map((one) => ({ from: one.started, to: one.ended, kind: kindOf(one) }));
}

/** The state that a band is coloured as. */
export function kindOf(band: IncidentBand | MaintenanceBand): Band["kind"] {
  if (band.kind === "maintenance" || band.state === "maintenance" || band.verdict === "maintenance")
    return "maintenance";
  if (band.verdict === "weather") return "weather";
  return band.severity === "info" ? "silent" : band.severity;
}
