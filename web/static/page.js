// What all rooms share.

/** The data that the page carries under an id. */
export const carried = (id) => JSON.parse(document.getElementById(id).textContent);

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
  throw new Error(error ?? `the server answered ${response.status}`);
}

export const sentence = (error) => `${error.message[0].toUpperCase()}${error.message.slice(1)}.`;
