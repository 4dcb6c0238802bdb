import { STATES } from "./class-rows.ts";
import { address, type Html, html } from "./html.ts";
import type { Model } from "./model.ts";
import type { Notice } from "./notices.ts";
import { VIEWS, type View } from "./views.ts";

/** What is replaced when something changes. `data-say` is read out when it differs from before. */
export function fragment(notices: readonly Notice[], content: Html, { rows }: Pick<Model, "rows">): Html {
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

export function document(view: View, content: Html, { query, server, within }: Around): Html {
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
