import type { LabelSelector } from "./label-selector.ts";

/** What of the pod webhook's entry decides whether the API server asks it, its namespaces aside. */
export interface AskedEntry {
  readonly objectSelector?: LabelSelector;
  readonly matchConditions?: readonly { readonly name?: string }[];
  readonly rules?: readonly {
    readonly apiGroups?: readonly string[];
    readonly operations?: readonly string[];
    readonly resources?: readonly string[];
  }[];
}

/** Of the manifests; a test compares them. */
export const SHIPPED_CONDITIONS: readonly string[] = ["has-annotation-of-ours"];

/** What keeps opted-in pods from the webhook, in the fields' own names. */
export function narrowingsOf({ objectSelector = {}, matchConditions = [], rules = [] }: AskedEntry): readonly string[] {
  const isSelective = [Object.keys(objectSelector.matchLabels ?? {}), objectSelector.matchExpressions ?? []].some(
    ({ length }) => length > 0,
  );
  const others = matchConditions.map(({ name = "" }) => name).filter((name) => !SHIPPED_CONDITIONS.includes(name));
  const has = (all: readonly string[] | undefined, wanted: string): boolean =>
    all?.some((each) => each === wanted || each === "*") === true;
  const isAsked = rules.some(
    ({ apiGroups, operations, resources }) =>
      has(apiGroups, "") && has(operations, "CREATE") && (has(resources, "pods") || has(resources, "*/*")),
  );
  return [...(isSelective ? ["objectSelector"] : []), ...others.map((name) => `matchConditions[${name}]`), ...(isAsked ? [] : ["rules"])];
}
