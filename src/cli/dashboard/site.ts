import { type Clock, monotonicClock } from "../../domain/ports/clock.ts";
import { objectUsages } from "../../domain/where/object-usage.ts";
import type { ObjectUsage } from "../../domain/where/usage.ts";
import { type ClassRow, classRows, STATES } from "./class-rows.ts";
import { snapshotIn } from "./copies.ts";
import { address, type Html, html } from "./html.ts";
import type { LiveCopies } from "./known.ts";
import type { Model } from "./model.ts";
import { type DashboardNotice, noticesOf } from "./notices.ts";
import { SCRIPT } from "./script.ts";
import type { Page } from "./server.ts";
import { VIEWS, type View } from "./views.ts";

export interface Surroundings {
  readonly copies: LiveCopies;
  readonly clock: Clock;
  /** API server, for people. */
  readonly server: string;
  /** The only namespace that is watched. */
  readonly within: string | undefined;
  /** Called when open pages are out of date. */
  readonly onNews: () => void;
}

export interface Site {
  render(path: string, query: URLSearchParams): Page | undefined;
  noteNews(): void;
  /** Until the signal aborts, reports changes that time alone causes: a lost API server, a lease that is not renewed. */
  keepSending(signal: AbortSignal): Promise<void>;
}

const TICK_MS = 1_000;

/** Ticks between two updates of times that pages compute: expiry, and the time by which the kubelet has copied a value. */
const AGE_TICKS = 60;

/** Maximum share of the time to spend on usages: for thousands of objects, one computation takes part of a second. */
const USAGE_SHARE = 0.1;

export function createSite({ copies, clock, server, within, onNews }: Surroundings): Site {
  const stopwatch = monotonicClock(clock);
  let version = 0;
  let rows: { readonly version: number; readonly rows: readonly ClassRow[] } | undefined;
  let usages: { readonly version: number; readonly freshUntil: number; readonly usages: readonly ObjectUsage[] } | undefined;
  let areUsagesOwed = false;
  /** Keys of the notices at the last tick, and whether a page has shown other notices since. */
  let reported = "";
  let areNoticesOwed = false;
  const rowsNow = (): readonly ClassRow[] => {
    if (rows?.version !== version) rows = { version, rows: classRows(copies) };
    return rows.rows;
  };
  const usagesNow = (): readonly ObjectUsage[] => {
    const started = stopwatch.now();
    if (usages !== undefined && (usages.version === version || started < usages.freshUntil)) {
      areUsagesOwed ||= usages.version !== version;
      return usages.usages;
    }
    const found = objectUsages(snapshotIn(copies, clock.now()), () => true);
    const ended = stopwatch.now();
    areUsagesOwed = false;
    usages = { version, freshUntil: ended + (ended - started) / USAGE_SHARE, usages: found };
    return found;
  };
  return {
    render: (path, query) => {
      if (path === "script.js") return { type: "text/javascript", text: SCRIPT };
      if (path === "style.css") return { type: "text/css", text: STYLE };
      const view = VIEWS.find(({ path: known }) => known === (path === "" ? "classes" : path));
      if (view === undefined) return undefined;
      const model: Model = { copies, rows: rowsNow(), usages: usagesNow, now: clock.now() };
      const notices = noticesOf(model);
      // The cause of these notices may end before the next tick, which would then see no change.
      areNoticesOwed ||= keysOf(notices) !== reported;
      const content: Html = fragment(notices, view.render(model, query), model);
      const text = query.get("part") === null ? document(view, content, { query, server, within }).text : content.text;
      return { type: "text/html", text };
    },
    noteNews: () => {
      version++;
      onNews();
    },
    keepSending: async (signal) => {
      for (let tick = 1; !signal.aborted; tick++) {
        const isAged = tick % AGE_TICKS === 0;
        if (isAged) version++;
        const model = { copies, now: clock.now() };
        const health = keysOf(noticesOf(model));
        const isOwed = areUsagesOwed && stopwatch.now() >= (usages?.freshUntil ?? 0);
        const isNew = health !== reported || areNoticesOwed;
        reported = health;
        areNoticesOwed = false;
        if (isNew || isOwed || isAged) onNews();
        await clock.sleep(TICK_MS, signal).catch(() => undefined);
      }
    },
  };
}

function keysOf(notices: readonly DashboardNotice[]): string {
  return notices.map(({ key }) => key).join(" ");
}

/** Renders the part of a page that the script replaces. Screen readers announce `data-say` when it changes. */
function fragment(notices: readonly DashboardNotice[], content: Html, { rows }: Pick<Model, "rows">): Html {
  const failing = rows.filter(({ state }) => state === "FAIL").length;
  const said = [...notices.flatMap(({ spoken }) => spoken ?? []), failing === 1 ? "1 class fails" : `${failing} classes fail`].join(". ");
  const items = notices.map(({ level, text }) => html`<li class="${level}">${text}</li>`);
  const list = items.length === 0 ? "" : html`<ul class="notices" aria-label="Notices">${items}</ul>`;
  return html`<div data-say="${said}">${list}${content}</div>`;
}

