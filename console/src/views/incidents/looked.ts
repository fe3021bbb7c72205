// When a person looked last, on this browser: what there is news of since is new.
import { useState } from "preact/hooks";
import type { Person } from "../../about";

/** The time of the newest news that was seen, by the service's clock, and how to say that it was. */
export function useLooked(person: Person | null): [number, (seconds: number) => void] {
  const name = `weather-console-looked ${person?.name ?? ""}`;
  const [said, setSaid] = useState<{ of: string; seconds: number }>();
  const seconds = said?.of === name ? said.seconds : stored(name);
  const look = (newest: number) => {
    localStorage.setItem(name, String(newest));
    setSaid({ of: name, seconds: newest });
  };
  return [seconds, look];
}

function stored(name: string): number {
  const seconds = Number(localStorage.getItem(name));
  return Number.isSafeInteger(seconds) && seconds > 0 && seconds < 2 ** 40 ? seconds : 0;
}
