// A canvas on Leaflet's map: it moves with the map, and is drawn anew when the map rests.
import * as L from "leaflet";

/** Draws on a canvas whose coordinates are the map's layer points; `bounds` is all of it. */
export type Draw = (context: CanvasRenderingContext2D, bounds: L.Bounds) => void;

// Leaflet's renderer of paths keeps the canvas in its place. Here it has no paths: what it calls to draw them draws.
export class Picture extends L.Canvas {
  declare private _bounds: L.Bounds;
  declare private _ctx: CanvasRenderingContext2D;
  declare private _redraw: () => void;
  private drawing: Draw;

  constructor(draw: Draw, options: L.RendererOptions) {
    super(options);
    this.drawing = draw;
  }

  _draw(): void {
    this._ctx.save();
    this.drawing(this._ctx, this._bounds);
    this._ctx.restore();
  }

  /** Draw it anew. */
  again(): void {
    if (this._map) this._redraw();
  }
}

/** A place in Web Mercator, as pixels of a map of the whole Earth that is 256 pixels wide. */
export function world(longitude: number, latitude: number): [number, number] {
  const sine = Math.sin((Math.max(-85.05, Math.min(85.05, latitude)) * Math.PI) / 180);
  return [(longitude / 360 + 0.5) * 256, (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * 256];
}

/** How such pixels become the map's layer points: times `scale`, less `x` and `y`. */
export function toLayer(map: L.Map): { scale: number; x: number; y: number } {
  const { x, y } = map.getPixelOrigin();
  return { scale: 2 ** map.getZoom(), x, y };
}
