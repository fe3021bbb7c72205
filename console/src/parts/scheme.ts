// Light or dark: what the reader chose, else what the browser prefers. CSS knows it as `data-scheme` of the page.
import { useEffect, useState } from "preact/hooks";

export type Scheme = "light" | "dark";

const STORED = "weather-console-scheme";
const CHANGED = "weather-console-scheme";
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** What the reader chose; empty for what the browser prefers. */
export function chosenScheme(): Scheme | "" {
  const stored = localStorage.getItem(STORED);
  return stored === "light" || stored === "dark" ? stored : "";
}

/** Remember another choice, and apply it. */
export function chooseScheme(chosen: string): void {
  localStorage.setItem(STORED, chosen);
  apply();
}

/** Apply the scheme, now and whenever the browser's changes. */
export function followScheme(): void {
  apply();
  prefersDark.addEventListener("change", apply);
}

/** The scheme in force: what is drawn on a canvas is drawn anew when it changes. */
export function useScheme(): Scheme {
  const [scheme, setScheme] = useState(current);
  useEffect(() => {
    const change = () => setScheme(current());
    window.addEventListener(CHANGED, change);
    return () => window.removeEventListener(CHANGED, change);
  }, []);
  return scheme;
}

/** The value of a colour of style/colours.css, such as `--link`, for a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function current(): Scheme {
  return chosenScheme() || (prefersDark.matches ? "dark" : "light");
}

function apply(): void {
  document.documentElement.dataset.scheme = current();
  window.dispatchEvent(new Event(CHANGED));
}
