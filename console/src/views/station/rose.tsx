// From where the wind blew: each sector's length is the share of the time, its shades are the speeds.
import { useId } from "preact/hooks";
import { useData } from "../../data";
import { figure } from "../../parts/chart/reading";
import type { Span } from "../../parts/chart/shapes";
import { Failed } from "../../parts/failed";
import { Scroll } from "../../parts/scroll";
import { t } from "../../words";
import type { WindRose } from "./shapes";
import { useKept } from "./span";

const POINTS = ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"];
const RADIUS = 100;
const HUB = 6;

/** The wind rose of a span. */
export function Rose({ station, span }: { station: string; span: Span }) {
  const loaded = useData<WindRose>("rose", { station, ...span });
  const rose = useKept(loaded.data, station);
  return (
    <>
      <Failed of={loaded} />
      {rose && <Drawn {...rose} />}
    </>
  );
}

function Drawn({ number, calm, edges, unit, share }: WindRose) {
  const title = useId();
  if (!number) return <p class="faint">{t("No wind was measured in this span.")}</p>;
  const sums = POINTS.map((_, sector) => share.reduce((sum, shares) => sum + (shares[sector] ?? 0), 0));
  const most = Math.max(...sums);
  const rings = ringsUpTo(most);
  const top = Math.max(most, rings.at(-1) ?? 0);
  // Classes above the strongest wind are left out.
  const shown = edges.slice(0, share.findLastIndex((shares) => shares.some((one) => one > 0)) + 1);
  const radius = (part: number) => HUB + (RADIUS - HUB) * (part / top);
  const percent = (part: number) => `${figure(100 * part)} %`;
  return (
    <div class="rose">
      <svg viewBox="-125 -118 250 236" role="img" aria-labelledby={title}>
        <title id={title}>
          {t("Wind rose: mostly from {point}, {share} of the time; calm {calm}", {
            point: POINTS[sums.indexOf(most)] ?? "",
            share: percent(most),
            calm: percent(calm),
          })}
        </title>
        {rings.map((ring) => (
          <circle key={ring} class="ring" r={radius(ring)} />
        ))}
        {POINTS.map((point, sector) => {
          let inner = 0;
          return share.map((shares, class_) => {
            const from = inner;
            inner += shares[sector] ?? 0;
            if (inner === from) return null;
            const says = `${point}, ${speeds(edges, class_)} ${unit}: ${percent(inner - from)}`;
            return (
              <path
                key={`${point}${class_}`}
                class={`speed-${class_}`}
                d={wedge(22.5 * sector, radius(from), radius(inner))}
              >
                <title>{says}</title>
              </path>
            );
          });
        })}
        {rings.map((ring) => (
          <text key={ring} class="ring" x={radius(ring) * 0.39} y={-radius(ring) * 0.92}>
            {percent(ring)}
          </text>
        ))}
        {[0, 4, 8, 12].map((sector) => (
          <text
            key={sector}
            x={(RADIUS + 12) * Math.sin((sector * Math.PI) / 8)}
            y={-(RADIUS + 10) * Math.cos((sector * Math.PI) / 8)}
          >
            {[t("N"), t("E"), t("S"), t("W")][sector / 4]}
          </text>
        ))}
      </svg>
      <div>
        <ul class="speeds">
          {shown.map((edge, class_) => (
            <li key={edge}>
              <svg width="14" height="14" aria-hidden="true">
                <rect width="14" height="14" class={`speed-${class_}`} />
              </svg>{" "}
              {speeds(edges, class_)} {unit}
            </li>
          ))}
        </ul>
        <p class="faint">{t("Calm {calm} of {number} readings.", { calm: percent(calm), number })}</p>
        <details>
          <summary>{t("As a table")}</summary>
          <Scroll label={t("Wind")}>
            <table class="narrow">
              <thead>
                <tr>
                  <th scope="col">{t("From")}</th>
                  {shown.map((edge, class_) => (
                    <th key={edge} scope="col" class="number">
                      {speeds(edges, class_)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {POINTS.map((point, sector) => (
                  <tr key={point}>
                    <th scope="row">{point}</th>
                    {shown.map((edge, class_) => (
                      <td key={edge} class="number">
                        {percent(share[class_]?.[sector] ?? 0)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </details>
      </div>
    </div>
  );
}

function speeds(edges: number[], class_: number): string {
  const to = edges[class_ + 1];
  return to === undefined ? `≥ ${edges[class_]}` : `${edges[class_]}–${to}`;
}

function ringsUpTo(most: number): number[] {
  const apart = [0.01, 0.02, 0.05, 0.1, 0.2].find((one) => most / one <= 4.5) ?? 0.25;
  return Array.from({ length: Math.ceil(most / apart) }, (_, place) => apart * (place + 1));
}

function wedge(middle: number, inner: number, outer: number): string {
  const half = 9.5;
  const point = (radius: number, degrees: number) => {
    const angle = (degrees * Math.PI) / 180;
    return `${(radius * Math.sin(angle)).toFixed(2)} ${(-radius * Math.cos(angle)).toFixed(2)}`;
  };
  const [from, to] = [middle - half, middle + half];
  return `M${point(inner, from)}L${point(outer, from)}A${outer} ${outer} 0 0 1 ${point(outer, to)}L${point(inner, to)}A${inner} ${inner} 0 0 0 ${point(inner, from)}Z`;
}
