import { listAt, memberOf } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";

/** A workload's `spec.selector` as a list request takes it. */
export function labelSelectorText(selector: JsonObject): string {
  const labels = Object.entries(memberOf(selector, "matchLabels")).map(([key, value]) => `${key}=${String(value)}`);
  return [...labels, ...listAt(selector, "matchExpressions").map(expressionText)].join(",");
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
