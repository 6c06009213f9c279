// The room of objectives: two trainings drawn while they run.
import { ask, carried, say, sentence } from "./page.js";

const form = document.getElementById("choice");
const charts = document.getElementById("charts");
const progress = document.getElementById("progress");
const stop = document.getElementById("stop");
const choices = carried("choices");
const WIDTH = 300, HEIGHT = 110;
const SIDES = ["a", "b"];
let running = null;

function offer() {
  const names = choices[form.elements.program.value];
  SIDES.forEach((side, position) => {
    const options = names.map((name) => new Option(name, name));
    form.elements[side].replaceChildren(...options);
    const wanted = side === "b" && names.includes("adapted-diva") ? "adapted-diva" : names[position];
    form.elements[side].value = wanted;
  });
}

/** A panel that draws one quantity of both sides. */
class Chart {
  constructor(name, heading) {
    this.values = { a: [], b: [] };
    this.box = document.createElement("figure");
    this.box.className = "chart";
    this.box.dataset.term = name;
    this.box.innerHTML = `<figcaption>${heading}</figcaption>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"><path class="curve a"/><path class="curve b"/>
      <circle class="end a" r="3.5"/><rect class="end b" width="7" height="7"/></svg>
      <p class="extent"><span class="high"></span><span class="low"></span></p>
      <p class="last"><span><span class="key a">A</span> <output class="a"></output></span>
      <span><span class="key b">B</span> <output class="b"></output></span></p>`;
    charts.append(this.box);
  }

  add(side, step, value) {
    this.values[side].push([step, value]);
  }

  draw(steps) {
    const all = [...this.values.a, ...this.values.b].map(([, value]) => value);
    // The first steps of a new pair are far off; from the tenth on the scale is what follows.
    const late = [...this.values.a, ...this.values.b].filter(([step]) => step > 10).map(([, value]) => value);
    const shown = late.length > 10 ? late : all;
    let [low, high] = [Math.min(...shown), Math.max(...shown)];
    if (high - low < 1e-9) [low, high] = [low - 1, high + 1];
    const x = (step) => 4 + ((WIDTH - 12) * step) / steps;
    const y = (value) => Math.max(4, Math.min(HEIGHT - 4, HEIGHT - 6 - ((HEIGHT - 12) * (value - low)) / (high - low)));
    const words = [];
    for (const side of SIDES) {
      const points = this.values[side];
      const output = this.box.querySelector(`output.${side}`);
      const end = this.box.querySelector(`.end.${side}`);
      if (!points.length) {
        output.textContent = "has no such term";
        end.setAttribute("visibility", "hidden");
        continue;
      }
      this.box.querySelector(`.curve.${side}`).setAttribute(
        "d", points.map(([step, value], i) => `${i ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join(""));
      const [step, value] = points.at(-1);
      if (side === "a") { end.setAttribute("cx", x(step)); end.setAttribute("cy", y(value)); }
      else { end.setAttribute("x", x(step) - 3.5); end.setAttribute("y", y(value) - 3.5); }
      output.textContent = number(value);
      words.push(`${side.toUpperCase()} from ${number(points[0][1])} to ${number(value)}`);
    }
    this.box.querySelector(".high").textContent = number(high);
    this.box.querySelector(".low").textContent = number(low);
    this.box.querySelector("svg").setAttribute("aria-label", `Curves: ${words.join("; ")}`);
  }
}

const number = (value) => value.toLocaleString("en", { maximumSignificantDigits: Math.abs(value) < 1 ? 2 : 4 }).replace("-", "−");

async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    yield* parts.map((part) => JSON.parse(part));
  }
}

async function train() {
  running?.abort();
  const mine = (running = new AbortController());
  const query = new URLSearchParams(new FormData(form));
  const panels = new Map();
  charts.replaceChildren();
  let steps = 0, done = 0;
  stop.disabled = false;
  progress.hidden = false;
  progress.value = 0;
  document.getElementById("reading").hidden = false;
  say(`Training A, ${query.get("a")}, and B, ${query.get("b")}.`);
  try {
    const response = await ask(`/api/comparison?${query}`, { method: "POST", signal: mine.signal });
    for await (const line of lines(response)) {
      if (line.error) throw new Error(line.error);
      if (line.steps) { steps = line.steps; progress.max = steps; continue; }
      for (const [name, heading] of Object.entries(line.headings)) panels.set(name, new Chart(name, heading));
      done = progress.value = line.step;
      line.sides.forEach((found, position) => {
        for (const [name, value] of Object.entries(found)) panels.get(name).add(SIDES[position], line.step, value);
      });
      for (const panel of panels.values()) panel.draw(steps);
    }
    say(done === steps ? `Done: ${steps} steps of each.` : `The server ended the training after ${done} steps.`);
  } catch (error) {
    if (error.name === "AbortError") { if (running === mine) say(`Stopped after ${done} steps.`); }
    else say(sentence(error));
  } finally {
    if (running === mine) { running = null; stop.disabled = true; progress.hidden = true; }
  }
}

form.elements.program.addEventListener("change", offer);
form.addEventListener("submit", (event) => { event.preventDefault(); train(); });
stop.addEventListener("click", () => running?.abort());
offer();
