// Taking along what is shown: pictures as SVG and PNG, numbers as CSV, formulas and figures as LaTeX and TikZ.

const STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-style", "font-weight", "visibility"];
const TYPES = { SVG: "image/svg+xml", PNG: "image/png", CSV: "text/csv", TikZ: "text/x-tex", LaTeX: "text/x-tex" };
const ENDINGS = { SVG: "svg", PNG: "png", CSV: "csv", TikZ: "tex", LaTeX: "tex" };
const SCALE = 3;

/** A figure of the page as a file of its own: what its style sheet says is written into it. */
export function svgText(svg) {
  const copy = svg.cloneNode(true), { width, height } = svg.viewBox.baseVal;
  const [from, to] = [svg, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of ["class", "style", "tabindex", "role", "aria-pressed"]) to[i].removeAttribute(name);
    for (const name of STYLES) to[i].setAttribute(name, style.getPropertyValue(name));
  });
  const { x, y } = svg.viewBox.baseVal, paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ x, y, width, height, fill: backdrop(svg) })) paper.setAttribute(name, value);
  copy.prepend(paper);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  return new XMLSerializer().serializeToString(copy);
}

function backdrop(element) {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (!/, 0\)$|transparent/.test(colour)) return colour;
  }
  return "white";
}

async function pixels(address, width, height, smooth) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = smooth;
  context.drawImage(image, 0, 0, width, height);
  return new Promise((done) => { canvas.toBlob(done, "image/png"); });
}

/** A figure, or a picture of the page enlarged without smoothing, as PNG. */
export function pngOf(element) {
  if (element.tagName === "IMG") return pixels(element.src, element.naturalWidth * SCALE, element.naturalHeight * SCALE, false);
  const { width, height } = element.viewBox.baseVal;
  return pixels(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(element))}`, width * SCALE, height * SCALE, true);
}

/** Rows as CSV (RFC 4180). */
export const csv = (rows) => `${rows.map((row) => row.map((cell) => (/[",\n\r]/.test(String(cell ?? "")) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell ?? ""))).join(",")).join("\r\n")}\r\n`;

/** A table of the page as rows. */
export const rowsOf = (table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));

function download(name, content, kind) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: TYPES[kind] }));
  const link = Object.assign(document.createElement("a"), { href: address, download: `${name}.${ENDINGS[kind]}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

async function take(name, kind, made) {
  if (kind === "panels") {
    [...made].forEach((svg, i) => download(`${name}-${i + 1}`, svgText(svg), "SVG"));
  } else if (kind === "SVG") download(name, svgText(made), kind);
  else if (kind === "PNG") {
    for (const [i, element] of [made].flat().entries()) download(i ? `${name}-${i + 1}` : name, await pngOf(element), kind);
  } else if (kind === "CSV") download(name, csv(made), kind);
  else download(name, made, kind);
}

/**
 * Offer what can be taken along: `makers` gives for each kind what makes it. `SVG` and `PNG` want an element,
 * `panels` several figures, `CSV` rows, all else a text; what a maker has nothing for is not offered.
 */
export function taking(parent, name, makers) {
  const title = document.createElement("span");
  title.textContent = "Take along: ";
  parent.classList.add("take");
  const buttons = Object.entries(makers).flatMap(([kind, make]) => {
    const kinds = kind !== "panels" ? [kind] : "PNG" in makers ? ["SVG"] : ["SVG", "PNG"];
    return kinds.map((each) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: each });
      button.addEventListener("click", async () => {
        const made = make(), called = typeof name === "function" ? name() : name;
        if (kind === "panels" && each === "PNG") await take(called, "PNG", [...made]);
        else await take(called, kind, made);
      });
      return button;
    });
  });
  parent.replaceChildren(title, ...buttons);
}
