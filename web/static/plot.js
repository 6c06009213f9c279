// Small plots with axes, as SVG.
import { number, short, ticks } from "./chart.js";

export const WIDTH = 360, HEIGHT = 200;
const LEFT = 46, RIGHT = 10, TOP = 10, BOTTOM = 34;

const place = (value, [low, high], from, to) => from + ((to - from) * (value - low)) / (high - low);
const clamp = (value, [low, high]) => Math.max(low, Math.min(high, value));

/** A plot whose parts are added one after another; ranges are [low, high], of logarithms if `log`. */
export class Plot {
  constructor({ title, x, y, xLabel = "", yLabel = "", log = false, bare = false }) {
    Object.assign(this, { title, x, y, log });
    this.parts = [];
    const [columns, rows] = [x, y].map((range) => (log ? whole(range) : ticks(...range)));
    const told = (value, all) => (log ? number(10 ** value) : short(value, all.length > 1 ? all[1] - all[0] : 1));
    this.axes = columns.map((value) => `<text x="${this.px(value).toFixed(1)}" y="${HEIGHT - 19}" text-anchor="middle">${told(value, columns)}</text>`).join("")
      + (bare ? "" : rows.map((value) => `<path d="M${LEFT} ${this.py(value).toFixed(1)}H${WIDTH - RIGHT}"/><text x="${LEFT - 5}" y="${(this.py(value) + 3.5).toFixed(1)}" text-anchor="end">${told(value, rows)}</text>`).join(""))
      + `<path class="frame" d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}"/>`
      + `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${xLabel}</text>`
      + (yLabel ? `<text x="${WIDTH - RIGHT - 2}" y="${TOP + 9}" text-anchor="end">${yLabel}</text>` : "");
  }

  px(value) { return place(clamp(value, this.x), this.x, LEFT, WIDTH - RIGHT); }

  py(value) { return place(clamp(value, this.y), this.y, HEIGHT - BOTTOM, TOP); }

  line(points, kind) {
    this.parts.push(`<path class="${kind}" d="${points.map(([x, y], i) => `${i ? "L" : "M"}${this.px(x).toFixed(1)} ${this.py(y).toFixed(1)}`).join("")}"/>`);
  }

  upright(x, kind) { this.parts.push(`<path class="${kind}" d="M${this.px(x).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}"/>`); }

  bars(edges, counts, kind) {
    const floor = this.py(this.y[0]);
    this.parts.push(`<path class="${kind}" d="${counts.map((count, i) => `M${this.px(edges[i]).toFixed(1)} ${floor}V${this.py(count).toFixed(1)}H${this.px(edges[i + 1]).toFixed(1)}V${floor}z`).join("")}"/>`);
  }

  ticks(values, kind) {
    const foot = HEIGHT - BOTTOM;
    this.parts.push(`<path class="${kind}" d="${values.map((x) => `M${this.px(x).toFixed(1)} ${foot}v-9`).join("")}"/>`);
  }

  dots(points, kind) {
    this.parts.push(points.map(([x, y]) => `<circle class="${kind}" cx="${this.px(x).toFixed(1)}" cy="${this.py(y).toFixed(1)}" r="3.5"/>`).join(""));
  }

  word(x, y, text, kind) { this.parts.push(`<text class="${kind}" x="${this.px(x).toFixed(1)}" y="${this.py(y).toFixed(1)}">${text}</text>`); }

  toString() {
    return `<figure class="chart"><figcaption>${this.title}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${this.title}"><g class="axes">${this.axes}</g>${this.parts.join("")}</svg></figure>`;
  }
}

function whole([low, high]) {
  const found = [];
  for (let at = Math.ceil(low); at <= high; at += 1) found.push(at);
  return found;
}

/** Edges and counts of a histogram; what lies outside is counted at its ends. */
export function histogram(values, [low, high], bins = 60) {
  const counts = new Array(bins).fill(0), width = (high - low) / bins;
  for (const value of values) counts[Math.max(0, Math.min(bins - 1, Math.floor((value - low) / width)))] += 1;
  return { edges: counts.map((_, i) => low + i * width).concat(high), counts };
}
