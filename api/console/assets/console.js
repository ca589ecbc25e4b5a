// What the console does beyond plain pages: keys, and forms that are sent once. Everything works without this file.

const OFF = "mdm.keys.off";
const said = document.getElementById("said");
const typing = (target) => target.matches("input:not([type=checkbox]), textarea, select");

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  // A key that is held goes on in the next page, and would answer a task that nobody has read; behind the help nobody answers either.
  if (event.repeat || document.querySelector("dialog[open]")) return;
  if (event.key === "?") return help();
  if (localStorage.getItem(OFF)) return;
  if (event.key === "x") return tick();
  if (event.key === "j" || event.key === "k") return walk(event.key === "j" ? 1 : -1);
  const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!button) return;
  event.preventDefault();
  button.closest("details")?.setAttribute("open", "");
  button.click();
}

function walk(step) {
  const links = [...document.querySelectorAll(".list th a")];
  const at = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
}

function tick() {
  const row = document.activeElement?.closest("tr");
  const box = row?.querySelector("input[type=checkbox]");
  if (box) box.checked = !box.checked;
}

function help() {
  const dialog = document.getElementById("help") ?? made();
  dialog.showModal();
}

function made() {
  const dialog = document.createElement("dialog");
  dialog.id = "help";
  dialog.setAttribute("aria-labelledby", "help-title");
  dialog.append(...parts());
  document.body.append(dialog);
  return dialog;
}

function parts() {
  const title = Object.assign(document.createElement("h2"), { id: "help-title", textContent: "Keys" });
  const list = document.createElement("dl");
  list.className = "keys";
  const known = { m: "same customer", n: "different customers", s: "skip to the next", u: "undo", j: "next in a list", k: "previous in a list", x: "tick what is chosen in a list", "?": "this help" };
  for (const [key, words] of Object.entries(known)) {
    list.append(Object.assign(document.createElement("dt"), { textContent: key }), Object.assign(document.createElement("dd"), { textContent: words }));
  }
  const off = Object.assign(document.createElement("input"), { type: "checkbox", checked: !localStorage.getItem(OFF) });
  off.addEventListener("change", () => (off.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
  const label = Object.assign(document.createElement("label"), { className: "check" });
  label.append(off, "Keys are on");
  const form = Object.assign(document.createElement("form"), { method: "dialog" });
  form.append(Object.assign(document.createElement("button"), { className: "button", textContent: "Close" }));
  return [title, list, label, form];
}

// A form that is sent twice by a double click would answer twice; the service refuses the second, the reader need not see that.
function once(event) {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) return event.preventDefault();
  event.target.dataset.sent = "1";
  said.textContent = "Sent";
}

document.addEventListener("keydown", keys);
document.addEventListener("submit", once);
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // What the back button shows may be settled by now.
});

const told = (value) => (typeof value === "number" ? value.toLocaleString("en") : value);

// A job that runs is followed; when it is over the page is made anew, with what came of it.
const followed = document.querySelector("[data-follow]");
if (followed) {
  const events = new EventSource(followed.dataset.follow);
  followed.querySelector("[data-hint]").textContent = "Followed while it runs.";
  events.addEventListener("progress", (event) => {
    const job = JSON.parse(event.data);
    for (const place of followed.querySelectorAll("[data-of]")) place.textContent = told(job[place.dataset.of]);
    const bar = followed.querySelector("progress");
    const reached = job.checkpoint?.of ? job.checkpoint : { records: job.done_units, of: job.total_units };
    if (bar && reached.of) Object.assign(bar, { max: reached.of, value: reached.records });
    if (["finished", "failed", "cancelled"].includes(job.state)) {
      events.close();
      location.reload();
    }
  });
}
