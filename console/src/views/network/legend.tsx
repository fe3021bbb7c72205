// What the map's colours say.
import type { Variable } from "../../about";
import { t } from "../../words";
import type { Scale } from "./scale";
import { figure } from "./values";

export function Legend({ variable, scale }: { variable: Variable; scale: Scale | undefined }) {
  if (!scale) return <p class="legend">{t("No station has a new value of this variable.")}</p>;
  return (
    <p class="legend">
      <span>
        {variable.label}, {variable.unit}
      </span>
      <span class="number">{figure(scale.low, variable)}</span>
      <span class="scale" style={{ background: `linear-gradient(to right, ${scale.colours.join(", ")})` }} />
      <span class="number">{figure(scale.high, variable)}</span>
      <span class="faint">{t("Hollow: none, old, or failed")}</span>
    </p>
  );
}
