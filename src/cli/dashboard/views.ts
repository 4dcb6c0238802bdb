import { expiryCalendar } from "../../domain/where/calendar.ts";
import { referenceText } from "../../domain/where/object-reference.ts";
import type { ObjectUsage } from "../../domain/where/usage.ts";
import { counted } from "../../domain/words.ts";
import { type ClassRow, filteredRows, STATES, vaultRows } from "./class-rows.ts";
import { classView, KEY_HEADS, keyCells } from "./class-view.ts";
import { repairs, timeLine } from "./events.ts";
import { address, type Html, html, table, time } from "./html.ts";
import type { Model } from "./model.ts";
import { classLink, HELD_HEADS, happeningsTable, heldCells, host, objectLink, paged, stateMark, withoutRepeat } from "./parts.ts";

export interface View {
  readonly path: string;
  readonly title: string;
  readonly isTab: boolean;
  /** Whether its filter has the states of classes. */
  readonly hasStates?: true;
  readonly render: (model: Model, query: URLSearchParams) => Html;
}

export const VIEWS: readonly View[] = [
  { path: "classes", title: "Classes", isTab: true, hasStates: true, render: classesView },
  { path: "secrets", title: "Secrets and keys", isTab: true, render: secretsView },
  { path: "objects", title: "Objects and their users", isTab: true, render: objectsView },
  { path: "calendar", title: "Expiry calendar", isTab: true, render: calendarView },
  { path: "timeline", title: "Rotations and restarts", isTab: true, render: (model, query) => happenings(model, query, "timeline") },
  { path: "repairs", title: "Repairs and fights", isTab: true, render: (model, query) => happenings(model, query, "repairs") },
  { path: "vaults", title: "Vaults", isTab: true, render: vaultsView },
  { path: "class", title: "Class", isTab: false, render: classView },
  { path: "object", title: "Object", isTab: false, render: objectView },
];

const textIn = (query: URLSearchParams): string => (query.get("q") ?? "").toLowerCase();

function classesView({ rows }: Model, query: URLSearchParams): Html {
  const filter = { namespace: query.get("ns") ?? "", text: query.get("q") ?? "", state: query.get("state") ?? "" };
  const inFilter = filteredRows(rows, { ...filter, state: "" });
  const counts = STATES.map((state) => {
    const count = inFilter.filter((row) => row.state === state).length;
    return html`<li><a id="state-${state}" href="${address("classes", { ns: filter.namespace, q: filter.text, state })}">${stateMark(state)} ${count}</a></li>`;
  });
  const { shown, pager } = paged(filteredRows(rows, filter), "classes", query);
  const heads = ["State", "Class", "Reason", "Finding and what to do", "Secrets", "Checked", "Vault"];
  return html`<ul class="counts" aria-label="Classes by state">${counts}</ul>${pager}${table("Classes, worst first", heads, shown.map(classCells))}`;
}

function classCells({ namespace, name, state, reason, message, next, runbook, status, vault }: ClassRow): Html {
  const advice =
    next === undefined
      ? ""
      : html`<br><strong>To do:</strong> ${withoutRepeat(next, message)} <a href="${runbook}" rel="noreferrer">Runbook<span class="spoken"> for ${reason} of ${namespace}/${name}</span></a>`;
  const secrets = status === undefined ? "–" : `${status.syncedSecrets}/${status.desiredSecrets}`;
  return html`<tr><td>${stateMark(state)}</td><th scope="row">${classLink(namespace, name)}</th><td>${reason}</td><td class="said">${message}${advice}</td><td>${secrets}</td><td>${time(Date.parse(status?.lastSuccessfulCheckTime ?? ""))}</td><td>${host(vault)}</td></tr>`;
}

