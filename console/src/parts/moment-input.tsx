// A moment that is entered: in the time zone in which times are shown.
import { moment } from "./time";

/** The moment that a text such as `2026-11-26T15:40` names in the reader's time zone; NaN where it is none. */
export function secondsOf(text: string): number {
  const wanted = Date.parse(`${text}Z`) / 1000;
  if (Number.isNaN(wanted)) return wanted;
  // An offset is known only for a moment: the second look is for one just after the clocks are changed.
  const first = wanted - offsetAt(wanted);
  return wanted - offsetAt(first);
}

function offsetAt(seconds: number): number {
  return Date.parse(`${moment(seconds).replace(" ", "T")}Z`) / 1000 - Math.floor(seconds / 60) * 60;
}

export function MomentInput(props: {
  label: string;
  /** Seconds since the epoch. */
  value: number;
  onChange: (seconds: number) => void;
}) {
  const { label, value, onChange } = props;
  return (
    <label>
      {label}
      <input
        type="datetime-local"
        required
        value={Number.isNaN(value) ? "" : moment(value).replace(" ", "T")}
        onChange={(event) => onChange(secondsOf(event.currentTarget.value))}
      />
    </label>
  );
}
