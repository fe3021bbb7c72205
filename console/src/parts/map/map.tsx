// A map of stations. It says nothing that the list beside it does not say: that is for who cannot see it.
import * as L from "leaflet";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { t } from "../../words";
import { colour, useScheme } from "../scheme";
import { addLand, around, type Box } from "./land";
import { drawMarks, type Place, placed, radius } from "./marks";
import { Picture, toLayer } from "./picture";

export interface MapProps {
  places: Place[];
  /** The station that is pointed at, and its neighbours. */
  chosen: string | null;
  neighbours: string[];
  /** What is said of it. */
  card: ComponentChildren;
  onChoose: (id: string | null) => void;
  onOpen: (id: string) => void;
  /** Where the map is, as `zoom,latitude,longitude`; empty for the whole network. */
  at: string;
  onMove: (at: string) => void;
  /** Where all stations are, where `places` has only some of them. */
  all?: Box | undefined;
  /** What is around what is seen; null where that is the whole network. */
  onBox?: (box: Box | null) => void;
}

// Not nearer than this to a single station, unless by hand.
const NEAREST = 10;
// A pointer that is so many pixels beside a mark means it.
const REACH = 6;
// How far what is said is from its mark and from the map's edge, in pixels.
const BESIDE = 16;
const EDGE = 6;

const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

export function StationMap(props: MapProps) {
  const box = useRef<HTMLDivElement>(null);
  const places = useMemo(() => placed(props.places), [props.places]);
  const now = useRef({ ...props, places });
  now.current = { ...props, places };
  const made = useRef<Made>(undefined);
  const scheme = useScheme();

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    made.current = make(element, now);
    return () => made.current?.remove();
  }, []);
  useEffect(() => made.current?.show(), [places, scheme]);
  useEffect(() => made.current?.point(), [places, scheme, props.chosen, props.neighbours, props.card]);

  return (
    <div class="map-frame">
      <section ref={box} class="map" aria-label={t("Map")} />
      {props.card && <div class="card">{props.card}</div>}
      <button type="button" class="whole" onClick={() => made.current?.whole()}>
        {t("Whole network")}
      </button>
    </div>
  );
}

type Now = { current: Omit<MapProps, "places"> & { places: ReturnType<typeof placed> } };

interface Made {
  /** Show the places as they are now. */
  show: () => void;
  /** Show what is pointed at, and what is said of it. */
  point: () => void;
  /** Show the whole network. */
  whole: () => void;
  remove: () => void;
}

