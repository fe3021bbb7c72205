// Counts hour by hour or day by day, as bars that lie on one another, with the table that has the same figures.
import { t } from "../words";
import { count } from "./amounts";
import { Scroll } from "./scroll";

export interface Kind {
  name: string;
  /** A class of the style, which colours it. */
  look: string;
}

export interface Bar {
  /** Which time it is of, as it is said. */
  name: string;
  /** One number for each kind. */
  numbers: number[];
}

const HEIGHT = 100;

export function Bars({ title, kinds, bars }: { title: string; kinds: Kind[]; bars: Bar[] }) {
  const most = Math.max(1, ...bars.map((bar) => total(bar)));
  return (
    <figure class="bars">
      <figcaption>
        <span>{title}</span>
        <span class="key">
          {kinds.map((kind) => (
            <span key={kind.name} class={kind.look}>
              {kind.name}
            </span>
          ))}
        </span>
      </figcaption>
      <div class="plot">
        <span class="most faint" aria-hidden="true">
          {count(most)}
        </span>
        <svg viewBox={`0 0 ${bars.length} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {bars.map((bar, place) => (
            <g key={bar.name}>
              <title>{[bar.name, ...kinds.map((kind, at) => `${kind.name}: ${bar.numbers[at]}`)].join("\n")}</title>
              <rect class="room" x={place} y={0} width={1} height={HEIGHT} />
              {kinds.map((kind, at) => {
                const below = bar.numbers.slice(0, at).reduce((sum, one) => sum + one, 0);
                const tall = ((bar.numbers[at] ?? 0) / most) * HEIGHT;
                const top = HEIGHT - (below / most) * HEIGHT - tall;
                return <rect key={kind.name} class={kind.look} x={place + 0.1} y={top} width={0.8} height={tall} />;
              })}
            </g>
          ))}
        </svg>
        <span class="ends faint" aria-hidden="true">
          <span>{bars[0]?.name}</span>
          <span>{bars.at(-1)?.name}</span>
        </span>
      </div>
      <details>
        <summary>{t("As a table")}</summary>
        <Scroll label={title}>
          <table>
            <caption class="hidden">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{t("Time")}</th>
                {kinds.map((kind) => (
                  <th key={kind.name} scope="col" class="number">
                    {kind.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {bars.toReversed().map((bar) => (
                <tr key={bar.name}>
                  <th scope="row">{bar.name}</th>
                  {kinds.map((kind, at) => (
                    <td key={kind.name} class="number">
                      {count(bar.numbers[at] ?? 0)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </figure>
  );
}

function total(bar: Bar): number {
  return bar.numbers.reduce((sum, one) => sum + one, 0);
}
