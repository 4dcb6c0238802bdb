import type { CustomServing } from "../crds/serving.ts";
import { type JsonObject, listAt, objectAt } from "../json.ts";
import type { Kind } from "../kind.ts";
import type { Change, Collection } from "../store/collection.ts";
import type { Stored } from "../store/stored.ts";
import { type Environment, timestampOf } from "../write/context.ts";
import { API_SERVER, changeAs, controller, createAs, deleteAs, find } from "../write/internal.ts";
import { builtinNamed, servedKinds } from "./kinds.ts";
import { type Remaining, withConditions } from "./namespace-conditions.ts";

const NAMESPACES = controller("namespace-controller");
const ACCOUNTS = controller("service-account-controller");
const ACCOUNT = "default";

/** Namespaces that every cluster has. */
const SYSTEM_NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"];

/** Time in milliseconds before the controller empties a namespace, because other components may not know of the deletion yet. */
const GRACE_MS = 5_000;
/** Interval in milliseconds between checks of content that finalizers hold. */
const HELD_MS = 8_000;

export interface NamespaceOptions {
  readonly environment: Environment;
  readonly serving: CustomServing;
  readonly later: (milliseconds: number, action: () => void) => unknown;
}

/** Empties namespaces that are being deleted, and creates the default ServiceAccount in new ones. */
export class NamespaceControllers {
  readonly #options: NamespaceOptions;
  readonly #kind = builtinNamed("namespaces");
  /** Times at which namespaces are emptied next, by UID. */
  readonly #due = new Map<string, number>();

  constructor(options: NamespaceOptions) {
    this.#options = options;
  }

  /** Creates the namespaces that every cluster has. */
  begin(): void {
    for (const name of SYSTEM_NAMESPACES) {
      const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
      createAs(this.#options.environment, API_SERVER, { kind: this.#kind, namespace: undefined, name }, body);
    }
  }

  note(collection: Collection, { before, after }: Change): void {
    const { environment } = this.#options;
    if (collection.name === "namespaces" && after !== undefined) {
      if (isTerminating(after.object)) this.#emptyAfter(GRACE_MS, after);
      else if (before === undefined) this.#soon(() => this.#giveAccount(after.name));
    }
    const isAccount = collection.name === "serviceaccounts" && after === undefined && before?.name === ACCOUNT;
    const namespace = before?.namespace ?? "";
    if (isAccount && environment.store.collection("namespaces").get(namespace) !== undefined)
      this.#soon(() => this.#giveAccount(namespace));
  }

  resume(): void {
    this.#due.clear();
    for (const namespace of this.#options.environment.store.collection("namespaces").values()) {
      if (isTerminating(namespace.object)) this.#emptyAfter(GRACE_MS, namespace);
    }
  }

  #giveAccount(namespace: string): void {
    const { environment } = this.#options;
    const stored = environment.store.collection("namespaces").get(namespace);
    if (stored === undefined || isTerminating(stored.object)) return;
    const body = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ACCOUNT, namespace } };
    createAs(environment, ACCOUNTS, { kind: builtinNamed("serviceaccounts"), namespace, name: ACCOUNT }, body);
  }

  /** Empties the namespace after that time, unless it is due sooner already. */
  #emptyAfter(milliseconds: number, { name, uid }: Stored): void {
    const due = this.#options.environment.now() + milliseconds;
    if ((this.#due.get(uid) ?? Number.POSITIVE_INFINITY) <= due) return;
    this.#due.set(uid, due);
    this.#options.later(milliseconds, () => {
      if (this.#due.get(uid) !== due) return;
      this.#due.delete(uid);
      const namespace = this.#options.environment.store.collection("namespaces").get(name);
      if (namespace?.uid === uid && listAt(objectAt(namespace.object, "spec"), "finalizers").length > 0) this.#empty(namespace);
    });
  }

  #empty(namespace: Stored): void {
    const { environment } = this.#options;
    const target = { kind: this.#kind, namespace: undefined, name: namespace.name };
    const remaining = this.#deleteContent(namespace.name);
    changeAs(environment, NAMESPACES, target, (object) => withConditions(object, remaining, timestampOf(environment.now())), "status");
    if (remaining.size > 0) this.#emptyAfter(HELD_MS, namespace);
    else this.#finish(find(environment, target));
  }

  /** Deletes pods first, and everything else once they are gone. */
  #deleteContent(namespace: string): Remaining {
    const kinds = servedKinds(this.#options.serving).filter((kind) => kind.namespaced);
    const pods = this.#deleteAll(
      namespace,
      kinds.filter(({ collection }) => collection === "pods"),
    );
    return pods.size > 0 ? pods : this.#deleteAll(namespace, kinds);
  }

  #deleteAll(namespace: string, kinds: readonly Kind[]): Remaining {
    const { environment } = this.#options;
    const objects = (kind: Kind): readonly Stored[] => environment.store.collection(kind.collection).list(namespace);
    for (const kind of kinds) {
      for (const { name, uid } of objects(kind)) deleteAs(environment, NAMESPACES, { kind, namespace, name }, uid, "Background");
    }
    return new Map(kinds.map((kind) => [kind, objects(kind)] as const).filter(([, left]) => left.length > 0));
  }

  /** Removes the namespace. If other finalizers hold it, removes only the controller's own finalizer. */
  #finish(namespace: Stored | undefined): void {
    if (namespace === undefined) return;
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
