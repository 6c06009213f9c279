// Where a training comes from: the server, or what was recorded for a folder without one.
import { ask, recorded } from "./page.js";

/** A training on the server. */
export class Live {
  constructor(id) { this.id = id; }

  static async begin(start) {
    const { id } = await (await ask("/api/train", { method: "POST", body: JSON.stringify(start) })).json();
    return new Live(id);
  }

  async state(since, frames, opening) {
    const query = new URLSearchParams({ since, frames, ...(opening ? { opening: 1 } : {}) });
    return (await ask(`/api/train/${this.id}?${query}`)).json();
  }

  async steer(change) {
    await ask(`/api/train/${this.id}`, { method: "POST", body: JSON.stringify(change) });
  }
}

/** A training that was recorded: its steps come as they did, or as fast as is asked. */
export class Recorded {
  constructor(id, kept) {
    this.id = id;
    this.kept = kept;
    this.shown = 0;
    this.status = "paused";
    this.speed = 0;
    this.since = 0;
  }

  static async load(id) {
    return new Recorded(id, await (await recorded(`train-${id}.json`)).json());
  }

  async state(since, frames, opening) {
    const { kept } = this, whole = kept.steps.length;
    if (this.status === "running") {
      const now = performance.now(), due = Math.floor(((now - this.since) / 1000) * (this.speed || 12));
      if (due > 0) { this.shown = Math.min(whole, this.shown + due); this.since = now; }
      if (this.shown === whole) this.status = "done";
    }
    return { ...kept, opening: opening ? kept.opening : undefined, status: this.status, speed: this.speed,
      steps: kept.steps.slice(since, this.shown),
      frames: kept.frames.filter(({ step }) => step <= this.shown).slice(frames) };
  }

  async steer({ do: deed, speed, ...rest }) {
    if (Object.keys(rest).length) throw new Error("this training was recorded: what is learnt cannot be changed here; start ccvae app for that");
    if (speed !== undefined) this.speed = speed;
    if (deed === "pause") this.status = "paused";
    if (deed === "step" && this.shown < this.kept.steps.length) { this.shown += 1; this.status = "paused"; }
    if (deed === "go" && this.shown < this.kept.steps.length) { this.status = "running"; this.since = performance.now(); }
  }
}
