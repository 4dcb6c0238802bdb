/** Objects of peers to classes that make the same Secrets. Pure: the same input gives the same output, in the order of the input. */
import type { JsonObject } from "../json-object.ts";
import { RESOURCES } from "../kubernetes.ts";
import { draftOfAkvSync } from "./akv-sync.ts";
import { draftOfKeyVaultSecret } from "./azure-key-vault-secret.ts";
import { buildClass } from "./build-class.ts";
import { Taken } from "./clash.ts";
import type { ClassDraft } from "./class-draft.ts";
import type { Drafted, Drafting } from "./drafting.ts";
import { draftOfExternalSecret } from "./external-secret.ts";
import { convertGivenClass } from "./given-class.ts";
import { mergedDrafts } from "./merge-drafts.ts";
import type { ConvertOptions } from "./options.ts";
import { isOf, PeerIndex, partsOf } from "./peer-index.ts";
import { errorOn, type PeerObject, type Remark } from "./peer-object.ts";
import { readSecretSync, type SyncedSecret } from "./secret-sync.ts";

/** What became of one object that makes Secrets. */
export interface Outcome {
  readonly from: PeerObject;
  readonly isConverted: boolean;
}

export interface Conversion {
  readonly classes: readonly JsonObject[];
  readonly remarks: readonly Remark[];
  /** Of every object that was to be converted; stores and accounts, which are only read, are not among them. */
  readonly outcomes: readonly Outcome[];
}

const ESO = "external-secrets.io";
const AKV2K8S = "spv.no";
const SYNC = "secret-sync.x-k8s.io";

/** Why objects of a kind have no class of their own. */
const HOPELESS: Readonly<Record<string, string>> = {
  [`${ESO} ClusterExternalSecret`]: "it makes ExternalSecrets in several namespaces; write a class in each of them",
  [`${ESO} PushSecret`]: "it writes to a vault, and a class reads; keep it",
};

export function convertObjects(objects: readonly PeerObject[], options: ConvertOptions): Conversion {
  const index = new PeerIndex(objects);
  const given = givenClasses(objects, { index, options });
  const drafted = objects.flatMap((from): readonly Drafted[] => {
    const drafting = draftingOf(from, { index, options });
    return drafting === undefined ? [] : [{ from: [from], ...whole(drafting, options) }];
  });
  const merged = mergedDrafts(drafted, options);
  const built = [...given.built, ...merged.map((each) => buildDrafted(each, options))];
  const inOrder = built.sort((one, other) => index.placeOf(one.from[0]) - index.placeOf(other.from[0]));
  return settle(inOrder, given.outcomes);
}

interface World {
  readonly index: PeerIndex;
  readonly options: ConvertOptions;
}

/** A class, or why there is none. */
interface Built {
  readonly from: readonly PeerObject[];
  readonly class: JsonObject | undefined;
  readonly remarks: readonly Remark[];
  /** SecretSyncs speak for themselves. */
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

function draftOfExternal(from: PeerObject, { index, options }: World): Drafting {
  const [, version] = partsOf(from);
  if (!ESO_VERSIONS.includes(version)) {
    const message = `apiVersion: ${version} is not read; write ${ESO}/v1, as the operator converts it`;
    return { draft: undefined, remarks: [errorOn(from, { path: ["apiVersion"], message })] };
  }
  return draftOfExternalSecret(from, {
    options,
    storeOf: (kind, name, namespace) => index.find({ group: ESO, kind, name, namespace: kind === "SecretStore" ? namespace : undefined }),
    accountOf: (name, namespace) => index.find({ group: "", kind: "ServiceAccount", name, namespace }),
    namespaceOf: (name) => index.find({ group: "", kind: "Namespace", name, namespace: undefined }),
  });
}

/** A draft that lacks something is none, unless half of it is asked for. */
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
  /** Of SecretSyncs. */
  readonly outcomes: readonly Outcome[];
}

/** Classes of the input, with what the SecretSyncs of the input add to them. */
function givenClasses(objects: readonly PeerObject[], { index, options }: World): GivenClasses {
  const { group, kind } = RESOURCES.secretProviderClasses;
  const added = new Map<PeerObject, SyncedSecret[]>();
  const syncs: Built[] = [];
  for (const from of objects.filter((each) => isOf(each, SYNC, "SecretSync"))) {
    const { namespace } = from;
    const classOf = (name: string): PeerObject | undefined => index.find({ group, kind, name, namespace });
    const read = readSecretSync(from, { classOf, isPartial: options.isPartial });
    syncs.push({ from: [from], class: undefined, remarks: read.remarks, isCounted: false });
    if (read.synced !== undefined) added.set(read.synced.spc, [...(added.get(read.synced.spc) ?? []), read.synced]);
  }
  const built = objects
    .filter((each) => isOf(each, group, kind))
    .map((from): Built => {
      const { class: made, remarks } = convertGivenClass(from, added.get(from) ?? [], options);
      return { from: [from], class: made, remarks, isCounted: true };
    });
  const printed = built.flatMap((each) => (each.class === undefined ? [] : each.from.flatMap((spc) => added.get(spc) ?? [])));
  const converted = new Set(printed.filter(({ isWhole }) => isWhole).map(({ from }) => from));
  const outcomes = syncs.flatMap(({ from }) => from.map((each) => ({ from: each, isConverted: converted.has(each) })));
  return { built: [...built, ...syncs], outcomes };
}

/** No class twice, and no Secret by two classes: the second of them is left out. */
function settle(built: readonly Built[], outcomes: readonly Outcome[]): Conversion {
  const taken = new Taken();
  const classes: JsonObject[] = [];
  const remarks: Remark[] = [];
  const counted: Outcome[] = [];
  for (const each of built) {
    const clash = each.class && taken.take(each.class);
    const own = clash === undefined ? each.remarks : [...each.remarks, ...each.from.map((from) => clashOn(from, clash))];
    const failed = own.filter(({ severity }) => severity === "error").map(({ on }) => on);
    remarks.push(...own);
    if (each.class !== undefined && clash === undefined) classes.push(each.class);
    // An object that makes no Secret, and is none to complain of, was not to be converted.
    const isSomething = each.class !== undefined || failed.length > 0;
    if (each.isCounted && isSomething)
      counted.push(...each.from.map((from) => ({ from, isConverted: each.class !== undefined && !failed.includes(from) })));
  }
  return { classes, remarks, outcomes: [...counted, ...outcomes] };
}

function clashOn(from: PeerObject, message: string): Remark {
  return errorOn(from, { path: ["metadata", "name"], message });
}
