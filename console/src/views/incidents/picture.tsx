// What a sensor read around an incident, with its neighbours' readings and what they imply.
import { useState } from "preact/hooks";
import { useAbout } from "../../about";
import { useData } from "../../data";
import type { Span } from "../../parts/chart/shapes";
import { Notice } from "../../parts/notice";
import { Charts } from "../station/charts";
import type { Neighbours, Rain, Series } from "../station/shapes";
import { useKept, useRested } from "../station/span";

const EVERY_SECONDS = 60;
const REST_MS = 300;
const PIXELS = 1000;
const DAY = 86400;
// The service reads neighbours of at most so long.
const MOST_OF_NEIGHBOURS = 31 * DAY;
// One can move so far from what is shown at first.
const FARTHER = 30 * DAY;

interface Props {
  station: string;
  variable: string;
  /** What is shown at first. */
  around: Span;
  /** Whether its neighbours are shown beside it. */
  beside: boolean;
}

/** A picture that can be moved and zoomed. */
export function Picture({ station, variable, around, beside }: Props) {
  const { variables } = useAbout();
  const [own, setOwn] = useState<Span>();
  const span = own ?? around;
  const bounds = { from: around.from - FARTHER, to: around.to + FARTHER };
  const rested = useRested(span, `${span.from} ${span.to}`, REST_MS);
  const wanted = { station, from: Math.floor(rested.from), to: Math.ceil(rested.to) };
  const near = beside && rested.to - rested.from <= MOST_OF_NEIGHBOURS;
  const rains = variable === "rain";
  const series = useData<Series>("series", { ...wanted, variables: variable, width: PIXELS }, EVERY_SECONDS);
  const rain = useData<Rain>(rains ? "rain" : null, wanted, EVERY_SECONDS);
  const others = useData<Neighbours>(
    near && !rains ? "neighbours" : null,
    { ...wanted, variable, width: PIXELS },
    EVERY_SECONDS,
  );
  const kept = useKept(series.data, `${station} ${variable}`);
  const keptRain = useKept(rain.data, station);
  const keptOthers = useKept(others.data, `${station} ${variable}`);
  if (!kept) return series.error ? <Notice kind="error">{series.error.message}</Notice> : null;
  if (!variables.some((one) => one.name === variable)) return null;
  return (
    <div class="charts">
      <Charts
        chosen={[variable]}
        series={kept}
        rain={keptRain}
        compared={near ? variable : undefined}
        neighbours={near ? keptOthers : undefined}
        span={span}
        bounds={bounds}
        onSpan={setOwn}
      />
    </div>
  );
}
