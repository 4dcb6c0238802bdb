import { randomUUID } from "node:crypto";
import { assertNever } from "../../../src/domain/assert-never.ts";
import type { KubeObject } from "../../../src/domain/kubernetes.ts";
import { type ApiCall, apiRequest, MERGE_PATCH } from "../../support/cluster/api-request.ts";
import { eventually } from "../../support/time/eventually.ts";
import { classOf, classPath, find, type SyncWorld, secretPath, send } from "../../support/worker/sync-world.ts";
import { renamed, type Step } from "./effects.ts";
import type { Operation, WantedSecret } from "./operations.ts";
import { ADOPTABLE_BY, isManaged, type ModelClass, type ModelState } from "./specification.ts";

const P = "keyvault-injector.dev";

/**
 * Within this time, the worker may answer the first query of a class with the result for another class (docs/reference/vault-budget.md).
 */
const SHARED_MS = 1_000;

export interface Stage {
  readonly world: SyncWorld;
  readonly namespace: string;
  /** Returns a value that no other call returned. */
  readonly unique: () => string;
  /** Called between the two requests of a rename. */
  readonly whileRenaming?: () => Promise<unknown>;
}

/** Executes the operation. Undefined if it applies to no object. */
export async function perform(stage: Stage, state: ModelState, operation: Operation): Promise<Step | undefined> {
  if ("object" in operation) return performOnVault(stage, state, operation);
  if ("secret" in operation) return performOnSecret(stage, state, operation);
  const { kind, name } = operation;
  if (kind === "start a pod") return state.used.has(name) ? undefined : startPod(stage, operation);
  if (kind === "end the pod") return state.used.has(name) ? endPod(stage, operation) : undefined;
  const known = state.classes.get(name);
  if (known !== undefined) return performOnClass(stage, { state, known }, operation);
  return kind === "write the class" ? made(stage, operation) : undefined;
}

async function performOnClass(
  stage: Stage,
  { state, known }: { readonly state: ModelState; readonly known: ModelClass },
  operation: OfClass,
): Promise<Step | undefined> {
  switch (operation.kind) {
    case "write the class":
      return edited(stage, operation, { ...known, wanted: operation.wanted });
    case "rename a secretObject": {
      const next = renamed(known, operation.at, operation.to);
      return next === known || known.wanted.length === 0 ? undefined : edited(stage, operation, next);
    }
    case "rename the class":
      return state.classes.has(operation.to) ? undefined : renameClass(stage, known, operation);
    case "delete the class":
      return deleted(stage, operation);
    case "set sync":
      return annotated(stage, operation, { sync: operation.word });
    case "set adopt":
      return annotated(stage, operation, { adopt: operation.secrets.join(", ") });
    case "set the schedule":
      return annotated(stage, operation, { "rotation-poll-interval": operation.interval, "max-stale": operation.maxStale });
    case "ask for a refresh":
      return annotated(stage, operation, { refresh: randomUUID() });
    case "set the provider":
      return patched(stage, operation, { spec: { provider: operation.provider } });
    case "start a pod":
    case "end the pod":
      return undefined;
    default:
      return assertNever(operation);
  }
}

type OfClass<Kind extends Operation["kind"] = Operation["kind"]> = Extract<Operation, { readonly name: string }> & { readonly kind: Kind };

/** Makes the worker check every class, regardless of earlier events. Resolves with the mark that its snapshot and status then contain. */
export async function askAll(stage: Stage, state: ModelState): Promise<string> {
  const refresh = randomUUID();
  for (const name of state.classes.keys()) await annotated(stage, { kind: "ask for a refresh", name }, { refresh });
  return refresh;
}

export async function makeClass({ world, namespace }: Stage, name: string, wanted: readonly WantedSecret[]): Promise<string> {
  const { secretObjects, objects } = specOf(namespace, wanted);
  const body = classOf(world, { namespace, name, objects, secretObjects });
  const path = classPath(namespace, "").replace(/\/$/, "");
  const answer = await send(world.plane, { method: "POST", path, body });
  return (answer.body as KubeObject).metadata.creationTimestamp ?? ""; // The API server's answer to a POST.
}

async function made(stage: Stage, operation: OfClass<"write the class">): Promise<Step> {
  return { operation, created: await makeClass(stage, operation.name, operation.wanted) };
}

async function edited(stage: Stage, operation: OfClass, { wanted }: ModelClass): Promise<Step> {
  const { secretObjects, objects } = specOf(stage.namespace, wanted);
  const { spec } = classOf(stage.world, { namespace: stage.namespace, name: operation.name, objects, secretObjects });
  return patched(stage, operation, { spec: { secretObjects, parameters: { objects: spec?.parameters?.["objects"] } } });
}

async function renameClass(stage: Stage, known: ModelClass, operation: OfClass<"rename the class">): Promise<Step> {
  const create = () => makeClass(stage, operation.to, known.wanted);
  if (operation.isNewFirst) {
    const created = await create();
    await stage.whileRenaming?.();
    await deleted(stage, operation);
    return { operation, created };
  }
  await deleted(stage, operation);
  await stage.whileRenaming?.();
  return { operation, created: await create() };
}

async function deleted({ world, namespace }: Stage, operation: OfClass): Promise<Step> {
  await send(world.plane, { method: "DELETE", path: classPath(namespace, operation.name) });
  return { operation };
}

