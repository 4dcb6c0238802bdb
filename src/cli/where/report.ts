import { rfc3339 } from "../../domain/sync/stored-time.ts";
import type { Expiry } from "../../domain/where/calendar.ts";
import { type ObjectReference, referenceText } from "../../domain/where/object-reference.ts";
import type { Held, ObjectUsage } from "../../domain/where/usage.ts";
import type { Gathered } from "./gather.ts";

/** Returns the fields for `-o json`. Times are RFC 3339, and unknown values are absent. */
export function usagesReport(wanted: ObjectReference, usages: readonly ObjectUsage[], gathered: Gathered): object {
  return {
    object: referenceText(wanted),
    objects: objectsReport(usages),
    ...left(gathered),
  };
}

/** Returns each object with everything that uses it. */
export function objectsReport(usages: readonly ObjectUsage[]): readonly object[] {
  return usages.map(({ type, name, current, unconfirmed, expires, secrets, containers, ...usage }) => ({
    object: referenceText({ type, name }),
    ...usage,
    ...(current === undefined
      ? {}
      : { current: { version: current.version, seen: rfc3339(current.seenAt), ...timed("updated", current.updated) } }),
    ...(unconfirmed.length === 0
      ? {}
      : { unconfirmed: unconfirmed.map(({ namespace, version, seenAt }) => ({ namespace, version, seen: rfc3339(seenAt) })) }),
    ...timed("expires", expires),
    secrets: secrets.map(heldFields),
    containers: containers.map(heldFields),
  }));
}

export function expiriesReport(expiries: readonly Expiry[], undated: number, gathered: Gathered): object {
  return {
    expiries: expiries.map(({ type, name, expires, classes, secrets, ...rest }) => ({
      object: referenceText({ type, name }),
      expires: rfc3339(expires),
      ...rest,
      classes: classes.map((each) => `${each.namespace}/${each.name}`),
      secrets: [...new Set(secrets.map((each) => `${each.namespace}/${each.name}`))],
    })),
    undated,
    ...left(gathered),
  };
}

function left({ unseen, unreadable }: Gathered): object {
  return { unseen, unreadable };
}

function heldFields({ since, ...fields }: Held): object {
  return { ...fields, ...timed("since", since) };
}

function timed(name: string, time: number | undefined): object {
  return time === undefined ? {} : { [name]: rfc3339(time) };
}
