import { isObject, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";

/** Whether labels match the `LabelSelector` of an object. */
export function matchesSelector(selector: JsonObject, labels: JsonObject): boolean {
  const wanted = Object.entries(objectAt(selector, "matchLabels"));
  if (!wanted.every(([key, value]) => labels[key] === value)) return false;
  return listAt(selector, "matchExpressions").every((expression) => !isObject(expression) || matchesExpression(expression, labels));
}

function matchesExpression(expression: JsonObject, labels: JsonObject): boolean {
  const value = labels[stringAt(expression, "key") ?? ""];
  const values = listAt(expression, "values");
  switch (stringAt(expression, "operator") ?? "") {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    default:
      return value === undefined;
  }
}
