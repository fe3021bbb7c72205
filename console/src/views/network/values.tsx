// Values as the network's views write them.
import type { Variable } from "../../about";
import { language, t } from "../../words";
import { FAIL, SUSPECT } from "./shapes";

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const ARROWS = "↓↙←↖↑↗→↘"; // whither the wind blows that comes from the north, the north-east, …

/** A value as text; those of variables whose unit is a degree are directions. */
export function figure(value: number, { unit }: Variable): string {
  if (unit === "°") return `${ARROWS[Math.round(value / 45) % 8]} ${whole.format(value)}°`;
  return (unit === "%" || unit === "W/m²" ? whole : tenths).format(value);
}

/** A value with its unit. */
export function withUnit(value: number, variable: Variable): string {
  return variable.unit === "°" ? figure(value, variable) : `${figure(value, variable)} ${variable.unit}`;
}

/** A value in a cell or a line, marked where it is suspect or has failed; nothing where there is none. */
export function Value({ value, flag, of, unit }: ValueProps) {
  if (typeof value !== "number") return <span class="faint">–</span>;
  const text = unit ? withUnit(value, of) : figure(value, of);
  if (flag !== FAIL && flag !== SUSPECT) return <>{text}</>;
  const word = flag === FAIL ? t("fail") : t("suspect");
  return (
    <span class={flag === FAIL ? "doubt fail" : "doubt suspect"} title={word}>
      {text} <span class="hidden">({word})</span>
    </span>
  );
}

interface ValueProps {
  value: number | null | undefined;
  flag: number | undefined;
  of: Variable;
  unit?: boolean;
}
