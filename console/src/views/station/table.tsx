// What the charts show, as numbers.
import type { Variable } from "../../about";
import { figure, flagText } from "../../parts/chart/reading";
import { type Flagged, placeOf, type Span } from "../../parts/chart/shapes";
import { Scroll } from "../../parts/scroll";
import { Moment } from "../../parts/time";
import { t, tn } from "../../words";
import type { Series } from "./shapes";

const MOST = 500;

export function ValuesTable({ series, variables, span }: { series: Series; variables: Variable[]; span: Span }) {
  const first = placeOf(series.time, span.from);
  const after = placeOf(series.time, span.to + 1);
  const shown = variables.filter((one) => series.variables[one.name]);
  const places = Array.from({ length: Math.min(after - first, MOST) }, (_, place) => after - 1 - place);
  return (
    <>
      <p class="faint">
        {after - first > MOST
          ? t("The newest {most} of {n} rows: the download has all.", { most: MOST, n: after - first })
          : tn("{n} row, the newest first.", "{n} rows, the newest first.", after - first)}{" "}
        {series.step > 0 && t("Each is a mean, with the least and the greatest reading.")}
      </p>
      <Scroll label={t("Values")} tall>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Time")}</th>
              {shown.map((one) => (
                <th key={one.name} scope="col" class="number">
                  {t(one.label)} <span class="faint">{one.unit}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {places.map((place) => {
              const time = series.time[place] as number;
              return (
                <tr key={time}>
                  <th scope="row">
                    <Moment at={time} />
                  </th>
                  {shown.map((one) => (
                    <Cell key={one.name} of={series.variables[one.name]} place={place} time={time} step={series.step} />
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}

interface CellProps {
  of: Series["variables"][string] | undefined;
  place: number;
  time: number;
  step: number;
}

function Cell({ of, place, time, step }: CellProps) {
  const value = of?.value[place];
  if (typeof value !== "number") return <td class="number">–</td>;
  const low = of?.low?.[place];
  const high = of?.high?.[place];
  const flag = flagOf(of?.flags ?? [], time - step / 2, time + step / 2);
  return (
    <td class="number">
      {figure(value)}
      {typeof low === "number" && typeof high === "number" && (
        <span class="faint"> {`${figure(low)}…${figure(high)}`}</span>
      )}
      {flag && <span class={`flag of-${flag[2]}`}>{flagText(flag)}</span>}
    </td>
  );
}

function flagOf(flags: Flagged[], from: number, to: number): Flagged | undefined {
  return flags.filter((one) => one[0] <= to && one[1] >= from).sort((one, other) => other[2] - one[2])[0];
}
