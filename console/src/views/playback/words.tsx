// What the detector says, in words.
import { useAbout } from "../../about";
import { language, t } from "../../words";
import type { Class } from "./shapes";

const CLASSES: Record<Class | "silent", () => string> = {
  device_failure: () => t("fault"),
  weather_event: () => t("weather"),
  suspected: () => t("suspected"),
  unverified: () => t("unverified"),
  silent: () => t("silent"),
};

export function ClassWord({ of }: { of: Class | "silent" | undefined }) {
  return <span class={`said ${of ?? "nothing"}`}>{of ? CLASSES[of]() : t("nothing found")}</span>;
}

const figures = new Intl.NumberFormat(language, { maximumSignificantDigits: 4, signDisplay: "negative" });
const large = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

export function amount(value: number | null, unit: string): string {
  if (value === null) return "–";
  return `${(Math.abs(value) < 100 ? figures : large).format(value)} ${unit}`.trim();
}

/** What sensors are called: by their variable, or the station as a whole. */
export function useLabel(): (variable: string) => string {
  const { variables } = useAbout();
  return (name) =>
    name === "all" ? t("the station as a whole") : (variables.find((one) => one.name === name)?.label ?? name);
}
