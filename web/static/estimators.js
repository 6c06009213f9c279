// The room of estimators: the pictures of the third lesson, drawn and drawn anew in this tab.
import { keep, state } from "./page.js";
import { number } from "./chart.js";
import { logNormal, moments, normal, phi } from "./normal.js";
import { Plot, histogram } from "./plot.js";
import { ESTIMATORS, averages, byDraws, estimates, exact, truth } from "./toy.js";
import { taking } from "./take.js";

const REPEATS = 2000, SIZES = [1, 3, 10, 30, 100, 300];
const forms = { label: document.getElementById("label"), average: document.getElementById("average") };
const seeds = { label: 0, average: 0 };
const tables = { label: [], average: [] };

const told = (slider) => {
  slider.parentElement.querySelector(".value").textContent = number(Number(slider.value));
  return Number(slider.value);
};
const values = (form) => Object.fromEntries([...form.querySelectorAll("input")].map((slider) => [slider.name, told(slider)]));
const section = (form) => form.closest("section");

function label() {
  const toy = values(forms.label), right = truth(toy), found = estimates(toy, toy.draws, REPEATS, seeds.label);
  const widest = Math.max(...Object.values(found).map((each) => { const { mean, deviation } = moments(each); return Math.abs(mean - right) + 3 * deviation; }), 0.1);
  const range = [right - widest, right + widest], body = [], panels = [];
  tables.label = [["estimator", "mean", "error of the mean", "bias", "deviation"]];
  for (const [name, words] of Object.entries(ESTIMATORS)) {
    const { mean, deviation, error } = moments(found[name]), bins = histogram(found[name], range);
    const plot = new Plot({ title: words, x: range, y: [0, Math.max(...bins.counts) * 1.05], xLabel: "estimate of the derivative", bare: true });
    plot.bars(bins.edges, bins.counts, "bars");
    plot.upright(right, "truth");
    plot.upright(mean, "mean");
    panels.push(plot);
    const row = [mean, error, mean - right, deviation];
    tables.label.push([words, ...row]);
    body.push(`<tr><th scope="row">${words}</th>${row.map((each) => `<td>${number(each)}</td>`).join("")}</tr>`);
  }
  tables.label.push(["truth", right, 0, 0, 0]);
  section(forms.label).querySelector(".panels").innerHTML = panels.join("");
  section(forms.label).querySelector("tbody").innerHTML = `${body.join("")}<tr><th scope="row">truth</th><td>${number(right)}</td><td></td><td></td><td></td></tr>`;
}

function density(toy, shown) {
  const reach = [toy.mean - 4 * toy.deviation, toy.mean + 4 * toy.deviation];
  const plot = new Plot({ title: "q(z|x), q(y = 1|z) and K draws", x: reach, y: [0, 1.05], xLabel: "z" });
  const grid = Array.from({ length: 161 }, (_, i) => reach[0] + (i * (reach[1] - reach[0])) / 160);
  const top = Math.exp(logNormal(0, 0, toy.deviation));
  plot.line(grid.map((z) => [z, Math.exp(logNormal(z, toy.mean, toy.deviation)) / top]), "density");
  plot.line(grid.map((z) => [z, phi(toy.w * z)]), "curve b");
  plot.ticks(shown, "draws");
  return plot;
}

function spread(toy, right, found) {
  const low = Math.min(right, ...found), high = Math.max(right, ...found), gap = Math.max(0.01, (high - low) * 0.05);
  const range = [Math.max(low, right - 6) - gap, Math.min(high, right + 6) + gap], bins = histogram(found, range);
  const plot = new Plot({ title: `estimates of log q(y|x) with K = ${toy.K}`, x: range, y: [0, Math.max(...bins.counts) * 1.05], xLabel: "nats", bare: true });
  plot.bars(bins.edges, bins.counts, "bars");
  plot.upright(right, "truth");
  plot.upright(moments(found).mean, "mean");
  return plot;
}

function curves(rows) {
  const logs = (name) => rows.filter((row) => row[name] > 1e-5).map((row) => [Math.log10(row.size), Math.log10(row[name])]);
  const all = ["bias", "first", "deviation"].flatMap(logs).map(([, y]) => y);
  const plot = new Plot({ title: "bias (solid), its first order (dotted) and deviation (dashed)", x: [0, Math.log10(300)], y: [Math.min(...all) - 0.1, Math.max(...all) + 0.1], xLabel: "K", yLabel: "nats", log: true });
  plot.line(logs("bias"), "bias");
  plot.dots(logs("bias"), "bias-dot");
  plot.line(logs("first"), "first");
  plot.line(logs("deviation"), "curve a dashed");
  return plot;
}

function average() {
  const toy = values(forms.average), right = exact(toy);
  const found = averages(toy, toy.K, REPEATS, seeds.average), { mean, deviation } = moments(found);
  const draw = normal(seeds.average), shown = Array.from({ length: toy.K }, () => toy.mean + toy.deviation * draw());
  const rows = byDraws(toy, SIZES, 800, seeds.average);
  tables.average = [["K", "bias", "first order", "deviation"], ...rows.map((row) => [row.size, row.bias, row.first, row.deviation])];
  section(forms.average).querySelector(".panels").innerHTML = [density(toy, shown), spread(toy, right, found), curves(rows)].join("");
  section(forms.average).querySelector(".said").textContent =
    `The truth is ${number(right)} nats. With K = ${toy.K} the mean of ${REPEATS} estimates is ${number(mean)}: too small by ${number(right - mean)}, with a deviation of ${number(deviation)}.`;
}

const draws = { label, average };

function remember() {
  keep({ ...values(forms.label), ...values(forms.average), ...Object.fromEntries(Object.entries(seeds).map(([name, seed]) => [`seed_${name}`, seed || ""])) });
}

const given = state();
for (const [name, form] of Object.entries(forms)) {
  for (const slider of form.querySelectorAll("input")) if (given.has(slider.name)) slider.value = given.get(slider.name);
  seeds[name] = Math.abs(Math.trunc(Number(given.get(`seed_${name}`)))) || 0;
  let waiting = null;
  form.addEventListener("input", () => {
    waiting ??= requestAnimationFrame(() => { waiting = null; draws[name](); });
  });
  form.addEventListener("change", remember);
  form.querySelector(".redraw").addEventListener("click", () => { seeds[name] += 1; draws[name](); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  draws[name]();
  taking(section(form).querySelector(".take"), `estimators-${name}`, { panels: () => section(form).querySelectorAll(".panels svg"), CSV: () => tables[name] });
}
