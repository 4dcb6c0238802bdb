/**
 * Evaluates `spec.conditions` of a ClusterSecretStore. External Secrets Operator lets only ExternalSecrets of matching namespaces use the
 * store.
 */
import { RE2JS } from "re2js";
import { itemsIn, memberOf, membersOf, nonEmptyText } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { selectsLabels } from "../rollout/label-selector.ts";
import type { PeerObject } from "./peer-object.ts";

export interface AdmissionQuestion {
  readonly store: PeerObject;
  /** Namespace of the ExternalSecret. */
  readonly namespace: string | undefined;
  readonly namespaceOf: (name: string) => PeerObject | undefined;
}

/** The API server keeps this label on each Namespace. */
const NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * Explains why a store does not admit a namespace, or why this is unknown, and how to fix it. One matching condition is enough, as for the
 * operator.
 */
export function admissionProblem({ store, namespace, namespaceOf }: AdmissionQuestion): string | undefined {
  const conditions = memberOf(store.object, "spec")["conditions"] ?? [];
  if (store.kind !== "ClusterSecretStore") return undefined;
  if (!Array.isArray(conditions)) return "spec.conditions is not a list; correct it";
  if (conditions.length === 0) return undefined;
  if (namespace === undefined)
    return "its spec.conditions admit only some namespaces, but the ExternalSecret names none; write its namespace, or use --namespace";
  const found = namespaceOf(namespace);
  const labels = found && textsIn(memberOf(memberOf(found.object, "metadata"), "labels"));
  const undecided: string[] = [];
  for (const [index, condition] of conditions.entries()) {
    const path = `spec.conditions[${index}]`;
    const verdict = verdictOf(membersOf(condition), { path, namespace, labels });
    if (!verdict.ok) return verdict.error;
    if (verdict.value === "admitted") return undefined;
    if (verdict.value === "undecided") undecided.push(`${path}.namespaceSelector`);
  }
  const [selector] = undecided;
  return selector === undefined
    ? `its spec.conditions do not admit namespace ${namespace}, so the operator rejects the ExternalSecret; name another store, or add the namespace to the conditions`
    : `${selector} depends on labels of Namespace ${namespace}, which is not in these files; add its file`;
}

type Verdict = "admitted" | "not admitted" | "undecided";

interface Namespace {
  /** Path of the condition. */
  readonly path: string;
  readonly namespace: string;
  /** Undefined if the input does not contain the Namespace. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** Checks the fields in the order of the operator, because the operator stops at the first field that it cannot read. */
function verdictOf(condition: JsonObject, on: Namespace): Result<Verdict, string> {
  const { path, namespace } = on;
  const selected = selectorVerdict(condition["namespaceSelector"] ?? undefined, on);
  if (!selected.ok || selected.value === "admitted") return selected;
  if (itemsIn(condition["namespaces"]).includes(namespace)) return ok("admitted");
  for (const [index, pattern] of itemsIn(condition["namespaceRegexes"]).entries()) {
    const isMatch = matches(pattern, namespace);
    if (isMatch === undefined)
      return failed(`${path}.namespaceRegexes[${index}] ${quoted(String(pattern))} is not a Go regular expression; correct it`);
    if (isMatch) return ok("admitted");
  }
  return selected;
}

function selectorVerdict(selector: unknown, { path, namespace, labels }: Namespace): Result<Verdict, string> {
  if (selector === undefined) return ok("not admitted");
  if (!isSelector(selector)) return failed(`${path}.namespaceSelector is not a label selector; correct it`);
  const keys = [
    ...Object.keys(memberOf(selector, "matchLabels")),
    ...itemsIn(selector["matchExpressions"]).map((each) => membersOf(each)["key"]),
  ];
  if (labels === undefined && keys.some((key) => key !== NAME_LABEL)) return ok("undecided");
  return ok(selectsLabels(selector, { ...labels, [NAME_LABEL]: namespace }) ? "admitted" : "not admitted");
}

function isSelector(value: unknown): value is JsonObject {
  if (!isJsonObject(value)) return false;
  const { matchLabels, matchExpressions } = value;
  const areLabels = (matchLabels ?? undefined) === undefined || isJsonObject(matchLabels);
  const areExpressions = (matchExpressions ?? undefined) === undefined || Array.isArray(matchExpressions);
  return (
    areLabels && areExpressions && Object.values(membersOf(matchLabels)).every(isText) && itemsIn(matchExpressions).every(isExpression)
  );
}

function isExpression(value: unknown): boolean {
  const { key, operator, values } = membersOf(value);
  const isSet = operator === "In" || operator === "NotIn";
  const count = itemsIn(values).length;
  return (
    nonEmptyText(key) !== undefined &&
    itemsIn(values).every(isText) &&
    (isSet ? count > 0 : (operator === "Exists" || operator === "DoesNotExist") && count === 0)
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/**
 * Whether a pattern matches anywhere in the name, as in Go's regexp. Uses RE2, because JavaScript's syntax differs, and a JavaScript
 * expression may run forever. Undefined if the pattern is invalid.
 */
function matches(pattern: unknown, name: string): boolean | undefined {
  if (!isText(pattern)) return undefined;
  try {
    return RE2JS.compile(pattern).test(name);
  } catch {
    return undefined;
  }
}

function textsIn(labels: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => isText(entry[1])));
}
