/** Secrets match the classes and the vaults, by a model that shares no code with the worker. */
import type { JsonObject } from "../api/json.ts";
import { textOfPem } from "../world/certificates.ts";
import { fileOf, JOINED_KEY, joinedIn, keyOf, SEPARATOR, type WantedClass, type WantedEntry } from "../world/classes.ts";
import type { Team } from "../world/team.ts";
import { currentOf, type VaultObject } from "../world/vaults.ts";
import { SYNC_USER, type World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";
import { isInQuarantine } from "./quarantine.ts";

const MANAGED = "keyvault-injector.dev/managed";
const CLASS = "keyvault-injector.dev/class";

/** The value that an editor writes into Secrets. */
export const EDITED = "somebody's";

interface Seen {
  readonly name: string;
  readonly namespace: string;
  readonly data: Readonly<Record<string, string>>;
  readonly isManaged: boolean;
  readonly className: string | undefined;
  /** Label that the author gave to the Secret. */
  readonly label: string | undefined;
}

/** Caches the decoded content of each state of a Secret. */
const known = new WeakMap<JsonObject, Seen>();

function seenOf(object: JsonObject): Seen {
  const seen = known.get(object) ?? decodedSecret(object);
  known.set(object, seen);
  return seen;
}

function decodedSecret(object: JsonObject): Seen {
  const { metadata, data = {} } = object as unknown as {
    metadata: { name: string; namespace: string; labels?: Record<string, string>; annotations?: Record<string, string> };
    data?: Record<string, string>;
  };
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, textOf(value)])),
    isManaged: metadata.labels?.[MANAGED] === "true",
    className: metadata.annotations?.[CLASS],
    label: metadata.labels?.["example.com/mark"],
  };
}

/** Decodes the data of a Secret's key. For a file made from a certificate, returns the value that the certificate's subject contains. */
export function textOf(data: string): string {
  const text = Buffer.from(data, "base64").toString("utf8");
  const reported = textOfPem(text);
  return reported === undefined ? text : Buffer.from(reported).toString("base64");
}

export function seenSecrets({ cluster }: World): ReadonlyMap<string, Seen> {
  return new Map(
    cluster.server
      .objects("secrets")
      .map(seenOf)
      .map((secret) => [`${secret.namespace}/${secret.name}`, secret]),
  );
}

/** Whether the worker syncs the class's Secrets. */
export function isActive({ pods }: Team, { name, sync }: WantedClass): boolean {
  if (sync === "never") return false;
  return sync !== "while-used" || [...pods.values()].includes(name);
}

/** Whether the worker has to poll the class. */
export function isPolled(world: World, team: Team, wanted: WantedClass): boolean {
  return isActive(team, wanted) && !isInQuarantine(world, `${team.namespace}/${wanted.name}`);
}

/** Returns the current content of an entry's file; undefined if the vault provides none. */
export function expected(entry: WantedEntry, object: VaultObject | undefined): string | undefined {
  if (object === undefined) return undefined;
  const pinned = object.versions.find(({ version }) => version === entry.pinned);
  // A disabled version stays in a Secret that has it, but the worker creates no Secret with it. Both can be right, depending on the time of
  // the change.
  if (pinned?.isDisabled === true) return undefined;
  const value = entry.pinned === undefined ? currentOf(object)?.value : pinned?.value;
  return fileContent(entry, value);
}

/** Returns the file content that an entry makes from an object's value. */
export function fileContent({ isDecoded }: WantedEntry, value: string | undefined): string | undefined {
  return value !== undefined && isDecoded ? decoded(value) : value;
}

const decoded = (value: string): string => Buffer.from(value, "base64").toString("utf8");

/** Secrets that a `while-used` class still has, although the quiet time before the rest is much longer than the worker's grace. */
function leftOver(world: World, team: Team, { name, sync, secrets }: WantedClass): readonly string[] {
  if (sync !== "while-used") return [];
  return [...seenSecrets(world).values()].flatMap((secret) => {
    const isOfClass = secret.isManaged && secret.namespace === team.namespace && secret.className === name;
    if (!isOfClass || isUnknowable(world, `${team.namespace}/${name}`, secret.name)) return [];
    const isNamed = secrets.some((each) => each.name === secret.name);
    return isNamed ? [`${team.namespace}/${secret.name} is still there, but no pod uses ${name}`] : [];
  });
}

