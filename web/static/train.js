// The room of trainings: two sides that are begun, steered, looked at, and found again after a reload.
import { carried, keep, say, sentence, state as address } from "./page.js";
import { Chart, SIDES, number } from "./chart.js";
import { taking } from "./take.js";
import { Live, Recorded } from "./trainer.js";

const { choices, recorded, own } = carried("carried");
const form = document.getElementById("choice");
const [scrub, speed, label] = ["scrub", "speed", "label"].map((id) => document.getElementById(id));
const SETTINGS = ["program_a", "objective_a", "alpha_a", "beta_a", "program_b", "objective_b", "alpha_b", "beta_b", "share", "scale", "seed"];
const given = address(), LAST = 600, FAST = 150, SLOW = 1000, SHAPES = ["M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0", "M-2.7-2.7h5.4v5.4h-5.4z", "M0-3.6L3.4 2.6H-3.4z", "M0-3.8L3.8 0 0 3.8-3.8 0z", "M-3-3L3 3M3-3L-3 3"];
let trainer = null, opening = null, steps = [], frames = [], events = [], panels = new Map();
let status = "", until = 120, follows = true, asking = null, drawn = -1, touched = {}, looks = 0;

/** What a slider stands for: a number, on some as a power of ten. */
const meant = (slider) => Number((slider.dataset.log === undefined ? Number(slider.value) : 10 ** slider.value).toPrecision(3));
const put = (slider, value) => { slider.value = slider.dataset.log === undefined ? value : Math.log10(value); told(slider); };
const told = (slider) => { slider.parentElement.querySelector(".value").textContent = number(meant(slider)); slider.setAttribute("aria-valuetext", number(meant(slider))); };
const slider = (name) => form.elements[name].type === "range";

function offer(side, wanted) {
  const known = choices[form.elements[`program_${side}`].value];
  const select = form.elements[`objective_${side}`];
  select.replaceChildren(...Object.keys(known).map((name) => new Option(name, name)));
  if (wanted in known) select.value = wanted;
  weigh(side);
}

/** Show the sliders of the weights that the objective takes, where it puts them. */
function weigh(side) {
  const weights = choices[form.elements[`program_${side}`].value][form.elements[`objective_${side}`].value];
  for (const name of ["alpha", "beta"]) {
    document.getElementById(`with-${name}-${side}`).hidden = !(name in weights);
    if (name in weights) put(form.elements[`${name}_${side}`], weights[name] || 0.1);
  }
}

const has = (name, side) => !document.getElementById(`with-${name}-${side}`).hidden;

function start() {
  const side = (at) => ({
    program: form.elements[`program_${at}`].value, objective: form.elements[`objective_${at}`].value,
    ...Object.fromEntries(["alpha", "beta"].filter((name) => has(name, at)).map((name) => [name, meant(form.elements[`${name}_${at}`])])),
  });
  return { a: side("a"), b: side("b"), seed: Number(form.elements.seed.value), share: meant(form.elements.share), scale: meant(form.elements.scale) };
}

function remember() {
  const settings = Object.fromEntries(SETTINGS.filter((name) => !/^(alpha|beta)_/.test(name) || has(...name.split("_")))
    .map((name) => [name, slider(name) ? meant(form.elements[name]) : form.elements[name].value]));
  keep({ ...settings, label: label.value || given.get("label"), run: trainer?.id ?? "", at: follows ? "" : scrub.value });
}

function forget() {
  opening = null; steps = []; frames = []; events = []; panels = new Map(); follows = true; drawn = -1; touched = {};
  document.getElementById("charts").replaceChildren();
}

/** Whether only somebody's own minibatches are learnt from, which show what labels they like. */
const alone = () => Boolean(own.inputs) && SIDES.every((side) => form.elements[`program_${side}`].value === "own");

/** Hide what neither side has: labels to share are the faces', a scale is set of the suite's programs. */
function suit() {
  for (const name of ["share", "scale"]) form.elements[name].parentElement.hidden = alone();
  if (!trainer && !recorded.length) say(`A training takes some seconds: 120 steps on ${alone() ? `the minibatches of ${own.inputs}` : "small rendered faces"}.`);
}

