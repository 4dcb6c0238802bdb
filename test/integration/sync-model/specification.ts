/**
 * The required state of the Secrets in a namespace, derived only from the documentation. This module shares no code with the worker, has no
 * watch, queue or time, and judges one Secret at a time. Sources: `docs/how-to/mirror-a-secret.md`, `docs/reference/reasons.md`.
 */
import { type Field, REFUSED_TYPES, type SyncWord, type WantedSecret } from "./operations.ts";

export interface ModelClass {
  readonly name: string;
  /** Creation time, in whole seconds. */
  readonly created: string;
  readonly provider: string;
  readonly sync: SyncWord;
  readonly adopts: readonly string[];
  readonly wanted: readonly WantedSecret[];
}

export interface ModelObject {
  readonly value: string;
  readonly version: string;
  readonly state: "enabled" | "disabled" | "deleted";
}

type Entries = Readonly<Record<string, string>>;

export interface ModelSecret {
  readonly type: string;
  readonly isImmutable: boolean;
  /** All entries, from all writers. */
  readonly data: Entries;
  readonly labels: Entries;
  readonly annotations: Entries;
  /** Keys that the worker wrote last. */
  readonly ours: Readonly<Record<Field, readonly string[]>>;
}

export interface ModelState {
  readonly objects: ReadonlyMap<string, ModelObject>;
  readonly classes: ReadonlyMap<string, ModelClass>;
  /** Names of classes that a pod mounts. */
  readonly used: ReadonlySet<string>;
  readonly secrets: ReadonlyMap<string, ModelSecret>;
}

/** Rules in which a control can plant a mistake. */
export interface Rules {
  readonly keepsWhatOthersAdd: boolean;
  readonly repairsWhatOthersEdit: boolean;
  readonly leavesForeignSecrets: boolean;
  readonly removesOrphans: boolean;
  readonly prefersTheOlderClass: boolean;
  readonly givesAdoptedOnesBack: boolean;
  readonly keepsTheLastKnownGood: boolean;
  readonly stopsWithNever: boolean;
}

export const SPECIFICATION: Rules = {
  keepsWhatOthersAdd: true,
  repairsWhatOthersEdit: true,
  leavesForeignSecrets: true,
  removesOrphans: true,
  prefersTheOlderClass: true,
  givesAdoptedOnesBack: true,
  keepsTheLastKnownGood: true,
  stopsWithNever: true,
};

const P = "keyvault-injector.dev";
const MANAGED = `${P}/managed`;
const CLASS = `${P}/class`;
const OBJECTS = `${P}/objects`;
const CONTENT = `${P}/content`;
const ADOPTED = `${P}/adopted`;
export const ADOPTABLE_BY = `${P}/adoptable-by`;

/** The fingerprint uses a secret key, so the model only knows that one exists. */
export const SOME_FINGERPRINT = "some fingerprint";

/** Returns the namespace after the worker has done everything that is due. */
export function settled(state: ModelState, rules: Rules): ModelState {
  const named = [...state.classes.values()].flatMap(({ wanted }) => wanted.map(({ name }) => name));
  const secrets = new Map<string, ModelSecret>();
  for (const name of new Set([...state.secrets.keys(), ...named])) {
    const settledSecret = untilStable({ state, rules, name }, state.secrets.get(name));
    if (settledSecret !== undefined) secrets.set(name, settledSecret);
  }
  return { ...state, secrets };
}

interface Question {
  readonly state: ModelState;
  readonly rules: Rules;
  readonly name: string;
}

/** Decides repeatedly: another class may want a Secret that one class released. */
function untilStable(question: Question, live: ModelSecret | undefined): ModelSecret | undefined {
  const once = decide(question, live);
  const twice = decide(question, once);
  return decide(question, twice);
}

function decide(question: Question, live: ModelSecret | undefined): ModelSecret | undefined {
  const active = claimants(question).filter((claimant) => isActive(question, claimant));
  const [first] = question.rules.prefersTheOlderClass ? active : active.toReversed();
  if (live === undefined) return first === undefined ? undefined : fresh(question, first);
  if (!isManaged(live)) return first === undefined ? live : foreign(question, live, first);
  const owner = question.state.classes.get(live.annotations[CLASS] ?? "");
  if (owner === undefined) return letGo(question, live, first);
  if (isActive(question, owner) && wants(owner, question.name)) return kept(question, live, owner);
  if (!isOurs(owner)) return withoutUpdates(question, live, first);
  const isStopped = owner.sync === "never" && question.rules.stopsWithNever;
  return isStopped ? live : letGo(question, live, first);
}

/**
 * Returns the Secret of a class whose provider changed and may change back: the Secret stays unchanged until another class has content
 * for it.
 */
function withoutUpdates(question: Question, live: ModelSecret, first: ModelClass | undefined): ModelSecret {
  if (first === undefined || isAdopted(live) || fresh(question, first) === undefined) return live;
  return written(question, withOwner(live, first), first);
}

function letGo(question: Question, live: ModelSecret, first: ModelClass | undefined): ModelSecret | undefined {
  if (isAdopted(live)) return question.rules.givesAdoptedOnesBack ? released(live) : undefined;
  if (first !== undefined) return written(question, withOwner(live, first), first);
  return question.rules.removesOrphans ? undefined : live;
}

