// The room of programs: other choices without leaving the page, nodes that mark their lines, and
// questions to the graph. All of it stands in the address.
import { STATIC, ask, carried, keep, recorded, say, sentence, state } from "./page.js";
import { rowsOf, taking } from "./take.js";

const form = document.getElementById("choice");
const asking = document.getElementById("ask");
const view = document.getElementById("view");
const answer = document.getElementById("answer");
const large = document.getElementById("large");
const { programs, own, patterned } = carried("carried");
const QUESTION = ["first", "second", "given", "do"];
const OWN = "own", EVERY = 400;
let current = null, marked = null, blanket = "", version = own.version, turn = 0;

const fields = asking.elements;
/** What the view says of its variables: their sites, and how the figure writes those that it calls otherwise. */
const known = () => JSON.parse(document.getElementById("texts").textContent);
const base = (name) => name.replace(/\[.*/, "");
const written = (name) => (known().symbols[base(name)] ?? base(name)) + name.slice(base(name).length);
const siteOf = (name) => (Object.entries(known().symbols).find(([, symbol]) => symbol === base(name))?.[0] ?? base(name)) + name.slice(base(name).length);
const split = (text) => text.split(/,(?![^[\]]*\])/).map((name) => name.trim()).filter(Boolean);
/** The sites that a field names, as they stand in the address; people read and write symbols. */
const names = (field) => split(fields[field].value).map(siteOf);
const put = (field, sites) => { fields[field].value = sites.map(written).join(", "); };
const click = () => fields.click.value;
const nodes = () => view.querySelectorAll("svg .node[data-node]");

function chosen() {
  const query = new URLSearchParams(new FormData(form));
  if (query.get("program") === OWN && !patterned) query.delete("labels");
  return query;
}

function remember() {
  const question = Object.fromEntries(QUESTION.map((field) => [field, names(field).join(",")]));
  const mode = click() === "mark" ? "" : click();
  keep({ ...Object.fromEntries(chosen()), node: marked ?? "", click: mode, ...question, blanket,
    whole: document.body.classList.contains("whole") ? "1" : "" });
}

/** What a choice is called among the files of a folder without a server. */
const key = (query) => (["program", "objective", "labels"].map((name) => query.get(name)).filter(Boolean).join("-") + (own.version && !patterned && query.get("program") === OWN ? "-all" : "")).replace(/[^\w-]+/g, "-");

const viewed = (query) => (STATIC ? recorded(`view-${key(query)}${query.get("lacks") ? "-lacks" : ""}.html`) : ask(`/programs/view?${query}`));

/** The answer to a question; among recorded ones it is found by the names in order of their letters. */
async function replied(query, question) {
  if (!STATIC) return (await ask(`/api/ask?${new URLSearchParams([...query, ...Object.entries(question)])}`)).json();
  const { variables } = known(), asked = [...QUESTION.flatMap(names), ...(question.blanket ? [question.blanket] : [])];
  if (!asked.every((name) => variables.includes(base(name)))) throw new Error(`unknown variable; choose among ${variables.map(written).join(", ")}`);
  const all = await (await recorded(`graph-${key(query)}.json`)).json();
  const pair = [question.first ?? "", question.second ?? ""].sort();
  const found = question.blanket ? all[`|${question.blanket}|`] : all[`${pair.join("|")}|${names("given").sort().join(",")}${question.do ? `|do(${question.do})` : ""}`];
  if (!found) throw new Error("this question was not recorded, only those about two whole variables, given others, and with one variable set from outside and at most one given; start ccvae app to ask it");
  return found;
}

async function show(words) {
  const query = chosen();
  const mine = (current = query.toString());
  try {
    const html = await (await viewed(query)).text();
    if (mine !== current) return; // something else has been chosen since
    view.innerHTML = html;
    offer();
    if (words) say(words(query));
    mark(marked, false);
    await answered();
  } catch (error) {
    say(sentence(error));
  }
}

const options = (known) => known.map((name) => new Option(name || "none: the guide as it is", name));

