// The room of programs: other choices without leaving the page, and nodes that mark their lines.
import { ask, carried, say, sentence } from "./page.js";

const form = document.getElementById("choice");
const view = document.getElementById("view");
const programs = carried("programs");
let current = null;

form.addEventListener("change", async (event) => {
  if (event.target.name === "program") {
    const names = programs[form.elements.program.value];
    form.elements.objective.replaceChildren(...names.map((name) => new Option(name, name)));
  }
  const query = new URLSearchParams(new FormData(form));
  const mine = (current = query.toString());
  try {
    const html = await (await ask(`/programs/view?${query}`)).text();
    if (mine !== current) return; // something else has been chosen since
    view.innerHTML = html;
    history.replaceState(null, "", `/programs?${query}`);
    say(`Shown: ${query.get("program")} with the objective ${query.get("objective")}, ${query.get("labels")} of the labels known.`);
  } catch (error) {
    say(sentence(error));
  }
});

function mark(name) {
  const pressed = view.querySelector('[aria-pressed="true"]')?.dataset.node;
  const chosen = pressed === name ? null : name;
  for (const node of view.querySelectorAll("svg .node")) {
    node.setAttribute("aria-pressed", String(node.dataset.node === chosen));
  }
  for (const row of view.querySelectorAll("tr[data-node]")) {
    row.classList.toggle("marked", row.dataset.node === chosen);
  }
  const found = [];
  for (const listing of view.querySelectorAll(".listing")) {
    let first = null;
    for (const line of listing.querySelectorAll("li")) {
      const states = chosen !== null && (line.dataset.nodes ?? "").split(" ").includes(chosen);
      line.classList.toggle("marked", states);
      if (states) first ??= line;
    }
    if (first) {
      listing.scrollTop += first.getBoundingClientRect().top - listing.getBoundingClientRect().top - 48;
      found.push(`${listing.dataset.path}, line ${first.value}`);
    }
  }
  if (chosen === null) say("");
  else say(found.length ? `${name}: ${found.join(" and ")}.` : `${name} is an argument of the programs: no line states it.`);
}

view.addEventListener("click", (event) => {
  const node = event.target.closest("svg .node, tr[data-node]");
  if (node?.dataset.node) mark(node.dataset.node);
});

view.addEventListener("keydown", (event) => {
  const node = event.target.closest("svg .node");
  if (node && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    mark(node.dataset.node);
  }
});
