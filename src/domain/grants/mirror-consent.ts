/**
 * Which classes of other namespaces may have Secrets copied into a Namespace, by an annotation on it. The policy
 * keyvault-injector-sync-secrets reads the same annotation at each write.
 */

import { GRANT_ANNOTATIONS } from "../annotations.ts";
import type { KubeObject } from "../kubernetes.ts";
import { refOfKey } from "../object-key.ts";
import { wordsOf } from "../words.ts";
import { UNGRANTABLE } from "./namespace-grants.ts";

export interface MirrorConsent {
  /** `namespace/name` of classes, or `namespace/*`. */
  readonly from: readonly string[];
  /** The Namespace is being deleted, and takes nothing new. */
  readonly isTerminating: boolean;
}

export function mirrorConsentOf({ metadata: { name, annotations = {}, deletionTimestamp } }: KubeObject): MirrorConsent {
  return {
    from: name === UNGRANTABLE ? [] : wordsOf(annotations[GRANT_ANNOTATIONS.mirrorsFrom]),
    isTerminating: deletionTimestamp !== undefined,
  };
}

/** Whether it takes Secrets of that class (`namespace/name`). */
export function takesFrom({ from }: Pick<MirrorConsent, "from">, classKey: string): boolean {
  return from.includes(classKey) || from.includes(`${refOfKey(classKey).namespace}/*`);
}
