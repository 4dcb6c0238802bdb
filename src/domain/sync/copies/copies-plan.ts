import type { ObjectRef } from "../../kubernetes.ts";
import { objectKey } from "../../object-key.ts";
import type { ObservedSecret } from "../observed-secret.ts";
import type { CopyStatus } from "../status-fields.ts";
import { type CopySource, type CopyStep, isOwnCopy, planCopy } from "./copy-plan.ts";
import { type CopyResult, copyStatusOf } from "./copy-status.ts";

/** What a class wants by now, or that the API server shows none. */
export type CopyingClass =
  | { readonly kind: "absent" }
  /** What there is stays as it is. `namespaces`: those that it names. */
  | { readonly kind: "switchedOff"; readonly namespaces: readonly string[] }
  | {
      readonly kind: "present";
      readonly namespaces: readonly string[];
      /** Of the list nothing can be said of what it lacks. */
      readonly isListUnclear: boolean;
      /** Names of the Secrets that it is to have. */
      readonly secretNames: readonly string[];
      /** It writes its Secrets at the moment; not so one that waits for a pod, and whose Secrets may go. */
      readonly isMirrored: boolean;
    };

/** How a namespace stands to the class. */
export type CopyStanding = "granted" | "notGranted" | "notServed" | "terminating";

export interface CopiesObservation {
  /** `namespace/name` of the class. */
  readonly key: string;
  readonly spc: CopyingClass;
  /** The Secrets of the class, as it has written them. */
  readonly sources: readonly CopySource[];
  /** What carries the label of a copy and names the class. */
  readonly copies: readonly ObservedSecret[];
  readonly standingOf: (namespace: string) => CopyStanding;
  /** What carries the label of a copy there, whichever class it names. */
  readonly copyAt: (ref: ObjectRef) => ObservedSecret | undefined;
  /** Undefined: nobody knows by now. */
  readonly isClaimedBy: (classKey: string, ref: ObjectRef) => boolean | undefined;
}

export interface PlannedCopy {
  readonly source: CopySource;
  readonly namespace: string;
  readonly step: CopyStep;
}

/** Why a copy goes, which the API server has to confirm right before. */
export type RemovalReason = "notNamed" | "notGranted" | "sourceGone";

export interface CopyRemoval {
  readonly secret: ObservedSecret;
  readonly reason: RemovalReason;
}

export interface CopiesPlan {
  readonly removals: readonly CopyRemoval[];
  readonly copies: readonly PlannedCopy[];
  /** Of copies that nothing is planned for, because there is nothing to copy yet. */
  readonly waiting: readonly CopyResult[];
  /** Of namespaces in which nothing is written. */
  readonly told: readonly CopyStatus[];
}

export function planCopies(observation: CopiesObservation): CopiesPlan {
  const { spc, sources, standingOf } = observation;
  const removals = observation.copies.filter(isOwnCopy).flatMap((secret) => {
    const reason = removalReason(observation, secret);
    return reason === undefined ? [] : [{ secret, reason }];
  });
  if (spc.kind === "absent") return { removals, copies: [], waiting: [], told: [] };
  if (spc.kind === "switchedOff")
    return { removals, copies: [], waiting: [], told: spc.namespaces.map((namespace) => ({ namespace, state: "SwitchedOff" })) };
  const granted = spc.namespaces.filter((namespace) => standingOf(namespace) === "granted");
  const copied = sources.filter(({ secret }) => spc.secretNames.includes(secret.ref.name));
  const missing = spc.secretNames.filter((name) => !copied.some(({ secret }) => secret.ref.name === name));
  return {
    removals,
    copies: granted.flatMap((namespace) => copied.map((source) => planned(observation, source, namespace))),
    waiting: granted.flatMap((namespace) => missing.map((name): CopyResult => ({ namespace, name, state: "Waiting" }))),
    told: spc.namespaces.flatMap((namespace) => toldOf(namespace, standingOf(namespace))),
  };
}

/**
 * How each namespace stands that the class names, or that has a copy still, once it is known what became of the copies. `kept`: what was told
 * of namespaces of which this pass knows no more.
 */
export function copyStatuses(
  { told, waiting }: CopiesPlan,
  results: readonly CopyResult[],
  kept: readonly CopyStatus[] = [],
): readonly CopyStatus[] {
  const all = [...waiting, ...results];
  const isTold = new Set([...told, ...kept].map(({ namespace }) => namespace));
  const namespaces = [...new Set(all.map(({ namespace }) => namespace))].filter((namespace) => !isTold.has(namespace));
  const statuses = namespaces.map((namespace) =>
    copyStatusOf(
      namespace,
      all.filter((result) => result.namespace === namespace),
    ),
  );
  return [...told, ...kept, ...statuses].sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
}

function planned({ copyAt, isClaimedBy }: CopiesObservation, source: CopySource, namespace: string): PlannedCopy {
  const ref = { namespace, name: source.secret.ref.name };
  const step = planCopy(source, { observed: copyAt(ref), isClaimedBy: (classKey) => isClaimedBy(classKey, ref) });
  return { source, namespace, step };
}

function toldOf(namespace: string, standing: CopyStanding): readonly CopyStatus[] {
  switch (standing) {
    case "granted":
      return [];
    case "notGranted":
      return [{ namespace, state: "NotGranted" }];
    case "notServed":
      return [{ namespace, state: "NotServed" }];
    case "terminating":
      return [{ namespace, state: "Terminating" }];
  }
}

/**
 * A class that is missing may be lost: its copies go once its Secret is gone, of which its own reconcile decides. What goes with its namespace
 * is left to that.
 */
function removalReason({ spc, sources, standingOf }: CopiesObservation, { ref }: ObservedSecret): RemovalReason | undefined {
  const { namespace = "", name } = ref;
  const standing = standingOf(namespace);
  if (spc.kind === "switchedOff" || standing === "terminating") return undefined;
  const hasSource = sources.some(({ secret }) => secret.ref.name === name);
  if (spc.kind === "absent") return hasSource ? undefined : "sourceGone";
  if (standing === "notGranted") return "notGranted";
  const isNamed = spc.namespaces.includes(namespace) || spc.isListUnclear;
  if (!isNamed || !spc.secretNames.includes(name)) return "notNamed";
  return hasSource || spc.isMirrored ? undefined : "sourceGone";
}

/** For logs. */
export const REMOVAL_WORDS: Readonly<Record<RemovalReason, string>> = {
  notNamed: "its class no longer names it, or the namespace",
  notGranted: "the Namespace does not accept copies of the class",
  sourceGone: "the Secret that it is a copy of is gone",
};

/** What the process remembers of a copy is under this. */
export function copyKey(namespace: string, { secret }: CopySource): string {
  return objectKey({ namespace, name: secret.ref.name });
}
