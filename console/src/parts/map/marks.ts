// The stations on the map: a mark of its own for each state, as in lists, and a label where there is room.
import type { Bounds, Map as LeafletMap } from "leaflet";
import { colour } from "../scheme";
import { STATES, type State } from "../state";
import { toLayer, world } from "./picture";

/** A station on the map. */
export interface Place {
  id: string;
  longitude: number;
  latitude: number;
  state: State;
  /** Beside the mark: its name, or a value. */
  label: string;
  /** The colour of a value; undefined for the state's, null for a value that is not there. */
  fill?: string | null | undefined;
  /** Whence the wind blows, in degrees: the mark is an arrow with it. */
  from?: number | null | undefined;
  /** Whether others are looked for. */
  faint?: boolean;
}

/** Places with where they are in Web Mercator. */
export type Placed = Place & { x: number; y: number };

/** Where places are, side by side also where they lie on both sides of 180°. */
export function placed(places: Place[]): Placed[] {
  const east = places.map((one) => one.longitude);
  const other = east.map((one) => (one < 0 ? one + 360 : one));
  const span = (degrees: number[]) => degrees.reduce(max, -360) - degrees.reduce(min, 360);
  const shown = span(other) < span(east) ? other : east;
  return places.map((one, number) => {
    const [x, y] = world(shown[number] as number, one.latitude);
    return { ...one, longitude: shown[number] as number, x, y };
  });
}

const max = (one: number, other: number) => Math.max(one, other);
const min = (one: number, other: number) => Math.min(one, other);

/** How large marks are, in pixels from their middle: smaller where there are many. */
export function radius(number: number, zoom: number): number {
  return Math.max(3.5, Math.min(7, 7 - Math.log10(Math.max(1, number / 60)) * 2.5 + Math.max(0, zoom - 7) * 0.5));
}

const FONT = "12px system-ui, sans-serif";
const LINE = 15;
// Between a mark and its label: more than a cell, so that a mark is never in its own label's way.
const GAP = 4;
// The map is divided into cells of so many pixels, to see where labels have room.
const CELL = 6;

/** Draw all places, the worst last, and labels, the worst first. */
export function drawMarks(context: CanvasRenderingContext2D, bounds: Bounds, map: LeafletMap, places: Placed[]): void {
  const { scale, x, y } = toLayer(map);
  const size = radius(places.length, map.getZoom());
  const room = new Room(bounds);
  const seen = places.flatMap((one) => {
    const [left, top] = [one.x * scale - x, one.y * scale - y];
    const inside = left > (bounds.min?.x ?? 0) && left < (bounds.max?.x ?? 0);
    if (!inside || top < (bounds.min?.y ?? 0) || top > (bounds.max?.y ?? 0)) return [];
    if (!one.faint) room.take(left - size + 3, top - size + 3, 2 * size - 6, 2 * size - 6);
    return [{ one, left, top }];
  });
  const groups = new Map<string, typeof seen>();
  for (const here of seen) {
    const key = here.one.faint ? "faint" : `${here.one.state} ${here.one.fill} ${isArrow(here.one)}`;
    const group = groups.get(key);
    if (group) group.push(here);
    else groups.set(key, [here]);
  }
  const order = (group: typeof seen) => (group[0]?.one.faint ? 9 : STATES.indexOf(group[0]?.one.state ?? "well"));
  for (const group of [...groups.values()].sort((one, other) => order(other) - order(one))) {
    const { one: first } = group[0] as (typeof seen)[number];
    const sprite = stamp(first, size);
    for (const { one, left, top } of group) {
      context.save();
      context.translate(left, top);
      if (isArrow(one)) context.rotate(((one.from as number) * Math.PI) / 180);
      context.drawImage(sprite, -HALF, -HALF, 2 * HALF, 2 * HALF);
      context.restore();
    }
  }
  context.font = FONT;
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = colour("--land");
  context.fillStyle = colour("--ink");
  const worst = (here: (typeof seen)[number]) => STATES.indexOf(here.one.state);
  for (const { one, left, top } of [...seen].sort((some, other) => worst(some) - worst(other))) {
    if (one.faint || !one.label) continue;
    const start = left + size + GAP + (isArrow(one) ? 4 : 0);
    if (!room.free(start, top - LINE / 2, 12, LINE)) continue;
    const wide = context.measureText(one.label).width;
    if (!room.free(start, top - LINE / 2, wide, LINE)) continue;
    room.take(start, top - LINE / 2, wide, LINE);
    context.strokeText(one.label, start, top);
    context.fillText(one.label, start, top);
  }
}

// A mark is drawn once, and copied to each of its stations: of thousands that takes a hundredth of the time.
const HALF = 12;

