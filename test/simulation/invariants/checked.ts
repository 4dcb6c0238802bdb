/** While others have problems, the worker still checks a class if its own identity, vault, and API requests work. */
import type { Ended } from "../network/fabric.ts";
import { keyOf, type WantedClass } from "../world/classes.ts";
import type { Team } from "../world/team.ts";
import { SYNC_USER, type World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";
import { scopesOf, troublesOf } from "./path-health.ts";
import { expected, isPolled, seenSecrets } from "./secrets.ts";

/**
 * Number of intervals in which a class sees a change: one, and a tenth because polls share an answer for so long if no class requests it
 * again in time.
 */
const INTERVALS = 1.1;

/**
 * The same after an edit of the team's classes, and after a change of leader. A poll may have relied on an answer to another class, which
 * then did not request it again.
 */
const UNSETTLED_INTERVALS = 2;

/**
 * If a clock was set back, the worker's clock runs at nine tenths of the pace until it is right again. This takes hours if the clock was
 * hours ahead.
 */
export const SLOWEST = 10 / 9;
/** Allowance for waiting behind others, such as a queue full of failing work, and for the request itself. */
const BOUND_MS = 3 * 60_000;

const DEFAULT_MINUTES = 5;

/** Maximum factor by which the worker stretches the polls of a vault that has throttled requests, until the vault answers one. */
const MOST_STRETCH = 8;

/** Returns how long a class may stay unchecked while everything that it needs works (milliseconds). */
export function longestMs(
  { intervalMinutes = DEFAULT_MINUTES }: Pick<WantedClass, "intervalMinutes">,
  { intervals = UNSETTLED_INTERVALS, isStretched = false }: { readonly intervals?: number; readonly isStretched?: boolean } = {},
): number {
  const stretched = intervals + (isStretched ? MOST_STRETCH - 1 : 0);
  return stretched * intervalMinutes * 60_000 * SLOWEST + BOUND_MS;
}

/** Returns the objects whose state a vault's answer shows, as `secrets/name`. */
export function objectsShown({ message, how, status, body }: Pick<Ended, "message" | "how" | "status" | "body">): readonly string[] {
  const [, kind, name = ""] = (message.path.split("?")[0] ?? "").split("/").filter((part, index) => part !== "" || index === 0);
  if (how !== "answered" || message.method !== "GET" || kind === undefined) return [];
  // For objects that are disabled or do not exist, a vault answers with 403 and 404.
  if (name !== "") return [200, 403, 404].includes(status) ? [`${kind}/${name}`] : [];
  if (status !== 200) return [];
  const { value = [] } = JSON.parse(body) as { value?: readonly { readonly id?: string; readonly kid?: string }[] };
  return value.map(({ id, kid }) => `${kind}/${(id ?? kid ?? "").split("/").at(-1) ?? ""}`);
}

/** Path of a vault for each object type. */
const KINDS = { secret: "secrets", cert: "certificates", key: "keys" } as const;

const identities = new Map<string, string>();

/** Returns the application that owns the token. */
function identityOf(authorization: string): string {
  const known = identities.get(authorization);
  if (known !== undefined) return known;
  const [, payload = ""] = authorization.split(".");
  const { appid = "" } = payload === "" ? {} : (JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as { appid?: string });
  if (identities.size > 1_000) identities.clear();
  identities.set(authorization, appid);
  return appid;
}

interface Seen {
  /** Time at which a vault last showed an object to an identity. */
  readonly objects: Map<string, number>;
  /** Time at which a vault last answered 429 to any identity. */
  readonly throttled: Map<string, number>;
  /** Time at which anyone other than the worker last wrote a Secret. */
  readonly touched: Map<string, number>;
  /** Time at which the worker last did not have to sync the class. */
  readonly inactive: Map<string, number>;
  /** Classes of each team (by namespace) that the worker polls, and the time since which they are the same. */
  readonly settled: Map<string, { readonly classes: ReadonlySet<WantedClass>; readonly since: number }>;
  /** Time at which a replica last ended. */
  endedAt: number;
}

const seen = new WeakMap<World, Seen>();

function objectKey(appId: string, vault: string, object: string): string {
  return `${appId} ${vault} ${object}`;
}

function observe(world: World): void {
  const noted: Seen = {
    objects: new Map(),
    throttled: new Map(),
    touched: new Map(),
    inactive: new Map(),
    settled: new Map(),
    endedAt: 0,
  };
  seen.set(world, noted);
  troublesOf(world);
  world.onExit(() => {
    noted.endedAt = world.scheduler.now;
  });
  world.onEnded((ended) => {
    const { host, headers } = ended.message;
    if (!host.includes(".vault.azure.net")) return;
    if (ended.how === "answered" && ended.status === 429) noted.throttled.set(host.split(".")[0] ?? "", world.scheduler.now);
    const shown = objectsShown(ended);
    if (shown.length === 0) return;
    const appId = identityOf(headers["authorization"] ?? "");
    for (const object of shown) noted.objects.set(objectKey(appId, host.split(".")[0] ?? "", object), world.scheduler.now);
  });
  world.onWrite(({ resource, user, namespace = "", name, isDryRun }) => {
    if (resource === "secrets" && user !== SYNC_USER && !isDryRun) noted.touched.set(`${namespace}/${name}`, world.scheduler.now);
  });
}

interface Judging {
  readonly world: World;
  readonly team: Team;
  readonly wanted: WantedClass;
  /** Time since which the class is unchanged. */
  readonly since: number;
  readonly noted: Seen;
}

/** Returns the healthy minutes since `from`, in which nothing was done for the class; undefined if they are not too many. */
function overdueMinutes({ world, team, wanted, noted }: Judging, from: number): number | undefined {
  const isAlone = team.mostClasses === 1;
  const throttledAt = noted.throttled.get(team.vault.name) ?? Number.NEGATIVE_INFINITY;
  const unsettledAt = Math.max(noted.endedAt, noted.settled.get(team.namespace)?.since ?? 0);
  const sharing = from - unsettledAt >= longestMs(wanted) ? INTERVALS : UNSETTLED_INTERVALS;
  const intervals = isAlone ? 1 : sharing;
  const isStretched = from - throttledAt < longestMs(wanted, { intervals, isStretched: true });
  const longest = longestMs(wanted, { intervals, isStretched });
  // A class that uses no list of another falls due after its interval, whether all works by then or not.
  const due = isAlone ? Math.min(from + longest - BOUND_MS, world.scheduler.now) : from;
  const healthy = troublesOf(world).healthyMs(scopesOf(team), due, world.scheduler.now);
  return healthy > (isAlone ? BOUND_MS : longest) ? Math.round(healthy / 60_000) : undefined;
}

/** An object whose latest version a class names, with the key under which `Seen` notes it. */
interface Named {
  readonly object: string;
  readonly key: string;
}

const namedBy = new WeakMap<WantedClass, readonly Named[]>();

/** Caches the result for each edition of a class, because there can be a thousand classes, and the check runs every minute. */
function namedObjects({ application, vault }: Team, wanted: WantedClass): readonly Named[] {
  const known = namedBy.get(wanted);
  if (known !== undefined) return known;
  const named = wanted.entries
    .filter(({ pinned }) => pinned === undefined)
    .map(({ object, type }) => ({ object, key: objectKey(application.appId, vault.name, `${KINDS[type]}/${object}`) }));
  namedBy.set(wanted, named);
  return named;
}

/** Returns the object that a vault has not shown for the longest time; of several, the first. */
function oldestOf(named: readonly Named[], { objects }: Seen): { readonly object: string; readonly at: number } | undefined {
  let oldest: { readonly object: string; readonly at: number } | undefined;
  for (const { object, key } of named) {
    const at = objects.get(key) ?? 0;
    if (oldest === undefined || at < oldest.at) oldest = { object, at };
  }
  return oldest;
}

function unchecked(judging: Judging): readonly string[] {
  const { team, wanted, noted, since } = judging;
  const oldest = oldestOf(namedObjects(team, wanted), noted);
  if (oldest === undefined) return [];
  const minutes = overdueMinutes(judging, Math.max(oldest.at, since));
  if (minutes === undefined) return [];
  return [`${team.namespace}/${wanted.name}: nobody has asked for ${oldest.object} for ${minutes} minutes in which all worked`];
}

function unarrived(judging: Judging, secrets: ReturnType<typeof seenSecrets>): readonly string[] {
  const { team, wanted, noted, since } = judging;
  return wanted.secrets.flatMap(({ name, keys }) => {
    const key = `${team.namespace}/${name}`;
    const entries = keys.flatMap((index) => wanted.entries[index] ?? []);
    const objects = entries.flatMap(({ object }) => team.vault.objects.get(object) ?? []);
    const values = entries.map((entry) => expected(entry, team.vault.objects.get(entry.object)));
    // If a key has no value, its Secret stays unchanged.
    if (values.includes(undefined)) return [];
    const live = secrets.get(key)?.data ?? {};
    const wrong = entries.findIndex((entry, index) => live[keyOf(entry)] !== values[index]);
    if (wrong < 0) return [];
    const from = Math.max(since, noted.touched.get(key) ?? 0, ...objects.map(({ changedAt }) => changedAt));
    const minutes = overdueMinutes(judging, from);
    return minutes === undefined
      ? []
      : [`${key} of ${wanted.name} is not what the vault has, after ${minutes} minutes in which all worked`];
  });
}

/** Notes whether a class of the team was written or deleted, or whether the worker began or ceased to poll it. */
function noteSettled(world: World, { settled }: Seen, team: Team): void {
  const classes = new Set([...team.classes.values()].filter((wanted) => isPolled(world, team, wanted)));
  const before = settled.get(team.namespace)?.classes;
  if (before?.size === classes.size && [...classes].every((wanted) => before.has(wanted))) return;
  settled.set(team.namespace, { classes, since: world.scheduler.now });
}

export const classesAreChecked: Invariant = {
  name: "a class whose own identity, vault and API answers work is checked",
  watch: observe,
  check: (world) => {
    const noted = seen.get(world);
    if (noted === undefined) return [];
    const secrets = seenSecrets(world);
    for (const team of world.teams) noteSettled(world, noted, team);
    return world.teams.flatMap((team) =>
      [...team.classes.values()].flatMap((wanted) => {
        const key = `${team.namespace}/${wanted.name}`;
        if (!isPolled(world, team, wanted)) noted.inactive.set(key, world.scheduler.now);
        const since = Math.max(team.writtenAt.get(wanted.name) ?? 0, noted.inactive.get(key) ?? 0);
        const judging = { world, team, wanted, since, noted };
        return [...unchecked(judging), ...unarrived(judging, secrets)];
      }),
    );
  },
};
