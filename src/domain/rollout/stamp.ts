import { POD_ANNOTATIONS } from "../annotations.ts";
import { cutText } from "../cut-text.ts";

/** The worker's stamps have some 20 characters. A longer text is not one of them. */
const LONGEST_STAMP = 64;

/** Returns the stamp in the annotations of a workload, a template or a pod. */
export function stampIn(annotations: Readonly<Record<string, string>> = {}): string | undefined {
  const { [POD_ANNOTATIONS.rotated]: stamp } = annotations;
  return stamp === undefined ? undefined : cutText(stamp, LONGEST_STAMP);
}

/** Suffix for a stamp that the template already has, so that the write still changes the template. */
const AGAIN = "-2";

/** Returns the versions of a stamp, without the suffix. */
function versionsIn(stamp: string): string {
  return stamp.endsWith(AGAIN) ? stamp.slice(0, -AGAIN.length) : stamp;
}

export interface Stamps {
  /** Stamp of the last restart. */
  readonly templateStamp: string | undefined;
  /** Stamp of the versions that the pods are known to have. It is on the workload itself, where it causes no restart. */
  readonly podsStamp: string | undefined;
}

/** Whether the versions of the pods are known at all. */
export function isStamped({ templateStamp, podsStamp }: Stamps): boolean {
  return (podsStamp ?? templateStamp) !== undefined;
}

/** Whether the pods were created for these versions, or already had them. */
export function hasStamp({ templateStamp, podsStamp }: Stamps, wanted: string): boolean {
  const known = podsStamp ?? templateStamp;
  return known !== undefined && versionsIn(known) === wanted;
}

/**
 * Whether the pods come from a restart by the worker that has not been proven successful, as opposed to pods that had the versions already.
 */
export function isRestarted({ templateStamp, podsStamp }: Stamps): boolean {
  return templateStamp !== undefined && (podsStamp === undefined || podsStamp === templateStamp);
}

/**
 * Returns the stamp for the workload itself, once its pods are known to run well with the stamp of its template, or if they were not ready
 * before. It has the same versions but differs from the template's stamp, so that {@link isRestarted} distinguishes it from a restart that
 * still has to prove itself.
 */
export function settledStamp(templateStamp: string): string {
  return templateStamp.endsWith(AGAIN) ? versionsIn(templateStamp) : `${templateStamp}${AGAIN}`;
}

/**
 * Returns the stamp that a restart writes. If the template already has this stamp, because other versions came and went in between, adds
 * the suffix.
 */
export function restartStamp({ templateStamp }: Stamps, wanted: string): string {
  return templateStamp === wanted ? `${wanted}${AGAIN}` : wanted;
}
