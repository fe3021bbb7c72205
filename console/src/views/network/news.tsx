// Says to who hears the page which stations became worse since the answer before.
import { useEffect, useRef, useState } from "preact/hooks";
import { nameOf } from "../../parts/name";
import { STATES, type State, stateWord } from "../../parts/state";
import { t } from "../../words";
import type { Station } from "./shapes";

// So many are named; the list has them all.
const NAMED = 5;

export function News({ stations, isPart }: { stations: Station[]; isPart: boolean }) {
  const before = useRef<Map<string, State>>(undefined);
  const [said, setSaid] = useState("");
  useEffect(() => {
    const rank = (state: State | undefined) => STATES.indexOf(state ?? "well");
    const worse = stations.filter((one) => {
      const was = before.current?.get(one.id);
      // Of a part, a station that was not in it before is no news.
      if (!before.current || (isPart && !was)) return false;
      return rank(one.state) <= rank("silent") && rank(one.state) < rank(was);
    });
    const names = worse
      .sort((one, other) => rank(one.state) - rank(other.state))
      .slice(0, NAMED)
      .map((one) => t("{name}: {state}", { name: nameOf(one), state: stateWord(one.state) }));
    if (worse.length) setSaid(names.join("; ") + (worse.length > NAMED ? "; …" : ""));
    before.current = new Map(stations.map((one) => [one.id, one.state]));
  }, [stations, isPart]);
  return (
    <p class="hidden" role="status">
      {said}
    </p>
  );
}
