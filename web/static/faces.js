// The room of faces: the state is here, in this tab; the server answers what follows from it.
import { STATIC, ask, carried, keep, recorded, say, sentence, state } from "./page.js";
import { taking } from "./take.js";

const labels = new Map(carried("priors").map((prior) => [prior.name, prior]));
const boxes = new Map([...document.querySelectorAll(".label")].map((box) => [box.dataset.label, box]));
const LARGEST = 16 * 2 ** 20;
const IMAGES = ["original", "reconstruction", "changed", "map"];
let latest = ""; // the label that was touched last
let image = { face: 0 };
let blocks = {}; // those that were moved, by label
let shown = {}; // what the last answer had, by label
let intervene = {}; // class codes of those that are set, by label
let last = null, asking = false, again = false, pause;

/** Ask for what follows; while an answer is on its way, remember that another is wanted. */
async function answer() {
  if (asking) { again = true; return; }
  asking = true;
  const start = performance.now();
  try {
    const found = await answered();
    show(found);
    await Promise.all(IMAGES.map((id) => document.getElementById(id).decode()));
    performance.measure("answer", { start, end: performance.now() });
  } catch (error) {
    say(sentence(error), "trouble");
  } finally {
    asking = false;
    if (again) { again = false; answer(); }
  }
}

async function answered() {
  if (STATIC) return remembered();
  const body = JSON.stringify({ ...image, blocks, intervene });
  return (await ask("/api/faces", { method: "POST", body })).json();
}

const files = new Map();

/** Among recorded answers the nearest: of one label at a time, the one that was moved last. */
async function remembered() {
  if (!files.has(image.face)) files.set(image.face, await (await recorded(`face-${image.face}.json`)).json());
  const file = files.get(image.face), base = file[""];
  const [moved] = [latest, ...Object.keys(intervene), ...Object.keys(blocks)].filter((name) => name in intervene || name in blocks);
  for (const state of [blocks, intervene]) for (const name of Object.keys(state)) if (name !== moved) delete state[name];
  for (const [name, box] of boxes) box.querySelector(".intervene").checked = name in intervene;
  if (!moved) return base;
  const key = moved in intervene ? `${moved}=${intervene[moved]}` : nearest(file, moved, base.blocks[moved]);
  const found = file[key];
  return { ...base, ...found, images: { ...base.images, ...found.images } };
}

function nearest(file, name, typical) {
  const away = blocks[name].map((each, i) => Math.abs(place(name, i, each) - place(name, i, typical[i])));
  const dimension = away.indexOf(Math.max(...away)), at = place(name, dimension, blocks[name][dimension]);
  const known = Object.keys(file).filter((key) => key.startsWith(`${name}:${dimension}:`)).map((key) => Number(key.split(":")[2]));
  return `${name}:${dimension}:${known.sort((one, other) => Math.abs(one - at) - Math.abs(other - at))[0]}`;
}

function show(found) {
  last = found;
  say("", "trouble");
  say(found.unlike ? sentence({ message: found.unlike }) : "", "unlike");
  shown = found.blocks;
  for (const id of IMAGES) document.getElementById(id).src = found.images[id];
  document.getElementById("top").textContent = `(darkest: ${found.top.toFixed(2)})`;
  for (const [name, box] of boxes) {
    const set = name in intervene;
    box.querySelectorAll(".block").forEach((slider, position) => {
      const value = found.blocks[name][position];
      slider.disabled = set;
      // A slider that is being moved keeps its place; others follow.
      if (slider !== document.activeElement || set || !(name in blocks)) slider.value = place(name, position, value);
      slider.setAttribute("aria-valuetext", value.toFixed(2));
    });
    box.classList.toggle("set", set);
    box.classList.toggle("moved", set || name in blocks);
    const q = found.posterior[name];
    for (const bar of box.querySelectorAll("li")) {
      const k = Number(bar.dataset.class);
      bar.querySelector(".fill").style.width = `${100 * q[k]}%`;
      bar.querySelector(".tick").style.left = `${100 * found.before[name][k]}%`;
      bar.querySelector(".now").textContent = q[k].toFixed(2);
      bar.querySelector(".seen").textContent = found.seen[name][k].toFixed(2);
    }
    if (!set) box.querySelector(".class").value = String(otherClass(found.before[name]));
  }
  clearTimeout(pause);
  pause = setTimeout(() => summarise(found), 500); // once the slider rests, lest it is read out at every step
}

function summarise(found) {
  remember();
  const moved = [...boxes.keys()].filter((name) => name in intervene || name in blocks);
  say(moved.length ? `${moved.map((name) => described(name, found)).join("; ")}.` : "Every block is where the guide put it.");
}

/** What one label's posterior is now, in a few words. */
function described(name, found) {
  const q = found.posterior[name], k = q.length === 2 ? 1 : q.indexOf(Math.max(...q));
  const { classes } = labels.get(name);
  const of = classes[k] === "yes" ? name : `${name} ${classes[k]}`;
  return `${of} ${q[k].toFixed(2)}, was ${found.before[name][k].toFixed(2)}`;
}

