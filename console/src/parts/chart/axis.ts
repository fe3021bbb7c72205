// The scales: labels of the time in the reader's language and time zone, and what the vertical scale shows.
import uPlot from "uplot";
import { language, t } from "../../words";
import { timeZone } from "../time";
import { type Line, type Scale, type Span, shown } from "./shapes";

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

/** The least and the greatest that the vertical scale has to show. */
export function vertical(lines: Line[], span: Span, scale: Scale): [number, number] {
  if (scale === "compass") return [0, 360];
  let least = scale === "zero" ? 0 : Infinity;
  let greatest = scale === "zero" ? 0 : -Infinity;
  for (const line of lines) {
    const [first, after] = shown(line, span);
    for (let place = first; place < after; place += 1) {
      const low = line.low?.[place] ?? line.values[place];
      const high = line.high?.[place] ?? line.values[place];
      if (typeof low === "number" && low < least) least = low;
      if (typeof high === "number" && high > greatest) greatest = high;
    }
  }
  if (greatest < least) return [0, 1];
  const room = Math.max((greatest - least) * 0.06, 0.5);
  return [scale === "zero" && least === 0 ? 0 : least - room, greatest + room];
}

export const COMPASS = [0, 90, 180, 270, 360];

/** The points of the compass at `COMPASS`. */
export function compassLabels(): string[] {
  return [t("N"), t("E"), t("S"), t("W"), t("N")];
}
