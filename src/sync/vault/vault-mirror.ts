import { objectIdOf } from "../../domain/content/object-file.ts";
import type { RenderOptions } from "../../domain/content/render.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, objectKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Decoder } from "../../domain/ports/decoder.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import type { VaultClients } from "../../domain/ports/vault-client.ts";
import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import type { CloudOptions } from "../../domain/provider-class/parameters.ts";
import { type ClassProblem, describeProblem } from "../../domain/provider-class/problem.ts";
import { type OrderedRead, readInOrder } from "../../domain/read-in-order.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import { type DataEntry, entryKey as dataKeyOf, filesOfEntry, type SecretObjectEntries } from "../../domain/secret-data/data-entries.ts";
import type { Selection } from "../../domain/secret-data/select-objects.ts";
import type { SecretOutcome } from "../../domain/secret-objects/desired-secret.ts";
import { givenKey } from "../../domain/sync/key-status.ts";
import { type FoundObject, vaultNamed } from "../../domain/sync/object-status.ts";
import type { KeyStatus } from "../../domain/sync/status-fields.ts";
import { shortText } from "../../domain/sync/status-size.ts";
import { checkNamedObjects, foundObjects } from "./check-named-objects.ts";
import { ClassContent } from "./class-content.ts";
import { type Fetched, type FetchedInRoom, failureOfFile, fetchObjects, fileNamed } from "./fetch-objects.ts";
import { findIdentity, type IdentityOptions, type IdentityRefusal } from "./find-identity.ts";
import type { Known } from "./known-files.ts";
import type { FetchMirror, FetchRequest, Mirror, MirroredSecret, Recheck, Refused } from "./mirror.ts";
import type { ObjectFailure } from "./object-refusals.ts";
import { createObjectVersionCaches, type ObjectVersionCache } from "./object-version-cache.ts";
import { RecentSecrets } from "./recent-secrets.ts";
import { createRecheck, type RecheckOptions, refusalOf } from "./recheck.ts";
import { selectFromLists } from "./select-from-lists.ts";
import type { ValuesInHand } from "./values-in-hand.ts";
import { withBudget } from "./vault-budget.ts";
import type { Leadership } from "./vault-gate.ts";
import type { VaultMetrics } from "./vault-metrics.ts";
import { checkVersions, type SeenObject, type VersionCheck } from "./version-check.ts";

export interface MirrorsOptions {
  readonly cloud: CloudOptions;
  /** Sources and limits of the identities of classes. */
  readonly identities: Omit<IdentityOptions, "credentials">;
  readonly vaults: VaultClients;
  readonly content: ContentOptions;
  readonly clock: Clock;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  readonly vaultMetrics: VaultMetrics;
  /** As in `ObjectVersionCacheOptions`. */
  readonly onChange: (classKey: string) => boolean;
  /** As in `GateOptions`. */
  readonly leadership?: Leadership | undefined;
  readonly portion?: number | undefined;
}

/** Parts that turn values into Secrets. */
export interface ContentOptions {
  readonly render: RenderOptions;
  readonly decoder: Decoder;
  /** Returns the key from which the salts for a namespace are derived: a secret of the install. */
  readonly saltKeyOf: (namespace: string) => Uint8Array;
  readonly values: ValuesInHand;
}

/** The same options, within the limits of the vaults and with a version cache for each identity. */
type Mirroring = RecheckOptions & Pick<MirrorsOptions, "cloud" | "content">;

export function createMirrors({ vaults, random, onChange, leadership, portion, ...options }: MirrorsOptions): FetchMirror {
  const { clock, vaultMetrics: metrics } = options;
  const budgeted = withBudget(vaults, { clock, random, metrics, leadership, portion });
  const versionCacheOf = createObjectVersionCaches({ clock, metrics, onChange });
  const identities = { ...options.identities, credentials: new RecentSecrets(options.identities.kube, clock) };
  const mirroring: Mirroring = { ...options, identities, vaults: budgeted, versionCacheOf };
  return (provider, fetchRequest, signal) => mirrorFromVault(mirroring, { provider, fetchRequest }, signal);
}

