// What comes from the service: fetched once or again and again, with what to say when it does not come.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { BASE } from "./place";

/** An answer other than success: `message` is the service's own sentence. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | boolean | undefined>;

/** The address of data, such as `data/network`. */
export function address(path: string, query: Query = {}): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.set(name, String(value));
  return words.size ? `${BASE}/data/${path}?${words}` : `${BASE}/data/${path}`;
}

/**
 * Fetch data.
 * @throws Refused where the service answers with an error; TypeError where it does not answer.
 */
export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return read<T>(await fetch(address(path, query), { signal: signal ?? null, credentials: "same-origin" }));
}

let token = "";
/** Keep what the service wants to hear with each action, against forged requests. */
export function keepToken(value: string): void {
  token = value;
}

/**
 * Have something done.
 * @throws Refused where the service does not do it; TypeError where it does not answer.
 */
export async function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
  return read<T>(await fetch(address(path), { method: "POST", headers, body: JSON.stringify(body) }));
}

/**
 * End something, such as `session`.
 * @throws Refused where the service does not do it; TypeError where it does not answer.
 */
export async function end(path: string): Promise<void> {
  return read(await fetch(address(path), { method: "DELETE", headers: { "X-CSRF-Token": token } }));
}

async function read<T>(response: Response): Promise<T> {
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  let detail = `${response.status} ${response.statusText}`;
  if (response.headers.get("Content-Type")?.includes("json")) detail = (await response.json()).detail ?? detail;
  throw new Refused(response.status, detail);
}

export interface Loaded<T> {
  /** The newest answer; undefined before the first. It stays while later ones fail. */
  data: T | undefined;
  /** Why the newest attempt failed. */
  error: Error | undefined;
  /** When `data` came, in milliseconds since the epoch. */
  at: number;
  /** Ask now. */
  again: () => void;
}

/**
 * Data that a view shows: fetched when its address changes, and every `seconds` while the page is visible. While the
 * service does not answer it is asked less and less often, but for the moment when the network comes back.
 */
export function useData<T>(path: string | null, query: Query = {}, seconds?: number): Loaded<T> {
  const wanted = path === null ? null : address(path, query);
  const [state, setState] = useState<{ of: string | null; data?: T; error?: Error; at: number }>({ of: null, at: 0 });
  const failures = useRef(0);
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((number) => number + 1), []);

  useEffect(() => {
    if (wanted === null) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        const data = await read<T>(await fetch(wanted, { signal: stop.signal, credentials: "same-origin" }));
        failures.current = 0;
        setState({ of: wanted, data, at: Date.now() });
      } catch (error) {
        if (stop.signal.aborted) return;
        failures.current += 1;
        const kept = (before: { of: string | null; data?: T; at: number }) =>
          before.of === wanted ? { ...before, error: error as Error } : { of: wanted, error: error as Error, at: 0 };
        setState(kept);
      }
      if (seconds) timer = setTimeout(next, 1000 * seconds * Math.min(2 ** failures.current, 6));
    };
    const next = () => {
      if (document.hidden) document.addEventListener("visibilitychange", next, { once: true, signal: stop.signal });
      else void ask();
    };
    window.addEventListener("online", again, { signal: stop.signal });
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [wanted, seconds, turn]);

  const here = state.of === wanted ? state : { at: 0, data: undefined, error: undefined };
  return { data: here.data, error: here.error, at: here.at, again };
}
