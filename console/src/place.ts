// Where the console is served: behind a proxy its addresses begin with another path.

/** The console's root, such as `/console`, without a slash at its end. */
export const BASE = new URL(document.baseURI).pathname.replace(/\/$/, "");

/** The address of a view, `parts` being names that may have any character. */
export function link(parts: string[], query: Record<string, string | number | undefined> = {}): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.set(name, String(value));
  const path = [BASE, ...parts.map(encodeURIComponent)].join("/");
  return words.size ? `${path}?${words}` : path;
}
