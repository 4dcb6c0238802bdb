import { statedAccount } from "../../domain/account-name.ts";
import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import type { ClassFact } from "../../domain/injection/credentials.ts";
import { DEFAULT_CREDENTIALS_SECRET } from "../../domain/injection/settings.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { classDefect, isDefect, shownReason, syncDefect } from "../../domain/preflight/class-defect.ts";
import { classWarnings } from "../../domain/preflight/class-warnings.ts";
import type { PreflightWarning } from "../../domain/preflight/warning.ts";
import { type IdentityMode, readIdentityMode } from "../../domain/provider-class/identity-mode.ts";
import { describeProblem } from "../../domain/provider-class/problem.ts";
import { unfilledIdentity } from "../../domain/provider-class/unfilled.ts";
import { quoted } from "../../domain/quoted.ts";
import { conditionOf } from "../../domain/sync/class-status.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { rotatedIn } from "../../domain/sync/rotated-condition.ts";
import type { ClassStatus, KeyStatus } from "../../domain/sync/status-fields.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { switchedOffByClass } from "../../domain/sync/switched-off.ts";
import { type Consumer, mirrorsNothing, namesIn, readConsumers } from "../shared/class-context.ts";
import { heldKeyText } from "../shared/held-keys.ts";
import { readRbac } from "../shared/rbac.ts";
import { DEFAULT_CLOUD } from "../shared/resources.ts";
import { listed, type Viewer, type ViewResult } from "../shared/viewer.ts";
import { credentialsStep, readersSteps } from "./cluster-steps.ts";
import { type Explanation, type ExplanationStep, type ExplanationVerdict, say } from "./explanation.ts";
import { misplacedSteps } from "./misplaced-steps.ts";
import { restartState } from "./restart-steps.ts";

export interface ClassToExplain {
  readonly object: string;
  readonly namespace: string;
  readonly spc: SecretProviderClass;
  /** Reasons why the API server would reject a class from a file; undefined for a class from the cluster. */
  readonly refused?: readonly string[];
}

/** Explains the state of a class: its defects, the pods that mount it, its synced Secrets, and the subjects that can read these. */
export async function explainClass(explained: ClassToExplain, viewer: Viewer | undefined): Promise<Explanation> {
  const { refused = [] } = explained;
  const explanation = await explainTaken(explained, viewer);
  const [first] = refused;
  if (first === undefined) return explanation;
  const steps = [...refused.map((message) => say.class.problem(message)), ...explanation.steps];
  return { ...explanation, verdict: { outcome: "failing", reason: "InvalidClass", message: first }, steps };
}

async function explainTaken({ object, namespace, spc, refused }: ClassToExplain, viewer: Viewer | undefined): Promise<Explanation> {
  const { name } = spc.metadata;
  const foreign = foreignVerdict(spc);
  const fact: ClassFact = { kind: "found", class: spc };
  if (viewer === undefined) {
    return { object, namespace, verdict: foreign ?? verdictWithoutStatus(spc), steps: classSteps(name, fact) };
  }
  const reading = await readStatusObject(viewer, { namespace, name });
  const synced = reading.kind === "seen" ? conditionOf(readStatus(reading.value.status), "Synced") : undefined;
  const known = classSteps(name, fact, { isSynced: synced?.status === "True" });
  const consumers = await readConsumers(viewer, spc);
  const ofPods = namesIn(listed(consumers).flatMap(({ credentials: names }) => names));
  const credentials = usesServicePrincipal(spc) ? credentialsNames(spc, ofPods) : [];
  const misplaced = await misplacedSteps(viewer, { namespace, spc, reading });
  const steps = [
    ...known,
    ...misplaced,
    consumersStep(consumers),
    ...(await clusterSteps(viewer, namespace, credentials, [{ spc, reading }])),
  ];
  return { object, namespace, verdict: foreign ?? verdictOf(spc, reading, refused !== undefined), steps };
}

