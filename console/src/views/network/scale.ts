// The colours of a variable's values.
import { colour } from "../../parts/scheme";

export interface Scale {
  low: number;
  high: number;
  /** Their colours from low to high, as many as are told apart. */
  colours: string[];
}

const STOPS = [1, 2, 3, 4, 5];
const COLOURS = 24;

/** A scale for values in a unit; undefined where there are none. */
export function scaleOf(values: number[], unit: string): Scale | undefined {
  if (!values.length) return undefined;
  const low = values.reduce((one, other) => Math.min(one, other));
  const high = values.reduce((one, other) => Math.max(one, other));
  const stops = STOPS.map((stop) => channels(colour(`--${unit === "°C" ? "warmth" : "amount"}-${stop}`)));
  const colours = Array.from({ length: COLOURS }, (_, number) => {
    const place = (number / (COLOURS - 1)) * (stops.length - 1);
    const first = Math.min(Math.floor(place), stops.length - 2);
    const [one, other] = [stops[first] as number[], stops[first + 1] as number[]];
    const mixed = one.map((channel, c) => Math.round(channel + ((other[c] as number) - channel) * (place - first)));
    return `rgb(${mixed.join(" ")})`;
  });
  return { low, high, colours };
}

/** The colour of a value. */
export function colourOf(value: number, { low, high, colours }: Scale): string {
  const share = high > low ? (value - low) / (high - low) : 0.5;
  return colours[Math.round(share * (colours.length - 1))] as string;
}

/** Red, green and blue of a colour that is written `#rrggbb`. */
function channels(hex: string): number[] {
  return [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));
}
