import { referenceText, spokenReference } from "../../domain/where/object-reference.ts";
import { type Held, type ObjectUsage, VERSION_STATES } from "../../domain/where/usage.ts";
import type { Happening } from "./events.ts";
import { address, type Html, html, table, time } from "./html.ts";

/** Renders a state. The word carries the meaning; the colour only helps. */
export function stateMark(state: string): Html {
  return html`<span class="state ${state}">${state}</span>`;
}

const PAGE_ROWS = 100;

/** Returns one page of the rows, and links to the other pages. */
export function paged<T>(all: readonly T[], path: string, query: URLSearchParams): { readonly shown: readonly T[]; readonly pager: Html } {
  const pages = Math.max(1, Math.ceil(all.length / PAGE_ROWS));
  const asked = Number(query.get("page") ?? "1");
  const page = Number.isInteger(asked) ? Math.min(Math.max(asked, 1), pages) : 1;
  const shown = all.slice((page - 1) * PAGE_ROWS, page * PAGE_ROWS);
  if (pages === 1) return { shown, pager: html`<p class="count">${all.length} in all</p>` };
  const link = (to: number, word: string): Html => {
    const { part: _, ...kept } = Object.fromEntries(query);
    return to < 1 || to > pages
      ? html`<span>${word}</span>`
      : html`<a id="page-${word}" href="${address(path, { ...kept, page: `${to}` })}">${word} page</a>`;
  };
  const first = (page - 1) * PAGE_ROWS + 1;
  const pager = html`<nav class="pager" aria-label="Pages"><span class="count">${first} to ${first + shown.length - 1} of ${all.length}</span> ${link(page - 1, "Previous")} ${link(page + 1, "Next")}</nav>`;
  return { shown, pager };
}

export function classLink(namespace: string, name: string): Html {
  return linkTo(namespace, name, `class-${namespace}-${name}`);
}

/** The id keeps the focus on the link when the script replaces the view. */
function linkTo(namespace: string, name: string, id: string): Html {
  return html`<a id="${id}" href="${address("class", { ns: namespace, name })}">${namespace}/${name}</a>`;
}

export function objectLink(usage: Pick<ObjectUsage, "vault" | "type" | "name">): Html {
  const object = referenceText(usage);
  return html`<a id="object-${usage.vault}-${object}" href="${address("object", { vault: usage.vault, object })}">${spokenReference(usage)}</a>`;
}

export const HELD_HEADS = ["State", "Version", "Since", "Why"] as const;

export function heldCells({ state, version, since, why }: Held): Html {
  return html`<td>${stateMark(state)}</td><td><code>${version ?? "–"}</code></td><td>${time(since)}</td><td>${why ?? VERSION_STATES[state]}</td>`;
}

/** Renders events with a warning about their origin: any writer of an event can name the worker as its reporter. */
export function happeningsTable(caption: string, happenings: readonly Happening[]): Html {
  const heads = ["When", "What", "Of what", "Message", "Times"];
  return html`<p>Anyone who may create events in a namespace can write events in the worker's name.</p>${table(caption, heads, happenings.map(happeningCells))}`;
}

function happeningCells({ at, reason, isWarning, kind, namespace, name, message, count }: Happening): Html {
  const of =
    kind === "SecretProviderClass"
      ? html`class ${linkTo(namespace, name, `event-${at}-${namespace}-${name}-${encodeURIComponent(message)}`)}`
      : html`${kind} ${namespace}/${name}`;
  const what = reason === "NewVersion" ? "New version" : reason;
  return html`<tr><td>${time(at)}</td><td><span class="state ${isWarning ? "WARN" : "OK"}">${what}</span></td><td>${of}</td><td class="said">${message}</td><td>${count}</td></tr>`;
}

/** Returns the address as `shop.vault.azure.net`, for a narrow column. */
export function host(vault: string): string {
  return vault.replace(/^https:\/\//, "");
}

/** Returns the advice of `doctor` without the finding, if the page shows the finding right before it. */
export function withoutRepeat(advice: string, message: string): string {
  return advice.replace(` (${message})`, "");
}
