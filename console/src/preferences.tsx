// What a reader chooses for this browser: the language, light or dark, UTC or the network's time.
import { chooseScheme, chosenScheme } from "./parts/scheme";
import { setTimeZone, timeZone, timeZones } from "./parts/time";
import { LANGUAGES, language, setLanguage, t } from "./words";

export function Preferences({ network }: { network: string }) {
  return (
    <details class="preferences">
      <summary>{t("Preferences")}</summary>
      <div>
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
          {t("Times")}
          <select value={timeZone} onChange={(event) => setTimeZone(event.currentTarget.value)}>
            {[...new Set([...timeZones(network), timeZone])].map((name) => (
              <option key={name} value={name}>
                {name.replaceAll("_", " ")}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("Colours")}
          <select value={chosenScheme()} onChange={(event) => chooseScheme(event.currentTarget.value)}>
            <option value="">{t("As the browser")}</option>
            <option value="light">{t("Light")}</option>
            <option value="dark">{t("Dark")}</option>
          </select>
        </label>
      </div>
    </details>
  );
}
