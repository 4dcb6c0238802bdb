import { isEqual, isObject, type JsonObject, listAt, objectAt, stringAt, withMember } from "../json.ts";
import type { Kind } from "../kind.ts";
import type { Change, Collection } from "../store/collection.ts";
import type { Stored } from "../store/stored.ts";
import { type Environment, timestampOf } from "../write/context.ts";
import { API_SERVER, changeAs, deleteAs, find, type Target } from "../write/internal.ts";
import { type CustomServing, conditionOf, DEFINITIONS, isTrue } from "./serving.ts";

export interface DefinitionControllersOptions {
  readonly environment: Environment;
  readonly serving: CustomServing;
  readonly later: (milliseconds: number, action: () => void) => unknown;
  /** Of CustomResourceDefinition itself. */
  readonly kind: Kind;
  /** The share of deletions right after a creation that are lost. */
  readonly lostDeletions: number;
}

const CLEANUP = "customresourcecleanup.apiextensions.k8s.io";

/** The storage of a kind so young may not answer yet (milliseconds). */
const YOUNG_MS = 1_000;
/** Instances that are held are asked after this often (milliseconds). */
const POLL_MS = 5_000;
/** All CRDs are looked at again this often (milliseconds). */
const RESYNC_MS = 5 * 60_000;

/** What the API server itself does with CRDs: it accepts their names, establishes them, and deletes their objects with them. */
export class DefinitionControllers {
  readonly #options: DefinitionControllersOptions;
  /** CRDs whose deletion is under way. */
  readonly #deleting = new Set<string>();

  constructor(options: DefinitionControllersOptions) {
    this.#options = options;
  }

  note(collection: Collection, { before, after }: Change): void {
    if (collection.name !== DEFINITIONS) return;
    const name = after?.name ?? before?.name ?? "";
    const { later, serving, environment } = this.#options;
    later(soon(environment, 60), () => serving.check(name));
    if (after === undefined) this.#deleting.delete(name);
    else this.#act(name, before, after);
  }

