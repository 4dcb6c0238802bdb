import { refOfKey } from "../object-key.ts";
import type { ClassStatus } from "./class-status.ts";

export interface ObjectExpiry {
  readonly namespace: string;
  readonly className: string;
  /** `secret/DemoSecret` */
  readonly object: string;
  /** Unix milliseconds. */
  readonly expires: number;
}

/** A vault may hold any number of objects that expire; a time series for each would be too many. */
const MOST = 100;

export interface NamedStatus {
  /** `namespace/name` of the class. */
  readonly key: string;
  readonly status: ClassStatus | undefined;
}

/** The objects that expire first, or have expired, each once for a class. */
export function firstExpiries(statuses: readonly NamedStatus[]): readonly ObjectExpiry[] {
  const all = statuses.flatMap(({ key, status }) => {
    const { namespace, name: className } = refOfKey(key);
    const ends = new Map<string, number>();
    for (const { object, expires } of (status?.secrets ?? []).flatMap(({ data }) => data)) {
      if (object === undefined || expires === undefined) continue;
      // A class may hold two versions of one object.
      ends.set(object, Math.min(Date.parse(expires), ends.get(object) ?? Number.POSITIVE_INFINITY));
    }
    return [...ends].map(([object, expires]) => ({ namespace, className, object, expires }));
  });
  return all.sort((a, b) => a.expires - b.expires).slice(0, MOST);
}
