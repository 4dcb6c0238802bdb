import { apiVersionOf, type KubeObject, type ObjectRef, type Resource } from "../../../src/domain/kubernetes.ts";
import { objectKey } from "../../../src/domain/object-key.ts";
import type { Clock } from "../../../src/domain/ports/clock.ts";
import type { DeleteOptions, KubeClient, ListOptions, ReadResult } from "../../../src/domain/ports/kube-client.ts";
import { KubeError, type KubeErrorCode, outdated } from "../../../src/domain/ports/kube-error.ts";
import type { KubeWatcher, Reflector, ReflectorOptions } from "../../../src/domain/ports/kube-watcher.ts";
import { Sensitive } from "../../../src/domain/sensitive.ts";
import { applied, created, patched, type Writer } from "./merge.ts";
import { SimulatedWatch } from "./watch.ts";

/** A request to which a fault can apply. */
export interface SimulatedCall {
  readonly verb: "get" | "list" | "create" | "update" | "apply" | "patch" | "delete";
  readonly resource: Resource;
  readonly ref: Partial<ObjectRef>;
  readonly subresource?: string | undefined;
}

type Change = (live: KubeObject | undefined) => KubeObject | undefined;

/** An in-memory API server with the test's clock: objects with versions, field ownership and preconditions, and live copies of them. */
export class SimulatedCluster {
  /** Time in milliseconds that a request takes before it has an effect. */
  latency: (call: SimulatedCall) => number = () => 0;
  /** Time in milliseconds that a patch waits in the worker before it is sent. */
  waits: (call: SimulatedCall) => number = () => 0;
  /** Error that the request throws instead of an answer. */
  fault: (call: SimulatedCall) => KubeError | undefined = () => undefined;
  /** Error that the request throws instead of its answer, after it took effect. */
  lostAnswer: (call: SimulatedCall) => KubeError | undefined = () => undefined;
  /** All writes, in the order in which they took effect. */
  readonly writes: SimulatedCall[] = [];
  /** Writes that a precondition rejected. */
  readonly refused: SimulatedCall[] = [];
  readonly client: KubeClient;
  readonly watcher: KubeWatcher;
  readonly #clock: Clock;
  readonly #kinds = new Map<string, Map<string, KubeObject>>();
  readonly #unlistable = new Set<string>();
  readonly #watches = new Set<SimulatedWatch<unknown>>();
  #version = 100;
  #serial = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.client = this.#createClient();
    this.watcher = { reflect: (options, signal) => this.#reflect(options, signal) };
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who asks names the kind.
  get<T extends KubeObject>(resource: Resource, ref: ObjectRef): T | undefined {
    return this.#ofKind(resource).get(objectKey(ref)) as T | undefined; // The store has only objects of the requested kind.
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who asks names the kind.
  all<T extends KubeObject>(resource: Resource, options: ListOptions = {}): readonly T[] {
    return [...this.#ofKind(resource).values()].filter((object) => matches(object, options)) as unknown as readonly T[]; // As above.
  }

  /** Creates or changes an object like a user other than the worker. */
  put(resource: Resource, body: KubeObject, manager = "kubectl"): KubeObject {
    const writer: Writer = { manager, operation: "Apply" };
    const live = this.get(resource, body.metadata);
    return this.#write(resource, body.metadata, () =>
      live === undefined ? created(body, writer, this.#now()) : applied(live, body, writer, this.#now()),
    );
  }

  delete(resource: Resource, ref: ObjectRef): void {
    const live = this.get(resource, ref);
    if (live === undefined) return;
    this.#ofKind(resource).delete(objectKey(ref));
    this.#version += 1;
    this.#tell(resource, live, undefined);
  }

  /** Interrupts every watch of the kind. The returned function makes the watches list the kind again, as after an expired history. */
  cutWatches(resource: Resource): () => void {
    const cut = [...this.#watches].filter(({ options }) => isSame(options.resource, resource));
    for (const watch of cut) watch.cut();
    return () => {
      for (const watch of cut) watch.mend();
    };
  }

  #createClient(): KubeClient {
    const writer = (fieldManager: string, operation: Writer["operation"], subresource?: string): Writer => ({
      manager: fieldManager,
      operation,
      ...(subresource === undefined ? {} : { subresource }),
    });
    return {
      read: (resource, ref, signal) => this.#answer({ verb: "get", resource, ref }, signal, () => this.#read(resource, ref)),
      list: (resource, options, signal) => this.#answer({ verb: "list", resource, ref: {} }, signal, () => this.all(resource, options)),
      create: (resource, body, options, signal) =>
        this.#change({ verb: "create", resource, ref: body.metadata }, signal, { isDry: options.dryRun }, (live) => {
          if (live !== undefined) throw refusal("AlreadyExists", 409);
          return created(typed(resource, body), writer(options.fieldManager, "Update"), this.#now());
        }),
      replace: (resource, body, options, signal) =>
        this.#change(
          { verb: "update", resource, ref: body.metadata },
          signal,
          { isDry: options.dryRun, expected: body.metadata },
          (live) => {
            if (live === undefined) throw refusal("NotFound", 404);
            return created(typed(resource, body), writer(options.fieldManager, "Update"), this.#now());
          },
        ),
      apply: (resource, body, options, signal) => {
        const call = { verb: "apply" as const, resource, ref: body.metadata, subresource: options.subresource };
        return this.#change(call, signal, { isDry: options.dryRun, expected: body.metadata }, (live) => {
          const by = writer(options.fieldManager, "Apply", options.subresource);
          if (live !== undefined) return applied(live, body, by, this.#now());
          if (body.metadata.uid !== undefined) throw refusal("Conflict", 409);
          if (options.subresource !== undefined) throw refusal("NotFound", 404);
          return created(typed(resource, body), by, this.#now());
        });
      },
      // oxlint-disable-next-line eslint/max-params -- the port's own shape.
      mergePatch: async (resource, ref, patch, options, signal) => {
        const expected = (patch as Partial<KubeObject>).metadata;
        const call = { verb: "patch" as const, resource, ref };
        const waits = this.waits(call);
        if (waits > 0) await this.#clock.sleep(waits, signal);
        if (options.isStillDue?.() === false) throw outdated("patch");
        return this.#change(call, signal, { isDry: options.dryRun, expected }, (live) => {
          if (live === undefined) throw refusal("NotFound", 404);
          return patched(live, patch, writer(options.fieldManager, "Update"), this.#now());
        });
      },
      delete: (resource, ref, options, signal) =>
        this.#answer({ verb: "delete", resource, ref }, signal, () => this.#remove(resource, ref, options)),
      requestToken: (ref, _request, signal) =>
        this.#answer({ verb: "create", resource: TOKENS, ref }, signal, () => Sensitive.ofText("token")),
    } as KubeClient; // Each answer has the requested kind.
  }

  async #answer<T>(call: SimulatedCall, signal: AbortSignal, answer: () => T): Promise<T> {
    signal.throwIfAborted();
    const takes = this.latency(call);
    if (takes > 0) await this.#clock.sleep(takes, signal);
    const fault = this.fault(call);
    if (fault !== undefined) throw fault;
    const answered = answer();
    const lost = this.lostAnswer(call);
    if (lost !== undefined) throw lost;
    return answered;
  }

