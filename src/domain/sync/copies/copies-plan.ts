import type { ObjectRef } from "../../kubernetes.ts";
import { objectKey } from "../../object-key.ts";
import type { ObservedSecret } from "../observed-secret.ts";
import type { CopyStatus } from "../status-fields.ts";
import { type CopySource, type CopyStep, isOwnCopy, planCopy } from "./copy-plan.ts";
import { type CopyResult, copyStatusOf } from "./copy-status.ts";

/** Current copy settings of a class, or `absent` if the API server has no such class. */
export type CopyingClass =
  | { readonly kind: "absent" }
  /** Existing copies stay unchanged. `namespaces`: the namespaces that the class names. */
  | { readonly kind: "switchedOff"; readonly namespaces: readonly string[] }
  | {
      readonly kind: "present";
      readonly namespaces: readonly string[];
      /** Whether the list has errors. Then the absence of a namespace from the list is not a reason to delete its copies. */
      readonly isListUnclear: boolean;
      /** Names of the Secrets of the class. */
      readonly secretNames: readonly string[];
      /** Whether the class writes its Secrets at the moment. False while it waits for a pod; its Secrets can be deleted then. */
      readonly isMirrored: boolean;
    };

/** Whether copies of the class can be written in a namespace, or why not. */
export type CopyStanding = "granted" | "notGranted" | "notServed" | "terminating";

export interface CopiesObservation {
  /** `namespace/name` of the class. */
  readonly key: string;
  /** Version of the class; undefined if the class is missing. */
  readonly resourceVersion: string | undefined;
  readonly spc: CopyingClass;
  /** The existing Secrets of the class, as the worker wrote them. */
  readonly sources: readonly CopySource[];
  /** Secrets with the label of a copy that name the class. */
  readonly copies: readonly ObservedSecret[];
  /** Returns the standing at the time of the call. */
  readonly standingOf: (namespace: string) => CopyStanding;
  /** Returns the Secret with the label of a copy at that place, whichever class it names. */
  readonly copyAt: (ref: ObjectRef) => ObservedSecret | undefined;
  /** Undefined: not known yet. */
  readonly isClaimedBy: (classKey: string, ref: ObjectRef) => boolean | undefined;
}

export interface PlannedCopy {
  readonly source: CopySource;
  readonly namespace: string;
  readonly step: CopyStep;
}

/** Why a copy is deleted. The worker confirms the reason with the API server right before the deletion. */
export type RemovalReason = "notNamed" | "notGranted" | "sourceGone";

export interface CopyRemoval {
  readonly secret: ObservedSecret;
  readonly reason: RemovalReason;
}

export interface CopiesPlan {
  readonly removals: readonly CopyRemoval[];
  readonly copies: readonly PlannedCopy[];
  /** Copies for which nothing is planned, because their source does not exist yet. */
  readonly waiting: readonly CopyResult[];
  /** States of the namespaces in which the worker writes nothing. */
  readonly reported: readonly CopyStatus[];
}

export function planCopies(observation: CopiesObservation): CopiesPlan {
  const { spc, sources, standingOf } = observation;
  const removals = observation.copies.filter(isOwnCopy).flatMap((secret) => {
    const reason = removalReason(observation, secret);
    return reason === undefined ? [] : [{ secret, reason }];
  });
  if (spc.kind === "absent") return { removals, copies: [], waiting: [], reported: [] };
  if (spc.kind === "switchedOff")
    return { removals, copies: [], waiting: [], reported: spc.namespaces.map((namespace) => ({ namespace, state: "SwitchedOff" })) };
  const granted = spc.namespaces.filter((namespace) => standingOf(namespace) === "granted");
  const copied = sources.filter(({ secret }) => spc.secretNames.includes(secret.ref.name));
  const missing = spc.secretNames.filter((name) => !copied.some(({ secret }) => secret.ref.name === name));
  return {
    removals,
    copies: granted.flatMap((namespace) => copied.map((source) => planned(observation, source, namespace))),
    waiting: granted.flatMap((namespace) => missing.map((name): CopyResult => ({ namespace, name, state: "Waiting" }))),
    reported: spc.namespaces.flatMap((namespace) => reportedOf(namespace, standingOf(namespace))),
  };
}

/**
 * Returns the state of each namespace that the class names or that still has copies, after the copies were written. `kept`: earlier states
 * of namespaces about which this pass has no new information.
 */
export function copyStatuses(
  { reported, waiting }: CopiesPlan,
  results: readonly CopyResult[],
  kept: readonly CopyStatus[] = [],
): readonly CopyStatus[] {
  const all = [...waiting, ...results];
  const isReported = new Set([...reported, ...kept].map(({ namespace }) => namespace));
  const namespaces = [...new Set(all.map(({ namespace }) => namespace))].filter((namespace) => !isReported.has(namespace));
  const statuses = namespaces.map((namespace) =>
    copyStatusOf(
      namespace,
      all.filter((result) => result.namespace === namespace),
    ),
  );
  return [...reported, ...kept, ...statuses].sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
}

function planned({ copyAt, isClaimedBy }: CopiesObservation, source: CopySource, namespace: string): PlannedCopy {
  const ref = { namespace, name: source.secret.ref.name };
  const step = planCopy(source, { observed: copyAt(ref), isClaimedBy: (classKey) => isClaimedBy(classKey, ref) });
  return { source, namespace, step };
}

function reportedOf(namespace: string, standing: CopyStanding): readonly CopyStatus[] {
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
 * A missing class may be lost, so its copies stay until its Secret is gone; the reconcile of the class decides on that Secret. Copies in a
 * terminating namespace are left to the deletion of the namespace.
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

/** Returns the key under which the process remembers a copy. */
export function copyKey(namespace: string, { secret }: CopySource): string {
  return objectKey({ namespace, name: secret.ref.name });
}
