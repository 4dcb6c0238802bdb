import { listAt, memberOf, membersOf } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { isInstaller } from "./installers.ts";
import { type FieldSet, union } from "./owned-fields.ts";

/**
 * The admissions enforcer of AKS and of AKS on Azure Local adds terms to the namespaceSelector of every webhook that exclude the platform's
 * own namespaces, and adds them again after each removal. It ignores webhook configurations with the annotation
 * `admissions.enforcer/disabled`. See https://learn.microsoft.com/azure/aks/faq.
 */
const ADMISSIONS_ENFORCER = "admissionsenforcer";

/** Terms that the enforcer adds, by their keys. Releases differ in the operator. */
const ENFORCED_VALUES: Readonly<Record<string, string>> = { "control-plane": "true", "kubernetes.azure.com/managedby": "aks" };

/** The controller that writes to a subresource for every HorizontalPodAutoscaler. */
const AUTOSCALER: Pick<ManagedFieldsEntry, "manager" | "subresource"> = { manager: "kube-controller-manager", subresource: "scale" };

/** Fields of the installer that another manager owns for a good reason, as long as its values are within that reason. */
export interface Tolerated {
  readonly fields: FieldSet;
  readonly by: string;
}

/** Returns the permitted changes that platforms made to the wanted object. */
export function toleratedIn(wanted: KubeObject, live: KubeObject): readonly Tolerated[] {
  return [...enforcedSelectors(live, (name, selector) => isNarrowed(selectorOf(webhookOf(wanted, name)), selector)), ...autoscaled(live)];
}

/**
 * Returns the object as its installer left it: without the terms that the enforcer added, and with the selectors owned by the installer.
 */
export function beforeEnforcement(live: KubeObject): KubeObject {
  const enforced = enforcedSelectors(live, () => true);
  if (enforced.length === 0) return live;
  const fields = enforced.reduce<FieldSet>((all, each) => union(all, each.fields), {});
  const names = Object.keys(membersOf(fields["f:webhooks"]));
  const webhooks = webhooksOf(live).map((webhook) => (names.includes(keyOf(webhook)) ? withoutTerms(webhook) : webhook));
  const managedFields = (live.metadata.managedFields ?? []).map((entry) =>
    isInstaller(entry) && "f:webhooks" in (entry.fieldsV1 ?? {}) ? { ...entry, fieldsV1: union(entry.fieldsV1 ?? {}, fields) } : entry,
  );
  return Object.assign({ ...live, metadata: { ...live.metadata, managedFields } }, { webhooks });
}

function enforcedSelectors(live: KubeObject, isWithin: (name: string, selector: JsonObject) => boolean): readonly Tolerated[] {
  const entries = (live.metadata.managedFields ?? []).filter(({ manager }) => manager === ADMISSIONS_ENFORCER);
  const owned = entries.reduce<FieldSet>((all, { fieldsV1 = {} }) => union(all, fieldsV1), {});
  const webhooks = webhooksOf(live).filter((webhook) => {
    const isItsOwn = "f:namespaceSelector" in membersOf(membersOf(owned["f:webhooks"])[keyOf(webhook)]);
    const selector = selectorOf(webhook);
    return isItsOwn && expressionsOf(selector).some(isEnforced) && isWithin(String(webhook["name"]), selector);
  });
  if (webhooks.length === 0) return [];
  const items = webhooks.map((webhook) => [keyOf(webhook), { "f:namespaceSelector": {} }] as const);
  return [{ fields: { "f:webhooks": Object.fromEntries(items) }, by: ADMISSIONS_ENFORCER }];
}

/** Whether the selector differs only by terms of the enforcer, which can be anywhere in the list. */
function isNarrowed(wanted: JsonObject, live: JsonObject): boolean {
  const ours = expressionsOf(wanted).map(textOf);
  const theirs = expressionsOf(live);
  return (
    labelsOf(wanted) === labelsOf(live) &&
    ours.every((text) => theirs.some((expression) => textOf(expression) === text)) &&
    theirs.every((expression) => isEnforced(expression) || ours.includes(textOf(expression)))
  );
}

function labelsOf(selector: JsonObject): string {
  return Object.entries(memberOf(selector, "matchLabels"))
    .map(([key, value]) => `${key}=${String(value)}`)
    .sort()
    .join();
}

function isEnforced({ key, operator, values }: JsonObject): boolean {
  const value = ENFORCED_VALUES[String(key)];
  if (value === undefined) return false;
  return operator === "DoesNotExist" || (operator === "NotIn" && Array.isArray(values) && values.every((each) => each === value));
}

function autoscaled(live: KubeObject): readonly Tolerated[] {
  const { replicas } = memberOf(live, "spec");
  if (typeof replicas !== "number" || replicas < 1) return [];
  const isAutoscaler = ({ manager, subresource, fieldsV1 = {} }: ManagedFieldsEntry): boolean =>
    manager === AUTOSCALER.manager && subresource === AUTOSCALER.subresource && "f:replicas" in membersOf(fieldsV1["f:spec"]);
  if (!(live.metadata.managedFields ?? []).some(isAutoscaler)) return [];
  return [{ fields: { "f:spec": { "f:replicas": {} } }, by: "a HorizontalPodAutoscaler" }];
}

function withoutTerms(webhook: JsonObject): JsonObject {
  const { matchExpressions: _all, ...selector } = selectorOf(webhook);
  const left = expressionsOf(selectorOf(webhook)).filter((expression) => !isEnforced(expression));
  return { ...webhook, namespaceSelector: left.length === 0 ? selector : { ...selector, matchExpressions: left } };
}

function webhooksOf(object: object): readonly JsonObject[] {
  return listAt(object as JsonObject, "webhooks"); // Any object can be read by member name.
}

function webhookOf(object: KubeObject, name: string): JsonObject {
  return webhooksOf(object).find((webhook) => webhook["name"] === name) ?? {};
}

function selectorOf(webhook: JsonObject): JsonObject {
  return memberOf(webhook, "namespaceSelector");
}

function expressionsOf(selector: JsonObject): readonly JsonObject[] {
  return listAt(selector, "matchExpressions");
}

function textOf({ key, operator, values }: JsonObject): string {
  return JSON.stringify([key, operator, Array.isArray(values) ? values.map(String).sort() : []]);
}

function keyOf({ name }: JsonObject): string {
  return `k:${JSON.stringify({ name })}`;
}
