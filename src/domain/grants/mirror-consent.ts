/**
 * Consent of a Namespace: classes of other namespaces whose Secrets the worker may copy into it, from an annotation. The policy
 * keyvault-injector-sync-secrets checks the same annotation at each write.
 */

import { GRANT_ANNOTATIONS } from "../annotations.ts";
import type { KubeObject } from "../kubernetes.ts";
import { refOfKey } from "../object-key.ts";
import { wordsOf } from "../words.ts";
import { UNGRANTABLE } from "./namespace-grants.ts";

export interface MirrorConsent {
  /** Classes as `namespace/name`, or `namespace/*`. */
  readonly from: readonly string[];
  /** Whether the Namespace is being deleted, so that it accepts no new Secrets. */
  readonly isTerminating: boolean;
}

export function mirrorConsentOf({ metadata: { name, annotations = {}, deletionTimestamp } }: KubeObject): MirrorConsent {
  return {
    from: name === UNGRANTABLE ? [] : wordsOf(annotations[GRANT_ANNOTATIONS.mirrorsFrom]),
    isTerminating: deletionTimestamp !== undefined,
  };
}

/** Whether the Namespace accepts Secrets of the class (`namespace/name`). */
export function takesFrom({ from }: Pick<MirrorConsent, "from">, classKey: string): boolean {
  return from.includes(classKey) || from.includes(`${refOfKey(classKey).namespace}/*`);
}
