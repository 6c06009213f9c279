// What all rooms share.

/** The data that the page carries under an id. */
export const carried = (id) => JSON.parse(document.getElementById(id).textContent);

/** Whether this is a folder without a server, whose answers were recorded. */
export const STATIC = "static" in document.documentElement.dataset;

/** Something that was recorded. */
export async function recorded(name) {
  const response = await fetch(`data/${name}`).catch(() => null);
  if (!response?.ok) throw new Error("this was not recorded; start ccvae app to see it");
  return response;
}

/** Say something where screen readers hear it. */
export function say(text, id = "said") {
  document.getElementById(id).textContent = text;
}

/** What the server answers, or an error with its one sentence. */
export async function ask(address, options = {}) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the server does not answer; is ccvae app still running?");
  }
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw Object.assign(new Error(error ?? `the server answered ${response.status}`), { status: response.status });
}

export const sentence = (error) => `${error.message[0].toUpperCase()}${error.message.slice(1)}.`;

/** What of a room's state stands in its address, and how the page looks with it. */
export const state = () => new URLSearchParams(location.search);

/** Put a room's state into its address; what is empty is left out, and how the page looks stays. */
export function keep(values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value != null && value !== false));
  for (const name of ["theme", "size"]) if (state().has(name)) query.set(name, state().get(name));
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
}
