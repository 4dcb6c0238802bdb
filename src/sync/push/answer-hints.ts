/** Decides what becomes of hints after a fetch for them. */
import type { FoundObject } from "../../domain/sync/object-status.ts";
import type { KeyStatus, ObjectStatus, SecretStatus } from "../../domain/sync/status-fields.ts";
import type { Mirror } from "../vault/mirror.ts";
import type { Hint, Hints } from "./hints.ts";

export interface HintsAnswered {
  /** Hints that the fetch was for. */
  readonly hints: readonly Hint[];
  readonly answer: Mirror;
  /** Status of each Secret of the class after its write. */
  readonly secrets: readonly SecretStatus[];
}

/** Ends the hints that the answer settles, and schedules further fetches for the others. `classKey`: `namespace/name`. */
export function answerHints(hints: Hints, classKey: string, { hints: asked, answer, secrets }: HintsAnswered): void {
  if (asked.length === 0) return;
  const isUnanswered =
    answer.kind === "refused" ? answer.retry.kind !== "never" : answer.notFresh !== undefined && answer.retry.kind !== "never";
  const versions = versionsOf({ secrets, objects: answer.kind === "answered" ? answer.objects : undefined });
  for (const hint of asked) {
    const known = versions.get(hint.object) ?? [];
    const reported = known.filter((one) => one.isCurrent && isReported(hint, one));
    if (reported.some(({ isMounted }) => !isMounted)) hints.applied(classKey, hint);
    else if (reported.length > 0) hints.end(classKey, hint, "looked");
    else if (isUnanswered) hints.unanswered(classKey, hint);
    // The vault applies a changed permission a little later than it sends the event.
    else if (hint.change === "AccessChanged" && isStillRefused({ answer, secrets })) hints.again(classKey, hint);
    else if (hint.change !== "NewVersionCreated" || isOverWith(hint, { known, answer })) hints.end(classKey, hint, "looked");
    else hints.again(classKey, hint);
  }
}

/** Whether the vault still refuses something of the class because a permission is missing. */
function isStillRefused({ answer, secrets }: Omit<HintsAnswered, "hints">): boolean {
  if (answer.kind === "refused") return answer.reason === "Forbidden";
  const isRefused = ({ state }: { readonly state?: string | undefined }): boolean => state === "Forbidden";
  return (answer.objects ?? []).some(isRefused) || secrets.some((secret) => isRefused(secret) || secret.data.some(isRefused));
}

/** Status of the Secrets of a class, and of objects that no Secret contains. */
interface KnownVersions {
  readonly secrets: readonly SecretStatus[];
  readonly objects?: readonly (ObjectStatus | FoundObject)[] | undefined;
}

/** Returns the hints whose version the stored status already contains. */
export function currentHints(hints: readonly Hint[], stored: KnownVersions): ReadonlySet<Hint> {
  const reportVersions = hints.filter(({ change, version }) => change === "NewVersionCreated" && version !== undefined);
  if (reportVersions.length === 0) return new Set();
  const versions = versionsOf(stored);
  const isKnown = (hint: Hint): boolean => {
    const known = versions.get(hint.object) ?? [];
    return known.length > 0 && known.every((one) => one.isCurrent && isReported(hint, one));
  };
  return new Set(reportVersions.filter(isKnown));
}

interface KnownVersion extends Pick<KeyStatus, "version"> {
  /** Key of the object, as in hints. */
  readonly object: string;
  /** Whether the version is in its Secret, or the vault has just returned it. */
  readonly isCurrent: boolean;
  /** Whether the object is only mounted, and no Secret is made from it. */
  readonly isMounted: boolean;
  /**
   * Time in Unix milliseconds at or before which the vault created the version; the exact time if the vault reports it. Undefined if it is
   * unknown, or if the class pins the version.
   */
  readonly madeBy: number | undefined;
}

/** Groups the known versions by object, in one pass: a class may have thousands of objects, and thousands of events about them. */
function versionsOf({ secrets, objects = [] }: KnownVersions): ReadonlyMap<string, readonly KnownVersion[]> {
  const inSecrets = secrets.flatMap(({ state, data }) =>
    data.map((key) =>
      knownVersion(key, { isCurrent: state === "Synced" && key.state === undefined, isMounted: false, madeBy: timeOf(key) }),
    ),
  );
  const mounted = objects.map((found) =>
    knownVersion(found, { isCurrent: found.state === undefined, isMounted: true, madeBy: madeBy(found) }),
  );
  return Map.groupBy([...inSecrets, ...mounted], ({ object }) => object);
}

function knownVersion(
  { object = "", version }: Pick<KeyStatus, "object" | "version">,
  how: Pick<KnownVersion, "isCurrent" | "isMounted" | "madeBy">,
): KnownVersion {
  // The newest version of a history has the index 0.
  return { object: object.toLowerCase().replace(/\/0$/, ""), ...(version === undefined ? {} : { version }), ...how };
}

function timeOf({ updated }: Pick<KeyStatus, "updated">): number | undefined {
  return updated === undefined ? undefined : Date.parse(updated);
}

function madeBy(found: ObjectStatus | FoundObject): number | undefined {
  if (!("isPinned" in found)) return timeOf(found);
  return found.isPinned ? undefined : (found.created ?? timeOf(found));
}

function isReported({ change, version }: Hint, known: KnownVersion): boolean {
  return change === "NewVersionCreated" && version !== undefined && known.version === version;
}

/** Whether the vault has a newer version than the event reports, or has answered for a class that has no version of the object. */
function isOverWith(
  { happenedAt }: Hint,
  { known, answer }: { readonly known: readonly KnownVersion[]; readonly answer: Mirror },
): boolean {
  if (known.length === 0) return answer.kind === "answered";
  const dated = known.filter(({ madeBy }) => madeBy !== undefined);
  // A change of attributes moves `updated`, too. So a version that one entry dates before the event is older, even if another entry dates
  // it later.
  const isNewer = ({ madeBy = 0 }: KnownVersion): boolean => madeBy > happenedAt;
  const older = new Set(dated.filter((one) => !isNewer(one)).map(({ version }) => version));
  return dated.some((one) => isNewer(one) && !older.has(one.version));
}