function suit() {
  const mine = form.elements.program.value === OWN;
  form.elements.objective.disabled = mine && programs[OWN].length < 2;
  document.getElementById("patterns").hidden = mine && !patterned;
}

form.addEventListener("change", (event) => {
  if (event.target.name === "program") {
    const known = programs[form.elements.program.value];
    form.elements.objective.replaceChildren(...options(known));
    forget();
    suit();
  }
  if (event.target.name === "lacks" && event.target.checked) forget(); // what the guide lacks is a question of its own
  remember();
  show((query) => `Shown: ${query.get("program") === OWN ? "your programs" : query.get("program")}`
    + `${query.get("objective") ? ` with the objective ${query.get("objective")}` : ""}`
    + `${query.get("labels") ? `, ${query.get("labels")} of the labels known` : ""}.`);
});

function mark(name, speak = true) {
  marked = name;
  for (const row of view.querySelectorAll("tr[data-node]")) row.classList.toggle("marked", row.dataset.node === name);
  press();
  const found = [];
  for (const listing of view.querySelectorAll(".listing")) {
    let first = null;
    for (const line of listing.querySelectorAll("li")) {
      const states = name !== null && (line.dataset.nodes ?? "").split(" ").includes(name);
      line.classList.toggle("marked", states);
      if (states) first ??= line;
    }
    if (first) {
      listing.scrollTop += first.getBoundingClientRect().top - listing.getBoundingClientRect().top - 48;
      found.push(`${listing.dataset.path}, line ${first.value}`);
    }
  }
  if (!speak) return;
  if (name === null) say("");
  else say(found.length ? `${written(name)}: ${found.join(" and ")}.` : `${written(name)}: no line of the source shown states it.`);
}

/** What each node is in the question. */
function press() {
  const parts = Object.fromEntries(QUESTION.map((field) => [field, names(field).map(base)]));
  for (const node of nodes()) {
    const name = node.dataset.node;
    for (const field of QUESTION) node.classList.toggle(`is-${field}`, parts[field].includes(name));
    node.classList.toggle("is-of", blanket === name);
    const asked = QUESTION.some((field) => parts[field].includes(name)) || blanket === name;
    node.setAttribute("aria-pressed", String(marked === name || asked));
  }
}

function light(found) {
  const path = found?.path ?? [], around = found?.blanket ?? [], blocked = found?.blocked ?? [];
  for (const node of nodes()) {
    node.classList.toggle("lit", path.includes(node.dataset.node));
    node.classList.toggle("around", around.includes(node.dataset.node));
    node.classList.toggle("blocks", blocked.includes(node.dataset.node));
  }
  const joined = (a, b) => path.some((name, i) => (name === a && path[i + 1] === b) || (name === b && path[i + 1] === a));
  for (const arrow of view.querySelectorAll("svg .arrow[data-parent]")) {
    const models = arrow.matches(".generative, .conditional-prior");
    arrow.classList.toggle("lit", models && joined(arrow.dataset.parent, arrow.dataset.child));
  }
}

/** Ask what the fields say; without a whole question nothing is lit. */
async function answered() {
  const mine = (turn += 1);
  const question = blanket ? { blanket } : Object.fromEntries(QUESTION.map((field) => [field, names(field).join(",")]));
  if (marked !== null && (blanket || question.first)) mark(null); // its lines belong to no question
  press();
  remember();
  if (!blanket && !(question.first && question.second)) {
    light(null);
    answer.replaceChildren(...(question.first ? [paragraph(`${fields.first.value}, and which other?`)] : []));
    return;
  }
  try {
    const query = chosen();
    query.delete("lacks");
    const found = await replied(query, question);
    if (mine !== turn) return; // something else has been asked since
    light(found);
    const statement = document.createElement("p");
    statement.className = `statement ${found.holds ? "holds" : "open"}`;
    statement.textContent = found.statement;
    answer.replaceChildren(...(found.statement ? [statement] : []), ...found.sentences.map(paragraph));
  } catch (error) {
    if (mine !== turn) return;
    light(null);
    answer.replaceChildren(paragraph(sentence(error), "trouble"));
  }
}

function paragraph(text, kind = "") {
  const element = document.createElement("p");
  element.className = kind;
  element.textContent = text;
  return element;
}

