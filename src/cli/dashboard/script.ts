/**
 * All code that runs in the browser. On a notice, it requests the view again and replaces the old one. The focus stays on the element with
 * the same id, and the script waits while the user selects text. Without the script, the pages work, but do not update.
 */
export const SCRIPT = `"use strict";
const byId = (id) => document.getElementById(id);
const [view, live, said, pause, form] = ["view", "live", "said", "pause", "filter"].map(byId);
let isBusy = false, isDue = false, isAsked = false, isPaused = false, shown = "", spoken = view.firstElementChild?.dataset.say ?? "";

const isSelecting = () => {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && view.contains(selection.anchorNode);
};

function put(text) {
  if (text === shown) return;
  shown = text;
  const focused = view.contains(document.activeElement) ? document.activeElement.id : "";
  view.innerHTML = text;
  if (focused !== "") byId(focused)?.focus({ preventScroll: true });
  const say = view.firstElementChild?.dataset.say ?? "";
  if (say !== spoken) said.textContent = spoken = say;
}

/** Requests the view. A request by the user takes effect even if the page is paused. */
async function refresh(isByUser) {
  isDue = true;
  isAsked ||= isByUser === true;
  if (isBusy) return;
  isBusy = true;
  while (isDue && (isAsked || !isPaused)) {
    if (isSelecting()) {
      await new Promise((resolve) => document.addEventListener("selectionchange", resolve, { once: true }));
      continue;
    }
    isDue = isAsked = false;
    const asked = new URL(location.href);
    asked.searchParams.set("part", "1");
    try {
      const answer = await fetch(asked, { cache: "no-store", signal: AbortSignal.timeout(15000) });
      const text = await answer.text();
      if (!answer.ok) {
        shown = "";
        view.textContent = text;
        notLive("the dashboard answered with an error");
        continue;
      }
      put(text);
      live.textContent = (isPaused ? "Paused, as of " : "Live, as of ") + new Date().toISOString().slice(11, 19) + "Z";
    } catch {
      if (source.readyState !== EventSource.OPEN) {
        lost();
        break;
      }
      // The dashboard still sends notices, so only this request failed, such as one from before the computer slept.
      notLive("the last request was not answered");
      await new Promise((resolve) => setTimeout(resolve, 1000));
      isDue = true;
    }
  }
  isBusy = false;
}

const lost = () => notLive("the command has ended, or too many pages are open");

function notLive(why) {
  const text = "Not live: " + why;
  if (live.textContent !== text) said.textContent = live.textContent = text;
}

let source;
function follow() {
  source?.close();
  source = new EventSource("live");
  source.onopen = refresh;
  source.onmessage = refresh;
  source.onerror = () => {
    lost();
    // In this state, the browser has given up, because the dashboard has ended or has too many open pages.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => { if (!isPaused && !document.hidden) follow(); }, 5000);
  };
}

// A browser opens at most six connections to a host, so a page in the background closes its own.
document.addEventListener("visibilitychange", () => {
  source.close();
  if (!document.hidden && !isPaused) follow();
});

pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  if (isPaused) {
    source.close();
    live.textContent = "Paused";
  } else follow();
});

let typing;
function filter() {
  const address = new URL(location.href);
  address.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  history.replaceState(null, "", address);
  for (const link of document.querySelectorAll("nav[aria-label=Views] a")) {
    const to = new URL(link.href);
    to.search = address.searchParams.has("ns") ? "ns=" + encodeURIComponent(address.searchParams.get("ns")) : "";
    link.href = to;
  }
  refresh(true);
}
form?.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(filter, 200);
});
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  filter();
});
follow();
`;
