/** What an answer of the vault says to the hints that it was asked for. */
import type { FoundObject } from "../../domain/sync/object-status.ts";
import type { KeyStatus, ObjectStatus, SecretStatus } from "../../domain/sync/status-fields.ts";
import type { Mirror } from "../vault/mirror.ts";
import type { Hint, Hints } from "./hints.ts";

export interface HintsAnswered {
  /** Those that the vault was asked for. */
  readonly hints: readonly Hint[];
  readonly answer: Mirror;
  /** How each Secret of the class stands after its write. */
  readonly secrets: readonly SecretStatus[];
}

/** `classKey`: `namespace/name`. */
export function answerHints(hints: Hints, classKey: string, { hints: asked, answer, secrets }: HintsAnswered): void {
  if (asked.length === 0) return;
  const isUnanswered =
    answer.kind === "refused" ? answer.retry.kind !== "never" : answer.notFresh !== undefined && answer.retry.kind !== "never";
  const versions = versionsOf({ secrets, objects: answer.kind === "answered" ? answer.objects : undefined });
  for (const hint of asked) {
    const known = versions.get(hint.object) ?? [];
    const told = known.filter((one) => one.isCurrent && isTold(hint, one));
    if (told.some(({ isMounted }) => !isMounted)) hints.applied(classKey, hint);
    else if (told.length > 0) hints.end(classKey, hint, "looked");
    else if (isUnanswered) hints.unanswered(classKey, hint);
    // The vault's machines take a changed right in a little later than it tells of it.
    else if (hint.change === "AccessChanged" && isStillRefused({ answer, secrets })) hints.again(classKey, hint);
    else if (hint.change !== "NewVersionCreated" || isOverWith(hint, { known, answer })) hints.end(classKey, hint, "looked");
    else hints.again(classKey, hint);
  }
}

/** Something of the class was refused for want of a right, again. */
function isStillRefused({ answer, secrets }: Omit<HintsAnswered, "hints">): boolean {
  if (answer.kind === "refused") return answer.reason === "Forbidden";
  const isRefused = ({ state }: { readonly state?: string | undefined }): boolean => state === "Forbidden";
  return (answer.objects ?? []).some(isRefused) || secrets.some((secret) => isRefused(secret) || secret.data.some(isRefused));
}

/** What the status of a class tells of its Secrets, and of objects that no Secret holds. */
interface KnownVersions {
  readonly secrets: readonly SecretStatus[];
  readonly objects?: readonly (ObjectStatus | FoundObject)[] | undefined;
}

/** Those of the hints that the stored status knows already. */
export function currentHints(hints: readonly Hint[], stored: KnownVersions): ReadonlySet<Hint> {
  const tellVersions = hints.filter(({ change, version }) => change === "NewVersionCreated" && version !== undefined);
  if (tellVersions.length === 0) return new Set();
  const versions = versionsOf(stored);
  const isKnown = (hint: Hint): boolean => {
    const known = versions.get(hint.object) ?? [];
    return known.length > 0 && known.every((one) => one.isCurrent && isTold(hint, one));
  };
  return new Set(tellVersions.filter(isKnown));
}

interface KnownVersion extends Pick<KeyStatus, "version"> {
  /** As hints name it. */
  readonly object: string;
  /** It is in its Secret, or the vault has just shown it. */
  readonly isCurrent: boolean;
  /** No Secret is made from it. */
  readonly isMounted: boolean;
  /** Unix milliseconds, by which it was made: exactly then, as far as the vault says so; undefined: nobody knows, or the class names it. */
  readonly madeBy: number | undefined;
}

/** By object, each gone through once: a class may have thousands of objects, and thousands of events about them. */
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
  // The newest of a history has the index 0.
  return { object: object.toLowerCase().replace(/\/0$/, ""), ...(version === undefined ? {} : { version }), ...how };
}

function timeOf({ updated }: Pick<KeyStatus, "updated">): number | undefined {
  return updated === undefined ? undefined : Date.parse(updated);
}

function madeBy(found: ObjectStatus | FoundObject): number | undefined {
  if (!("isPinned" in found)) return timeOf(found);
  return found.isPinned ? undefined : (found.created ?? timeOf(found));
}

function isTold({ change, version }: Hint, known: KnownVersion): boolean {
  return change === "NewVersionCreated" && version !== undefined && known.version === version;
}

/** The vault has something newer than the event tells of, or the class has nothing of the object. */
function isOverWith(
  { happenedAt }: Hint,
  { known, answer }: { readonly known: readonly KnownVersion[]; readonly answer: Mirror },
): boolean {
  if (known.length === 0) return answer.kind === "answered";
  const dated = known.filter(({ madeBy }) => madeBy !== undefined);
  // Its attributes may have changed since: what is known to have been there before the event is older, whatever else is told of it.
  const isNewer = ({ madeBy = 0 }: KnownVersion): boolean => madeBy > happenedAt;
  const older = new Set(dated.filter((one) => !isNewer(one)).map(({ version }) => version));
  return dated.some((one) => isNewer(one) && !older.has(one.version));
}
