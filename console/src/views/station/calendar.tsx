// How much of each day arrived. A column is a week, from Monday; days are UTC's.
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useData } from "../../data";
import type { Span } from "../../parts/chart/shapes";
import { Failed } from "../../parts/failed";
import { Scroll } from "../../parts/scroll";
import { language, t } from "../../words";
import type { Completeness } from "./shapes";
import { useKept } from "./span";

const DAY = 86400;
const CELL = 11;
const PITCH = 13;
const months = new Intl.DateTimeFormat(language, { timeZone: "UTC", month: "short" });
const dates = new Intl.DateTimeFormat("sv", { timeZone: "UTC", dateStyle: "short" });

interface Day {
  start: number;
  share: number;
  failed: number;
}

interface CalendarProps {
  station: string;
  /** What is looked at: at least the year up to its end is shown. */
  span: Span;
  /** When the oldest observation is of. */
  oldest: number;
  onSpan: (span: Span) => void;
}

export function Calendar({ station, span, oldest, onSpan }: CalendarProps) {
  const from = Math.max(Math.min(span.from, span.to - 365 * DAY), oldest);
  const days = { from: Math.floor(from / DAY) * DAY, to: Math.ceil(span.to / DAY) * DAY };
  const loaded = useData<Completeness>("completeness", { station, ...days });
  const kept = useKept(loaded.data, station);
  return (
    <>
      <Failed of={loaded} />
      {kept && <Days data={kept} onSpan={onSpan} />}
    </>
  );
}

function Days({ data, onSpan }: { data: Completeness; onSpan: (span: Span) => void }) {
  const years = useMemo(() => byYear(data), [data]);
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // Where not all fits, the newest days are in view.
    const found = place.current?.querySelector(".scroll");
    const newest = found?.querySelector(".year:last-of-type g g:last-child")?.getBoundingClientRect();
    if (found && newest)
      found.scrollLeft += Math.max(0, newest.right - found.getBoundingClientRect().right + 2 * PITCH);
  }, [data]);
  return (
    <div class="calendar" ref={place}>
      <Scroll label={t("Days")}>
        {[...years].map(([year, days]) => (
          <Year key={year} year={year} days={days} onSpan={onSpan} />
        ))}
      </Scroll>
      <p class="scale faint">
        {t("Arrived:")}
        {[0, 0.25, 0.6, 0.9, 1].map((share) => (
          <span key={share}>
            <svg width="12" height="12" aria-hidden="true">
              <rect width="11" height="11" class={level(share)} />
            </svg>{" "}
            {share === 1 ? "≥ 98 %" : share === 0 ? t("nothing") : `< ${{ 0.25: 50, 0.6: 80, 0.9: 98 }[share]} %`}
          </span>
        ))}
        <span>
          <svg width="12" height="12" aria-hidden="true">
            <rect width="11" height="11" class="share-4" />
            <circle cx="5.5" cy="5.5" r="2.6" class="failed" />
          </svg>{" "}
          {t("a tenth or more failed a test")}
        </span>
      </p>
      <details>
        <summary>{t("As a table")}</summary>
        <Months years={years} onSpan={onSpan} />
      </details>
    </div>
  );
}

function Year({ year, days, onSpan }: { year: number; days: Day[]; onSpan: (span: Span) => void }) {
  const first = Date.UTC(year, 0, 1) / 1000;
  const shift = weekday(first);
  const column = (start: number) => Math.floor(((start - first) / DAY + shift) / 7);
  return (
    <svg class="year" width={54 * PITCH + 44} height={7 * PITCH + 18} aria-hidden="true">
      <text x="0" y="30" class="name">
        {year}
      </text>
      <g transform="translate(44 16)">
        {Array.from({ length: 12 }, (_, month) => Date.UTC(year, month, 1) / 1000).map((start) => (
          <text key={start} x={column(start + 6 * DAY) * PITCH} y="-4">
            {months.format(1000 * start)}
          </text>
        ))}
        {days.map((one) => {
          const x = column(one.start) * PITCH;
          const y = weekday(one.start) * PITCH;
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: the table has the same as buttons
            <g key={one.start} onClick={() => onSpan({ from: one.start, to: one.start + DAY })}>
              <rect x={x} y={y} width={CELL} height={CELL} class={level(one.share)}>
                <title>{`${dates.format(1000 * one.start)}: ${percent(one.share)}`}</title>
              </rect>
              {one.failed >= 0.1 && <circle cx={x + CELL / 2} cy={y + CELL / 2} r="2.6" class="failed" />}
            </g>
          );
        })}
      </g>
    </svg>
  );
}

function Months({ years, onSpan }: { years: Map<number, Day[]>; onSpan: (span: Span) => void }) {
  return (
    <Scroll label={t("Months")}>
      <table class="narrow">
        <thead>
          <tr>
            <th scope="col">{t("Year")}</th>
            {Array.from({ length: 12 }, (_, month) => (
              <th key={months.format(Date.UTC(2000, month, 1))} scope="col" class="number">
                {months.format(Date.UTC(2000, month, 1))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...years].map(([year, days]) => (
            <tr key={year}>
              <th scope="row">{year}</th>
              {Array.from({ length: 12 }, (_, month) => {
                const some = days.filter(({ start }) => new Date(1000 * start).getUTCMonth() === month);
                const from = Date.UTC(year, month, 1) / 1000;
                const to = Date.UTC(year, month + 1, 1) / 1000;
                return (
                  <td key={from} class="number">
                    {some.length > 0 && (
                      <button type="button" class="plain" onClick={() => onSpan({ from, to })}>
                        {percent(some.reduce((sum, one) => sum + one.share, 0) / some.length)}
                      </button>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function byYear({ day, received, failed, expected }: Completeness): Map<number, Day[]> {
  const years = new Map<number, Day[]>();
  day.forEach((start, place) => {
    const year = new Date(1000 * start).getUTCFullYear();
    const arrived = received[place] ?? 0;
    const one = {
      start,
      share: expected ? Math.min(arrived / expected, 1) : 0,
      failed: arrived ? (failed[place] ?? 0) / arrived : 0,
    };
    years.set(year, [...(years.get(year) ?? []), one]);
  });
  return years;
}

function level(share: number): string {
  return `share-${share >= 0.98 ? 4 : share >= 0.8 ? 3 : share >= 0.5 ? 2 : share > 0 ? 1 : 0}`;
}

function percent(share: number): string {
  return `${share > 0 && share < 1 ? Math.min(Math.max(Math.round(100 * share), 1), 99) : 100 * share} %`;
}

function weekday(start: number): number {
  return (new Date(1000 * start).getUTCDay() + 6) % 7;
}
