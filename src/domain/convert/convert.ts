/**
 * Converts objects of peers to classes that create the same Secrets. Pure: the same input gives the same output, in the order of the input.
 */

import { itemsIn, memberOf, membersOf, nonEmptyText, objectAt } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { RESOURCES } from "../kubernetes.ts";
import { draftOfAkvSync } from "./akv-sync.ts";
import { draftOfKeyVaultSecret } from "./azure-key-vault-secret.ts";
import { buildClass } from "./build-class.ts";
import type { ClassDraft } from "./class-draft.ts";
import type { Drafted, Drafting } from "./drafting.ts";
import { draftOfExternalSecret } from "./external-secret.ts";
import { convertGivenClass } from "./given-class.ts";
import { mergedDrafts } from "./merge-drafts.ts";
import type { ConvertOptions } from "./options.ts";
import { type ConversionRemark, errorOn, isSameNamespace, type PeerObject } from "./peer-object.ts";
import { readSecretSync, type SyncedSecret } from "./secret-sync.ts";
import { unreadFields } from "./unread-fields.ts";

/** Result for one object that creates Secrets. */
export interface ConversionOutcome {
  readonly from: PeerObject;
  readonly isConverted: boolean;
}

export interface Conversion {
  readonly classes: readonly JsonObject[];
  readonly remarks: readonly ConversionRemark[];
  /** Outcomes of every object to convert. Stores and accounts are not included, because the converter only reads them. */
  readonly outcomes: readonly ConversionOutcome[];
}

const ESO = "external-secrets.io";
const AKV2K8S = "spv.no";
const SYNC = "secret-sync.x-k8s.io";

/** Reasons why objects of a kind cannot become a class. */
const HOPELESS: Readonly<Record<string, string>> = {
  [`${ESO} ClusterExternalSecret`]: "it creates ExternalSecrets in several namespaces; write a class in each of them",
  [`${ESO} PushSecret`]: "it writes to a vault, but a class only reads; keep it",
};

export function convertObjects(objects: readonly PeerObject[], options: ConvertOptions): Conversion {
  const index = new PeerIndex(objects);
  const world: World = { index, options, stores: new Set() };
  const given = givenClasses(objects, world);
  const drafted = objects.flatMap((from): readonly Drafted[] => {
    const drafting = draftingOf(from, world);
    if (drafting === undefined) return [];
    const { draft, remarks } = whole(drafting, options);
    // Without a class, no field can have an effect on it.
    return [{ from: [from], draft, remarks: draft === undefined ? remarks : [...remarks, ...unreadFields(from)] }];
  });
  const merged = mergedDrafts(drafted, options);
  const stores = [...world.stores].map(
    (store): Built => ({ from: [store], class: undefined, remarks: unreadFields(store), isCounted: false }),
  );
  const built = [...given.built, ...merged.map((each) => buildDrafted(each, options)), ...stores];
  const inOrder = built.sort((one, other) => index.placeOf(one.from[0]) - index.placeOf(other.from[0]));
  return settle(inOrder, given.outcomes);
}

interface World {
  readonly index: PeerIndex;
  readonly options: ConvertOptions;
  /** Collects the stores of Azure Key Vault that the ExternalSecrets use. */
  readonly stores: Set<PeerObject>;
}

/** A class, or the remarks that explain why there is none. */
interface Built {
  readonly from: readonly PeerObject[];
  readonly class: JsonObject | undefined;
  readonly remarks: readonly ConversionRemark[];
  /** Whether the outcomes include these objects here. SecretSyncs have their own outcomes. */
  readonly isCounted: boolean;
}

function draftingOf(from: PeerObject, world: World): Drafting | undefined {
  const hopeless = HOPELESS[`${partsOf(from)[0]} ${from.kind}`];
  if (hopeless !== undefined) return { draft: undefined, remarks: [errorOn(from, { path: ["kind"], message: `kind: ${hopeless}` })] };
  if (isOf(from, ESO, "ExternalSecret")) return draftOfExternal(from, world);
  if (isOf(from, AKV2K8S, "AzureKeyVaultSecret")) return draftOfKeyVaultSecret(from, world.options);
  return isOf(from, SYNC, "AKVSync") ? draftOfAkvSync(from) : undefined;
}