async function begin() {
  const buttons = [...document.querySelectorAll("#choice [type=submit], #play")];
  forget();
  for (const button of buttons) button.disabled = true;
  say("The training begins…");
  say("", "trouble");
  try {
    trainer = recorded.length ? await Recorded.load(document.getElementById("recording").value) : await Live.begin(start());
    remember();
    await trainer.steer({ do: "go", speed: Number(speed.value) });
    look();
  } catch (error) {
    say("");
    say(sentence(error), "trouble");
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

/** Take what is new. Of two looks under way the later counts, for both answers hold the same steps. */
async function look() {
  clearTimeout(asking);
  const mine = trainer, turn = ++looks;
  if (!mine) return;
  let wait = SLOW;
  try {
    const found = await mine.state(steps.length, frames.length, !opening);
    if (mine !== trainer || turn !== looks) return;
    take(found);
    wait = ["running", "pausing"].includes(status) ? FAST : SLOW;
  } catch (error) {
    if (turn !== looks) return;
    say(sentence(error), "trouble");
    if (error.status === 404) { trainer = null; remember(); return; }
  }
  asking = setTimeout(look, wait);
}

function take(found) {
  if (found.opening) open(found.opening);
  for (const step of found.steps) {
    steps.push(step);
    step.sides.forEach((side, position) => {
      for (const [name, value] of Object.entries(side)) {
        if (!panels.has(name)) panels.set(name, new Chart(document.getElementById("charts"), name, found.headings[name]));
        panels.get(name).add(SIDES[position], step.step, value);
      }
    });
  }
  frames.push(...found.frames);
  const changed = found.status !== status || found.events.length !== events.length;
  ({ events, until } = found);
  status = found.status;
  if (document.activeElement !== speed) speed.value = String(found.speed);
  if (changed || found.steps.length) tell(found);
  scrub.max = Math.max(until, steps.length);
  if (follows) scrub.value = steps.length;
  if (found.steps.length || found.frames.length || changed) draw();
}

function tell({ trouble, last }) {
  const done = steps.length;
  const words = { pausing: `Pausing after ${done} steps.`, running: `Training: ${done} of ${until} steps.`, paused: `Paused after ${done} steps.`, done: `Done: ${done} steps of each.${until < last ? " Go on for more." : ""}`, ended: `Ended after ${done} steps: ${trouble}.` };
  say(words[status]);
  document.getElementById("go").textContent = status === "running" ? "Pause" : "Go on";
  const over = status === "ended" || (status === "done" && until === last);
  for (const id of ["go", "step"]) document.getElementById(id).disabled = over;
}

function open(found) {
  opening = found;
  for (const id of ["transport", "seen", "terms"]) document.getElementById(id).hidden = false;
  document.getElementById("faces").hidden = !found.originals;
  if (found.originals) document.getElementById("originals").src = found.originals;
  label.parentElement.hidden = !found.labels.length;
  const wanted = label.value || given.get("label");
  label.replaceChildren(...found.labels.map(({ name }) => new Option(name, name)));
  if (found.labels.some(({ name }) => name === wanted)) label.value = wanted;
  found.sides.forEach((side, position) => {
    const box = document.querySelector(`.pupil[data-side=${SIDES[position]}]`), figure = box.querySelector(".own-originals");
    box.querySelector(".name").textContent = `${side.program === "own" ? "yours" : side.program}, ${side.objective}`;
    figure.hidden = !side.originals;
    if (side.originals) figure.querySelector("img").src = side.originals;
  });
}

function draw() {
  const at = Number(scrub.value);
  document.getElementById("at").textContent = `${at} of ${steps.length}`;
  for (const panel of panels.values()) panel.draw(Math.max(until, 1), at, events);
  const frame = frames.filter(({ step }) => step <= at).at(-1);
  if (frame && opening) picture(frame);
}

function picture(frame) {
  const key = `${frame.step} ${label.value} ${frames.length}`;
  if (key === drawn) return;
  drawn = key;
  const shown = opening.labels.find(({ name }) => name === label.value) ?? { name: "", classes: [], codes: [] };
  frame.sides.forEach((seen, position) => {
    const box = document.querySelector(`.pupil[data-side=${SIDES[position]}]`);
    const rebuilt = box.querySelector(".rebuilt"), unseen = box.querySelector(".unseen");
    rebuilt.parentElement.hidden = !seen.rebuilt;
    if (seen.rebuilt) rebuilt.src = seen.rebuilt;
    unseen.hidden = !seen.said;
    unseen.textContent = seen.said ? `${seen.said[0].toUpperCase()}${seen.said.slice(1)}.` : "";
    box.querySelector(".of").textContent = frame.step;
    const moved = box.querySelector(".moved");
    moved.hidden = !(shown.name in seen.moved);
    if (!moved.hidden) moved.src = seen.moved[shown.name];
    moved.parentElement.hidden = Boolean(seen.said) && moved.hidden;
    box.querySelector(".moves").textContent = moved.hidden ? "this program has no labels to move" : `${shown.name} moved: ${shown.classes.join(", ")}`;
    const points = seen.points[shown.name] ?? seen.points[""], coded = shown.codes.length > 0 && shown.name in seen.points;
    box.querySelector(".plane").hidden = !points;
    box.querySelector(".plane g").innerHTML = (points ?? [])
      .map(([x, y], row) => { const code = coded ? shown.codes[row] : 0; return `<path class="class-${code}" transform="translate(${x / 10} ${-y / 10})" d="${SHAPES[code % SHAPES.length]}"/>`; }).join("");
  });
  document.getElementById("classes").innerHTML = shown.classes
    .map((name, code) => `<li><svg width="14" height="14" viewBox="-6 -6 12 12" aria-hidden="true"><path class="class-${code}" d="${SHAPES[code % SHAPES.length]}"/></svg>${name}</li>`).join("");
}

async function steer(change) {
  if (!trainer) return;
  try {
    await trainer.steer(change);
    say("", "trouble");
  } catch (error) {
    say(sentence(error), "trouble");
  }
  await look();
}

/** A slider that is moved while a training runs changes it, once it has come to rest. */
function touch(name) {
  if (!trainer || status === "ended") return;
  const value = meant(form.elements[name]);
  const [weight, side] = name.split("_");
  if (side) touched[side] = { ...touched[side], [weight]: value };
  else touched[name] = value;
  clearTimeout(touch.pause);
  touch.pause = setTimeout(() => { const change = touched; touched = {}; steer(change); }, 250);
}

form.addEventListener("submit", (event) => { event.preventDefault(); begin(); });
form.addEventListener("input", ({ target }) => { if (target.type === "range") told(target); });
form.addEventListener("change", ({ target }) => {
  const [what, side] = target.name.split("_");
  if (what === "program") offer(side);
  if (what === "objective") weigh(side);
  if (target.type === "range") touch(target.name);
  suit();
  remember();
});
document.getElementById("play")?.addEventListener("click", begin);
document.getElementById("go").addEventListener("click", () => { follows = true; steer({ do: status === "running" ? "pause" : "go" }); });
document.getElementById("step").addEventListener("click", async () => { follows = true; steer({ do: "step" }); });
document.getElementById("newest").addEventListener("click", () => { follows = true; scrub.value = steps.length; draw(); remember(); });
speed.addEventListener("change", () => steer({ speed: Number(speed.value) }));
scrub.addEventListener("input", () => {
  if (Number(scrub.value) > steps.length) scrub.value = steps.length;
  follows = Number(scrub.value) === steps.length;
  draw();
});
scrub.addEventListener("change", remember);
label.addEventListener("change", () => { draw(); remember(); });

/** Every number that was recorded: a row for each step and side. */
function table() {
  const names = [...panels.keys()], all = [["step", "side", ...names]];
  for (const { step, sides } of steps) sides.forEach((side, i) => all.push([step, SIDES[i], ...names.map((name) => side[name])]));
  return all;
}

taking(document.getElementById("take-seen"), "seen", { PNG: () => [...document.querySelectorAll("#seen img:not([hidden])")], panels: () => document.querySelectorAll(".plane svg") });
taking(document.getElementById("take-terms"), "terms", { CSV: table, panels: () => document.querySelectorAll("#charts svg") });
// What somebody named is on side A at first, and on side B what it is compared with.
const fitting = Object.keys(choices).find((name) => own.word && name !== "own" && own.word in choices[name]);
const OPENING = "own" in choices ? { a: ["own", ""], b: ["ccvae", ""] }
  : fitting ? { a: [fitting, own.word], b: [fitting, ""] } : { a: ["ccvae", ""], b: ["ccvae", "adapted-diva"] };
for (const side of SIDES) {
  const program = form.elements[`program_${side}`], asked = given.get(`program_${side}`);
  program.value = asked in choices ? asked : OPENING[side][0];
  offer(side, given.get(`objective_${side}`) ?? (program.value === OPENING[side][0] ? OPENING[side][1] : ""));
}
for (const name of SETTINGS) {
  if (slider(name)) {
    if (Number(given.get(name)) > 0) put(form.elements[name], Number(given.get(name)));
    told(form.elements[name]);
  } else if (name === "seed" && /^\d{1,5}$/.test(given.get("seed") ?? "")) form.elements.seed.value = given.get("seed");
}
if (given.get("run")) {
  trainer = recorded.length ? await Recorded.load(given.get("run").replace(/\W/g, "")).catch(() => null) : new Live(given.get("run"));
  if (given.get("at")) { follows = false; scrub.max = LAST; scrub.value = given.get("at"); }
  look();
}
suit();