/** Renders keys from the statuses of classes, outdated keys first. */
function secretsView({ rows }: Model, query: URLSearchParams): Html {
  const filter = { namespace: query.get("ns") ?? "", text: "", state: "" };
  const text = textIn(query);
  const keys = filteredRows(rows, filter).flatMap(({ namespace, status }) =>
    (status?.secrets ?? []).flatMap(({ name, state, data }) =>
      data.map((key) => ({ secret: { name: `${namespace}/${name}`, state }, key })),
    ),
  );
  const found = keys.filter(({ secret, key }) =>
    `${secret.name} ${key.key} ${key.object ?? ""} ${key.version ?? ""}`.toLowerCase().includes(text),
  );
  const isFine = ({ secret, key }: (typeof keys)[number]): boolean => (key.state ?? secret.state) === "Synced";
  const { shown, pager } = paged([...found.filter((each) => !isFine(each)), ...found.filter(isFine)], "secrets", query);
  const cells = shown.map(({ secret, key }) => keyCells(secret, key));
  return html`${pager}${table("Secrets of classes with their keys, outdated first", KEY_HEADS, cells)}`;
}

function usagesIn({ usages }: Model, query: URLSearchParams): readonly ObjectUsage[] {
  const [namespace, text] = [query.get("ns") ?? "", textIn(query)];
  return usages().filter(
    (usage) =>
      (namespace === "" || usage.classes.some((each) => each.namespace === namespace)) &&
      (text === "" ||
        [referenceText(usage), usage.vault, ...usage.classes.map((each) => `${each.namespace}/${each.name}`)].some((word) =>
          word.toLowerCase().includes(text),
        )),
  );
}

function oldIn({ secrets, containers }: ObjectUsage): number {
  return [...secrets, ...containers].filter(({ state }) => state === "old").length;
}

function objectsView(model: Model, query: URLSearchParams): Html {
  const ranked = usagesIn(model, query).map((usage) => ({ usage, old: oldIn(usage) }));
  const { shown, pager } = paged(
    ranked.sort((a, b) => b.old - a.old),
    "objects",
    query,
  );
  const rows = shown.map(({ usage, old }) => {
    const { vault, current, classes, secrets, containers, expires } = usage;
    const behind = old === 0 ? html`0` : html`${stateMark("old")} ${old}`;
    return html`<tr><th scope="row">${objectLink(usage)}</th><td>${host(vault)}</td><td><code>${current?.version ?? "not known"}</code></td><td>${classes.length}</td><td>${secrets.length}</td><td>${containers.length}</td><td>${behind}</td><td>${time(expires)}</td></tr>`;
  });
  const heads = ["Object", "Vault", "Newest version", "Classes", "Secrets", "Containers", "With an old version", "Expires"];
  return html`${pager}${table("Vault objects, those with old versions in use first", heads, rows)}`;
}

function objectView({ usages }: Model, query: URLSearchParams): Html {
  const usage = usages().find((each) => each.vault === query.get("vault") && referenceText(each) === query.get("object"));
  if (usage === undefined) return html`<p>No class that you can see names this object.</p>`;
  const { current, unconfirmed, classes, secrets, containers, expires, vault } = usage;
  const naming = classes.map(({ namespace, name, pins }) => {
    const pinned = pins.length === 0 ? "" : ` (version ${pins.join(", ")})`;
    return html`<li>${classLink(namespace, name)}${pinned}</li>`;
  });
  const inSecrets = secrets.map(
    (each) => html`<tr><th scope="row">${each.namespace}/${each.name}</th><td>${each.keys.join(", ")}</td>${heldCells(each)}</tr>`,
  );
  const inPods = containers.map(
    (each) =>
      html`<tr><th scope="row">${each.namespace}/${each.pod}</th><td>${each.container ?? "–"}</td><td>${each.workload ?? "–"}</td><td>${each.via} ${each.from}</td>${heldCells(each)}</tr>`,
  );
  return html`<p>Vault: ${vault}. Newest version: <code>${current?.version ?? "not known"}</code>, seen ${time(current?.seenAt)}, in the vault ${time(current?.updated)}. Expires: ${time(expires)}.</p>${unconfirmed.length === 0 ? "" : html`<p>Newest only for their own namespace, because unconfirmed: ${some(unconfirmed.map((each) => `${each.namespace} (${each.version})`))}</p>`}
<h2>Classes that name it</h2><ul>${naming}</ul>
<h2>Secrets</h2>${table("Secrets with the object", ["Secret", "Keys", ...HELD_HEADS], inSecrets)}
<h2>Containers</h2>${table("Containers with the object", ["Pod", "Container", "Workload", "From", ...HELD_HEADS], inPods)}`;
}

