import { nonEmptyText, valueAt } from "../../domain/json-members.ts";
import type { KubeObject } from "../../domain/kubernetes.ts";
import { EVENTS, type EventWord, ROLLOUT_REASONS } from "../../domain/reasons.ts";
import { referenceText } from "../../domain/where/object-reference.ts";
import type { KnownEvent, KnownStatus } from "./known.ts";

/** Namespace of events about cluster-scoped objects. */
const CLUSTER_EVENTS = "default";

/**
 * Returns undefined for an event that is not one of the worker's. Omits events about objects in other namespaces: the API server accepts
 * such events from anyone who may create events in one namespace.
 */
export function eventOf(object: KubeObject): KnownEvent | undefined {
  const text = (...path: readonly string[]): string => nonEmptyText(valueAt(object, path)) ?? "";
  const [reason, at, count] = [text("reason"), Date.parse(text("lastTimestamp")), valueAt(object, ["count"])];
  const namespace = text("involvedObject", "namespace");
  const isOwn = object.metadata.namespace === (namespace === "" ? CLUSTER_EVENTS : namespace);
  if (!isEventWord(reason) || Number.isNaN(at) || !isOwn) return undefined;
  return {
    namespace,
    kind: text("involvedObject", "kind"),
    name: text("involvedObject", "name"),
    reason,
    isWarning: text("type") === "Warning",
    message: text("message"),
    at,
    count: typeof count === "number" ? count : 1,
  };
}

function isEventWord(word: string): word is EventWord {
  return Object.hasOwn(EVENTS, word);
}

/** Row of a timeline. */
export type Happening = Omit<KnownEvent, "reason"> & { readonly reason: EventWord | "NewVersion" };

const OF_RESTARTS: ReadonlySet<string> = new Set(ROLLOUT_REASONS);

/** Reasons of repairs, and of writers that undo them. */
const OF_REPAIRS: ReadonlySet<EventWord> = new Set<EventWord>([
  "SecretRepaired",
  "SecretReplaced",
  "ClassRestored",
  "Contested",
  "Conflict",
  "TlsConflict",
  "ComponentHealed",
  "ComponentRestarted",
  "ComponentDamaged",
  "ComponentTolerated",
]);

/** Returns new versions from the statuses of classes, and restarts from events, the latest first. */
export function timeLine(events: readonly KnownEvent[], statuses: readonly KnownStatus[]): readonly Happening[] {
  return [...events.filter(({ reason }) => OF_RESTARTS.has(reason)), ...statuses.flatMap(rotationsIn)].sort((a, b) => b.at - a.at);
}

function rotationsIn({ namespace, name, stated }: KnownStatus): readonly Happening[] {
  const about = { namespace, kind: "SecretProviderClass", name, reason: "NewVersion", isWarning: false, count: 1 } as const;
  const inSecrets = [...stated.secrets].flatMap(([secret, keys]) =>
    keys.map(({ key, held, since }) => ({ held, since, where: ` in key ${key} of Secret ${secret}` })),
  );
  const mounted = stated.objects.map(({ held, since }) => ({ held, since, where: " for new pods" }));
  return [...inSecrets, ...mounted].flatMap(({ held, since, where }) =>
    since === undefined ? [] : [{ ...about, at: since, message: `${referenceText(held)} has version ${held.version}${where}` }],
  );
}

/** Returns repairs from events, and ongoing fights from the statuses of classes, the latest first. */
export function repairs(events: readonly KnownEvent[], statuses: readonly KnownStatus[]): readonly Happening[] {
  return [...events.filter(({ reason }) => OF_REPAIRS.has(reason)), ...statuses.flatMap(fightsIn)].sort((a, b) => b.at - a.at);
}

function fightsIn({ namespace, name, status }: KnownStatus): readonly Happening[] {
  const at = Date.parse(status?.conditions.find(({ type }) => type === "Synced")?.lastTransitionTime ?? "");
  return (status?.secrets ?? []).flatMap(({ state, message = "" }) => {
    if (state !== "Contested" && state !== "Conflict") return [];
    return [
      { namespace, kind: "SecretProviderClass", name, reason: state, isWarning: true, count: 1, message, at: Number.isNaN(at) ? 0 : at },
    ];
  });
}
