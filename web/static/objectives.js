// The room of objectives: Table 1 can be taken along.
import { carried } from "./page.js";
import { taking } from "./take.js";

taking(document.getElementById("take"), "table-1", { LaTeX: () => carried("latex") });