function stamp(one: Place, size: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 2 * HALF * SHARPNESS;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.scale(SHARPNESS, SHARPNESS);
  draw(context, one, HALF, HALF, size);
  return canvas;
}

const SHARPNESS = Math.max(1, Math.ceil(devicePixelRatio));

function isArrow({ fill, from, faint }: Place): boolean {
  return Boolean(fill) && typeof from === "number" && !faint;
}

/** Draw the mark of a station; an arrow points to the south. */
function draw(context: CanvasRenderingContext2D, one: Place, x: number, y: number, size: number) {
  const { state, fill, faint } = one;
  const hollow = fill === null && !faint;
  context.beginPath();
  if (faint) circle(context, x, y, 1.5);
  else if (isArrow(one)) arrow(context, x, y, size + 3);
  else if (hollow) circle(context, x, y, Math.max(3, size - 2));
  else if (fill) circle(context, x, y, size);
  else SHAPES[state](context, x, y, size);
  context.fillStyle = faint ? colour("--faint") : hollow ? colour("--land") : (fill ?? colour(`--${state}`));
  context.strokeStyle = hollow ? colour("--faint") : fill ? colour("--ink") : colour("--paper");
  context.lineWidth = fill || hollow ? 1 : 1.5;
  if (!faint) context.stroke();
  context.fill();
  if (hollow) context.stroke();
}

/** What of a map is taken already. */
class Room {
  private readonly taken = new Set<number>();
  private readonly left: number;
  private readonly top: number;
  private readonly columns: number;

  constructor(bounds: Bounds) {
    this.left = bounds.min?.x ?? 0;
    this.top = bounds.min?.y ?? 0;
    this.columns = Math.ceil(bounds.getSize().x / CELL) + 200;
  }

  private cells(left: number, top: number, wide: number, high: number): number[] {
    const found = [];
    for (let row = Math.floor((top - this.top) / CELL); row <= (top + high - this.top) / CELL; row++)
      for (let column = Math.floor((left - this.left) / CELL); column <= (left + wide - this.left) / CELL; column++)
        found.push(row * this.columns + column);
    return found;
  }

  take(left: number, top: number, wide: number, high: number): void {
    for (const cell of this.cells(left, top, wide, high)) this.taken.add(cell);
  }

  free(left: number, top: number, wide: number, high: number): boolean {
    return !this.cells(left, top, wide, high).some((cell) => this.taken.has(cell));
  }
}

type Shape = (context: CanvasRenderingContext2D, x: number, y: number, size: number) => void;

function polygon(context: CanvasRenderingContext2D, points: [number, number][]): void {
  for (const [number, [x, y]] of points.entries()) number ? context.lineTo(x, y) : context.moveTo(x, y);
  context.closePath();
}

const circle: Shape = (context, x, y, size) => {
  context.moveTo(x + size, y);
  context.arc(x, y, size, 0, 2 * Math.PI);
};

// As the marks in lists: style/base.css.
const SHAPES: Record<State, Shape> = {
  critical: (context, x, y, size) =>
    polygon(context, [
      [x, y - 1.25 * size],
      [x + 1.15 * size, y + 0.8 * size],
      [x - 1.15 * size, y + 0.8 * size],
    ]),
  warning: (context, x, y, size) =>
    polygon(context, [
      [x, y + 1.25 * size],
      [x + 1.15 * size, y - 0.8 * size],
      [x - 1.15 * size, y - 0.8 * size],
    ]),
  silent: (context, x, y, size) => {
    const arm = 0.35 * size;
    polygon(
      context,
      (
        [
          [0, arm],
          [size - arm, size],
          [size, size - arm],
          [arm, 0],
          [size, arm - size],
          [size - arm, -size],
          [0, -arm],
          [arm - size, -size],
          [-size, arm - size],
          [-arm, 0],
          [-size, size - arm],
          [arm - size, size],
        ] as [number, number][]
      ).map(([right, down]) => [x + right, y + down]),
    );
  },
  maintenance: (context, x, y, size) => context.rect(x - 0.85 * size, y - 0.85 * size, 1.7 * size, 1.7 * size),
  weather: (context, x, y, size) =>
    polygon(context, [
      [x, y - 1.2 * size],
      [x + 1.2 * size, y],
      [x, y + 1.2 * size],
      [x - 1.2 * size, y],
    ]),
  well: circle,
};

/** An arrow whither a wind from the north blows. */
const arrow: Shape = (context, x, y, size) =>
  polygon(context, [
    [x, y + 1.1 * size],
    [x + 0.75 * size, y - 0.9 * size],
    [x, y - 0.45 * size],
    [x - 0.75 * size, y - 0.9 * size],
  ]);
