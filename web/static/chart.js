// A panel with axes that draws one quantity of both sides against the step.
const WIDTH = 320, HEIGHT = 150, LEFT = 52, BOTTOM = 22, TOP = 8, RIGHT = 8;
export const SIDES = ["a", "b"];

export const number = (value) => value.toLocaleString("en", { maximumSignificantDigits: Math.abs(value) < 1 ? 2 : 4 }).replace("-", "−");

/** Round values between two, three to five of them. */
export function ticks(low, high) {
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? 10 * power;
  const found = [];
  for (let at = Math.ceil(low / step); at * step <= high + step * 1e-9; at += 1) found.push(at * step);
  return found;
}

export const short = (value, step) => {
  const size = Math.abs(value);
  if (size >= 10000) return `${number(value / 1000)}k`;
  return value.toFixed(Math.max(0, Math.min(4, -Math.floor(Math.log10(step) + 1e-9)))).replace("-", "−");
};

export class Chart {
  constructor(parent, name, heading) {
    this.values = { a: [], b: [] };
    this.name = name;
    this.box = document.createElement("figure");
    this.box.className = /^[a-z]+$/.test(name) ? "chart summary" : "chart"; // terms have other names
    this.box.dataset.term = name;
    this.box.innerHTML = `<figcaption>${heading}</figcaption>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"><g class="axes"></g><g class="events"></g>
      <path class="curve a"/><path class="curve b"/><path class="cursor"/>
      <circle class="end a" r="3.5"/><rect class="end b" width="7" height="7"/></svg>
      <p class="last"><span><span class="key a">A</span> <output class="a"></output></span>
      <span><span class="key b">B</span> <output class="b"></output></span></p>`;
    parent.append(this.box);
  }

  add(side, step, value) { this.values[side].push([step, value]); }

  /** Draw up to a step, on an x axis that ends where the training does. */
  draw(end, at, events) {
    const both = [...this.values.a, ...this.values.b];
    // The first steps of a new pair are far off; from the tenth on the scale is what follows.
    const late = both.filter(([step]) => step > 10);
    const shown = (late.length > 10 ? late : both).map(([, value]) => value);
    let [low, high] = [Math.min(...shown), Math.max(...shown)];
    if (high - low < 1e-9) [low, high] = [low - 1, high + 1];
    const x = (step) => LEFT + ((WIDTH - LEFT - RIGHT) * step) / end;
    const y = (value) => {
      const share = Math.max(0, Math.min(1, (value - low) / (high - low)));
      return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share;
    };
    const rows = ticks(low, high), gap = rows.length > 1 ? rows[1] - rows[0] : 1;
    const columns = ticks(0, end);
    this.box.querySelector(".axes").innerHTML =
      rows.map((value) => `<path d="M${LEFT} ${y(value).toFixed(1)}H${WIDTH - RIGHT}"/><text x="${LEFT - 5}" y="${(y(value) + 3.5).toFixed(1)}" text-anchor="end">${short(value, gap)}</text>`).join("")
      + columns.map((step) => `<text x="${x(step).toFixed(1)}" y="${HEIGHT - 6}" text-anchor="middle">${step}</text>`).join("")
      + `<path class="frame" d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}"/>`;
    this.box.querySelector(".events").innerHTML = events
      .map(({ step, words }) => `<path d="M${x(step).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}"><title>${words}, from step ${step + 1} on</title></path>`).join("");
    this.box.querySelector(".cursor").setAttribute("d", `M${x(at).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}`);
    const words = SIDES.map((side) => this.curve(side, at, x, y)).filter(Boolean);
    this.box.querySelector("svg").setAttribute("aria-label", `Curves: ${words.join("; ")}`);
  }

  curve(side, at, x, y) {
    const points = this.values[side];
    const output = this.box.querySelector(`output.${side}`), end = this.box.querySelector(`.end.${side}`);
    const here = points.filter(([step]) => step <= at).at(-1);
    end.setAttribute("visibility", here ? "visible" : "hidden");
    output.textContent = here ? number(here[1]) : points.length ? "not yet" : "has no such term";
    if (!points.length) return "";
    this.box.querySelector(`.curve.${side}`).setAttribute(
      "d", points.map(([step, value], i) => `${i ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join(""));
    if (!here) return "";
    const [step, value] = here;
    if (side === "a") { end.setAttribute("cx", x(step)); end.setAttribute("cy", y(value)); }
    else { end.setAttribute("x", x(step) - 3.5); end.setAttribute("y", y(value) - 3.5); }
    return `${side.toUpperCase()} from ${number(points[0][1])} to ${number(value)} at step ${step}`;
  }
}
