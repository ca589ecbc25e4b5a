// What the pages do beyond showing: copy a command, find an operation by its words, mark where the reader is.
// Everything is readable without this file; what needs it stays hidden until it runs.

const said = document.getElementById("said");

function copying() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.setAttribute("aria-label", `Copy: ${button.closest("figcaption").firstChild.textContent}`);
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button) {
  const code = button.closest("figure").querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    say(button, "Copied");
  } catch {
    // Only a secure address may use the clipboard; elsewhere the reader copies what is selected.
    getSelection().selectAllChildren(code);
    say(button, "Selected");
  }
}

function say(button, word) {
  button.textContent = word;
  said.textContent = word;
  setTimeout(() => {
    button.textContent = "Copy";
    said.textContent = "";
  }, 1600);
}

function finding() {
  const filter = document.getElementById("filter");
  const entries = [...document.querySelectorAll("#index-list li")];
  const shown = () => entries.filter((entry) => !entry.hidden).map((entry) => entry.querySelector("a"));
  document.getElementById("index-tools").hidden = false;
  filter.addEventListener("input", () => narrow(filter.value, entries));
  filter.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") shown()[0]?.focus();
    else if (event.key === "Enter") shown()[0]?.click();
    else if (event.key === "Escape") narrow((filter.value = ""), entries);
    else return;
    event.preventDefault();
  });
  document.getElementById("index-list").addEventListener("keydown", (event) => walk(event, shown(), filter));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
    event.preventDefault();
    filter.focus();
  });
}

function narrow(text, entries) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const entry of entries) {
    const told = entry.dataset.words.toLowerCase();
    entry.hidden = !words.every((word) => told.includes(word));
  }
  for (const section of document.querySelectorAll("#index-list section")) {
    section.hidden = !section.querySelector("li:not([hidden])");
  }
  const count = entries.filter((entry) => !entry.hidden).length;
  document.getElementById("nothing").hidden = count > 0;
  said.textContent = words.length ? `${count} found` : "";
}

function walk(event, links, filter) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const at = links.indexOf(document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  (links[at + step] ?? (step < 0 ? filter : links[at])).focus();
}

function marking() {
  const links = new Map([...document.querySelectorAll("#index-list li a")].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((seen) => seen.filter((one) => one.isIntersecting).forEach((one) => mark(links, one.target.id)), {
    rootMargin: "-8% 0px -75% 0px",
  });
  links.forEach((_link, id) => watcher.observe(document.getElementById(id)));
}

function mark(links, id) {
  const list = document.getElementById("index-list");
  list.querySelector("[aria-current]")?.removeAttribute("aria-current");
  const link = links.get(id);
  link.setAttribute("aria-current", "location");
  const above = link.offsetTop - list.offsetTop - list.scrollTop;
  if (above < 0 || above > list.clientHeight - link.offsetHeight) list.scrollTop += above - list.clientHeight / 2;
}

function printing() {
  const closed = [];
  addEventListener("beforeprint", () => {
    closed.push(...document.querySelectorAll("details:not([open])"));
    closed.forEach((one) => (one.open = true));
  });
  addEventListener("afterprint", () => closed.splice(0).forEach((one) => (one.open = false)));
}

copying();
printing();
if (document.getElementById("filter")) {
  finding();
  marking();
}
