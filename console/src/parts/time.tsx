// Times as people read them. Data have seconds since the epoch; a reader chooses UTC or a time zone (preferences.tsx).
import { useEffect, useState } from "preact/hooks";
import { t, tn } from "../words";

const STORED = "weather-console-time-zone";

/** The time zone in which times are shown: IANA's name. */
export const timeZone = known(localStorage.getItem(STORED)) ?? "UTC";

/** Remember another time zone, and load the page anew. */
export function setTimeZone(name: string): void {
  localStorage.setItem(STORED, name);
  location.reload();
}

/** Time zones to choose from: UTC, the network's, and the browser's. */
export function timeZones(network: string): string[] {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [...new Set(["UTC", network, here].filter((name) => known(name)))];
}

function known(name: string | null): string | undefined {
  try {
    if (name) return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone && name;
  } catch {
    // A browser that does not know it.
  }
  return undefined;
}

// ISO 8601 in every language: Swedish is the locale that writes dates so.
const whole = new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short", timeStyle: "short" });
const days = new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short" });
const clock = new Intl.DateTimeFormat("sv", { timeZone, timeStyle: "short" });

/** A moment, such as `2026-11-26 15:40`; the time zone is said once in a view (`zone`). */
export function moment(seconds: number): string {
  return whole.format(1000 * seconds);
}

/** A moment's day, such as `2026-11-26`. */
export function day(seconds: number): string {
  return days.format(1000 * seconds);
}

/** A moment's time of day, such as `15:40`. */
export function timeOfDay(seconds: number): string {
  return clock.format(1000 * seconds);
}

/** The time zone as it is shown beside times. */
export const zone = timeZone === "UTC" ? "UTC" : timeZone.replaceAll("_", " ");

/** How long something lasts, by its two largest units, such as `2 d 4 h`. */
export function duration(seconds: number): string {
  const minutes = Math.round(Math.max(0, seconds) / 60);
  if (minutes < 60) return t("{minutes} min", { minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 24)
    return minutes % 60 ? t("{hours} h {minutes} min", { hours, minutes: minutes % 60 }) : t("{hours} h", { hours });
  const days = Math.floor(hours / 24);
  if (days < 14 && hours % 24) return t("{days} d {hours} h", { days, hours: hours % 24 });
  return tn("{n} day", "{n} days", days);
}

/** How long ago a moment was, such as `8 min ago`. */
export function ago(seconds: number, now: number): string {
  if (now - seconds < 30) return t("just now");
  return t("{duration} ago", { duration: duration(now - seconds) });
}

/** The present in seconds since the epoch, anew every `every` seconds. */
export function useNow(every = 10): number {
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000 * every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** A moment as an element, for machines as well. */
export function Moment({ at }: { at: number }) {
  return <time dateTime={new Date(1000 * at).toISOString()}>{moment(at)}</time>;
}
