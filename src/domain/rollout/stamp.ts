import { POD_ANNOTATIONS } from "../annotations.ts";
import { cutText } from "../cut-text.ts";

/** Of a stamp of ours, which has some 20 characters. What is longer is somebody else's text. */
const LONGEST_STAMP = 64;

/** Of a workload, a template or a pod. */
export function stampIn(annotations: Readonly<Record<string, string>> = {}): string | undefined {
  const { [POD_ANNOTATIONS.rotated]: stamp } = annotations;
  return stamp === undefined ? undefined : cutText(stamp, LONGEST_STAMP);
}

/** Follows a stamp that the template has already, so that it still changes the template. */
const AGAIN = "-2";

/** The versions of a stamp, without what made it different from the last. */
function versionsIn(stamp: string): string {
  return stamp.endsWith(AGAIN) ? stamp.slice(0, -AGAIN.length) : stamp;
}

export interface Stamps {
  /** What the workload was last restarted for. */
  readonly templateStamp: string | undefined;
  /** What its pods are known to have: on the workload itself, where it restarts nothing. */
  readonly podsStamp: string | undefined;
}

/** What its pods have is known at all. */
export function isStamped({ templateStamp, podsStamp }: Stamps): boolean {
  return (podsStamp ?? templateStamp) !== undefined;
}

/** The pods were made for these versions, or had them already. */
export function hasStamp({ templateStamp, podsStamp }: Stamps, wanted: string): boolean {
  const known = podsStamp ?? templateStamp;
  return known !== undefined && versionsIn(known) === wanted;
}

/** The pods are made by a restart of ours that is not known to have ended well, as opposed to having the versions anyway. */
export function isRestarted({ templateStamp, podsStamp }: Stamps): boolean {
  return templateStamp !== undefined && (podsStamp === undefined || podsStamp === templateStamp);
}

/**
 * What the workload itself gets beside the stamp of its template, once its pods are known to run well with it, or were not ready before it:
 * the same versions and another stamp, which {@link isRestarted} tells from a restart that has still to prove itself.
 */
export function settledStamp(templateStamp: string): string {
  return templateStamp.endsWith(AGAIN) ? versionsIn(templateStamp) : `${templateStamp}${AGAIN}`;
}

/** What a restart for the versions writes. A template that has the very stamp, from before other versions came and went, gets another. */
export function restartStamp({ templateStamp }: Stamps, wanted: string): string {
  return templateStamp === wanted ? `${wanted}${AGAIN}` : wanted;
}