const ESO_VERSIONS = ["v1", "v1beta1"];

function draftOfExternal(from: PeerObject, { index, options, stores }: World): Drafting {
  const [, version] = partsOf(from);
  if (!ESO_VERSIONS.includes(version)) {
    const message = `apiVersion: ${version} is not supported; write ${ESO}/v1, as the operator converts it`;
    return { draft: undefined, remarks: [errorOn(from, { path: ["apiVersion"], message })] };
  }
  return draftOfExternalSecret(from, {
    options,
    storeOf: (kind, name, namespace) => {
      const store = index.find({ group: ESO, kind, name, namespace: kind === "SecretStore" ? namespace : undefined });
      if (store !== undefined && isOfAzure(store)) stores.add(store);
      return store;
    },
    accountOf: (name, namespace) => index.find({ group: "", kind: "ServiceAccount", name, namespace }),
    namespaceOf: (name) => index.find({ group: "", kind: "Namespace", name, namespace: undefined }),
  });
}

function isOfAzure({ object }: PeerObject): boolean {
  return objectAt(object, ["spec", "provider", "azurekv"]) !== undefined;
}

/** Drops a draft with errors, unless the user requested partial results. */
function whole({ draft, remarks }: Drafting, { isPartial }: ConvertOptions): Drafting {
  const isWhole = remarks.every(({ severity }) => severity === "warning");
  return { draft: isWhole || isPartial ? draft && withoutEmpty(draft) : undefined, remarks };
}

function withoutEmpty(draft: ClassDraft): ClassDraft | undefined {
  const secrets = draft.secrets.filter(({ entries }) => entries.length > 0);
  return secrets.length === 0 ? undefined : { ...draft, secrets };
}

function buildDrafted({ from, draft, remarks }: Drafted, options: ConvertOptions): Built {
  if (draft === undefined) return { from, class: undefined, remarks, isCounted: true };
  const made = buildClass(draft, options);
  if (made.ok) return { from, class: made.value, remarks, isCounted: true };
  const problems = from.map((each) => errorOn(each, { path: ["spec"], message: made.error }));
  return { from, class: undefined, remarks: [...remarks, ...problems], isCounted: true };
}

interface GivenClasses {
  readonly built: readonly Built[];
  /** Outcomes of the SecretSyncs. */
  readonly outcomes: readonly ConversionOutcome[];
}

/** Converts the classes of the input, with the Secrets that the SecretSyncs of the input add to them. */
function givenClasses(objects: readonly PeerObject[], { index, options }: World): GivenClasses {
  const { group, kind } = RESOURCES.secretProviderClasses;
  const added = new Map<PeerObject, SyncedSecret[]>();
  const syncs: Built[] = [];
  for (const from of objects.filter((each) => isOf(each, SYNC, "SecretSync"))) {
    const { namespace } = from;
    const classOf = (name: string): PeerObject | undefined => index.find({ group, kind, name, namespace });
    const read = readSecretSync(from, { classOf, isPartial: options.isPartial });
    syncs.push({ from: [from], class: undefined, remarks: [...read.remarks, ...unreadFields(from)], isCounted: false });
    if (read.synced !== undefined) added.set(read.synced.spc, [...(added.get(read.synced.spc) ?? []), read.synced]);
  }
  const built = objects
    .filter((each) => isOf(each, group, kind))
    .map((from): Built => {
      const { class: made, remarks } = convertGivenClass(from, added.get(from) ?? [], options);
      return { from: [from], class: made, remarks: [...remarks, ...unreadFields(from)], isCounted: true };
    });
  const printed = built.flatMap((each) => (each.class === undefined ? [] : each.from.flatMap((spc) => added.get(spc) ?? [])));
  const converted = new Set(printed.filter(({ isWhole }) => isWhole).map(({ from }) => from));
  const outcomes = syncs.flatMap(({ from }) => from.map((each) => ({ from: each, isConverted: converted.has(each) })));
  return { built: [...built, ...syncs], outcomes };
}