/** `isGiven`: the class comes from a file, but the status belongs to the class with this name in the cluster, whose text may differ. */
function verdictOf(spc: SecretProviderClass, reading: StatusReading, isGiven: boolean): ExplanationVerdict {
  const status = reading.kind === "seen" ? readStatus(reading.value.status) : undefined;
  const synced = conditionOf(status, "Synced");
  // The class itself counts first, even if the status does not reflect it yet; then the operator's settings count.
  if (switchedOffByClass(spc) !== undefined) return verdictWithoutStatus(spc);
  if (synced?.reason === "SwitchedOff") return { outcome: "unmirrored", reason: synced.reason, message: synced.message };
  if (status === undefined || synced === undefined) return verdictWithoutStatus(spc);
  const isOutdated = isOlder(status, spc);
  const defect =
    isGiven || isOutdated ? syncDefect(spc, { cloudName: DEFAULT_CLOUD, identityBindings: synced.status === "True" }) : undefined;
  if (defect !== undefined) return { outcome: "failing", reason: defect.reason, message: defect.message };
  if (isOutdated) {
    const message = `the worker has not reconciled the current class yet; its last status was ${synced.reason}: ${synced.message}`;
    return { outcome: "pending", reason: "StatusOutdated", message };
  }
  if (synced.status === "True" && mirrorsNothing(spc)) return { outcome: "unmirrored", reason: "NoSecretObjects", message: synced.message };
  return { outcome: synced.status === "True" ? "mirrored" : "failing", reason: synced.reason, message: synced.message };
}

/** Whether the class has changed since the worker wrote the status. */
function isOlder({ observedClassGeneration }: ClassStatus, { metadata: { generation = 0 } }: SecretProviderClass): boolean {
  return observedClassGeneration < generation;
}

/** Returns the verdict on a class that neither the Azure provider nor the worker accepts; undefined for other classes. */
function foreignVerdict(spc: SecretProviderClass): ExplanationVerdict | undefined {
  if (isOurs(spc)) return undefined;
  const mistaken = classDefect(spc, { cloudName: DEFAULT_CLOUD });
  if (mistaken !== undefined) return { outcome: "failing", reason: mistaken.reason, message: mistaken.message };
  return {
    outcome: "unmirrored",
    reason: "OtherProvider",
    message: `its provider is ${quoted(spc.spec?.provider ?? "", 40)}, so keyvault-injector ignores it`,
  };
}

function verdictWithoutStatus(spc: SecretProviderClass): ExplanationVerdict {
  const defect = classDefect(spc, { cloudName: DEFAULT_CLOUD });
  if (defect !== undefined) return { outcome: "failing", reason: defect.reason, message: defect.message };
  const by = switchedOffByClass(spc);
  if (by !== undefined) return { outcome: "unmirrored", reason: "SwitchedOff", message: `sync is turned off by ${by}` };
  if (!mirrorsNothing(spc)) return { outcome: "pending", reason: "NoStatus", message: "no status from the worker yet" };
  const message = "it lists no secretObjects, so nothing is synced; pods can still mount it";
  return { outcome: "unmirrored", reason: "NoSecretObjects", message };
}

const SHOWN = 12;

/** Lists pods that mount the class now. */
function consumersStep(reading: ViewResult<readonly Consumer[]>): ExplanationStep {
  if (reading.kind !== "seen")
    return say.pods.unknown(`${reading.kind === "unseen" ? `${reading.why}: ` : ""}it is not known who mounts it`);
  const names = reading.value.slice(0, SHOWN).map(({ name }) => name);
  const count = reading.value.length;
  if (count === 0) return say.pods.ok("no pod mounts it now");
  const which = count > SHOWN ? `, among them ${names.join(", ")}` : `: ${names.join(", ")}`;
  return say.pods.ok(`${count === 1 ? "1 pod mounts" : `${count} pods mount`} it now${which}`);
}

function credentialsNames(spc: SecretProviderClass, ofPods: readonly string[]): readonly string[] {
  const stated = spc.metadata.annotations?.[CLASS_ANNOTATIONS.credentialsSecret];
  const all = [...(stated === undefined ? [] : [stated]), ...ofPods];
  return all.length === 0 ? [DEFAULT_CREDENTIALS_SECRET] : [...new Set(all)];
}

function usesServicePrincipal(spc: SecretProviderClass): boolean {
  if (!isOurs(spc)) return false;
  const mode = readIdentityMode(spc.spec?.parameters ?? {});
  return mode.ok && mode.value.kind === "servicePrincipal";
}

