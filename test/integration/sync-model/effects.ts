import { assertNever } from "../../../src/domain/assert-never.ts";
import type { Field, Operation } from "./operations.ts";
import { ADOPTABLE_BY, type ModelClass, type ModelSecret, type ModelState, without } from "./specification.ts";

/** An executed operation, with facts that only the servers know. */
export interface Step {
  readonly operation: Operation;
  /** Creation time of the class that the operation created. */
  readonly created?: string;
  /** Value and version that the operation set. */
  readonly value?: string;
  readonly version?: string;
}

/** Returns the state that the operation itself causes, before the worker has seen it. */
export function effectOf(state: ModelState, step: Step): ModelState {
  const { operation } = step;
  if ("object" in operation) return vaultEffect(state, operation, step);
  if ("secret" in operation) return { ...state, secrets: secretEffect(state.secrets, operation, step) };
  return classEffect(state, operation, step);
}

/** Returns the requests of a step. The worker can act between them. */
export function partsOf({ classes }: ModelState, step: Step): readonly Step[] {
  const { operation } = step;
  if (operation.kind !== "rename the class") return [step];
  const { name, to, isNewFirst } = operation;
  const deletion: Step = { operation: { kind: "delete the class", name } };
  const creation: Step = { ...step, operation: { kind: "write the class", name: to, wanted: classes.get(name)?.wanted ?? [] } };
  return isNewFirst ? [creation, deletion] : [deletion, creation];
}

type ClassOperation = Extract<Operation, { readonly name: string }>;

function classEffect(state: ModelState, operation: ClassOperation, step: Step): ModelState {
  const { name } = operation;
  switch (operation.kind) {
    case "write the class":
      return withClass(state, name, (known) => ({ ...(known ?? newClass(name, step)), wanted: operation.wanted }));
    case "rename a secretObject":
      return changedClass(state, name, (known) => renamed(known, operation.at, operation.to));
    case "rename the class":
      return partsOf(state, step).reduce(effectOf, state);
    case "delete the class":
      return withoutClass(state, name);
    case "set sync":
      return changedClass(state, name, (known) => ({ ...known, sync: operation.word }));
    case "set adopt":
      return changedClass(state, name, (known) => ({ ...known, adopts: operation.secrets }));
    case "set the provider":
      return changedClass(state, name, (known) => ({ ...known, provider: operation.provider }));
    case "set the schedule":
    case "ask for a refresh":
      return state;
    case "start a pod":
      return { ...state, used: new Set([...state.used, name]) };
    case "end the pod":
      return { ...state, used: new Set([...state.used].filter((other) => other !== name)) };
    default:
      return assertNever(operation);
  }
}

export function newClass(name: string, { created = "" }: Pick<Step, "created">): ModelClass {
  return { name, created, provider: "azure", sync: "always", adopts: [], wanted: [] };
}

/** Ignores a name that the class already has. */
export function renamed(known: ModelClass, at: number, to: string): ModelClass {
  if (known.wanted.some(({ name }) => name === to)) return known;
  return { ...known, wanted: known.wanted.map((secret, index) => (index === at % known.wanted.length ? { ...secret, name: to } : secret)) };
}

function withClass(state: ModelState, name: string, change: (known: ModelClass | undefined) => ModelClass): ModelState {
  return { ...state, classes: new Map([...state.classes, [name, change(state.classes.get(name))]]) };
}

function changedClass(state: ModelState, name: string, change: (known: ModelClass) => ModelClass): ModelState {
  const known = state.classes.get(name);
  return known === undefined ? state : withClass(state, name, () => change(known));
}

function withoutClass(state: ModelState, name: string): ModelState {
  return { ...state, classes: new Map([...state.classes].filter(([other]) => other !== name)) };
}

type VaultOperation = Extract<Operation, { readonly object: string }>;

function vaultEffect(state: ModelState, { kind, object }: VaultOperation, { value = "", version = "" }: Step): ModelState {
  const known = state.objects.get(object) ?? { value, version };
  const changed = kind === "rotate" ? { value, version } : known;
  return { ...state, objects: new Map([...state.objects, [object, { ...changed, state: AFTER[kind] }]]) };
}

const AFTER = { rotate: "enabled", enable: "enabled", disable: "disabled", "delete the object": "deleted" } as const;

type SecretOperation = Extract<Operation, { readonly secret: string }>;
type Secrets = ReadonlyMap<string, ModelSecret>;

function secretEffect(secrets: Secrets, operation: SecretOperation, { value = "" }: Step): Secrets {
  const { secret } = operation;
  const live = secrets.get(secret);
  if (operation.kind === "make a foreign Secret")
    return live === undefined ? new Map([...secrets, [secret, foreignSecret(value, operation.agreesTo)]]) : secrets;
  if (operation.kind === "delete the Secret") return new Map([...secrets].filter(([name]) => name !== secret));
  return live === undefined ? secrets : new Map([...secrets, [secret, changed(live, operation, value)]]);
}

function changed(
  live: ModelSecret,
  operation: Exclude<SecretOperation, { readonly kind: "make a foreign Secret" }>,
  value: string,
): ModelSecret {
  switch (operation.kind) {
    case "take the agreement back":
      return removed(live, "annotations", ADOPTABLE_BY);
    case "make the Secret immutable":
      return { ...live, isImmutable: true };
    case "take the label off":
      return removed(live, "labels", "keyvault-injector.dev/managed");
    case "remove from the Secret":
      return isRefused(live, operation.field) ? live : removed(live, operation.field, operation.key);
    case "write into the Secret":
      return isRefused(live, operation.field) ? live : added(live, operation, value);
    case "delete the Secret":
      return live;
    default:
      return assertNever(operation);
  }
}

function foreignSecret(value: string, agreesTo: string | undefined): ModelSecret {
  const annotations: Readonly<Record<string, string>> = agreesTo === undefined ? {} : { [ADOPTABLE_BY]: agreesTo };
  return {
    type: "Opaque",
    isImmutable: false,
    data: { k0: value, theirs: value },
    labels: { l0: value },
    annotations,
    ours: { data: [], labels: [], annotations: [] },
  };
}

function isRefused({ isImmutable }: ModelSecret, field: Field): boolean {
  return isImmutable && field === "data";
}

/** Removes the key from the worker's fields: the last writer owns an entry, according to the API server's managed fields. */
function disowned(live: ModelSecret, field: Field, key: string): ModelSecret["ours"] {
  return { ...live.ours, [field]: live.ours[field].filter((other) => other !== key) };
}

function removed(live: ModelSecret, field: Field, key: string): ModelSecret {
  return { ...live, [field]: without(live[field], [key]), ours: disowned(live, field, key) };
}

function added(live: ModelSecret, { field, key }: { readonly field: Field; readonly key: string }, value: string): ModelSecret {
  return { ...live, [field]: { ...live[field], [key]: value }, ours: disowned(live, field, key) };
}
