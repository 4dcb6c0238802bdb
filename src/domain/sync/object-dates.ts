import type { EventReason, SyncReason } from "../reasons.ts";
import type { KeyStatus, SecretStatus } from "./status-fields.ts";

export interface DateNotice {
  /** `secret/DemoSecret@<version>` */
  readonly object: string;
  readonly reason: Extract<EventReason, "ObjectExpiring"> | Extract<SyncReason, "ObjectExpired" | "ObjectNotYetValid">;
  readonly message: string;
  /** Unix milliseconds since when the notice applies. */
  readonly since: number;
}

interface DateOptions {
  /** Unix milliseconds. */
  readonly now: number;
  /** Milliseconds before an object's expiry at which the warning begins. */
  readonly warning: number;
}

/** Returns notices about the dates of synced objects, at most one per object. The vault still returns expired objects. */
export function dateNotices(secrets: readonly SecretStatus[], options: DateOptions): readonly DateNotice[] {
  const byObject = new Map<string, DateNotice>();
  for (const key of secrets.flatMap(({ data }) => data)) {
    const notice = noticeOf(key, options);
    if (notice !== undefined) byObject.set(notice.object, notice);
  }
  return [...byObject.values()];
}

/** Returns the Unix milliseconds of the next moment at which {@link dateNotices} returns something new. */
export function nextDate(secrets: readonly SecretStatus[], { now, warning }: DateOptions): number | undefined {
  const ends = secrets.flatMap(({ data }) => data.flatMap(({ expires }) => (expires === undefined ? [] : [Date.parse(expires)])));
  const ahead = ends.flatMap((end) => [end - warning, end]).filter((moment) => moment > now);
  return ahead.length === 0 ? undefined : ahead.reduce((first, moment) => Math.min(first, moment));
}

function noticeOf({ object = "", version = "", expires, notBefore }: KeyStatus, { now, warning }: DateOptions): DateNotice | undefined {
  const named = `${object}@${version}`;
  const end = expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires);
  if (end <= now) {
    const message = `${object} expired at ${expires} and is still synced; set a new version in the vault`;
    return { object: named, reason: "ObjectExpired", message, since: end };
  }
  const start = notBefore === undefined ? Number.NEGATIVE_INFINITY : Date.parse(notBefore);
  if (start > now) {
    const message = `${object} is not valid before ${notBefore} and is still synced; change its activation date, or name a version that is valid`;
    return { object: named, reason: "ObjectNotYetValid", message, since: Number.NEGATIVE_INFINITY };
  }
  if (end - warning > now) return undefined;
  const message = `${object} expires at ${expires}; set a new version in the vault before then`;
  return { object: named, reason: "ObjectExpiring", message, since: end - warning };
}
