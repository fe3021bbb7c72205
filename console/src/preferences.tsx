// What a reader chooses for this browser: the language, light or dark, UTC or the network's time.
import { LANGUAGES, language, setLanguage, t } from "./words";

const SCHEME = "weather-console-scheme";

/** Apply the scheme that was chosen before; without one the browser's is used. */
export function applyScheme(): void {
  const chosen = localStorage.getItem(SCHEME);
  if (chosen) document.documentElement.dataset.scheme = chosen;
}

export function Preferences() {
  return (
    <details class="preferences">
      <summary>{t("Preferences")}</summary>
      <label>
        {t("Language")}
        <select value={language} onChange={(event) => setLanguage(event.currentTarget.value)}>
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("Colours")}
        <select
          value={localStorage.getItem(SCHEME) ?? ""}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            if (chosen) localStorage.setItem(SCHEME, chosen);
            else localStorage.removeItem(SCHEME);
            document.documentElement.dataset.scheme = chosen;
          }}
        >
          <option value="">{t("As the browser")}</option>
          <option value="light">{t("Light")}</option>
          <option value="dark">{t("Dark")}</option>
        </select>
      </label>
    </details>
  );
}
