import { POD_ANNOTATIONS } from "../annotations.ts";
import { effectiveAnnotations } from "../injection/effective-annotations.ts";
import { wordsOf } from "../words.ts";
import type { Workload } from "./workload.ts";

/**
 * Most classes and Secrets of one workload. Longer lists are cut to one above this number, and the worker does not track the versions of
 * such a workload.
 */
export const MOST_NAMES = 1_000;

/** Requests of a workload, including the defaults of its Namespace. */
export interface Uses {
  readonly asksForRestarts: boolean;
  readonly classes: readonly string[];
  readonly secrets: readonly string[];
}

type Defaults = Readonly<Record<string, string>>;

/** By the workload, which is a new object after each change. */
const known = new WeakMap<Workload, { readonly defaults: Defaults; readonly uses: Uses }>();

/**
 * Reads the annotations as the webhook does for the workload's pods: a default never opts a pod in, and a pod that did not opt in gets no
 * defaults.
 */
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
  // Invalid names need no check: no object has such a name, and the webhook reports them.
  const listed = (key: string): readonly string[] => (isInjected ? wordsOf(effective(key)?.text) : []);
  return {
    asksForRestarts: effective(POD_ANNOTATIONS.restartOnRotation)?.text === "true",
    classes: merged(sources.classes, listed(POD_ANNOTATIONS.secretProviderClass)),
    secrets: merged(sources.secrets, listed(POD_ANNOTATIONS.envFrom)),
  };
}

/** Limits the list, because a default of the Namespace counts for each of its workloads. */
function merged(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])].sort().slice(0, MOST_NAMES + 1);
}