/** Returns the classes that name the Secret, the oldest first. */
function claimants({ state, name }: Question): readonly ModelClass[] {
  return [...state.classes.values()]
    .filter((candidate) => isOurs(candidate) && wants(candidate, name))
    .sort((a, b) => (`${a.created} ${a.name}` < `${b.created} ${b.name}` ? -1 : 1));
}

function isOurs({ provider }: ModelClass): boolean {
  return provider === "azure";
}

function isActive({ state, rules }: Question, candidate: ModelClass): boolean {
  if (!isOurs(candidate)) return false;
  if (candidate.sync === "never") return !rules.stopsWithNever;
  return candidate.sync === "always" || state.used.has(candidate.name);
}

function wants({ wanted }: ModelClass, name: string): boolean {
  return wanted.some((secret) => secret.name === name);
}

export function isManaged({ labels }: ModelSecret): boolean {
  return labels[MANAGED] === "true";
}

function isAdopted({ annotations }: ModelSecret): boolean {
  return annotations[ADOPTED] === "true";
}

function agrees(live: ModelSecret, { name, adopts }: ModelClass, secret: string): boolean {
  return adopts.includes(secret) && live.annotations[ADOPTABLE_BY] === name;
}

function foreign(question: Question, live: ModelSecret, first: ModelClass): ModelSecret {
  if (!question.rules.leavesForeignSecrets) return written(question, live, first);
  const wanted = first.wanted.find(({ name }) => name === question.name);
  if (!agrees(live, first, question.name) || live.isImmutable || live.type !== wanted?.type) return live;
  const taken = written(question, live, first);
  return taken === live ? live : { ...taken, annotations: { ...taken.annotations, [ADOPTED]: "true" } };
}

function kept(question: Question, live: ModelSecret, owner: ModelClass): ModelSecret | undefined {
  if (isAdopted(live) && !agrees(live, owner, question.name) && question.rules.givesAdoptedOnesBack) return released(live);
  return written(question, live, owner);
}

/** Returns the Secret without our ownership marks. Its content and the class's labels and annotations stay. */
function released(live: ModelSecret): ModelSecret {
  return {
    ...live,
    labels: without(live.labels, [MANAGED]),
    annotations: without(live.annotations, [CLASS, OBJECTS, CONTENT, ADOPTED]),
    ours: NOTHING,
  };
}

const NOTHING = { data: [], labels: [], annotations: [] };

function withOwner(live: ModelSecret, { name }: ModelClass): ModelSecret {
  return { ...live, annotations: { ...live.annotations, [CLASS]: name } };
}

/** Returns the Secret that the class wants. Undefined if its content is unavailable. */
function fresh({ state, rules, name }: Question, owner: ModelClass): ModelSecret | undefined {
  const wanted = owner.wanted.find((candidate) => candidate.name === name);
  if (wanted === undefined || REFUSED_TYPES.includes(wanted.type)) return undefined;
  const sources = Object.entries(wanted.data).map(([key, object]) => ({ key, object, found: state.objects.get(object) }));
  if (rules.keepsTheLastKnownGood && sources.some(({ found }) => found?.state !== "enabled")) return undefined;
  const objects = [...new Set(sources.map(({ object, found }) => `secret/${object}@${found?.version}`))].sort().join(",");
  const marks = { [CLASS]: owner.name, [OBJECTS]: objects, [CONTENT]: SOME_FINGERPRINT };
  const data = Object.fromEntries(sources.map(({ key, found }) => [key, found?.value ?? ""]));
  return secretOf(wanted.type, { data, labels: { ...wanted.labels, [MANAGED]: "true" }, annotations: { ...wanted.notes, ...marks } });
}

function secretOf(type: string, fields: Readonly<Record<Field, Entries>>): ModelSecret {
  const ours = { data: Object.keys(fields.data), labels: Object.keys(fields.labels), annotations: Object.keys(fields.annotations) };
  return { type, isImmutable: false, ...fields, ours };
}

/**
 * Updates the same object if possible. Leaves it unchanged if no content is available, or if it would have to be recreated and is not ours
 * to delete.
 */
function written(question: Question, live: ModelSecret, owner: ModelClass): ModelSecret {
  const { rules } = question;
  const wanted = fresh(question, owner);
  if (wanted === undefined) return live;
  const isEdited = live.ours.data.length !== Object.keys(wanted.data).length || !has(live.data, wanted.data);
  const mustBeMadeAnew = live.type !== wanted.type || (live.isImmutable && isEdited);
  if (mustBeMadeAnew) return isAdopted(live) ? live : wanted;
  if (!rules.repairsWhatOthersEdit && Object.keys(wanted.data).some((key) => live.data[key] !== undefined && !live.ours.data.includes(key)))
    return live;
  const merged = (field: Field): Entries => ({
    ...(rules.keepsWhatOthersAdd ? without(live[field], live.ours[field]) : {}),
    ...wanted[field],
  });
  const mark = isAdopted(live) ? { [ADOPTED]: "true" } : {};
  return {
    ...live,
    data: merged("data"),
    labels: merged("labels"),
    annotations: { ...merged("annotations"), ...mark },
    ours: { ...wanted.ours, annotations: [...wanted.ours.annotations, ...Object.keys(mark)] },
  };
}

function has(live: Entries, wanted: Entries): boolean {
  return Object.entries(wanted).every(([key, value]) => live[key] === value);
}

export function without(entries: Entries, keys: readonly string[]): Entries {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => !keys.includes(key)));
}