function problemsOf(world: World, team: Team, wanted: WantedClass): readonly string[] {
  if (!isActive(team, wanted)) return leftOver(world, team, wanted);
  if (isInQuarantine(world, `${team.namespace}/${wanted.name}`)) return [];
  const seen = seenSecrets(world);
  return wanted.secrets.flatMap((secret) => {
    const live = seen.get(`${team.namespace}/${secret.name}`);
    const where = `${team.namespace}/${secret.name} of ${wanted.name}`;
    const entries = secret.keys.flatMap((index) => wanted.entries[index] ?? []);
    const values = entries.map((entry) => ({ entry, value: expected(entry, team.vault.objects.get(entry.object)) }));
    // If the vault does not provide an object, the Secret stays unchanged or missing.
    if (values.some(({ value }) => value === undefined)) return [];
    if (live === undefined) return [`${where} is missing`];
    if (!live.isManaged || live.className !== wanted.name) return [`${where} is not marked as its class's`];
    if (live.label !== secret.label) return [`${where} has the label ${live.label ?? "of nobody"}, and not ${secret.label ?? "none"}`];
    const joined = joinedIn(wanted, secret);
    const named = new Set([...entries.map(keyOf), ...(joined.length === 0 ? [] : [JOINED_KEY])]);
    // Keys that an editor added stay in the Secret.
    const more = Object.keys(live.data).filter((key) => !named.has(key) && live.data[key] !== EDITED);
    if (more.length > 0) return [`${where} still has ${more.join(", ")}`];
    const wrong = values.flatMap(({ entry, value }) => {
      const held = live.data[keyOf(entry)];
      return held === value ? [] : [`${where}: ${keyOf(entry)} holds ${held ?? "nothing"}, ${fileOf(entry)} is ${value ?? "nothing"}`];
    });
    const together = joined.map((entry) => live.data[keyOf(entry)]).join(SEPARATOR);
    const made = live.data[JOINED_KEY] ?? "nothing";
    return joined.length === 0 || made === together
      ? wrong
      : [...wrong, `${where}: ${JOINED_KEY} holds ${made}, its parts are ${together}`];
  });
}

const STATUSES = "secretproviderclasssyncs.keyvault-injector.dev";

/** Names of Secrets that no status of their class reports as written since the last one was lost; `every`: the class has no status since. */
type Forgotten = ReadonlySet<string> | "every";

/** By class, as `namespace/name`, that someone other than the worker took the status from. */
const forgotten = new WeakMap<World, Map<string, Forgotten>>();

/** After a restart, a blind worker knows only from the status of a class which Secrets it has written for the class. */
function isUnknowable(world: World, classKey: string, secretName: string): boolean {
  const names = forgotten.get(world)?.get(classKey);
  return world.isBlind && (names === "every" || names?.has(secretName) === true);
}

interface StoredStatus {
  readonly status?: { readonly secrets?: readonly { readonly name: string; readonly state: string }[] };
}

/** Returns what is still forgotten after a write of the status of the class. */
function stillForgotten(world: World, before: Forgotten, [namespace, name]: readonly [string, string]): Forgotten {
  const { status } = (world.cluster.server.object(STATUSES, name, namespace) ?? {}) as StoredStatus;
  const known = (status?.secrets ?? []).filter(({ state }) => state === "Synced").map((secret) => secret.name);
  const ofClass = [...seenSecrets(world).values()].filter((secret) => secret.namespace === namespace && secret.className === name);
  const names = before === "every" ? ofClass.map((secret) => secret.name) : [...before];
  return new Set(names.filter((each) => !known.includes(each)));
}

