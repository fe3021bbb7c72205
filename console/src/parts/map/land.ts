// The land, its shores and borders behind the map: `data/land`, in the detail of what is seen.
import * as L from "leaflet";
import { address, get } from "../../data";
import { colour } from "../scheme";
import { Picture, toLayer, world } from "./picture";

interface Land {
  /** Degrees. */
  step: number;
  /** Each line: the first point's longitude and latitude, then differences, in steps. */
  land: number[][];
  borders: number[][];
}

// So many times as large as what is seen is fetched on each side, so that moving the map seldom asks.
const AROUND = 0.5;
// What was fetched for a map so many times as wide is too coarse.
const COARSE = 5;
// It is asked once the map rests.
const REST_MS = 40;

/** Show the land on a map; what is returned draws it anew. */
export function addLand(map: L.Map): () => void {
  let land: Float64Array[] = [];
  let borders: Float64Array[] = [];
  let box: L.LatLngBounds | undefined;
  let asking: AbortController | undefined;
  let asked = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  map.createPane("land").style.zIndex = "200";

  const picture = new Picture(
    (context) => {
      const { scale, x, y } = toLayer(map);
      const trace = (lines: Float64Array[]) => {
        context.beginPath();
        for (const line of lines) {
          context.moveTo((line[0] as number) * scale - x, (line[1] as number) * scale - y);
          for (let place = 2; place < line.length; place += 2)
            context.lineTo((line[place] as number) * scale - x, (line[place + 1] as number) * scale - y);
        }
      };
      context.lineJoin = "round";
      context.fillStyle = colour("--land");
      context.strokeStyle = colour("--shore");
      context.lineWidth = 0.9;
      trace(land);
      context.fill("evenodd");
      context.stroke();
      context.setLineDash([5, 3]);
      context.lineWidth = 0.8;
      trace(borders);
      context.stroke();
    },
    { pane: "land", padding: 0.5 },
  ).addTo(map);

  const ask = async () => {
    const seen = map.getBounds();
    if (box?.contains(seen) && width(box) < COARSE * width(seen)) return;
    const wanted = around(seen, map.getZoom());
    if (address("land", wanted) === asked) return;
    asked = address("land", wanted);
    asking?.abort();
    asking = new AbortController();
    try {
      const found = await get<Land>("land", wanted, asking.signal);
      land = found.land.map((line) => placed(line, found.step));
      borders = found.borders.map((line) => placed(line, found.step));
      box = L.latLngBounds([wanted.south, wanted.west], [wanted.north, wanted.east]);
      picture.again();
    } catch {
      if (asked === address("land", wanted)) asked = ""; // the stations are shown without it; the next move asks again
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, REST_MS);
  };
  map.on("moveend", soon);
  map.on("unload", () => {
    clearTimeout(timer);
    asking?.abort();
  });
  void ask();
  return () => picture.again();
}

function width(bounds: L.LatLngBounds): number {
  return bounds.getEast() - bounds.getWest();
}

/** A box in degrees. */
export type Box = { west: number; east: number; south: number; north: number };

/** A box around what is seen, one of few, so that the browser or the service has most answers already. */
export function around(seen: L.LatLngBounds, zoom: number): Box {
  const box = seen.pad(AROUND);
  const unit = 360 / 2 ** Math.round(zoom);
  const out = (degrees: number, round: (value: number) => number, most: number) =>
    Math.max(-most, Math.min(most, round(degrees / unit) * unit));
  return {
    west: out(box.getWest(), Math.floor, 540),
    east: out(box.getEast(), Math.ceil, 540),
    south: out(box.getSouth(), Math.floor, 85),
    north: out(box.getNorth(), Math.ceil, 85),
  };
}

/** A line in Web Mercator. */
function placed(line: number[], step: number): Float64Array {
  const points = new Float64Array(line.length);
  let longitude = 0;
  let latitude = 0;
  for (let place = 0; place < line.length; place += 2) {
    longitude += line[place] as number;
    latitude += line[place + 1] as number;
    points.set(world(longitude * step, latitude * step), place);
  }
  return points;
}
