// The scales: labels of the time in the reader's language and time zone, and what the vertical scale shows.
import uPlot from "uplot";
import { language, t } from "../../words";
import { timeZone } from "../time";
import { FAIL, type Line, type Scale, type Span, shown } from "./shapes";

const DAY = 86400;

/** A moment as a date whose local parts are those of the reader's time zone: uPlot divides days and months by them. */
export function zoned(seconds: number): Date {
  return uPlot.tzDate(new Date(1000 * seconds), timeZone === "UTC" ? "Etc/UTC" : timeZone);
}

const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language, { timeZone, ...options });
const years = format({ year: "numeric" });
const months = format({ month: "short" });
const days = format({ day: "numeric", month: "short" });
const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Labels of times that are `apart` seconds from one to the next, the larger unit in a second line where it changes. */
export function timeLabels(times: number[], apart: number): string[] {
  const [small, large] = apart >= 360 * DAY ? [years] : apart >= 28 * DAY ? [months, years] : [days, years];
  const [fine, coarse] = apart < DAY ? [clock, days] : [small, large];
  let before = "";
  return times.map((seconds) => {
    const label = (fine as Intl.DateTimeFormat).format(1000 * seconds);
    const unit = coarse?.format(1000 * seconds) ?? "";
    const changed = unit !== before;
    before = unit;
    return changed && unit ? `${label}\n${unit}` : label;
  });
}

// Readings that fail are left outside where the picture of the others would be less than so high.
const LEAST_SHARE = 0.25;

export interface Vertical {
  least: number;
  greatest: number;
  /** Whether readings that fail are beyond it. */
  beyond: boolean;
}

/** What the vertical scale shows. */
export function vertical(lines: Line[], span: Span, scale: Scale): Vertical {
  if (scale === "compass") return { least: 0, greatest: 360, beyond: false };
  const good = extent(lines, span, scale, false);
  const whole = extent(lines, span, scale, true);
  const beyond = good[0] < good[1] && good[1] - good[0] < LEAST_SHARE * (whole[1] - whole[0]);
  const [least, greatest] = beyond ? good : whole;
  if (greatest < least) return { least: 0, greatest: 1, beyond };
  const room = Math.max((greatest - least) * (beyond ? 0.3 : 0.06), 0.5);
  return { least: scale === "zero" && least === 0 ? 0 : least - room, greatest: greatest + room, beyond };
}

/** The least and the greatest value that lines have in a span; with `all` also those that fail. */
function extent(lines: Line[], span: Span, scale: Scale, all: boolean): [number, number] {
  let least = scale === "zero" ? 0 : Infinity;
  let greatest = scale === "zero" ? 0 : -Infinity;
  for (const line of lines) {
    const failing = all ? [] : (line.flags ?? []).filter((one) => one[2] === FAIL);
    let next = 0;
    const [first, after] = shown(line, span);
    for (let place = first; place < after; place += 1) {
      const reach = (line.step ?? 0) / 2;
      const time = line.times[place] as number;
      while ((failing[next]?.[1] ?? Infinity) < time - reach) next += 1;
      if ((failing[next]?.[0] ?? Infinity) <= time + reach) continue;
      const low = line.low?.[place] ?? line.values[place];
      const high = line.high?.[place] ?? line.values[place];
      if (typeof low === "number" && low < least) least = low;
      if (typeof high === "number" && high > greatest) greatest = high;
    }
  }
  return [least, greatest];
}

export const COMPASS = [0, 90, 180, 270, 360];

/** The points of the compass at `COMPASS`. */
export function compassLabels(): string[] {
  return [t("N"), t("E"), t("S"), t("W"), t("N")];
}
