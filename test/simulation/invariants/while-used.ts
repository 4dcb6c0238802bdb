/**
 * A `while-used` class keeps its Secrets while a pod mounts it, and for a grace period afterwards. The invariant judges by the API server's
 * state when the worker sent the deletion.
 */
import type { JsonObject } from "../api/json.ts";
import { API_HOST } from "../world/cluster.ts";
import { SYNC_USER, UNUSED_GRACE_MS, type World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

const CLASSES = "secretproviderclasses.secrets-store.csi.x-k8s.io";

/** The worker's clock runs at twice the pace while it catches up. */
const LEAST_GRACE_MS = UNUSED_GRACE_MS / 2;

/** The worker has seen the content of a class that has not changed for this time. */
const SETTLED_MS = 60_000;

/** An older list of pods does not justify a deletion. */
const LIST_COUNTS_MS = 60_000;

interface Pod extends JsonObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: { readonly volumes?: readonly { readonly csi?: { readonly volumeAttributes?: Readonly<Record<string, string>> } }[] };
  readonly status?: { readonly phase?: string };
}

interface ProviderClass extends JsonObject {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly secretObjects?: readonly { readonly secretName?: string }[] };
}

function mountedBy({ spec }: Pod): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ csi }) => csi?.volumeAttributes?.["secretProviderClass"] ?? []);
}

/** State of a world. All times are virtual milliseconds, all keys `namespace/name`. */
class Use {
  readonly #world: World;
  /** Time at which each live pod came, by class. */
  readonly #live = new Map<string, Map<string, number>>();
  readonly #lastLive = new Map<string, number>();
  readonly #classChanged = new Map<string, number>();
  /** Times at which the worker listed the pods of a namespace, and at which it sent the deletion of a Secret. */
  readonly #listed = new Map<string, number[]>();
  readonly #deleting = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  noteSent(method: string, path: string): void {
    const { now } = this.#world.scheduler;
    const list = /^\/api\/v1\/namespaces\/([^/]+)\/pods\?/.exec(path)?.[1];
    if (method === "GET" && list !== undefined && !path.includes("watch=true"))
      this.#listed.set(list, [...(this.#listed.get(list) ?? []).filter((at) => at > now - 2 * LIST_COUNTS_MS), now]);
    const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/secrets\/([^/?]+)/.exec(path) ?? [];
    if (method === "DELETE" && namespace !== undefined && name !== undefined) this.#deleting.set(`${namespace}/${name}`, now);
  }

  noteClass(key: string): void {
    this.#classChanged.set(key, this.#world.scheduler.now);
  }

  notePod(namespace: string, name: string): void {
    const { now } = this.#world.scheduler;
    const pod = this.#world.cluster.server.object("pods", name, namespace) as Pod | undefined;
    const isLive = pod !== undefined && !["Succeeded", "Failed"].includes(pod.status?.phase ?? "");
    const mounted = new Set(isLive ? mountedBy(pod).map((className) => `${namespace}/${className}`) : []);
    for (const key of mounted) {
      const pods = this.#live.get(key) ?? new Map<string, number>();
      if (!pods.has(name)) this.#live.set(key, pods.set(name, now));
    }
    for (const [key, pods] of this.#live)
      if (key.startsWith(`${namespace}/`) && !mounted.has(key) && pods.delete(name)) this.#lastLive.set(key, now);
  }

  /** Returns the reason why the worker should not have deleted the Secret; undefined if it was right. */
  problemOf(namespace: string, name: string): string | undefined {
    const sentAt = this.#deleting.get(`${namespace}/${name}`) ?? this.#world.scheduler.now;
    const provider = this.#classOf(namespace, name, sentAt);
    if (provider === undefined) return undefined;
    const key = `${namespace}/${provider.metadata.name}`;
    const askedAt = (this.#listed.get(namespace) ?? []).find((at) => at > sentAt - LIST_COUNTS_MS && at <= sentAt) ?? sentAt;
    const pods = [...(this.#live.get(key) ?? [])].filter(([, since]) => since < askedAt).map(([pod]) => pod);
    if (pods.length > 0) return `${namespace}/${name} of ${provider.metadata.name} is deleted while ${pods.join(", ")} mount it`;
    const lastLive = this.#lastLive.get(key);
    // The grace counts to the deletion. The list may be an earlier one, made for another purpose.
    if (lastLive === undefined || sentAt - lastLive >= LEAST_GRACE_MS) return undefined;
    const seconds = Math.round((sentAt - lastLive) / 1_000);
    return `${namespace}/${name} of ${provider.metadata.name} is deleted ${seconds} s after a pod has mounted it, within the grace`;
  }

  /** Returns the `while-used` class that lists the Secret, and that has not changed for a while. */
  #classOf(namespace: string, name: string, sentAt: number): ProviderClass | undefined {
    const classes = this.#world.cluster.server.objects(CLASSES) as readonly (ProviderClass & { metadata: { namespace: string } })[];
    return classes.find(({ metadata, spec }) => {
      if (metadata.namespace !== namespace || metadata.annotations?.["keyvault-injector.dev/sync"] !== "while-used") return false;
      if ((this.#classChanged.get(`${namespace}/${metadata.name}`) ?? 0) > sentAt - SETTLED_MS) return false;
      return spec?.secretObjects?.some(({ secretName }) => secretName === name) === true;
    });
  }
}

export const whileUsed: Invariant = {
  name: "while-used takes nothing from a live pod",
  watch: (world, violated) => {
    const use = new Use(world);
    world.onSend(({ machine, host, method, path }) => {
      if (machine !== undefined && host === API_HOST) use.noteSent(method, path);
    });
    world.onWrite(({ user, verb, resource, namespace = "", name, isDryRun }) => {
      if (isDryRun) return;
      if (resource === CLASSES) use.noteClass(`${namespace}/${name}`);
      if (resource === "pods") use.notePod(namespace, name);
      if (resource !== "secrets" || verb !== "delete" || user !== SYNC_USER) return;
      const problem = use.problemOf(namespace, name);
      if (problem !== undefined) violated(problem);
    });
  },
};
