// What pages do beyond HTML: times of the reader, colours, copying, and answers that come word by word.
// Without it everything can still be read, sent and decided.
"use strict";

const moment = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

function showTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const shown = moment.format(new Date(element.dateTime));
    if (element.textContent !== shown) {
      element.title = element.dateTime;
      element.textContent = shown;
    }
  }
}

function offerCopying(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button.copy[hidden]")) button.hidden = false;
}

async function copy(button) {
  const code = button.parentElement.querySelector("pre");
  await navigator.clipboard.writeText(code.textContent);
  const before = button.firstChild.textContent;
  button.firstChild.textContent = "Copied";
  setTimeout(() => { button.firstChild.textContent = before; }, 1500);
}

function chooseTheme(select) {
  select.value = document.documentElement.dataset.theme || "";
  select.closest("label").hidden = false;
  select.addEventListener("change", () => {
    if (select.value) document.documentElement.dataset.theme = select.value;
    else delete document.documentElement.dataset.theme;
    if (select.value) localStorage.setItem("theme", select.value);
    else localStorage.removeItem("theme");
  });
}

function refreshLive() {
  const live = document.getElementById("live");
  if (live && window.htmx) window.htmx.trigger(live, "refresh");
}

// --- talking: the same message as the form would send, with the answer shown while it is made ---

async function talk(form) {
  const message = form.elements.message, button = form.querySelector("button.primary");
  const words = message.value.trim();
  if (!words) return;
  button.disabled = true;
  const box = document.getElementById("answering");
  show(box, "", "Sent. The bot is thinking …");
  try {
    await listen(await send(form, words), box, () => { message.value = ""; refreshLive(); });
    box.hidden = true;
  } catch (error) {
    show(box, "", `That did not work: ${error.message}`);
  } finally {
    button.disabled = false;
    refreshLive();
  }
}

async function send(form, words) {
  const token = document.querySelector("meta[name=csrf-token]");
  const response = await fetch("/api/v1/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream", "X-CSRF-Token": token ? token.content : "" },
    body: JSON.stringify({ message: words, session_id: form.dataset.session, on_disconnect: "finish" }),
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail || `the answer was ${response.status}.`);
}

async function listen(response, box, onHeard) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", said = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const event = read(part);
      if (event.name === "session") onHeard();
      if (event.name === "text") said += event.data.text;
      if (event.name === "step" || event.name === "text") show(box, said, event.name === "step" ? event.data.text : "");
    }
  }
}

function read(part) {
  let name = "", data = "";
  for (const line of part.split(/\r?\n/)) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    if (line.startsWith("data:")) data += line.slice(5);
  }
  return { name, data: data ? JSON.parse(data) : {} };
}

function show(box, said, step) {
  box.hidden = false;
  const words = document.createElement("div"), state = document.createElement("p");
  words.className = "text raw";
  words.textContent = said;
  state.className = "quiet";
  state.textContent = step;
  box.replaceChildren(...(said ? [words] : []), ...(step ? [state] : []));
}

function prepare(root) {
  showTimes(root);
  offerCopying(root);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (button) copy(button);
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form.say") || !form.dataset.session) return;
  event.preventDefault();
  talk(form);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "message") event.target.form.requestSubmit();
});
new MutationObserver((changes) => {
  for (const { target } of changes) {
    const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
    if (element) prepare(element.parentElement || element);
  }
}).observe(document.body, { childList: true, characterData: true, subtree: true });
chooseTheme(document.getElementById("theme"));
prepare(document);