interface Around {
  readonly query: URLSearchParams;
  readonly server: string;
  readonly within: string | undefined;
}

function document(view: View, content: Html, { query, server, within }: Around): Html {
  const namespace = query.get("ns") ?? "";
  const tabs = VIEWS.filter(({ isTab }) => isTab).map(({ path, title }) => {
    const isCurrent = path === view.path ? html` aria-current="page"` : "";
    return html`<li><a href="${address(path, { ns: namespace })}"${isCurrent}>${title}</a></li>`;
  });
  const name = query.get("object") ?? `${namespace}/${query.get("name") ?? ""}`;
  const title = view.isTab ? view.title : `${view.title} ${name}`;
  const place = within === undefined ? "" : html`, namespace ${within}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – keyvault-injector</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
<script src="script.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p class="product">keyvault-injector</p>
<p class="place">${server}${place}</p>
<p class="live"><span id="live">Not live: the page needs its script</span> <button id="pause" type="button" aria-pressed="false">Pause updates</button></p>
<p id="said" class="spoken" role="status"></p>
</header>
<nav aria-label="Views"><ul>${tabs}</ul></nav>
<main id="main" tabindex="-1">
<h1>${title}</h1>
${view.isTab ? filters(view, query) : ""}
<div id="view">${content}</div>
</main>
</body>
</html>`;
}

function filters({ hasStates }: View, query: URLSearchParams): Html {
  const options = STATES.map((state) => html`<option${query.get("state") === state ? html` selected` : ""}>${state}</option>`);
  const states = html`<label>State <select name="state"><option value="">all</option>${options}</select></label>`;
  return html`<form id="filter" role="search" aria-label="Filter">
<label>Namespace <input name="ns" value="${query.get("ns") ?? ""}" autocomplete="off" spellcheck="false"></label>
<label>Text <input name="q" type="search" value="${query.get("q") ?? ""}" autocomplete="off" spellcheck="false"></label>
${hasStates ? states : ""}
<button type="submit">Filter</button>
</form>`;
}

/** The only style sheet. Text has a contrast of at least 4.5 with its background, in light and dark. */
const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --band: #f6f8fa; --link: #0550ae;
  --fail: #b3121d; --warn: #7a4a00; --ok: #0b6329; --skip: #4c3a9e; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --text: #e6edf3; --soft: #9da7b3; --line: #30363d; --band: #161b22;
  --link: #79b8ff; --fail: #ff8b8b; --warn: #f0b65a; --ok: #6fd08c; --skip: #b7a6ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
header { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; align-items: baseline; padding: .6rem 1rem; background: var(--band); }
header p { margin: 0; color: var(--soft); }
header .product { font-weight: 700; color: var(--text); }
.live { margin-left: auto; }
nav[aria-label="Views"] { border-bottom: 1px solid var(--line); background: var(--band); padding: 0 1rem; }
nav ul, .counts, .notices, .findings { list-style: none; margin: 0; padding: 0; }
nav[aria-label="Views"] ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
nav[aria-label="Views"] a { display: block; padding: .5rem 0; text-decoration: none; }
nav[aria-label="Views"] a[aria-current] { font-weight: 700; color: var(--text); box-shadow: inset 0 -3px var(--link); }
main { padding: .5rem 1rem 3rem; }
main:focus { outline: none; }
h1 { font-size: 1.35rem; margin: .4rem 0; } h2 { font-size: 1.1rem; margin-bottom: .3rem; }
form { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; margin: .5rem 0; }
label { display: grid; gap: .1rem; color: var(--soft); font-size: .85rem; }
input, select, button { font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--soft); border-radius: 4px; padding: .25rem .5rem; }
button { cursor: pointer; }
.counts { display: flex; flex-wrap: wrap; gap: 1.2rem; margin: .6rem 0; }
.notices li { border-left: 4px solid var(--skip); background: var(--band); padding: .4rem .7rem; margin: .4rem 0; }
.notices .problem { border-color: var(--fail); }
.findings li { margin: .4rem 0; }
.wide { overflow-x: auto; position: relative; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: break-word; max-width: 40rem; }
thead th { background: var(--band); white-space: nowrap; }
tbody th { font-weight: 600; }
code { overflow-wrap: anywhere; }
.said { min-width: 22rem; overflow-wrap: anywhere; }
td time, th time { white-space: nowrap; }
.state { font-weight: 700; white-space: nowrap; color: var(--skip); }
.FAIL, .old, .expired { color: var(--fail); } .WARN, .soon, .not-running { color: var(--warn); } .OK, .current { color: var(--ok); }
.count { color: var(--soft); }
.pager { display: flex; gap: 1rem; margin: .5rem 0; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: .3rem; background: var(--ground); padding: .3rem .6rem; }
`;
