// The room of objectives: Table 1 can be taken along; somebody's own is printed anew when its file is saved.
import { STATIC, ask, carried, say, sentence } from "./page.js";
import { taking } from "./take.js";

const EVERY = 400, own = carried("own");

async function watch() {
  try {
    const { version, trouble } = document.hidden ? own : await (await ask("/api/own")).json();
    if (version !== own.version && !trouble) { location.reload(); return; }
    say(trouble ? `${trouble}. The last good formula stays.` : "", "trouble");
  } catch (error) {
    say(sentence(error), "trouble");
  }
  setTimeout(watch, EVERY);
}

taking(document.getElementById("take"), "table-1", { LaTeX: () => carried("latex") });
if (own.objective && !STATIC) watch();
