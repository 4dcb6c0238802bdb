/**
 * Merges the drafts of objects that write the same Secret. In akv2k8s several objects can fill one Secret, but a Secret has only one class.
 */
import { memberOf, nonEmptyText } from "../json-members.ts";
import type { ClassDraft, SecretDraft } from "./class-draft.ts";
import type { Drafted } from "./drafting.ts";
import { type ConversionRemark, errorOn, type PeerObject } from "./peer-object.ts";

export function mergedDrafts(drafted: readonly Drafted[], { isPartial }: { readonly isPartial: boolean }): readonly Drafted[] {
  const groups = new Map<string, Drafted[]>();
  for (const [index, each] of drafted.entries()) {
    const key = secretKey(each.from[0]) ?? `alone ${index}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].map((group) => merged(group, isPartial));
}

/** Returns a key for the Secret that the object may share with others; undefined if it shares none. */
function secretKey(object: PeerObject | undefined): string | undefined {
  if (object?.kind !== "AzureKeyVaultSecret") return undefined;
  const name = nonEmptyText(memberOf(memberOf(memberOf(object.object, "spec"), "output"), "secret")["name"]);
  return name === undefined ? undefined : `${object.namespace ?? ""}/${name}`;
}

function merged(group: readonly Drafted[], isPartial: boolean): Drafted {
  const [first] = group;
  if (first === undefined || group.length === 1) return first ?? { from: [], draft: undefined, remarks: [] };
  const from = group.flatMap((each) => each.from);
  const drafts = group.flatMap(({ draft }) => draft ?? []);
  const problems = [...mergeProblems(group), ...keyProblems(group)];
  const missing = group.filter(({ draft }) => draft === undefined).flatMap((each) => each.from);
  const lacking = [...new Set([...missing, ...problems.map(({ on }) => on)])];
  const names = firstOf(
    lacking.map(({ name }) => name),
    ", ",
  );
  const path = ["spec", "output", "secret", "name"];
  const message = `spec.output.secret.name: ${names}, which is not converted, also writes the Secret; fix that${problems.length === 0 ? ", or use --partial" : ""}`;
  const held =
    lacking.length === 0 || (isPartial && problems.length === 0)
      ? []
      : from.filter((each) => !lacking.includes(each)).map((each) => errorOn(each, { path, message }));
  const remarks = [...group.flatMap((each) => each.remarks), ...problems, ...held];
  const isWhole = problems.length === 0 && held.length === 0;
  return { from, remarks, draft: isWhole ? joined(drafts) : undefined };
}

/** Explains why the objects of one Secret cannot become one class. */
function mergeProblems(group: readonly Drafted[]): readonly ConversionRemark[] {
  const [first, ...others] = group.filter(({ draft }) => draft !== undefined);
  return others.flatMap(({ from: [on], draft }) => {
    const problem = on && first?.draft && draft && differenceOf(first.draft, draft);
    return problem === undefined || on === undefined ? [] : [errorOn(on, { path: ["spec"], message: `spec: ${problem}` })];
  });
}

/**
 * Reports keys with several writers. The class would use the later of two values for a key, but akv2k8s uses the one that it wrote last.
 */
function keyProblems(group: readonly Drafted[]): readonly ConversionRemark[] {
  const writers = Map.groupBy(
    group.flatMap((each) => [...new Set(keysOf(each))].map((key) => ({ key, each }))),
    ({ key }) => key,
  );
  return group.flatMap((each) => {
    const shared = keysOf(each).find((key) => (writers.get(key)?.length ?? 0) > 1);
    const [on] = each.from;
    if (on === undefined || shared === undefined) return [];
    const others = (writers.get(shared) ?? []).filter((other) => other.each !== each);
    const names = others.flatMap((other) => other.each.from.map(({ name }) => name));
    const message = `spec.output.secret: ${firstOf(names, " and ")} writes the same key ${shared} of the Secret; keep one of them, or give each its own key or Secret`;
    return [errorOn(on, { path: ["spec", "output", "secret"], message })];
  });
}

/** Maximum number of objects that one message names. Thousands of objects may share a Secret, and each message would name all others. */
const MOST_NAMED = 3;

function firstOf(names: readonly string[], between: string): string {
  const rest = names.length - MOST_NAMED;
  return rest <= 0 ? names.join(between) : `${names.slice(0, MOST_NAMED).join(between)} and ${rest} more`;
}

function keysOf({ draft }: Drafted): readonly string[] {
  return (draft?.secrets ?? []).flatMap(({ entries }) => entries.map(({ key }) => key));
}

function differenceOf(one: ClassDraft, other: ClassDraft): string | undefined {
  if (one.access.parameters["keyvaultName"] !== other.access.parameters["keyvaultName"])
    return "another object writes the same Secret from another vault, but a class has only one vault; use a Secret for each vault";
  if (one.secrets[0]?.type !== other.secrets[0]?.type)
    return "another object gives the same Secret another type; write the same type in both";
  return undefined;
}

function joined(drafts: readonly ClassDraft[]): ClassDraft | undefined {
  const [first] = drafts;
  const secrets = drafts.flatMap((draft) => draft.secrets);
  const [secret] = secrets;
  if (first === undefined || secret === undefined) return undefined;
  const whole: SecretDraft = {
    ...secret,
    labels: Object.assign({}, ...secrets.map(({ labels }) => labels)),
    annotations: Object.assign({}, ...secrets.map(({ annotations }) => annotations)),
    entries: secrets.flatMap(({ entries }) => entries),
  };
  return { ...first, secrets: [whole] };
}
