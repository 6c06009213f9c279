// Light or dark, plain or large: set before anything is drawn. The address decides, else what was chosen last.
(() => {
  const known = { theme: ["auto", "light", "dark"], size: ["plain", "large"] };
  const kept = {
    get: (name) => { try { return localStorage.getItem(name); } catch { return null; } },
    set: (name, value) => { try { localStorage.setItem(name, value); } catch { /* a browser may forbid it */ } },
  };
  const root = document.documentElement;
  const query = new URLSearchParams(location.search);
  for (const [name, values] of Object.entries(known)) {
    root.dataset[name] = [query.get(name), kept.get(name)].find((value) => values.includes(value)) ?? values[0];
  }
  document.addEventListener("DOMContentLoaded", () => {
    const form = document.getElementById("looks");
    for (const name of Object.keys(known)) form.elements[name].value = root.dataset[name];
    form.addEventListener("change", ({ target }) => {
      root.dataset[target.name] = target.value;
      kept.set(target.name, target.value);
      const address = new URL(location.href);
      if (target.value === known[target.name][0]) address.searchParams.delete(target.name);
      else address.searchParams.set(target.name, target.value);
      history.replaceState(null, "", address);
    });
  });
})();