function annotated(stage: Stage, operation: OfClass, values: Readonly<Record<string, string>>): Promise<Step> {
  const annotations = Object.fromEntries(Object.entries(values).map(([key, value]) => [`${P}/${key}`, value]));
  return patched(stage, operation, { metadata: { annotations } });
}

async function patched({ world, namespace }: Stage, operation: OfClass, body: unknown): Promise<Step> {
  await send(world.plane, { method: "PATCH", path: classPath(namespace, operation.name), body, contentType: MERGE_PATCH });
  return { operation };
}

function specOf(namespace: string, wanted: readonly WantedSecret[]) {
  const names = new Set(wanted.flatMap(({ data }) => Object.values(data)));
  const secretObjects = wanted.map(({ name, type, data, labels, notes }) => ({
    secretName: name,
    type,
    labels,
    annotations: notes,
    data: Object.entries(data).map(([key, object]) => ({ key, objectName: `${namespace}-${object}` })),
  }));
  return { secretObjects, objects: [...names].map((object) => `${namespace}-${object}`) };
}

/** Creates a pod. No node runs it. */
async function startPod({ world, namespace }: Stage, operation: OfClass): Promise<Step> {
  const csi = { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: operation.name } };
  const spec = { containers: [{ name: "app", image: "app" }], volumes: [{ name: "secrets", csi }] };
  const body = { apiVersion: "v1", kind: "Pod", metadata: { name: operation.name }, spec };
  await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods`, body });
  return { operation };
}

async function endPod({ world, namespace }: Stage, operation: OfClass): Promise<Step> {
  const body = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 };
  await send(world.plane, { method: "DELETE", path: `/api/v1/namespaces/${namespace}/pods/${operation.name}`, body });
  return { operation };
}

async function performOnVault(
  stage: Stage,
  state: ModelState,
  operation: Extract<Operation, { readonly object: string }>,
): Promise<Step | undefined> {
  const { emulator, vault } = stage.world;
  const object = { vault, name: `${stage.namespace}-${operation.object}` };
  const known = state.objects.get(operation.object);
  if (operation.kind === "rotate") {
    const value = stage.unique();
    const { version } = await emulator.setSecret({ ...object, value });
    for (const { name, wanted } of state.classes.values()) {
      const isUsed = wanted.some(({ data }) => Object.values(data).includes(operation.object));
      if (operation.isAsked && isUsed) await annotated(stage, { kind: "ask for a refresh", name }, { refresh: randomUUID() });
    }
    return { operation, value, version };
  }
  if (known === undefined || known.state !== (operation.kind === "enable" ? "disabled" : "enabled")) return undefined;
  if (operation.kind === "disable") await emulator.disableSecret(object);
  else if (operation.kind === "enable") await emulator.enableSecret(object);
  else await emulator.deleteSecret(object);
  const done = performance.now();
  await eventually(() => performance.now() > done + SHARED_MS, { what: "the end of what is shared", every: 100 });
  return { operation };
}

type OfSecret = Extract<Operation, { readonly secret: string }>;

/** An object that the API server does not find, or a write that it rejects, means that nothing happened. The model knows these cases. */
async function performOnSecret(stage: Stage, state: ModelState, operation: OfSecret): Promise<Step | undefined> {
  const value = stage.unique();
  if (operation.kind === "take the label off" && !isOfClass(state, operation.secret)) return undefined;
  const answer = await apiRequest(stage.world.plane, callOf(stage, operation, value));
  if (answer.status >= 300 && ![404, 409, 422].includes(answer.status))
    throw new Error(`${operation.kind}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return { operation, value };
}

function isOfClass(state: ModelState, name: string): boolean {
  const live = state.secrets.get(name);
  return live !== undefined && isManaged(live);
}

function callOf({ namespace }: Stage, operation: OfSecret, value: string): ApiCall {
  const path = secretPath(namespace, operation.secret);
  const patch = (body: unknown): ApiCall => ({ method: "PATCH", path, body, contentType: MERGE_PATCH });
  switch (operation.kind) {
    case "make a foreign Secret": {
      const annotations = operation.agreesTo === undefined ? {} : { [ADOPTABLE_BY]: operation.agreesTo };
      const metadata = { name: operation.secret, labels: { l0: value }, annotations };
      const body = { apiVersion: "v1", kind: "Secret", metadata, stringData: { k0: value, theirs: value } };
      return { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body };
    }
    case "take the agreement back":
      return patch({ metadata: { annotations: { [ADOPTABLE_BY]: null } } });
    case "write into the Secret":
      return patch(bodyOf(operation, operation.field === "data" ? Buffer.from(value).toString("base64") : value));
    case "remove from the Secret":
      return patch(bodyOf(operation, null));
    case "delete the Secret":
      return { method: "DELETE", path };
    case "make the Secret immutable":
      return patch({ immutable: true });
    case "take the label off":
      return patch({ metadata: { labels: { [`${P}/managed`]: null } } });
    default:
      return assertNever(operation);
  }
}

function bodyOf({ field, key }: { readonly field: string; readonly key: string }, value: string | null): unknown {
  return field === "data" ? { data: { [key]: value } } : { metadata: { [field]: { [key]: value } } };
}

/** Waits for the namespace's account, without which the API server rejects all pods. */
export function podsAreAdmitted({ world, namespace }: Stage): Promise<unknown> {
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  return eventually(() => find<KubeObject>(world.plane, account), { what: "the default ServiceAccount", within: 60_000 });
}