  // oxlint-disable-next-line eslint/max-params -- a request, how it ends, its terms, what it does.
  #change(
    call: SimulatedCall,
    signal: AbortSignal,
    { isDry = false, expected }: { readonly isDry?: boolean | undefined; readonly expected?: Partial<KubeObject["metadata"]> | undefined },
    change: Change,
  ): Promise<KubeObject> {
    return this.#answer(call, signal, () => {
      const live = this.get(call.resource, call.ref as ObjectRef);
      const problem = violated(live, expected);
      if (problem !== undefined) this.refused.push(call);
      if (problem !== undefined) throw problem;
      const next = change(live);
      if (isDry && next !== undefined) return next;
      this.writes.push(call);
      return this.#write(call.resource, call.ref as ObjectRef, () => next);
    });
  }

  #read(resource: Resource, ref: ObjectRef): ReadResult<KubeObject> {
    const object = this.get(resource, ref);
    return object === undefined ? { kind: "absent" } : { kind: "found", object };
  }

  #remove(resource: Resource, ref: ObjectRef, { uid, resourceVersion, dryRun }: DeleteOptions): boolean {
    const live = this.get(resource, ref);
    if (live === undefined) return false;
    if (uid !== undefined && uid !== live.metadata.uid) throw refusal("Conflict", 409);
    if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion) throw refusal("Conflict", 409);
    if (dryRun === true) return true;
    this.writes.push({ verb: "delete", resource, ref });
    this.delete(resource, ref);
    return true;
  }

  #write(resource: Resource, ref: ObjectRef, change: Change): KubeObject {
    const live = this.get(resource, ref);
    const next = change(live);
    if (next === undefined) throw new Error("nothing to write");
    const written = this.#versioned(live, next);
    if (written === live) return live;
    this.#ofKind(resource).set(objectKey(ref), written);
    this.#tell(resource, live, written);
    return written;
  }

  /** Does not store a write that changes nothing. */
  #versioned(live: KubeObject | undefined, next: KubeObject): KubeObject {
    if (live !== undefined && contentOf(live) === contentOf(next)) return live;
    this.#version += 1;
    const isChanged = live === undefined || specOf(live) !== specOf(next);
    const generation = (live?.metadata.generation ?? 0) + (isChanged ? 1 : 0);
    const metadata = {
      ...next.metadata,
      uid: live?.metadata.uid ?? `uid-${++this.#serial}`,
      creationTimestamp: live?.metadata.creationTimestamp ?? this.#now(),
      resourceVersion: String(this.#version),
      generation,
    };
    return { ...next, metadata };
  }

  #tell(resource: Resource, previous: KubeObject | undefined, current: KubeObject | undefined): void {
    for (const watch of this.#watches) if (isSame(watch.options.resource, resource)) watch.report(previous, current);
  }

  /** Makes lists of the kind fail until the caller calls the returned function. */
  refuseLists({ plural }: Resource): () => void {
    this.#unlistable.add(plural);
    return () => {
      this.#unlistable.delete(plural);
      for (const watch of this.#watches) if (watch.options.resource.plural === plural) watch.relist();
    };
  }

  #reflect<T>(options: ReflectorOptions<T>, signal: AbortSignal): Reflector<T> {
    const isWanted = (object: KubeObject): boolean => matches(object, options);
    const watch = new SimulatedWatch<T>({
      options,
      clock: this.#clock,
      isWanted,
      list: () => this.all(options.resource, options),
      isListable: () => !this.#unlistable.has(options.resource.plural),
    });
    this.#watches.add(watch as SimulatedWatch<unknown>);
    signal.addEventListener("abort", () => this.#watches.delete(watch as SimulatedWatch<unknown>), { once: true });
    return watch;
  }

  #ofKind({ group, plural }: Resource): Map<string, KubeObject> {
    const kind = `${plural}.${group}`;
    const objects = this.#kinds.get(kind) ?? new Map<string, KubeObject>();
    this.#kinds.set(kind, objects);
    return objects;
  }

  #now(): string {
    return `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`;
  }
}

