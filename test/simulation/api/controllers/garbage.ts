import type { CustomServing } from "../crds/serving.ts";
import { isObject, type JsonObject, listAt, objectAt, stringAt, withMember } from "../json.ts";
import type { Kind } from "../kind.ts";
import type { Change, Collection } from "../store/collection.ts";
import { keyOf, type Stored } from "../store/stored.ts";
import type { Environment } from "../write/context.ts";
import { changeAs, controller, deleteAs, type Target } from "../write/internal.ts";
import { kindOfType } from "./kinds.ts";

const COLLECTOR = controller("generic-garbage-collector");
const FOREGROUND = "foregroundDeletion";
const ORPHAN = "orphan";

export interface GarbageOptions {
  readonly environment: Environment;
  readonly serving: CustomServing;
  readonly later: (milliseconds: number, action: () => void) => unknown;
}

interface Dependent {
  readonly collection: string;
  readonly key: string;
}

type OwnerState = "there" | "waiting" | "gone" | "unknown";

/** Deletes objects whose owners are gone, as kube-controller-manager's garbage collector does. */
export class GarbageCollector {
  readonly #options: GarbageOptions;
  /** Objects that name an owner, by the UID of the owner. */
  readonly #dependents = new Map<string, Map<string, Dependent>>();

  constructor(options: GarbageOptions) {
    this.#options = options;
  }

  note(collection: Collection, { before, after }: Change): void {
    const owners = after === undefined ? [] : ownersOf(after.object);
    if (before !== undefined) this.#forget(collection.name, before);
    if (after !== undefined) for (const owner of owners) this.#remember(collection.name, after, owner);
    if (owners.length > 0 && after !== undefined) this.#soon(() => this.#collect({ collection: collection.name, key: after.key }));
    if (after === undefined && before !== undefined) this.#onGone(before);
    if (after !== undefined && objectAt(after.object, "metadata")["deletionTimestamp"] !== undefined) this.#onGoing(collection.name, after);
  }

  /** Checks all objects, as after a restart. */
  resume(): void {
    this.#dependents.clear();
    for (const collection of this.#options.environment.store.collections()) {
      for (const object of collection.values())
        this.note(collection, { version: object.version, time: 0, before: undefined, after: object });
    }
  }

