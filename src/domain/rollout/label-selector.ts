import { listAt, memberOf } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { ownEntry } from "../text-map.ts";

/** Returns a workload's `spec.selector` in the form of a list request. */
export function labelSelectorText(selector: JsonObject): string {
  const labels = Object.entries(memberOf(selector, "matchLabels")).map(([key, value]) => `${key}=${String(value)}`);
  return [...labels, ...listAt(selector, "matchExpressions").map(expressionText)].join(",");
}

/** Matches a selector like the API server. An empty selector selects everything, and an invalid expression matches nothing. */
export function selectsLabels(selector: JsonObject, labels: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(memberOf(selector, "matchLabels"));
  return (
    wanted.every(([key, value]) => ownEntry(labels, key) === value) &&
    listAt(selector, "matchExpressions").every((each) => expressionHolds(each, labels))
  );
}

/** Whether one of `matchExpressions` holds. An unknown operator never does. */
export function expressionHolds({ key, operator, values }: JsonObject, labels: Readonly<Record<string, string>>): boolean {
  const own = ownEntry(labels, String(key));
  const list: readonly unknown[] = Array.isArray(values) ? values : [];
  switch (operator) {
    case "In":
      return own !== undefined && list.includes(own);
    case "NotIn":
      return own === undefined || !list.includes(own);
    case "Exists":
      return own !== undefined;
    case "DoesNotExist":
      return own === undefined;
    default:
      return false;
  }
}

function expressionText({ key, operator, values }: JsonObject): string {
  const name = String(key);
  const list = `(${(Array.isArray(values) ? values : []).join(",")})`;
  switch (operator) {
    case "In":
      return `${name} in ${list}`;
    case "NotIn":
      return `${name} notin ${list}`;
    case "DoesNotExist":
      return `!${name}`;
    default:
      return name;
  }
}