/** Omits the second of two classes with the same name, and the second of two classes that create the same Secret. */
function settle(built: readonly Built[], outcomes: readonly ConversionOutcome[]): Conversion {
  const taken = new TakenName();
  const classes: JsonObject[] = [];
  const remarks: ConversionRemark[] = [];
  const counted: ConversionOutcome[] = [];
  for (const each of built) {
    const clash = each.class && taken.take(each.class);
    const own = clash === undefined ? each.remarks : [...each.remarks, ...each.from.map((from) => clashOn(from, clash))];
    const failed = own.filter(({ severity }) => severity === "error").map(({ on }) => on);
    remarks.push(...own);
    if (each.class !== undefined && clash === undefined) classes.push(each.class);
    // An object that creates no Secret and has no error was not meant for conversion.
    const isSomething = each.class !== undefined || failed.length > 0;
    if (each.isCounted && isSomething)
      counted.push(...each.from.map((from) => ({ from, isConverted: each.class !== undefined && !failed.includes(from) })));
  }
  return { classes, remarks, outcomes: [...counted, ...outcomes] };
}

function clashOn(from: PeerObject, message: string): ConversionRemark {
  return errorOn(from, { path: ["metadata", "name"], message });
}

/** Names of the classes that are already printed, and of the Secrets that they create. */
class TakenName {
  readonly #classes = new Set<string>();
  readonly #secrets = new Map<string, string>();

  /** Explains why the class clashes with an earlier one. Without a clash, records its names and returns undefined. */
  take(spc: JsonObject): string | undefined {
    const metadata = memberOf(spc, "metadata");
    const [name, namespace] = [nonEmptyText(metadata["name"]) ?? "", nonEmptyText(metadata["namespace"]) ?? ""];
    const key = `${namespace}/${name}`;
    if (this.#classes.has(key)) return `metadata.name: another object also becomes class ${name}; rename one of the two`;
    const secrets = itemsIn(memberOf(spc, "spec")["secretObjects"]).map((object) => String(membersOf(object)["secretName"]));
    const shared = secrets.find((secret) => this.#secrets.has(`${namespace}/${secret}`));
    if (shared !== undefined) {
      const other = this.#secrets.get(`${namespace}/${shared}`) ?? "";
      return `metadata.name: the class ${other} already creates the Secret ${shared}, and a Secret can have only one class; merge the two`;
    }
    this.#classes.add(key);
    for (const secret of secrets) this.#secrets.set(`${namespace}/${secret}`, name);
    return undefined;
  }
}

/** Returns group (empty for the core group) and version. */
function partsOf({ object }: PeerObject): readonly [group: string, version: string] {
  const [first = "", second] = (nonEmptyText(object["apiVersion"]) ?? "").split("/");
  return second === undefined ? ["", first] : [first, second];
}

function isOf(object: PeerObject, group: string, kind: string): boolean {
  return object.kind === kind && partsOf(object)[0] === group;
}

interface Wanted {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Undefined: any namespace. */
  readonly namespace: string | undefined;
}

/** Index of the input objects by name. */
class PeerIndex {
  readonly #byName = new Map<string, PeerObject[]>();
  readonly #places = new Map<PeerObject, number>();

  constructor(objects: readonly PeerObject[]) {
    for (const [place, object] of objects.entries()) {
      const key = `${partsOf(object)[0]} ${object.kind} ${object.name}`;
      const known = this.#byName.get(key);
      if (known === undefined) this.#byName.set(key, [object]);
      else known.push(object);
      this.#places.set(object, place);
    }
  }

  /** Returns the object in the namespace, otherwise an object that may be in it. */
  find({ group, kind, name, namespace }: Wanted): PeerObject | undefined {
    const found = this.#byName.get(`${group} ${kind} ${name}`) ?? [];
    return found.find((each) => each.namespace === namespace) ?? found.find((each) => isSameNamespace(each.namespace, namespace));
  }

  /** Position of the object in the input. */
  placeOf(object: PeerObject | undefined): number {
    return (object && this.#places.get(object)) ?? -1;
  }
}