const TOKENS: Resource = { group: "", version: "v1", plural: "serviceaccounts/token", kind: "TokenRequest", namespaced: true };

export function refusal(code: KubeErrorCode, status: number): KubeError {
  return new KubeError(code, `refused: ${code}`, { retry: { kind: "backoff" }, status });
}

/** Error as the API server's authorizers return it. */
export function withoutRight(): KubeError {
  const message = 'HTTP 403: it is forbidden: User "system:serviceaccount:keyvault-injector:keyvault-injector-sync" cannot do so';
  return new KubeError("Forbidden", message, { retry: { kind: "backoff" }, status: 403, refuser: { kind: "rights" } });
}

function violated(live: KubeObject | undefined, expected: Partial<KubeObject["metadata"]> | undefined): KubeError | undefined {
  if (live === undefined) return undefined;
  const { uid, resourceVersion } = live.metadata;
  if (expected?.uid !== undefined && expected.uid !== uid) return refusal("Invalid", 422);
  if (expected?.resourceVersion !== undefined && expected.resourceVersion !== resourceVersion) return refusal("Conflict", 409);
  return undefined;
}

function typed(resource: Resource, body: KubeObject): KubeObject {
  return { ...body, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

function isSame(a: Resource, b: Resource): boolean {
  return a.group === b.group && a.plural === b.plural;
}

function matches({ metadata }: KubeObject, { namespace, labelSelector, fieldSelector }: ListOptions): boolean {
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  const name = /^metadata\.name=(.*)$/.exec(fieldSelector ?? "")?.[1];
  if (name !== undefined && metadata.name !== name) return false;
  return (labelSelector ?? "").split(",").every((term) => {
    const [key = "", value] = term.split("=");
    return key === "" || metadata.labels?.[key] === value;
  });
}

/** Content without the fields that every write changes. */
function contentOf({ metadata, ...content }: KubeObject): string {
  const { resourceVersion: _, generation: __, uid: ___, creationTimestamp: ____, managedFields = [], ...named } = metadata;
  return JSON.stringify([content, named, managedFields.map(({ time: _____, ...entry }) => entry)]);
}

function specOf(object: KubeObject): string {
  return JSON.stringify((object as { readonly spec?: unknown }).spec);
}
