// What of the network is shown, and how: it is in the address, so that it can be sent to others.

import { useCallback, useRef } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { STATES, type State } from "../../parts/state";
import { link } from "../../place";

export interface Shown {
  /** What colours the stations: `state`, or a variable. */
  by: string;
  /** Only stations in these states; empty for all. */
  states: State[];
  /** Only stations whose name or id has this. */
  text: string;
  /** The column by which the list is sorted: `state`, `name`, `newest`, `incidents`, or a variable. */
  sort: string;
  /** Whether the largest is first. */
  down: boolean;
  /** The list's page, from 1 on. */
  page: number;
  /** Where the map is. */
  at: string;
}

type Words = Record<string, string | undefined>;

/** With a slash after the console's root, as the page's base has it. */
const address = (words: Words) => link([""], words);

/** What is shown, and how to show something else: words of the address, of which empty ones are left out. */
export function useShown(): [Shown, (words: Words) => void] {
  const { query, route } = useLocation();
  const now = useRef(query);
  now.current = query;
  const change = useCallback(
    (words: Words) => {
      const all: Words = { ...now.current, ...words };
      for (const name of Object.keys(all)) if (!all[name]) delete all[name];
      if (address(all) === address(now.current)) return;
      now.current = all as Record<string, string>;
      route(address(all), true);
    },
    [route],
  );
  const shown = {
    by: query.by || "state",
    states: (query.state ?? "").split(",").filter((one): one is State => (STATES as readonly string[]).includes(one)),
    text: query.q ?? "",
    sort: query.sort || "state",
    down: query.order === "down",
    page: Math.max(1, Math.floor(Number(query.page)) || 1),
    at: query.map ?? "",
  };
  return [shown, change];
}
