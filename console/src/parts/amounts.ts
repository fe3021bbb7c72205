// Numbers as people read them.
import { language, t } from "../words";
import { duration } from "./time";

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });

/** A number of things, such as `16,097`. */
export function count(number: number): string {
  return whole.format(number);
}

/** So many bytes, such as `1.35 MB`, in decimal units as disks are sold. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${short.format(bytes / 1000 ** step)} ${units[step]}`;
}

/** A part of a whole, such as `24 %`. */
export function share(part: number, all: number): string {
  return `${whole.format((100 * part) / Math.max(1, all))} %`;
}

/** How long something took that is over quickly, such as `3.4 s`. */
export function inSeconds(seconds: number): string {
  return seconds < 90
    ? t("{n} s", { n: short.format(seconds < 10 ? Math.round(10 * seconds) / 10 : Math.round(seconds)) })
    : duration(seconds);
}