interface MirrorRequest {
  readonly provider: SecretProviderClass;
  readonly fetchRequest: FetchRequest;
}

const NOTHING: Fetched = { files: [], failures: [] };

/** Maximum number of warnings in an answer. They are enough to correct a class; the next ones are shown after that. */
const MOST_WARNINGS = 20;

/** Reads the objects of a class from its vault and returns what its Secrets should contain. */
async function mirrorFromVault(options: Mirroring, request: MirrorRequest, signal: AbortSignal): Promise<Mirror> {
  const { provider, fetchRequest } = request;
  const owner = objectKey(provider.metadata);
  const { namespace = "" } = provider.metadata;
  const content = new ClassContent(options.content.decoder, { namespace, saltKey: () => options.content.saltKeyOf(namespace) });
  const read = await readInOrder(
    provider.spec,
    { owner, ...options.cloud },
    {
      namespace,
      limits: options.identities.limits,
      findIdentity: (mode) => findIdentity(options.identities, { provider, mode, credentialsMs: fetchRequest.credentialsMs }, signal),
      prepareObjects: () => content.readObjects(provider.spec, signal),
    },
  );
  if (read.kind !== "class") return refused(refusalOfRead(read));
  const { identity } = read;
  const { address, identity: mode, objects, warnings } = read.providerClass;
  options.vaultMetrics.vaults.noteUse(owner, address.vaultUrl);
  const versionCache = options.versionCacheOf(options.vaults.clientFor(address, identity, namespace));
  const vault = vaultNamed(address);
  const asked = { provider, fetchRequest: aboutVault(fetchRequest, vault), vault };
  // A cloud that the operator describes has no recheck: the worker reads the description at each poll.
  const isOwnCloud = address.customScope !== undefined;
  const recheckOf = (seen: readonly SeenObject[]): Recheck | undefined =>
    isOwnCloud ? undefined : createRecheck(options, { provider, mode, address, versionCache: new WeakRef(versionCache), seen });
  try {
    const mirror = await mirrorObjects(options, { ...asked, versionCache, objects, content, recheckOf }, signal);
    if (mirror.kind !== "answered") return mirror;
    return { ...mirror, warnings: warnings.slice(0, MOST_WARNINGS).map(({ field, message }) => shortText(`${field}: ${message}`)) };
  } catch (error) {
    return refusalOf(error);
  }
}

/** Drops the stored objects of another vault, which the class named before: they say nothing about the objects that it names now. */
function aboutVault(fetchRequest: FetchRequest, vault: string): FetchRequest {
  if (fetchRequest.kind === "everything") return fetchRequest;
  return { ...fetchRequest, storedObjects: fetchRequest.storedObjects?.filter((stored) => stored.vault === vault) };
}

interface MirrorObjects extends MirrorRequest {
  /** Name of the vault in statuses. */
  readonly vault: string;
  readonly versionCache: ObjectVersionCache;
  readonly objects: readonly ClassObject[];
  readonly content: ClassContent;
  readonly recheckOf: (seen: readonly SeenObject[]) => Recheck | undefined;
}

