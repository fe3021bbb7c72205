// Which incidents are listed: by severity, variable, station, and text.
import { useEffect, useState } from "preact/hooks";
import { useAbout } from "../../about";
import { t } from "../../words";
import { severityText, useSensorName } from "./words";

// A word is looked for once nobody types for so long.
const TYPING_MS = 250;

export function Filters({
  query,
  write,
}: {
  query: Record<string, string>;
  write: (words: Record<string, string | undefined>) => void;
}) {
  const { variables } = useAbout();
  const sensor = useSensorName();
  const [text, setText] = useState(query.text ?? "");
  useEffect(() => setText(query.text ?? ""), [query.text]);
  useEffect(() => {
    if (text === (query.text ?? "")) return;
    const timer = setTimeout(() => write({ text: text || undefined }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);

  return (
    <search class="filters">
      <label>
        {t("Search")}
        <input
          type="search"
          value={text}
          maxLength={200}
          onInput={(event) => setText(event.currentTarget.value)}
          placeholder={t("station or person")}
        />
      </label>
      <label>
        {t("Severity")}
        <select
          value={query.severity ?? ""}
          onChange={(event) => write({ severity: event.currentTarget.value || undefined })}
        >
          <option value="">{t("any")}</option>
          <option value="warning">{t("warning or worse")}</option>
          <option value="critical">{severityText("critical")}</option>
        </select>
      </label>
      <label>
        {t("Variable")}
        <select
          value={query.variable ?? ""}
          onChange={(event) => write({ variable: event.currentTarget.value || undefined })}
        >
          <option value="">{t("any")}</option>
          <option value="all">{sensor("all")}</option>
          {variables.map((one) => (
            <option key={one.name} value={one.name}>
              {one.label}
            </option>
          ))}
        </select>
      </label>
      {query.station && (
        <button type="button" class="chip" onClick={() => write({ station: undefined })}>
          {t("Only station {station}: show all", { station: query.station })}
        </button>
      )}
    </search>
  );
}