export interface KnownOfClass {
  /** Explanation of why the class was not found. */
  readonly absence?: string | undefined;
  /** Whether the worker reports the class as synced. Identity bindings are then on, if the class needs them. */
  readonly isSynced?: boolean;
}

/** Explains a class and its defects. */
export function classSteps(name: string, fact: ClassFact, { absence, isSynced = false }: KnownOfClass = {}): readonly ExplanationStep[] {
  if (fact.kind === "missing") {
    const where = absence === undefined ? "does not exist: create it, or correct the name" : absence;
    return [say.class.problem(`SecretProviderClass ${name} ${where}`)];
  }
  if (fact.kind === "unknown") return [say.class.unknown(`SecretProviderClass ${name} ${absence ?? "is not readable here"}`)];
  const warnings = classWarnings(fact.class, { cloudName: DEFAULT_CLOUD, identityBindings: isSynced });
  const problems = warnings.map((each) => {
    const state = isDefect(each) ? "problem" : "warning";
    return say.class[state](`SecretProviderClass ${name}: ${each.message} (${shownReason(each)})`);
  });
  // Other providers read their own parameters.
  const identity = isOurs(fact.class) ? [identityStep(name, fact.class, warnings)] : [];
  return [say.class.ok(`SecretProviderClass ${name} exists`), ...problems, ...identity];
}

function identityStep(name: string, spc: SecretProviderClass, warnings: readonly PreflightWarning[]): ExplanationStep {
  const mode = readIdentityMode(spc.spec?.parameters ?? {});
  if (!mode.ok) return say.identity.problem(`class ${name}: ${describeProblem(mode.error)}`);
  const unfilled = unfilledIdentity(mode.value);
  if (unfilled !== undefined) return say.identity.problem(`class ${name} names no identity: ${unfilled.field} is still a placeholder`);
  if (mode.value.kind === "workloadIdentity") return say.identity.ok(workloadIdentityText(spc, mode.value.clientId));
  const who = identityText(mode.value);
  // The provider may support an identity that the worker does not support.
  const isForMounts = warnings.some(({ reason }) => reason === "IdentityUnavailable");
  if (isForMounts) return say.identity.ok(`volumes of class ${name} access the vault as ${who}; its Secrets are not synced`);
  return say.identity.ok(`class ${name} accesses the vault as ${who}`);
}

/** Does not say whether the vault's tenant trusts the ServiceAccounts, because only a sign-in would show it. */
function workloadIdentityText(spc: SecretProviderClass, clientId: string): string {
  const account = statedAccount(spc.metadata.annotations) ?? "of its pods";
  const signIns = mirrorsNothing(spc)
    ? "each pod signs in with its own ServiceAccount"
    : `the worker signs in with the ServiceAccount ${account}, and each pod with its own`;
  return `class ${spc.metadata.name} uses workload identity as the application ${clientId}: ${signIns}; federated credentials are not checked`;
}

function identityText(mode: Exclude<IdentityMode, { readonly kind: "workloadIdentity" }>): string {
  switch (mode.kind) {
    case "servicePrincipal":
      return "the service principal of a credentials Secret";
    case "managedIdentity":
      return mode.clientId === undefined ? "the node's system-assigned managed identity" : `the node's managed identity ${mode.clientId}`;
    case "podIdentity":
      return "a pod identity, which Azure has retired";
    case "azureTokenProxy":
      return `the application ${mode.clientId}, with an identity binding`;
  }
}

type StatusReading = ViewResult<SecretProviderClassSync>;

/** Explains what only the cluster knows: whether the credentials Secrets are usable, the state of the sync, and readers of the Secrets. */
export async function clusterSteps(
  viewer: Viewer,
  namespace: string,
  credentials: readonly string[],
  classes: readonly { readonly spc: SecretProviderClass; readonly reading: StatusReading }[],
): Promise<readonly ExplanationStep[]> {
  const steps: ExplanationStep[] = [];
  for (const name of credentials) steps.push(await credentialsStep(viewer, { namespace, name }));
  const mirrored = classes.flatMap(({ spc }) => secretObjectsOf(spc)).map(({ secretName }) => secretName);
  const readers = readersSteps(namespace, namesOnce([...credentials, ...mirrored]), classes.length > 0, await readRbac(viewer, namespace));
  return [...steps, ...classes.flatMap(({ spc, reading }) => syncSteps(spc, reading)), ...readers];
}