  /** Goes on with what was begun before a restart. */
  resume(): void {
    this.#deleting.clear();
    for (const stored of this.#options.environment.store.collection(DEFINITIONS).values()) this.#act(stored.name, undefined, stored);
  }

  #act(name: string, before: Stored | undefined, after: Stored): void {
    const { later, environment } = this.#options;
    const { object } = after;
    const isGoing = objectAt(object, "metadata")["deletionTimestamp"] !== undefined;
    if (!isEqual(objectAt(object, "spec")["names"], objectAt(objectAt(object, "status"), "acceptedNames")))
      later(soon(environment, 20), () => this.#acceptNames(name));
    else if (!isTrue(object, "Established") && !isGoing) later(soon(environment, 60), () => this.#establish(name));
    if (isGoing && (before === undefined || isNews(before.object, object))) this.#finalize(name);
  }

  #acceptNames(name: string): void {
    this.#change(name, (crd) => {
      const names = objectAt(crd, "spec")["names"] ?? {};
      const accepted = withStatus(crd, { acceptedNames: names });
      const named = this.#withCondition(accepted, "NamesAccepted", ["True", "NoConflicts", "no conflicts found"]);
      if (conditionOf(named, "Established") !== undefined) return named;
      return this.#withCondition(named, "Established", ["False", "Installing", "the initial names have been accepted"]);
    });
  }

  #establish(name: string): void {
    this.#change(name, (crd) =>
      isTrue(crd, "NamesAccepted") && !isTrue(crd, "Established")
        ? this.#withCondition(crd, "Established", ["True", "InitialNamesAccepted", "the initial names have been accepted"])
        : crd,
    );
  }

  /** Once at a time: what is noticed meanwhile is seen by the deletion that is under way. */
  #finalize(name: string): void {
    if (this.#deleting.has(name)) return;
    this.#deleting.add(name);
    const { later, environment } = this.#options;
    later(soon(environment, 30), () => {
      const crd = this.#going(name);
      if (crd === undefined) return;
      this.#change(name, (object) =>
        this.#withCondition(object, "Terminating", ["True", "InstanceDeletionInProgress", "CustomResource deletion is in progress"]),
      );
      if (this.#isLost(crd)) this.#lose(name);
      else if (isTrue(crd.object, "Established")) later(soon(environment, 20), () => this.#deleteInstances(name, this.#instances(name)));
      else this.#finish(name, ["False", "NeverEstablished", "resource was never established"]);
    });
  }

  /** Undefined, and nothing is under way any more, where it is gone or was never to go. */
  #going(name: string): Stored | undefined {
    const stored = find(this.#options.environment, this.#target(name));
    const metadata = objectAt(stored?.object, "metadata");
    if (metadata["deletionTimestamp"] !== undefined && listAt(metadata, "finalizers").includes(CLEANUP)) return stored;
    this.#deleting.delete(name);
    return undefined;
  }

  #isLost(crd: Stored): boolean {
    const { environment, lostDeletions } = this.#options;
    const age = environment.now() - Date.parse(stringAt(objectAt(crd.object, "metadata"), "creationTimestamp") ?? "");
    return age < YOUNG_MS && lostDeletions > 0 && environment.random() < lostDeletions;
  }

  /** The server meets a conflict with itself and takes that for somebody else's change, of which it waits to hear. */
  #lose(name: string): void {
    const { later } = this.#options;
    this.#change(name, (crd) =>
      this.#withCondition(crd, "Terminating", ["True", "InstanceDeletionFailed", "could not list instances: storage is (re)initializing"]),
    );
    this.#deleting.delete(name);
    later(RESYNC_MS, () => {
      if (this.#going(name) !== undefined) this.#finalize(name);
    });
  }

  #instances(name: string): readonly Stored[] {
    return this.#options.environment.store.collection(name).list();
  }

  /** One after the other, as fast as the server writes. */
  #deleteInstances(name: string, left: readonly Stored[]): void {
    const { environment, later, serving } = this.#options;
    if (this.#going(name) === undefined) return;
    const [next, ...rest] = left;
    const [kind] = serving.kindsOf(name);
    if (next === undefined || kind === undefined) {
      this.#awaitInstances(name, 0);
      return;
    }
    deleteAs(environment, API_SERVER, { kind, namespace: next.namespace, name: next.name }, next.uid);
    later(1 + soon(environment, 2), () => this.#deleteInstances(name, rest));
  }

  #awaitInstances(name: string, polls: number): void {
    const { later } = this.#options;
    if (this.#going(name) === undefined) return;
    if (this.#instances(name).length === 0) {
      this.#finish(name, ["False", "InstanceDeletionCompleted", "removed all instances"]);
      return;
    }
    if (polls * POLL_MS < 60_000) {
      later(POLL_MS, () => this.#awaitInstances(name, polls + 1));
      return;
    }
    const why = "could not confirm zero CustomResources remaining: timed out waiting for the condition";
    this.#change(name, (crd) => this.#withCondition(crd, "Terminating", ["True", "InstanceDeletionCheck", why]));
    this.#deleting.delete(name);
    later(POLL_MS, () => {
      if (this.#going(name) !== undefined) this.#finalize(name);
    });
  }

  #finish(name: string, condition: Condition): void {
    this.#deleting.delete(name);
    this.#change(name, (crd) => {
      const metadata = objectAt(crd, "metadata");
      const finalizers = listAt(metadata, "finalizers").filter((finalizer) => finalizer !== CLEANUP);
      const free = { ...crd, metadata: withMember(metadata, "finalizers", finalizers.length === 0 ? undefined : finalizers) };
      return this.#withCondition(free, "Terminating", condition);
    });
  }

  #change(name: string, change: (crd: JsonObject) => JsonObject): void {
    changeAs(this.#options.environment, API_SERVER, this.#target(name), change, "status");
  }

  #target(name: string): Target {
    return { kind: this.#options.kind, namespace: undefined, name };
  }

  #withCondition(crd: JsonObject, type: string, [status, reason, message]: Condition): JsonObject {
    const conditions = listAt(objectAt(crd, "status"), "conditions").filter(isObject);
    const known = conditions.find((condition) => condition["type"] === type);
    const now = timestampOf(this.#options.environment.now());
    const time = known?.["status"] === status ? (known["lastTransitionTime"] ?? now) : now;
    const condition = { ...known, lastTransitionTime: time, message, reason, status, type };
    const all = known === undefined ? [...conditions, condition] : conditions.map((one) => (one === known ? condition : one));
    return withStatus(crd, { conditions: all });
  }
}

type Condition = readonly [status: "True" | "False", reason: string, message: string];

function withStatus(crd: JsonObject, members: JsonObject): JsonObject {
  return { ...crd, status: { ...objectAt(crd, "status"), ...members } };
}

/** A few milliseconds, now and then more. */
function soon({ random }: Environment, most: number): number {
  return 1 + Math.floor(random() * random() * most);
}

/** What the server writes itself of a deletion is no reason to look again. */
function isNews(before: JsonObject, after: JsonObject): boolean {
  const bare = (crd: JsonObject): JsonObject => {
    const status = objectAt(crd, "status");
    const conditions = listAt(status, "conditions").filter((condition) => isObject(condition) && condition["type"] !== "Terminating");
    const { resourceVersion: _resourceVersion, managedFields: _managedFields, ...metadata } = objectAt(crd, "metadata");
    return { ...crd, metadata, status: { ...status, conditions } };
  };
  return !isEqual(bare(before), bare(after));
}
