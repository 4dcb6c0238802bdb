import { EventExpiry } from "./controllers/events.ts";
import { GarbageCollector } from "./controllers/garbage.ts";
import { builtinByPath, builtinNamed } from "./controllers/kinds.ts";
import { NamespaceControllers } from "./controllers/namespaces.ts";
import { DefinitionControllers } from "./crds/controllers.ts";
import { CustomServing, DEFINITIONS, type Serving } from "./crds/serving.ts";
import { answerRequest, type Handling } from "./handling.ts";
import type { ApiAnswer, ApiRequest, ApiServerOptions, Attributes, OpenWatch } from "./interface.ts";
import type { JsonObject } from "./json.ts";
import type { Kind } from "./kind.ts";
import type { WatchLines } from "./read/watch.ts";
import { type Backup, Store } from "./store/store.ts";
import type { Stored } from "./store/stored.ts";
import type { Environment } from "./write/context.ts";
import { unsignedToken } from "./write/reviews.ts";

/** Objects of lists, cached: the same list has the same result. */
const shown = new WeakMap<readonly Stored[], readonly JsonObject[]>();

const ALL = (): boolean => true;
const NOTHING = (): undefined => undefined;

/** The parts of a control plane that a client can see, in virtual time. It handles requests at once, one after the other. */
export class SimulatedApiServer {
  readonly #options: ApiServerOptions;
  readonly #store: Store;
  readonly #serving: CustomServing;
  readonly #definitions: DefinitionControllers;
  readonly #namespaces: NamespaceControllers;
  readonly #garbage: GarbageCollector;
  readonly #handling: Handling;
  readonly #watches = new Map<WatchLines, OpenWatch>();
  /** A watch from an older version gets the error that its version is too old. */
  #startVersion = 0;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    const { now, random, later } = options;
    this.#store = new Store(now);
    const environment: Environment = {
      store: this.#store,
      now,
      random,
      authorize: (attributes) => options.authorize?.(attributes, (resource) => this.objects(resource)) ?? true,
      admit: (request) => options.admit?.(request),
      onWrite: options.onWrite ?? NOTHING,
      signToken: options.signToken ?? unsignedToken,
    };
    this.#serving = new CustomServing(this.#store, { now, random, later });
    const shared = { environment, serving: this.#serving, later };
    const kind = builtinNamed("customresourcedefinitions");
    this.#definitions = new DefinitionControllers({ ...shared, kind, lostDeletions: options.lostDeletions ?? 0.02 });
    this.#namespaces = new NamespaceControllers(shared);
    this.#garbage = new GarbageCollector(shared);
    const expiry = new EventExpiry(this.#store, now, later);
    this.#store.onChange((collection, change) => {
      this.#definitions.note(collection, change);
      expiry.note(collection, change);
      if (options.controllerManager === false) return;
      this.#namespaces.note(collection, change);
      this.#garbage.note(collection, change);
    });
    this.#handling = {
      environment,
      later,
      findKind: (group, version, plural) => this.#findKind(group, version, plural),
      startVersion: (serving) => Math.max(this.#startVersion, serving?.startVersion ?? 0),
      onWatch: (lines, watch, serving) => this.#opened(lines, watch, serving),
    };
    this.#namespaces.begin();
  }

  /** Handles one request completely. */
  handle(request: ApiRequest): ApiAnswer {
    return answerRequest(this.#handling, request);
  }

  /** Returns the time in milliseconds for which the real server delays the request. */
  holdsFor({ method, url }: Pick<ApiRequest, "method" | "url">): number {
    if (method !== "POST") return 0;
    const [, , group = "", , ...rest] = (url.split("?")[0] ?? "").split("/");
    return this.#serving.heldBack(group, rest.at(-1) ?? "", this.#options.now());
  }

  /** Version of the last write. */
  get version(): number {
    return this.#store.version;
  }

  /** Returns every stored object of a resource, such as `secrets` or `leases.coordination.k8s.io`. */
  objects(resource: string): readonly JsonObject[] {
    const listed = this.#store.collection(resource).list();
    const known = shown.get(listed);
    if (known !== undefined) return known;
    const objects = listed.map(({ object }) => object);
    shown.set(listed, objects);
    return objects;
  }

  /** Returns one object, or undefined if there is none. */
  object(resource: string, name: string, namespace?: string): JsonObject | undefined {
    return this.#store.collection(resource).get(namespace === undefined ? name : `${namespace}/${name}`)?.object;
  }

  /** Returns the resources that have appeared in the store so far, even if only in a read. */
  resources(): readonly string[] {
    return [...this.#store.collections()].map(({ name }) => name);
  }

  backup(): Backup {
    return this.#store.backup();
  }

  /** Restores an earlier state of etcd and restarts the API server: versions fall, and every watch ends. */
  restore(backup: Backup): void {
    this.#store.restore(backup);
    this.restart();
  }

  /** Ends every watch, and forgets all earlier changes. */
  restart(): void {
    this.cutWatches(ALL);
    this.#startVersion = this.#store.version;
    this.#serving.restart();
    this.#definitions.resume();
    if (this.#options.controllerManager === false) return;
    this.#namespaces.resume();
    this.#garbage.resume();
  }

  /** Forgets all states except the present one. Pages and watches from older versions get 410. */
  compact(): void {
    this.#store.compact();
    this.#startVersion = this.#store.version;
  }

  /** Ends the watches that the filter selects. */
  cutWatches(filter: (watch: OpenWatch) => boolean): void {
    for (const [lines, watch] of this.#watches) if (filter(watch)) lines.finish();
  }

  watches(): readonly OpenWatch[] {
    return [...this.#watches.values()];
  }

  #opened(lines: WatchLines, watch: OpenWatch, serving: Serving | undefined): void {
    this.#watches.set(lines, watch);
    serving?.watches.add(lines);
    lines.whenClosed(() => {
      this.#watches.delete(lines);
      serving?.watches.delete(lines);
    });
  }

  #findKind(group: string, version: string, plural: string): { readonly kind: Kind; readonly serving?: Serving } | undefined {
    const builtin = builtinByPath(group, version, plural);
    return builtin === undefined ? this.#serving.find(group, version, plural) : { kind: builtin };
  }
}

export { type Attributes, DEFINITIONS };