const namesOnce = (names: readonly string[]): readonly string[] => [...new Set(names)];

export function readStatusObject(viewer: Viewer, ref: ObjectRef): Promise<StatusReading> {
  return viewer.object<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs, ref);
}

/** Explains the state of the sync of a class, and each Secret with the objects that it comes from. */
function syncSteps(spc: SecretProviderClass, reading: StatusReading): readonly ExplanationStep[] {
  const { name } = spc.metadata;
  if (!isOurs(spc)) return [say.sync.ok(`class ${name} is not synced: its provider is not "azure"`)];
  // A class without secretObjects has a status if the worker tracks its versions for workloads that request restarts.
  if (mirrorsNothing(spc) && reading.kind !== "seen") return [say.sync.ok(`class ${name} syncs nothing: it has no secretObjects`)];
  if (reading.kind === "unseen") return [say.sync.unknown(`${reading.why}: it is not known how class ${name} is synced`)];
  if (reading.kind === "unserved") return [say.sync.problem("the kind SecretProviderClassSync is not served: apply manifests/crds")];
  const status = reading.kind === "seen" ? readStatus(reading.value.status) : undefined;
  const by = switchedOffByClass(spc);
  if (by !== undefined) return [offStep(name, by)];
  if (conditionOf(status, "Synced")?.reason === "SwitchedOff") return [offStep(name, conditionOf(status, "Synced")?.message ?? "")];
  if (status === undefined) return [say.sync.warning(`class ${name} is not synced yet: is the sync worker running?`)];
  return [
    ...conditionSteps(name, spc, status),
    ...rotatedSteps(name, status),
    ...status.secrets.map((secret) => secretStep(spc, secret)),
    ...objectSteps(name, status),
  ];
}

/** Omits the Secrets: the status describes them as they were before the class was switched off. */
function offStep(name: string, why: string): ExplanationStep {
  return say.sync.ok(`class ${name} is SwitchedOff (${why}): its Secrets stay unchanged, and the worker does not update or repair them`);
}

function conditionSteps(name: string, spc: SecretProviderClass, status: ClassStatus): readonly ExplanationStep[] {
  const synced = conditionOf(status, "Synced");
  const fresh = conditionOf(status, "Fresh");
  const isOld = synced?.status === "True" && fresh?.status === "False";
  return [
    say.sync[synced?.status === "True" ? "ok" : "problem"](
      `class ${name} is ${synced?.reason ?? "not reconciled"}: ${synced?.message ?? ""}`,
    ),
    ...(isOld ? [say.sync.warning(`class ${name} is not fresh (${fresh.reason}): ${fresh.message}`)] : []),
    ...(isOlder(status, spc) ? [say.sync.warning(`class ${name} has changed since then: the worker has not reconciled it yet`)] : []),
  ];
}

function rotatedSteps(name: string, status: ClassStatus): readonly ExplanationStep[] {
  const rotated = rotatedIn(status);
  if (rotated === undefined) return [];
  return [say.sync[restartState(rotated)](`restarts for class ${name}: ${rotated.reason}: ${rotated.message}`)];
}

/** Explains the object versions of a class without secretObjects. */
function objectSteps(name: string, { objects = [] }: ClassStatus): readonly ExplanationStep[] {
  return objects.map(({ object, version, state, message }) => {
    const text = `class ${name}: ${object} ${version === undefined ? "has no known version" : `version ${version}`}`;
    return state === undefined ? say.sync.ok(text) : say.sync.problem(`${text}: ${state}${message === undefined ? "" : `: ${message}`}`);
  });
}

function secretStep(spc: SecretProviderClass, secret: ClassStatus["secrets"][number]): ExplanationStep {
  const { name, state, message, data } = secret;
  const held = heldKeyText(spc, secret);
  const keys = data.map((key) => held(key) ?? keyText(key)).join(", ");
  const text = `Secret ${name} is ${state}${message === undefined ? "" : `: ${message}`}${keys === "" ? "" : `: ${keys}`}`;
  return say.secret[state === "Synced" ? "ok" : "problem"](text);
}

function keyText({ key, object, version }: KeyStatus): string {
  const from = object === undefined ? key : `${key} from ${object}`;
  return version === undefined ? `${from}, not written yet` : `${from} version ${version}`;
}
