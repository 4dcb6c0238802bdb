import { POD_ANNOTATIONS } from "../annotations.ts";
import { effectiveAnnotations } from "../injection/effective-annotations.ts";
import { wordsOf } from "../words.ts";
import type { Workload } from "./workload.ts";

/** Classes and Secrets of one workload. Of one that names more there are that many and one, and its versions are not followed. */
export const MOST_NAMES = 1_000;

/** What a workload asks for, the defaults of its Namespace included. */
export interface Uses {
  readonly asksForRestarts: boolean;
  readonly classes: readonly string[];
  readonly secrets: readonly string[];
}

type Defaults = Readonly<Record<string, string>>;

/** By the workload, which is another object once it changes. */
const known = new WeakMap<Workload, { readonly defaults: Defaults; readonly uses: Uses }>();

/** As the webhook reads the pods of the workload: a default never opts a pod in, and one that did not opt in never has one. */
export function usesOf(workload: Workload, defaults: Defaults): Uses {
  const before = known.get(workload);
  if (before?.defaults === defaults) return before.uses;
  const uses = readUses(workload, defaults);
  known.set(workload, { defaults, uses });
  return uses;
}

function readUses({ annotations, sources, ref }: Workload, defaults: Defaults): Uses {
  const isInjected = annotations[POD_ANNOTATIONS.inject] === "true";
  const effective = effectiveAnnotations(annotations, ref.namespace ?? "", isInjected ? defaults : {});
  // Names that are wrong are the webhook's business: nothing has them.
  const listed = (key: string): readonly string[] => (isInjected ? wordsOf(effective(key)?.text) : []);
  return {
    asksForRestarts: effective(POD_ANNOTATIONS.restartOnRotation)?.text === "true",
    classes: merged(sources.classes, listed(POD_ANNOTATIONS.secretProviderClass)),
    secrets: merged(sources.secrets, listed(POD_ANNOTATIONS.envFrom)),
  };
}

/** No more than anybody goes through: a default of the Namespace counts for each of its workloads. */
function merged(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])].sort().slice(0, MOST_NAMES + 1);
}