  #remember(collection: string, object: Stored, owner: JsonObject): void {
    const uid = stringAt(owner, "uid") ?? "";
    const ofOwner = this.#dependents.get(uid) ?? new Map<string, Dependent>();
    ofOwner.set(`${collection} ${object.key}`, { collection, key: object.key });
    this.#dependents.set(uid, ofOwner);
  }

  #forget(collection: string, object: Stored): void {
    for (const owner of ownersOf(object.object)) {
      const uid = stringAt(owner, "uid") ?? "";
      const ofOwner = this.#dependents.get(uid);
      ofOwner?.delete(`${collection} ${object.key}`);
      if (ofOwner?.size === 0) this.#dependents.delete(uid);
    }
  }

  #dependentsOf(uid: string): readonly Dependent[] {
    return [...(this.#dependents.get(uid)?.values() ?? [])];
  }

  #onGone(object: Stored): void {
    for (const dependent of this.#dependentsOf(object.uid)) this.#soon(() => this.#collect(dependent));
    // An owner that waits for its dependents can be deleted now.
    for (const owner of ownersOf(object.object)) {
      const found = this.#owner(owner, object.namespace);
      if (found !== undefined) this.#onGoing(found.kind.collection, found.stored);
    }
  }

  #onGoing(collection: string, object: Stored): void {
    const finalizers = listAt(objectAt(object.object, "metadata"), "finalizers");
    const dependent = { collection, key: object.key };
    if (finalizers.includes(ORPHAN)) this.#soon(() => this.#orphan(dependent, object.uid));
    if (finalizers.includes(FOREGROUND)) this.#soon(() => this.#deleteInForeground(dependent, object.uid));
  }

  #collect(dependent: Dependent): void {
    const found = this.#find(dependent);
    if (found === undefined) return;
    const { stored, target } = found;
    const metadata = objectAt(stored.object, "metadata");
    if (metadata["deletionTimestamp"] !== undefined) return;
    const owners = ownersOf(stored.object);
    const states = owners.map((owner) => this.#stateOf(owner, stored.namespace));
    if (owners.length === 0 || states.includes("unknown")) return;
    if (states.includes("there")) {
      const left = owners.filter((_owner, index) => states[index] === "there");
      if (left.length < owners.length) changeAs(this.#options.environment, COLLECTOR, target, (object) => withOwners(object, left));
      return;
    }
    const finalizers = listAt(metadata, "finalizers");
    const isWaitedFor = states.includes("waiting") && this.#dependentsOf(stored.uid).length > 0;
    const propagation = finalizers.includes(ORPHAN)
      ? "Orphan"
      : isWaitedFor || finalizers.includes(FOREGROUND)
        ? "Foreground"
        : "Background";
    deleteAs(this.#options.environment, COLLECTOR, target, stored.uid, propagation);
  }

  #orphan(owner: Dependent, uid: string): void {
    for (const dependent of this.#dependentsOf(uid)) {
      const found = this.#find(dependent);
      if (found === undefined) continue;
      const left = ownersOf(found.stored.object).filter((one) => one["uid"] !== uid);
      changeAs(this.#options.environment, COLLECTOR, found.target, (object) => withOwners(object, left));
    }
    this.#free(owner, uid, ORPHAN);
  }

  #deleteInForeground(owner: Dependent, uid: string): void {
    const dependents = this.#dependentsOf(uid);
    const blocks = dependents.some((dependent) => {
      const found = this.#find(dependent);
      return found !== undefined && ownersOf(found.stored.object).some((one) => one["uid"] === uid && one["blockOwnerDeletion"] === true);
    });
    if (!blocks) this.#free(owner, uid, FOREGROUND);
    for (const dependent of dependents) this.#collect(dependent);
  }

  #free(owner: Dependent, uid: string, finalizer: string): void {
    const found = this.#find(owner);
    if (found === undefined || found.stored.uid !== uid) return;
    changeAs(this.#options.environment, COLLECTOR, found.target, (object) => {
      const metadata = objectAt(object, "metadata");
      const left = listAt(metadata, "finalizers").filter((one) => one !== finalizer);
      return { ...object, metadata: withMember(metadata, "finalizers", left.length === 0 ? undefined : left) };
    });
  }

  #stateOf(owner: JsonObject, namespace: string | undefined): OwnerState {
    const found = this.#owner(owner, namespace);
    if (found === undefined) return this.#kindOf(owner, namespace) === undefined ? "unknown" : "gone";
    const metadata = objectAt(found.stored.object, "metadata");
    const isWaiting = metadata["deletionTimestamp"] !== undefined && listAt(metadata, "finalizers").includes(FOREGROUND);
    return isWaiting ? "waiting" : "there";
  }

  #kindOf(owner: JsonObject, namespace: string | undefined): Kind | undefined {
    const kind = kindOfType(this.#options.serving, stringAt(owner, "apiVersion") ?? "", stringAt(owner, "kind") ?? "");
    // The owner of a cluster-scoped object cannot be in a namespace.
    return kind?.namespaced === true && namespace === undefined ? undefined : kind;
  }

  #owner(owner: JsonObject, namespace: string | undefined): { readonly kind: Kind; readonly stored: Stored } | undefined {
    const kind = this.#kindOf(owner, namespace);
    if (kind === undefined) return undefined;
    const key = keyOf(kind.namespaced ? namespace : undefined, stringAt(owner, "name") ?? "");
    const stored = this.#options.environment.store.collection(kind.collection).get(key);
    return stored === undefined || stored.uid !== owner["uid"] ? undefined : { kind, stored };
  }

  #find({ collection, key }: Dependent): { readonly stored: Stored; readonly target: Target } | undefined {
    const stored = this.#options.environment.store.collection(collection).get(key);
    if (stored === undefined) return undefined;
    const kind = kindOfType(this.#options.serving, stringAt(stored.object, "apiVersion") ?? "", stringAt(stored.object, "kind") ?? "");
    return kind === undefined ? undefined : { stored, target: { kind, namespace: stored.namespace, name: stored.name } };
  }

  #soon(action: () => void): void {
    const { later, environment } = this.#options;
    later(5 + Math.floor(environment.random() * 100), action);
  }
}

function ownersOf(object: JsonObject): readonly JsonObject[] {
  const owners = objectAt(object, "metadata")["ownerReferences"];
  return owners === undefined ? [] : listAt(objectAt(object, "metadata"), "ownerReferences").filter(isObject);
}

function withOwners(object: JsonObject, owners: readonly JsonObject[]): JsonObject {
  return { ...object, metadata: withMember(objectAt(object, "metadata"), "ownerReferences", owners.length === 0 ? undefined : owners) };
}