async function mirrorObjects(
  { clock, content: { render, values } }: Mirroring,
  { provider, fetchRequest, vault, versionCache, objects: named, content, recheckOf }: MirrorObjects,
  signal: AbortSignal,
): Promise<Mirror> {
  const classKey = keyOf(provider);
  const selection = await selectFromLists(
    versionCache,
    { classKey, spec: provider.spec, objects: named, fetchRequest, now: clock.now() },
    signal,
  );
  const { objects, secretObjects, leaving } = selection;
  const input = { classKey, objects, secretObjects, leaving, fetchRequest, now: clock.now() };
  const check = await checkVersions(versionCache, input, signal);
  if (secretObjects.length === 0) {
    const checked = await checkNamedObjects(check.reader, check.wanted, signal);
    const failures = [...checked.values()].flatMap((state) => (state?.kind === "failed" ? [state.failure] : []));
    versionCache.refusals.note({ ...input, asked: check.wanted, failures, now: clock.now() });
    const stateOf = (object: ClassObject): Known => checked.get(object) ?? check.known.get(object);
    return mountedAnswer(foundObjects(vault, objects, stateOf), objects.map(stateOf), check);
  }
  const fetch = (hasRoom: (bytes: number) => boolean): Promise<FetchedInRoom> =>
    fetchObjects({ client: check.reader, render, content, hasRoom }, check.wanted, signal);
  const { files, failures } = check.wanted.length === 0 ? NOTHING : await values.fetch(provider, fetch, signal);
  versionCache.refusals.note({ ...input, asked: check.wanted, failures, now: clock.now() });
  const outcomes = await content.buildSecrets(secretObjects, files, signal);
  // In the class's order: the status must not depend on which objects were requested this time.
  const places = new Map(objects.map(({ path }, index) => [path, index]));
  const placeOf = ({ object }: ObjectFailure): number => places.get(object.path) ?? objects.length;
  const inOrder = [...check.failures, ...failures].sort((a, b) => placeOf(a) - placeOf(b));
  const answered = answer({ fetchRequest, check, selection }, outcomes, { files, failures: inOrder });
  // A class that selects objects has no recheck: each poll selects anew from the lists.
  if (objects !== named || check.seen === undefined || answered.kind !== "answered") return answered;
  const isUnchanged = answered.secrets.every(({ kind }) => kind === "unchanged");
  return isUnchanged ? { ...answered, recheck: recheckOf(check.seen) } : answered;
}

function refused({ reason, message, retry = { kind: "never" } }: IdentityRefusal): Refused {
  return { kind: "refused", reason, message: shortText(message), retry };
}

function refusalOfRead(read: Exclude<OrderedRead<unknown, IdentityRefusal>, { readonly kind: "class" }>): IdentityRefusal {
  switch (read.kind) {
    case "notOurs":
      return { reason: "InvalidClass", message: `the provider ${read.provider} is not azure` };
    case "unidentified":
      return read.refusal;
    case "invalid":
    case "limited":
      return asRefusal(read.problem);
  }
}

function asRefusal(problem: ClassProblem): IdentityRefusal {
  return { reason: problem.reason, message: describeProblem(problem) };
}

interface Answering extends Pick<MirrorRequest, "fetchRequest"> {
  readonly check: VersionCheck;
  readonly selection: Selection;
}

/**
 * Returns the answer for the Secrets. If no object was fetched and no Secret is unchanged, the first failure is the refusal of the class.
 * Otherwise each Secret that needs a missing object reports the reason itself.
 */
function answer({ fetchRequest, check, selection }: Answering, outcomes: readonly SecretOutcome[], { files, failures }: Fetched): Mirror {
  const [first] = failures;
  if (first !== undefined && files.length === 0 && check.unchanged.size === 0) return refused({ ...first, retry: retryOf(failures) });
  const secrets = outcomes.map(
    (outcome, index) =>
      unselected(outcome, selection, fetchRequest) ??
      unchanged(outcome, check, fetchRequest) ??
      mirrored(outcome, selection.secretObjects[index], { files, failures }),
  );
  // The state of objects that could not be listed is unknown.
  const unanswered = first ?? selection.unlisted;
  return {
    kind: "answered",
    notFresh: unanswered && { reason: unanswered.reason, message: unanswered.message },
    checkedAt: selection.unlisted === undefined ? check.checkedAt : undefined,
    retry: first === undefined && selection.unlisted !== undefined ? { kind: "never" } : retryOf(failures),
    secrets,
    warnings: [],
  };
}

/** Returns the answer for a class without synced Secrets: the versions that a pod that mounts it would get. */
function mountedAnswer(objects: readonly FoundObject[], states: readonly Known[], { checkedAt }: VersionCheck): Mirror {
  const failures = states.flatMap((state) => (state?.kind === "failed" ? [state.failure] : []));
  const [first] = failures;
  if (first !== undefined && failures.length === states.length) return refused({ ...first, retry: retryOf(failures) });
  const notFresh = first && { reason: first.reason, message: first.message };
  return {
    kind: "answered",
    notFresh,
    checkedAt,
    retry: retryOf(failures),
    secrets: [],
    warnings: [],
    objects,
  };
}