/** The class that an intervention begins with: the likeliest but one. */
function otherClass(q) {
  const order = [...q.keys()].sort((i, j) => q[j] - q[i]);
  return order[1];
}

/** A block's value at a place of its slider, whose steps change the picture equally. */
function value(name, dimension, at) {
  const pace = labels.get(name).pace[dimension], left = Math.min(Math.floor(at), pace.length - 2);
  return pace[left] + (at - left) * (pace[left + 1] - pace[left]);
}

/** Where on its slider a block's value lies; at an end, where it lies beyond. */
function place(name, dimension, wanted) {
  const pace = labels.get(name).pace[dimension], right = pace.findIndex((each) => each >= wanted);
  if (right < 1) return right ? pace.length - 1 : 0;
  return right - 1 + (wanted - pace[right - 1]) / (pace[right] - pace[right - 1] || 1);
}

for (const [name, box] of boxes) {
  box.addEventListener("input", () => { latest = name; }, { capture: true });
  const sliders = [...box.querySelectorAll(".block")];
  const control = box.querySelector(".intervene"), chosen = box.querySelector(".class");
  for (const [position, slider] of sliders.entries()) {
    slider.addEventListener("input", () => {
      if (!(name in shown)) return; // before the first answer
      blocks[name] = [...(blocks[name] ?? shown[name])];
      blocks[name][position] = value(name, position, Number(slider.value));
      answer();
    });
    slider.addEventListener("keydown", (event) => {
      // A step of a keyboard is a fiftieth of the range; the pointer's is as fine as it is.
      const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
      if (!direction) return;
      event.preventDefault();
      slider.value = Number(slider.value) + (direction * (slider.max - slider.min)) / 50;
      slider.dispatchEvent(new Event("input"));
    });
  }
  control.addEventListener("change", () => {
    if (control.checked) intervene[name] = Number(chosen.value);
    else { delete intervene[name]; delete blocks[name]; }
    answer();
  });
  chosen.addEventListener("change", () => {
    control.checked = true;
    intervene[name] = Number(chosen.value);
    answer();
  });
}

function restart() {
  blocks = {};
  intervene = {};
  for (const control of document.querySelectorAll(".intervene")) control.checked = false;
  answer();
}

document.getElementById("reset").addEventListener("click", restart);

for (const choice of document.querySelectorAll('input[name="face"]')) {
  choice.addEventListener("change", () => {
    image = { face: Number(choice.value) };
    document.getElementById("file").value = "";
    restart();
  });
}

document.getElementById("file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  try {
    if (file.size > LARGEST) throw new Error("this file is larger than 16 MB; choose a smaller image");
    const found = await (await ask("/api/upload", { method: "POST", body: file })).json();
    image = { upload: found.image };
    for (const choice of document.querySelectorAll('input[name="face"]')) choice.checked = false;
    restart();
  } catch (error) {
    event.target.value = "";
    say(sentence(error), "trouble");
  }
});

/** What is shown stands in the address; an image of one's own does not, for it stays in this tab. */
function remember() {
  const moved = Object.entries(blocks).filter(([name]) => !(name in intervene));
  keep({
    face: image.face || "",
    move: moved.map(([name, values]) => `${name}:${values.map((each) => Number(each.toPrecision(4))).join(",")}`).join(";"),
    set: Object.entries(intervene).map(([name, code]) => `${name}:${code}`).join(";"),
  });
}

/** Begin where the address says; what no page of this run has is left out. */
function begin() {
  const given = state(), faces = [...document.querySelectorAll('input[name="face"]')];
  const face = Math.trunc(Number(given.get("face"))) || 0;
  const chosen = faces[face] ?? faces[0];
  chosen.checked = true; // also where a browser that comes back restores what was ticked
  image = { face: Number(chosen.value) };
  const pairs = (name) => (given.get(name) ?? "").split(";").map((pair) => pair.split(":")).filter(([label]) => labels.has(label));
  for (const [name, text] of pairs("move")) {
    const values = text.split(",").map(Number);
    if (values.length === labels.get(name).pace.length && values.every(Number.isFinite)) blocks[name] = values;
  }
  for (const control of document.querySelectorAll(".intervene")) control.checked = false;
  for (const [name, code] of pairs("set")) {
    if (!(Number(code) in labels.get(name).classes)) continue;
    intervene[name] = Number(code);
    boxes.get(name).querySelector(".intervene").checked = true;
    boxes.get(name).querySelector(".class").value = code;
  }
  answer();
}

/** What the guide believes of each label: of the image, at the blocks as set, and of the picture as set. */
function table() {
  const rows = [["label", "class", "of the image", "at the block", "of the picture as set"]];
  for (const [name, { classes }] of labels) {
    classes.forEach((each, k) => rows.push([name, each, last.before[name][k], last.posterior[name][k], last.seen[name][k]]));
  }
  return rows;
}

taking(document.getElementById("take"), "face", { PNG: () => IMAGES.map((id) => document.getElementById(id)), CSV: table });
begin();
