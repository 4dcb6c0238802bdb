import type { CustomServing } from "../crds/serving.ts";
import { type JsonObject, objectAt } from "../json.ts";
import type { Change, Collection } from "../store/collection.ts";
import type { Stored } from "../store/stored.ts";
import type { Environment } from "../write/context.ts";
import { controller, createAs, deleteAs } from "../write/internal.ts";
import { builtinNamed, servedKinds } from "./kinds.ts";

const NAMESPACES = controller("namespace-controller");
const ACCOUNTS = controller("service-account-controller");
const ACCOUNT = "default";

/** Content that is held by a finalizer is looked at again this often (milliseconds). */
const HELD_MS = 5_000;

export interface NamespaceOptions {
  readonly environment: Environment;
  readonly serving: CustomServing;
  readonly later: (milliseconds: number, action: () => void) => unknown;
}

/** Empties namespaces that go, and gives those that come an account. */
export class NamespaceControllers {
  readonly #options: NamespaceOptions;

  constructor(options: NamespaceOptions) {
    this.#options = options;
  }

  note(collection: Collection, { before, after }: Change): void {
    const { environment } = this.#options;
    if (collection.name === "namespaces" && after !== undefined) {
      const isGoing = isTerminating(after.object);
      if (isGoing && (before === undefined || !isTerminating(before.object))) this.#soon(() => this.#empty(after.name, after.uid));
      if (!isGoing && before === undefined) this.#soon(() => this.#giveAccount(after.name));
    }
    const isAccount = collection.name === "serviceaccounts" && after === undefined && before?.name === ACCOUNT;
    const namespace = before?.namespace ?? "";
    if (isAccount && environment.store.collection("namespaces").get(namespace) !== undefined)
      this.#soon(() => this.#giveAccount(namespace));
  }

  resume(): void {
    for (const namespace of this.#options.environment.store.collection("namespaces").values()) {
      if (isTerminating(namespace.object)) this.#soon(() => this.#empty(namespace.name, namespace.uid));
    }
  }

  #giveAccount(namespace: string): void {
    const { environment } = this.#options;
    const stored = environment.store.collection("namespaces").get(namespace);
    if (stored === undefined || isTerminating(stored.object)) return;
    const body = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ACCOUNT, namespace } };
    createAs(environment, ACCOUNTS, { kind: builtinNamed("serviceaccounts"), namespace, name: ACCOUNT }, body);
  }

  #empty(name: string, uid: string): void {
    const namespace = this.#options.environment.store.collection("namespaces").get(name);
    if (namespace === undefined || namespace.uid !== uid) return;
    if (this.#deleteContent(name)) this.#finish(namespace);
    else this.#options.later(HELD_MS, () => this.#empty(name, uid));
  }

  /** Whether nothing is left. */
  #deleteContent(namespace: string): boolean {
    const { environment, serving } = this.#options;
    const kinds = servedKinds(serving).filter((kind) => kind.namespaced);
    for (const kind of kinds) {
      for (const { name, uid } of environment.store.collection(kind.collection).list(namespace)) {
        deleteAs(environment, NAMESPACES, { kind, namespace, name }, uid, "Background");
      }
    }
    return kinds.every((kind) => environment.store.collection(kind.collection).list(namespace).length === 0);
  }

  /** The namespace's own finalizer goes, and with it the namespace. */
  #finish(namespace: Stored): void {
    const { store } = this.#options.environment;
    const collection = store.collection("namespaces");
    const finalizers = objectAt(namespace.object, "metadata")["finalizers"];
    if (finalizers === undefined) store.remove(collection, namespace);
    else store.put(collection, namespace, { object: { ...namespace.object, spec: {} }, managers: namespace.managers });
  }

  #soon(action: () => void): void {
    const { later, environment } = this.#options;
    later(5 + Math.floor(environment.random() * 100), action);
  }
}

function isTerminating(namespace: JsonObject): boolean {
  return objectAt(namespace, "metadata")["deletionTimestamp"] !== undefined;
}
