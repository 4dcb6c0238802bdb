import { type JsonObject, objectAt } from "../json.ts";
import { badRequest } from "../refusal.ts";
import { isLabelValue, isQualifiedName } from "../validation/names.ts";

export type Labels = JsonObject;

interface Requirement {
  readonly key: string;
  readonly operator: "in" | "notin" | "exists" | "!";
  readonly values: readonly string[];
}

/** Whether an object's labels match a `labelSelector`. */
export type LabelSelector = (object: JsonObject) => boolean;

export function parseLabelSelector(text: string): LabelSelector | undefined {
  if (text.trim() === "") return undefined;
  const requirements = splitOutsideParentheses(text).map(parseRequirement);
  for (const requirement of requirements) assertValid(requirement);
  return (object) => {
    const labels = objectAt(objectAt(object, "metadata"), "labels");
    return requirements.every((requirement) => isMet(requirement, labels));
  };
}

function isMet({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case "in":
      return typeof value === "string" && values.includes(value);
    case "notin":
      return typeof value !== "string" || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
  }
}

function splitOutsideParentheses(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === "(") depth++;
    else if (text[index] === ")") depth--;
    else if (text[index] === "," && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...parts, text.slice(start)];
}

const EQUALITY = /^\s*([^\s=!(),]+)\s*(==|=|!=)\s*([^\s=!(),]*)\s*$/;
const MEMBERSHIP = /^\s*([^\s=!(),]+)\s+(in|notin)\s+\(([^()]*)\)\s*$/;
const EXISTENCE = /^\s*(!?)\s*([^\s=!(),]+)\s*$/;

function parseRequirement(text: string): Requirement {
  const equality = EQUALITY.exec(text);
  if (equality !== null) return { key: equality[1] ?? "", operator: equality[2] === "!=" ? "notin" : "in", values: [equality[3] ?? ""] };
  const membership = MEMBERSHIP.exec(text);
  if (membership !== null) {
    const values = (membership[3] ?? "").split(",").map((value) => value.trim());
    return { key: membership[1] ?? "", operator: membership[2] === "in" ? "in" : "notin", values };
  }
  const existence = EXISTENCE.exec(text);
  if (existence === null)
    throw badRequest(`unable to parse requirement: found '${text.trim()}', expected: !, identifier, or 'end of string'`);
  return { key: existence[2] ?? "", operator: existence[1] === "!" ? "!" : "exists", values: [] };
}

function assertValid({ key, values }: Requirement): void {
  const [why] = isQualifiedName(key);
  if (why !== undefined) throw badRequest(`unable to parse requirement: <nil>: Invalid value: ${JSON.stringify(key)}: ${why}`);
  for (const value of values) {
    const [wrong] = isLabelValue(value);
    if (wrong !== undefined)
      throw badRequest(`unable to parse requirement: values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong}`);
  }
}
