// What a chart says at a moment, in words.
import { language, t } from "../../words";
import { Moment } from "../time";
import { FAIL, type Flagged, type Line, nextTo, ODD, placeOf, SUSPECT } from "./shapes";

const figures = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

/** A value as it is shown. */
export function figure(value: number): string {
  return figures.format(value);
}

const WORDS: Record<number, () => string> = {
  [ODD]: () => t("weather"),
  [SUSPECT]: () => t("suspect"),
  [FAIL]: () => t("fail"),
};

/** A flag in a word, with the test that decided. */
export function flagText([, , flag, test]: Flagged): string {
  return `${WORDS[flag]?.() ?? ""} (${test})`;
}

/** What a line has at a moment: the value, and the range of its readings; empty where it has nothing there. */
export function valueText(line: Line, unit: string, at: number): string {
  const place = placeAt(line, at);
  const value = line.values[place];
  if (typeof value !== "number") return "";
  const low = line.low?.[place];
  const high = line.high?.[place];
  const text = `${figure(value)} ${unit}`;
  if (typeof low !== "number" || typeof high !== "number" || low === high) return text;
  return t("{value} ({low} to {high})", { value: text, low: figure(low), high: figure(high) });
}

/** The worst flag that a line has at a moment. */
export function flagAt(line: Line, at: number): Flagged | undefined {
  const time = line.times[placeAt(line, at)] ?? at;
  const reach = (line.step ?? 0) / 2;
  const found = line.flags?.filter(([from, to]) => from <= time + reach && time - reach <= to) ?? [];
  return found.sort((one, other) => other[2] - one[2])[0];
}

/** The whole reading in a sentence, for a screen reader. */
export function sentence(lines: Line[], unit: string, at: number, when: string): string {
  const parts = lines.flatMap((line) => {
    const value = valueText(line, unit, at);
    const flag = flagAt(line, at);
    const label = lines.length > 1 ? `${line.label} ` : "";
    return value ? [flag ? `${label}${value}, ${flagText(flag)}` : label + value] : [];
  });
  return `${when}: ${parts.join("; ") || t("nothing")}`;
}

// A reading says nothing of a moment that is further away, in seconds.
const REACH = 3600;

function placeAt({ times, ends, step }: Line, at: number): number {
  if (!ends) return nextTo(times, at, step ? step / 2 + 1 : REACH);
  const place = placeOf(times, at + 1) - 1;
  return at < (ends[place] ?? 0) ? place : -1;
}

/** The values at a moment, with the mark of each line. */
export function Reading({ lines, unit, at }: { lines: Line[]; unit: string; at: number | undefined }) {
  return (
    <div class="reading">
      {at !== undefined && <Moment at={at} />}
      <ul>
        {lines.map((line) => {
          const flag = at === undefined ? undefined : flagAt(line, at);
          return (
            <li key={line.label}>
              {lines.length > 1 && (
                <>
                  <Sample line={line} /> {line.label}{" "}
                </>
              )}
              {at !== undefined && <b>{valueText(line, unit, at)}</b>}
              {flag && <span class={`flag of-${flag[2]}`}>{flagText(flag)}</span>}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** A short piece of a line, as it is drawn. */
function Sample({ line }: { line: Line }) {
  const stroke = `var(${line.colour ?? "--link"})`;
  return (
    <svg class="sample" width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">
      {line.shape === "points" ? (
        <circle cx="11" cy="5" r="2.5" fill={stroke} />
      ) : (
        <line
          x1="0"
          y1="5"
          x2="22"
          y2="5"
          stroke={stroke}
          stroke-width={line.weight === "thin" ? 1 : 2}
          stroke-dasharray={line.weight === "dashed" ? "6 3" : undefined}
        />
      )}
    </svg>
  );
}