function orphans(world: World, seen: ReadonlyMap<string, Seen>): readonly string[] {
  const byNamespace = new Map(world.teams.map((team) => [team.namespace, team]));
  return [...seen.values()].flatMap(({ namespace, name, isManaged, className = "" }) => {
    if (!isManaged) return [];
    const wanted = byNamespace.get(namespace)?.classes.get(className);
    if (isUnknowable(world, `${namespace}/${className}`, name)) return [];
    if (wanted === undefined) return [`${namespace}/${name} belongs to ${className}, which is gone`];
    return wanted.secrets.some((secret) => secret.name === name) ? [] : [`${namespace}/${name} is not named by ${className} any more`];
  });
}

export const secretsMatch: Invariant = {
  name: "at rest every Secret is what its class and its vault say",
  watch: (world) => {
    const byClass = new Map<string, Forgotten>();
    forgotten.set(world, byClass);
    world.onWrite(({ resource, verb, user, namespace = "", name, isDryRun }) => {
      if (resource !== STATUSES || isDryRun) return;
      const key = `${namespace}/${name}`;
      const before = byClass.get(key);
      if (verb !== "delete" && before !== undefined) byClass.set(key, stillForgotten(world, before, [namespace, name]));
      if (verb === "delete" && user !== SYNC_USER) byClass.set(key, "every");
    });
  },
  atRest: (world) => {
    const seen = seenSecrets(world);
    const wrong = world.teams.flatMap((team) => [...team.classes.values()].flatMap((wanted) => problemsOf(world, team, wanted)));
    return [...wrong, ...orphans(world, seen)];
  },
};

export const classesStay: Invariant = {
  name: "at rest every class that its author did not delete is there, and no other",
  atRest: (world) => {
    const live = new Set(
      world.cluster.server
        .objects("secretproviderclasses.secrets-store.csi.x-k8s.io")
        .map((object) => object as unknown as { metadata: { namespace: string; name: string } })
        .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    );
    const wanted = new Set(
      world.teams.flatMap(({ namespace, classes, mounted }) =>
        [...classes.keys(), ...mounted.keys()].map((name) => `${namespace}/${name}`),
      ),
    );
    return [
      ...[...wanted].filter((key) => !live.has(key)).map((key) => `${key} is missing`),
      ...[...live].filter((key) => !wanted.has(key)).map((key) => `${key} is there again although its author deleted it`),
    ];
  },
};

/** Each value names its vault. A Secret must not contain values that the namespace's identity may not read. */
export const valuesStayHome: Invariant = {
  name: "no value of one identity in another's Secret",
  watch: (world, violated) => {
    const vaultOf = new Map(world.teams.map(({ namespace, vault }) => [namespace, vault.name]));
    world.onWrite(({ user, resource, namespace = "", name, isDryRun, verb }) => {
      if (resource !== "secrets" || user !== SYNC_USER || isDryRun || verb === "delete") return;
      const live = world.cluster.server.object("secrets", name, namespace);
      if (live === undefined || vaultOf.get(namespace) === undefined) return;
      for (const held of Object.values(seenOf(live).data)) {
        const value = held.startsWith("vault-") ? held : decoded(held);
        if (value.startsWith("vault-") && !value.startsWith(`${vaultOf.get(namespace) ?? ""}/`))
          violated(`${namespace}/${name} got a value of ${value.split("/")[0] ?? ""}`);
      }
    });
  },
};

export const foreignStays: Invariant = {
  name: "nothing of anybody else's is touched",
  watch: (world, violated) => {
    // The worker writes the stamp of Deployments, which has its own invariant.
    const allowed = new Set(["deployments.apps", "secrets", "controllerrevisions.apps", "leases.coordination.k8s.io", "events"]);
    world.onWrite(({ user, resource, namespace = "", name, verb, isDryRun }) => {
      if (user !== SYNC_USER || isDryRun) return;
      if (resource === "secrets" && name === "secrets-store-creds")
        violated(`the worker's ${verb} of the credentials ${namespace}/${name}`);
      const isOurs =
        allowed.has(resource) ||
        resource.endsWith(".keyvault-injector.dev") ||
        resource.startsWith("secretproviderclasses.") ||
        resource.startsWith("customresourcedefinitions.");
      const isInstall = namespace === "keyvault-injector" || name.startsWith("keyvault-injector");
      if (!isOurs && !isInstall) violated(`the worker's ${verb} of ${resource} ${namespace}/${name}`);
    });
  },
};
