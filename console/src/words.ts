// The words of the interface: English in the code, other languages from the catalogues in locales/.
// `t` and `tn` are what the tool that collects messages looks for (tools/console_words.py).

type Values = Record<string, string | number>;
type Catalogue = { [message: string]: string | string[] };

const STORED = "weather-console-language";
export const LANGUAGES: Record<string, string> = { en: "English", el: "Ελληνικά" };

let catalogue: Catalogue = {};
/** The language of the interface, as BCP 47 has it. */
export let language = "en";

/** Load the catalogue of the language that was chosen before, or that the browser prefers. */
export async function chooseWords(): Promise<void> {
  const wanted = [localStorage.getItem(STORED) ?? "", ...navigator.languages].map((one) => one.slice(0, 2));
  language = wanted.find((one) => one in LANGUAGES) ?? "en";
  document.documentElement.lang = language;
  if (language !== "en") catalogue = (await (await fetch(`${assets()}/${language}.json`)).json()) as Catalogue;
}

/** Remember another language, and load the page anew in it. */
export function setLanguage(name: string): void {
  localStorage.setItem(STORED, name);
  location.reload();
}

/** A message in the reader's language, with `{name}` replaced by its value. */
export function t(message: string, values: Values = {}): string {
  const found = catalogue[message];
  return filled(typeof found === "string" && found ? found : message, values);
}

/** A message that depends on a number, which is `{n}` in it. Both languages have one form for 1 and one for others. */
export function tn(one: string, many: string, n: number, values: Values = {}): string {
  const found = catalogue[one];
  const forms = Array.isArray(found) ? found : [one, many];
  return filled((n === 1 ? forms[0] : forms[1]) || (n === 1 ? one : many), { n, ...values });
}

function filled(message: string, values: Values): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The folder of the bundle's files, whose name changes with their contents. */
function assets(): string {
  return new URL(".", import.meta.url).href.replace(/\/$/, "");
}