function calendarView(model: Model, query: URLSearchParams): Html {
  const usages = usagesIn(model, query);
  const { shown, pager } = paged(expiryCalendar(usages, model.now), "calendar", query);
  const undated = usages.filter(({ expires, secrets }) => expires === undefined && secrets.length === 0).length;
  const rows = shown.map((each) => {
    const secrets = [...new Set(each.secrets.map(({ namespace, name }) => `${namespace}/${name}`))];
    const classes = each.classes.map(({ namespace, name }) => `${namespace}/${name}`);
    return html`<tr><th scope="row">${time(each.expires)}</th><td>${stateMark(each.state)}</td><td>${objectLink(each)}</td><td>${host(each.vault)}</td><td>${some(classes)}</td><td>${some(secrets)}</td><td>${some(each.workloads)}</td></tr>`;
  });
  const note = undated === 0 ? "" : html`<p>The expiry dates of ${counted(undated, "object")} that are only mounted are not known.</p>`;
  const heads = ["Expires", "State", "Object", "Vault", "Classes", "Secrets", "Workloads"];
  return html`${pager}${table("Objects that expire, earliest first", heads, rows)}${note}`;
}

function some(names: readonly string[]): string {
  const left = names.length - 5;
  return left > 1 ? `${names.slice(0, 5).join(", ")} and ${left} more` : names.join(", ") || "–";
}

const KINDS_OF_HAPPENINGS = { timeline: timeLine, repairs } as const;

function happenings({ copies }: Model, query: URLSearchParams, path: keyof typeof KINDS_OF_HAPPENINGS): Html {
  const [namespace, text] = [query.get("ns") ?? "", textIn(query)];
  const all = KINDS_OF_HAPPENINGS[path](copies.events.list(), copies.classStatuses.list()).filter(
    (each) =>
      (namespace === "" || each.namespace === namespace) &&
      (text === "" || `${each.reason} ${each.kind} ${each.namespace}/${each.name} ${each.message}`.toLowerCase().includes(text)),
  );
  const { shown, pager } = paged(all, path, query);
  const caption = path === "timeline" ? "New versions and restarts, latest first" : "Repairs, and writers that undo them, latest first";
  return html`<p>The API server keeps events for an hour; entries from the statuses of classes stay.</p>${pager}${happeningsTable(caption, shown)}`;
}

function vaultsView({ copies, rows }: Model, query: URLSearchParams): Html {
  const [namespace, text] = [query.get("ns") ?? "", textIn(query)];
  const classes = copies.classes.list().filter((spc) => namespace === "" || spc.namespace === namespace);
  const { shown, pager } = paged(
    vaultRows(classes, rows).filter(({ vault }) => vault.includes(text)),
    "vaults",
    query,
  );
  const cells = shown.map(
    (each) =>
      html`<tr><th scope="row">${host(each.vault)}</th><td>${each.classes}</td><td>${each.objects}</td><td>${troubled(each.throttled)}</td><td>${troubled(each.unreachable)}</td></tr>`,
  );
  const heads = ["Vault", "Classes", "Objects", "Classes that are throttled", "Classes that cannot reach it"];
  return html`${pager}${table("Vaults, those with trouble first", heads, cells)}
<h2>Budget</h2>
<p>The used part of a vault's budget is not stored in the cluster, so this page does not show it. See the worker's metrics:
<code>keyvault_injector_vault_transactions_total</code> by vault, <code>keyvault_injector_vault_rate</code> (highest rate of requests to a vault, per second),
<code>keyvault_injector_vault_throttled_total</code> and <code>keyvault_injector_vault_breaker_open</code>.
<a href="https://keyvault-injector.dev/docs/reference/vault-budget.md" rel="noreferrer">How the budget works</a></p>`;
}

function troubled(count: number): Html {
  return count === 0 ? html`0` : html`<span class="state WARN">${count}</span>`;
}
