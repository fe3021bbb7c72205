// What is shown of a station: the span of time, the variables, the neighbours.
import { useAbout } from "../../about";
import { moved, type Span, within, zoomed } from "../../parts/chart/shapes";
import { day, zone } from "../../parts/time";
import { t } from "../../words";
import { RANGES, type Shown } from "./span";

/** The ranges that end now, steps to earlier and later, and days to choose. */
export function SpanControls({ shown, bounds }: { shown: Shown; bounds: Span }) {
  const { span, range, showSpan, showRange } = shown;
  const names: Record<string, string> = {
    "24h": t("24 hours"),
    "3d": t("3 days"),
    "7d": t("7 days"),
    "30d": t("30 days"),
    "1y": t("1 year"),
    "10y": t("10 years"),
  };
  const show = (wanted: Span) => showSpan(within(wanted, bounds));
  return (
    <div class="span">
      <fieldset class="row">
        <legend class="hidden">{t("Up to now")}</legend>
        {Object.keys(RANGES).map((name) => (
          <button key={name} type="button" aria-pressed={name === range} onClick={() => showRange(name)}>
            {names[name]}
          </button>
        ))}
      </fieldset>
      <fieldset class="row">
        <legend class="hidden">{t("Move and zoom")}</legend>
        <button type="button" title={t("Earlier")} aria-label={t("Earlier")} onClick={() => show(moved(span, -0.5))}>
          ←
        </button>
        <button type="button" title={t("Later")} aria-label={t("Later")} onClick={() => show(moved(span, 0.5))}>
          →
        </button>
        <button type="button" title={t("Zoom in")} aria-label={t("Zoom in")} onClick={() => show(zoomed(span, 0.5))}>
          +
        </button>
        <button type="button" title={t("Zoom out")} aria-label={t("Zoom out")} onClick={() => show(zoomed(span, 2))}>
          −
        </button>
      </fieldset>
      <fieldset class="row">
        <legend class="hidden">{t("From a day to a day")}</legend>
        <DayInput
          label={t("From")}
          at={span.from}
          onDay={(from) => show({ from, to: Math.max(span.to, from + DAY) })}
        />
        <DayInput
          label={t("To")}
          at={span.to - 1}
          onDay={(last) => show({ from: Math.min(span.from, last), to: last + DAY })}
        />
        <span class="faint">{zone}</span>
      </fieldset>
    </div>
  );
}

const DAY = 86400;

function DayInput({ label, at, onDay }: { label: string; at: number; onDay: (start: number) => void }) {
  return (
    <label>
      {label}{" "}
      <input
        type="date"
        value={day(at)}
        onChange={(event) => {
          const start = startOf(event.currentTarget.value);
          if (start !== undefined) onDay(start);
        }}
      />
    </label>
  );
}

/** When a day of the reader's time zone begins, in seconds since the epoch. */
function startOf(date: string): number | undefined {
  const utc = Date.parse(`${date}T00:00:00Z`) / 1000;
  if (Number.isNaN(utc)) return undefined;
  // The first of the hours around it that is of that day: zones are at most 14 hours away.
  for (let start = utc - 14 * 3600; start <= utc + 14 * 3600; start += 900) if (day(start) === date) return start;
  return undefined;
}

/** Which variables are drawn, and of which one the neighbours. */
export function VariableControls({ shown, chosen }: { shown: Shown; chosen: string[] }) {
  const { variables } = useAbout();
  const compared = variables.filter((one) => one.compared && chosen.includes(one.name));
  return (
    <div class="row">
      <details class="choice">
        <summary>{t("Variables")}</summary>
        <fieldset>
          <legend class="hidden">{t("Variables")}</legend>
          {variables.map(({ name, label }) => (
            <label key={name}>
              <input
                type="checkbox"
                checked={chosen.includes(name)}
                onChange={(event) => {
                  const next = variables
                    .map((one) => one.name)
                    .filter((one) => (one === name ? event.currentTarget.checked : chosen.includes(one)));
                  if (next.length) shown.change({ variables: next.join(",") });
                  else event.currentTarget.checked = true;
                }}
              />{" "}
              {t(label)}
            </label>
          ))}
        </fieldset>
      </details>
      <label>
        {t("Neighbours")}{" "}
        <select
          value={shown.words.neighbours ?? ""}
          onChange={(event) => shown.change({ neighbours: event.currentTarget.value || undefined })}
        >
          <option value="">{t("not shown")}</option>
          {compared.map(({ name, label }) => (
            <option key={name} value={name}>
              {t(label)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