function forget() {
  for (const field of QUESTION) fields[field].value = "";
  blanket = "";
  mark(null);
  light(null);
  answer.replaceChildren();
}

/** A node is one of the two, and from the third on what is given; once more takes it out. */
function add(name) {
  blanket = "";
  const field = QUESTION.find((each) => names(each).includes(name));
  const place = field ?? ["first", "second"].find((each) => !names(each).length) ?? "given";
  put(place, field ? names(field).filter((each) => each !== name) : [...names(place), name]);
}

function chose(name) {
  say("");
  if (click() === "mark") {
    const again = marked === name;
    forget(); // an answer that stands there belongs to no mark
    mark(again ? null : name);
    remember();
    return;
  }
  if (click() === "ask") add(name);
  else {
    blanket = blanket === name ? "" : name;
    for (const field of QUESTION) fields[field].value = "";
    if (!blanket) answer.replaceChildren();
  }
  answered();
}

view.addEventListener("click", (event) => {
  const node = event.target.closest("svg .node, tr[data-node]");
  if (node?.dataset.node) chose(node.dataset.node);
});

view.addEventListener("keydown", (event) => {
  const node = event.target.closest("svg .node");
  if (node && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    chose(node.dataset.node);
  }
});

asking.addEventListener("submit", (event) => { event.preventDefault(); blanket = ""; say(""); answered(); });
asking.addEventListener("change", (event) => { if (event.target.name === "click") remember(); });
document.getElementById("again").addEventListener("click", () => { forget(); remember(); });

function whole(is) {
  document.body.classList.toggle("whole", is);
  large.setAttribute("aria-pressed", String(is));
  large.textContent = is ? "Back to the page" : "Figure over the whole screen";
  remember();
}

large.addEventListener("click", () => whole(!document.body.classList.contains("whole")));
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && document.body.classList.contains("whole")) whole(false); });

/** Somebody's programs are drawn anew when their file is saved; a mistake leaves the last drawing. */
async function watch() {
  const theirs = form.elements.program.value === OWN || (own.objective && form.elements.objective.value === own.objective);
  if (theirs && !document.hidden) {
    try {
      const found = await (await ask("/api/own")).json();
      say(found.trouble ? `${found.trouble}. The last good drawing stays.` : "", "trouble");
      if (found.version !== version) {
        version = found.version;
        if (!found.trouble) await show(() => "Drawn anew.");
      }
    } catch (error) {
      say(sentence(error), "trouble");
    }
  } else say("", "trouble");
  setTimeout(watch, EVERY);
}

/** The figure, the formulas and the table can be taken along. */
function offer() {
  const { tikz, latex } = known();
  const name = () => [...chosen().values()].filter(Boolean).join("-").replace(/[^\w-]+/g, "-");
  const figure = () => view.querySelector("svg.plates[role=group]");
  taking(view.querySelector(".take-figure"), name, { SVG: figure, PNG: figure, TikZ: () => tikz, LaTeX: () => latex });
  taking(view.querySelector(".take-sites"), () => `${name()}-sites`, { CSV: () => rowsOf(view.querySelector("table.sites")) });
}

offer();
const given = state();
for (const field of QUESTION) put(field, split(given.get(field) ?? ""));
if (["ask", "blanket"].includes(given.get("click"))) fields.click.value = given.get("click");
else fields.click.value = "mark";
blanket = given.get("blanket") ?? "";
suit();
if (given.get("node")) mark(given.get("node"));
if (given.get("whole")) whole(true);
if (blanket || fields.first.value) answered();
if (own.version && !STATIC) watch();
// A file is the same whatever stands in its address: show what that asks for.
const asked = ["program", "objective", "labels"].filter((name) => given.has(name));
if (STATIC && (asked.length || given.has("lacks"))) {
  for (const name of asked) {
    form.elements[name].value = given.get(name);
    if (name === "program") form.elements.objective.replaceChildren(...options(programs[given.get(name)] ?? []));
  }
  form.elements.lacks.checked = given.has("lacks");
  suit();
  show();
}
