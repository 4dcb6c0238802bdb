import type { JsonObject } from "../json.ts";
import type { Kind, Subresource } from "../kind.ts";
import { Refusal } from "../refusal.ts";
import type { Route } from "../route.ts";
import { keyOf, type Stored } from "../store/stored.ts";
import { type Environment, timestampOf, type Writing } from "./context.ts";
import { create } from "./create.ts";
import { type Propagation, remove } from "./delete.ts";
import { update, updated } from "./update.ts";

/** An actor inside the control plane. */
export interface Actor {
  readonly user: string;
  readonly fieldManager: string;
}

export const API_SERVER: Actor = { user: "system:apiserver", fieldManager: "kube-apiserver" };

export function controller(name: string): Actor {
  return { user: `system:serviceaccount:kube-system:${name}`, fieldManager: "kube-controller-manager" };
}

/** The object that an actor acts on. */
export interface Target {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string;
}

interface Act {
  readonly subresource?: Subresource;
  readonly verb: Writing["verb"];
  readonly body?: JsonObject;
}

function writing(environment: Environment, actor: Actor, target: Target, act: Act): Writing {
  const { kind, namespace, name } = target;
  const { group, version, plural } = kind;
  const subresource = act.subresource ?? "";
  const route: Route = { group, version, plural, namespace, name, subresource, query: new Map() };
  return {
    ...environment,
    request: { user: actor.user, body: act.body === undefined ? undefined : JSON.stringify(act.body) },
    route,
    kind,
    subresource,
    collection: environment.store.collection(kind.collection),
    isDryRun: false,
    fieldManager: actor.fieldManager,
    timestamp: timestampOf(environment.now()),
    verb: act.verb,
    isKindTerminating: false,
  };
}

export function find({ store }: Environment, { kind, namespace, name }: Target): Stored | undefined {
  return store.collection(kind.collection).get(keyOf(namespace, name));
}

/** Changes the current state of an object. Does nothing if the object is gone or the change is refused. */
// oxlint-disable-next-line eslint/max-params -- who, what and how.
export function changeAs(
  environment: Environment,
  actor: Actor,
  target: Target,
  change: (object: JsonObject) => JsonObject,
  subresource: Subresource = "",
): void {
  const existing = find(environment, target);
  if (existing === undefined) return;
  const given = writing(environment, actor, target, { subresource, verb: "update" });
  quietly(() => update(given, existing, updated(given, change(given.kind.view(existing.object)), existing)));
}

export function createAs(environment: Environment, actor: Actor, target: Target, body: JsonObject): void {
  quietly(() => create({ ...writing(environment, actor, target, { verb: "create", body }) }));
}

/** Deletes the object if it still has the UID. Returns false if the deletion is refused. */
// oxlint-disable-next-line eslint/max-params -- as above.
export function deleteAs(environment: Environment, actor: Actor, target: Target, uid: string, propagation?: Propagation): boolean {
  const body = { preconditions: { uid }, ...(propagation === undefined ? {} : { propagationPolicy: propagation }) };
  return quietly(() => remove(writing(environment, actor, target, { verb: "delete", body })));
}

/** Returns false if the action is refused. Refusals are usual for controllers, which try again. */
function quietly(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return false;
  }
}