/** Returns the retry of a failure that may soon be over, if there is one; otherwise that of the first failure. */
function retryOf(failures: Fetched["failures"]): Retry {
  const passing = failures.find(({ retry }) => retry.kind !== "never");
  return (passing ?? failures[0])?.retry ?? { kind: "backoff" };
}

/** Returns the failure of a Secret whose selection has a problem. The Secret stays as it is and reports the reason. */
function unselected(outcome: SecretOutcome, { problems }: Selection, { selection }: FetchRequest): MirroredSecret | undefined {
  const name = outcome.kind === "desired" ? outcome.secret.name : outcome.name;
  const problem = problems.get(name);
  if (problem === undefined) return undefined;
  const { reason, message } = problem;
  const held = selection?.held.find((secret) => secret.name === name)?.data ?? [];
  return { kind: "failed", name, reason, message: shortText(message), keys: held.map((key) => ({ ...asHeld(key), state: reason })) };
}

/** Returns the Secret as unchanged if its files are absent only because the worker did not request them. */
function unchanged(outcome: SecretOutcome, check: VersionCheck, fetchRequest: FetchRequest): MirroredSecret | undefined {
  if (outcome.kind === "desired" || fetchRequest.kind === "everything") return undefined;
  const { name, problem } = outcome;
  if (!check.unchanged.has(name) || problem.isFileMissing !== true) return undefined;
  const data = fetchRequest.stored.find((secret) => secret.name === name)?.data ?? [];
  return { kind: "unchanged", name, keys: data.map(asHeld) };
}

/** Returns the key without the state and message of an earlier failure. */
function asHeld(stored: KeyStatus): KeyStatus {
  const { state: _, message: __, ...key } = stored;
  return key;
}

function mirrored(outcome: SecretOutcome, secretObject: SecretObjectEntries | undefined, fetched: Fetched): MirroredSecret {
  if (outcome.kind === "desired") {
    const { secret } = outcome;
    return { kind: "desired", secret, keys: [...secret.sources].flatMap(([key, files]) => files.map((file) => givenKey(key, file))) };
  }
  const { name, problem } = outcome;
  const paths = (secretObject?.data ?? []).flatMap(filesOfEntry);
  const cause = paths.map((path) => failureOfFile(fetched.failures, path)).find((failure) => failure !== undefined);
  // If a file is absent because the vault refused it, the reason is the refusal, not the absence.
  if (cause !== undefined && problem.isFileMissing === true)
    return {
      kind: "failed",
      name,
      reason: cause.reason,
      message: shortText(cause.message),
      keys: keysOf(secretObject, fetched, undefined),
    };
  const message = shortText(`${problem.message} (${problem.field}: ${problem.hint})`);
  return { kind: "failed", name, reason: problem.reason, message, keys: keysOf(secretObject, fetched, problem.reason) };
}

/** `problem`: reason that holds for the Secret as a whole, and so for its keys. */
function keysOf(
  secretObject: SecretObjectEntries | undefined,
  { files, failures }: Fetched,
  problem: SyncReason | undefined,
): readonly KeyStatus[] {
  const named = (entry: DataEntry): readonly (readonly [string, string])[] => filesOfEntry(entry).map((path) => [dataKeyOf(entry), path]);
  return (secretObject?.data ?? []).flatMap(named).map(([key, path]): KeyStatus => {
    const failure = failureOfFile(failures, path);
    if (failure !== undefined) return { key, object: objectIdOf(failure.object), state: failure.reason, message: failure.message };
    const file = fileNamed(files, path);
    if (file === undefined) return { key, state: "InvalidClass", message: `no object of the class produces the file ${path}` };
    return problem === undefined ? givenKey(key, file) : { ...givenKey(key, file), state: problem };
  });
}
