import type { KeyStatus, SecretStatus } from "../../domain/sync/status-fields.ts";
import { referenceText } from "../../domain/where/object-reference.ts";
import { type ClassRow, runbookOf } from "./class-rows.ts";
import { repairs, timeLine } from "./events.ts";
import { type Html, html, table, time } from "./html.ts";
import type { Model } from "./model.ts";
import { HELD_HEADS, happeningsTable, heldCells, objectLink, stateMark, withoutRepeat } from "./parts.ts";

/** Renders one class: the findings of `doctor`, its Secrets and keys, the users of its objects, and its events. */
export function classView(model: Model, query: URLSearchParams): Html {
  const [namespace, name] = [query.get("ns") ?? "", query.get("name") ?? ""];
  const row = model.rows.find((each) => each.namespace === namespace && each.name === name);
  if (row === undefined) return html`<p>Class ${namespace}/${name} does not exist, or you lack permission to see it.</p>`;
  return html`${findings(row)}<h2>Secrets and keys</h2>${secrets(row)}${copies(row)}<h2>Who uses its objects</h2>${users(model, row)}<h2>What happened</h2>${history(model, row)}`;
}

function findings({ findings, vault, runbook }: ClassRow): Html {
  const items = findings.map(({ state, step, message, fix }) => {
    const advice = fix === undefined ? "" : html`<br><strong>To do:</strong> ${withoutRepeat(fix, message)}`;
    return html`<li>${stateMark(state)} ${step}: ${message}${advice}</li>`;
  });
  return html`<p>Vault: ${vault === "" ? "not known" : vault}. <a href="${runbook}" rel="noreferrer">Runbook</a></p><ul class="findings">${items}</ul>`;
}

function secrets({ status }: ClassRow): Html {
  const rows = (status?.secrets ?? []).flatMap((secret) => secret.data.map((key) => keyCells(secret, key)));
  const reported = (status?.secrets ?? []).flatMap(({ name, state, message }) =>
    message === undefined
      ? []
      : [
          html`<li>${stateMark("WARN")} Secret ${name}: ${message} <a href="${runbookOf(state)}" rel="noreferrer">Runbook: ${state}</a></li>`,
        ],
  );
  return html`${reported.length === 0 ? "" : html`<ul class="findings">${reported}</ul>`}${table("Secrets and keys of the class", KEY_HEADS, rows)}`;
}

/** Renders nothing if the class has no copies. */
function copies({ status }: ClassRow): Html {
  const rows = (status?.copies ?? []).map(
    ({ namespace, state, secrets = [] }) =>
      html`<tr><th scope="row">${namespace}</th><td><span class="state ${state === "Synced" ? "OK" : "WARN"}">${state}</span></td><td>${secrets.join(", ")}</td></tr>`,
  );
  if (rows.length === 0) return html``;
  return html`<h2>Copies</h2>${table("Copies in other namespaces", ["Namespace", "State", "Secrets that are not copied"], rows)}`;
}

export const KEY_HEADS = ["Secret", "Key", "Object", "State", "Version", "Since", "Changed in the vault", "Expires", "Why"] as const;

export function keyCells(
  secret: Pick<SecretStatus, "name" | "state">,
  { key, object, version, since, updated, expires, state, message }: KeyStatus,
): Html {
  const said = state ?? secret.state;
  const mark = html`<span class="state ${said === "Synced" ? "OK" : "WARN"}">${said}</span>`;
  return html`<tr><th scope="row">${secret.name}</th><td>${key}</td><td>${object ?? "–"}</td><td>${mark}</td><td><code>${version ?? "–"}</code></td><td>${timed(since)}</td><td>${timed(updated)}</td><td>${timed(expires)}</td><td>${message ?? ""}</td></tr>`;
}

function timed(text: string | undefined): Html {
  return time(text === undefined ? undefined : Date.parse(text));
}

function users({ usages }: Model, { namespace, name }: ClassRow): Html {
  const objects = usages().filter(({ classes }) => classes.some((each) => each.namespace === namespace && each.name === name));
  const rows = objects.flatMap((usage) =>
    usage.containers
      .filter((each) => each.namespace === namespace && each.className === name)
      .map((each) => {
        const place = html`<td>${each.workload ?? "–"}</td><td>${each.pod}</td><td>${each.container ?? "–"}</td><td>${each.via} ${each.from}</td>`;
        return html`<tr><th scope="row">${referenceText(usage)}</th>${place}${heldCells(each)}</tr>`;
      }),
  );
  const links = objects.map((usage) => html`<li>${objectLink(usage)}</li>`);
  const heads = ["Object", "Workload", "Pod", "Container", "From", ...HELD_HEADS];
  return html`<ul aria-label="Objects of the class">${links}</ul>${table("Containers that use objects of the class", heads, rows)}`;
}

function history({ copies }: Model, { namespace, name }: ClassRow): Html {
  const events = copies.events.list().filter((each) => each.namespace === namespace && each.name === name);
  const statuses = copies.classStatuses.list().filter((each) => each.namespace === namespace && each.name === name);
  const known = [...timeLine(events, statuses), ...repairs(events, statuses)];
  const others = events.filter((event) => !known.includes(event));
  const all = [...known, ...others].sort((a, b) => b.at - a.at).slice(0, 100);
  return happeningsTable("What happened to the class, latest first", all);
}