function make(element: HTMLElement, now: Now): Made {
  const map = L.map(element, {
    center: [0, 0], // until there are stations
    zoom: 2,
    zoomControl: false,
    zoomSnap: 0.25,
    minZoom: 1,
    maxZoom: 15,
    maxBounds: [
      [-85, -500],
      [85, 500],
    ],
    zoomAnimation: !still,
    fadeAnimation: !still,
    inertia: !still,
  });
  map.attributionControl.setPrefix(false).addAttribution("Natural Earth");
  L.control.zoom({ zoomInTitle: t("Zoom in"), zoomOutTitle: t("Zoom out") }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.createPane("pointed").style.zIndex = "350";

  const marks = new Picture((context, bounds) => drawMarks(context, bounds, map, now.current.places), { padding: 0.5 });
  const pointed = new Picture((context) => drawPointed(context, map, now.current), { pane: "pointed", padding: 0.1 });
  // What is said stands beside its mark, where there is room.
  const put = () => {
    const one = now.current.places.find((place) => place.id === now.current.chosen);
    const card = element.parentElement?.querySelector<HTMLElement>(".card");
    if (!one || !card) return;
    const { x, y } = map.latLngToContainerPoint([one.latitude, one.longitude]);
    const { x: wide, y: high } = map.getSize();
    const within = (wanted: number, most: number) => `${Math.max(EDGE, Math.min(wanted, most - EDGE))}px`;
    const beside = y < high / 2 ? y + BESIDE : y - BESIDE - card.offsetHeight;
    card.style.left = within(x - card.offsetWidth / 2, wide - card.offsetWidth);
    card.style.top = within(beside, high - card.offsetHeight);
  };
  map.on("move zoomend", put);

  let fitted = "";
  let shown = false;
  let resizing = false;
  let drawLand = () => {};
  const whole = () => {
    const { all, places } = now.current;
    const bounds = all
      ? L.latLngBounds([all.south, all.west], [all.north, all.east])
      : L.latLngBounds(places.map((one) => [one.latitude, one.longitude]));
    map.fitBounds(bounds, { padding: [30, 30], maxZoom: NEAREST, animate: false });
    fitted = where(map);
    moved();
  };
  const moved = () => {
    now.current.onMove(where(map) === fitted ? "" : where(map));
    tellBox();
  };
  const tellBox = () => now.current.onBox?.(where(map) === fitted ? null : around(map.getBounds(), map.getZoom()));
  const begin = () => {
    const asked = now.current.at.split(",").map(Number);
    const [zoom, latitude, longitude] = asked as [number, number, number];
    if (asked.length === 3 && asked.every(Number.isFinite))
      map.setView([latitude, longitude], zoom, { animate: false });
    else whole();
    tellBox();
    shown = true;
    drawLand = addLand(map);
    marks.addTo(map);
    pointed.addTo(map);
    map.on("moveend", () => {
      if (!resizing) moved();
    });
  };

  const under = (event: L.LeafletMouseEvent) => {
    const { scale, x, y } = toLayer(map);
    let best: string | null = null;
    let nearest = radius(now.current.places.length, map.getZoom()) + REACH;
    for (const one of now.current.places) {
      const away = Math.hypot(one.x * scale - x - event.layerPoint.x, one.y * scale - y - event.layerPoint.y);
      if (!one.faint && away < nearest) [best, nearest] = [one.id, away];
    }
    return best;
  };
  map.on("mousemove", (event) => {
    const id = under(event);
    element.classList.toggle("pointing", id !== null);
    if (id !== now.current.chosen) now.current.onChoose(id);
  });
  map.on("mouseout", () => now.current.onChoose(null));
  map.on("click", (event) => {
    const id = under(event);
    const touched = (event.originalEvent as PointerEvent).pointerType === "touch";
    // A finger cannot point without touching: what it touches first is pointed at.
    if (id && (!touched || touchedBefore === id)) now.current.onOpen(id);
    else if (touched) now.current.onChoose(id);
    touchedBefore = id;
  });
  let touchedBefore: string | null = null;

  const resized = new ResizeObserver(() => {
    const isWhole = shown && where(map) === fitted;
    resizing = true;
    map.invalidateSize({ animate: false });
    if (isWhole) whole();
    resizing = false;
  });
  resized.observe(element);
  return {
    show: () => {
      if (!shown && now.current.places.length) begin();
      drawLand();
      marks.again();
    },
    point: () => {
      pointed.again();
      put();
    },
    whole: () => {
      if (now.current.places.length || now.current.all) whole();
    },
    remove: () => {
      resized.disconnect();
      map.remove();
    },
  };
}

/** Where a map is, as addresses have it. */
function where(map: L.Map): string {
  const { lat, lng } = map.getCenter();
  return `${map.getZoom()},${lat.toFixed(3)},${lng.toFixed(3)}`;
}

/** A ring around what is pointed at, and lines to its neighbours. */
function drawPointed(
  context: CanvasRenderingContext2D,
  map: L.Map,
  { places, chosen, neighbours }: Now["current"],
): void {
  const { scale, x, y } = toLayer(map);
  const here = places.find((one) => one.id === chosen);
  if (!here) return;
  const size = radius(places.length, map.getZoom()) + 4;
  const near = places.filter((one) => neighbours.includes(one.id));
  context.strokeStyle = colour("--link");
  context.lineWidth = 2;
  context.beginPath();
  for (const one of near) {
    context.moveTo(here.x * scale - x, here.y * scale - y);
    context.lineTo(one.x * scale - x, one.y * scale - y);
  }
  context.stroke();
  for (const one of [here, ...near]) {
    const ring = one === here ? size + 1 : size - 1;
    context.lineWidth = one === here ? 3 : 1.5;
    context.beginPath();
    context.arc(one.x * scale - x, one.y * scale - y, ring, 0, 2 * Math.PI);
    context.stroke();
  }
}
