import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import type { ClassFact } from "../../domain/injection/credentials.ts";
import { DEFAULT_CREDENTIALS_SECRET } from "../../domain/injection/settings.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { classDefect, isDefect, shownReason } from "../../domain/preflight/class-defect.ts";
import { classWarnings } from "../../domain/preflight/class-warnings.ts";
import type { PreflightWarning } from "../../domain/preflight/warning.ts";
import { type IdentityMode, readIdentityMode } from "../../domain/provider-class/identity-mode.ts";
import { describeProblem } from "../../domain/provider-class/problem.ts";
import { quoted } from "../../domain/quoted.ts";
import type { RolloutReason } from "../../domain/rollout/reasons.ts";
import { isSwitchedOffByAuthor } from "../../domain/schedule/class-annotations.ts";
import { type ClassStatus, conditionOf } from "../../domain/sync/class-status.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { type Consumer, lookAtConsumers, mirrorsNothing, namesIn } from "../shared/class-context.ts";
import { readRbac } from "../shared/rbac.ts";
import { DEFAULT_CLOUD } from "../shared/resources.ts";
import { type Look, listed, type Viewer } from "../shared/viewer.ts";
import { credentialsStep, readersSteps } from "./cluster-steps.ts";
import { type Explanation, type Step, say, type Verdict } from "./explanation.ts";

export interface ClassToExplain {
  readonly object: string;
  readonly namespace: string;
  readonly spc: SecretProviderClass;
  /** Why the API server would not take it, where it is of a file. */
  readonly refused?: readonly string[];
}

/** How a class stands: what is wrong with it, who mounts it, what is mirrored of it, and who may read that. */
export async function explainClass(explained: ClassToExplain, viewer: Viewer | undefined): Promise<Explanation> {
  const { refused = [] } = explained;
  const explanation = await explainTaken(explained, viewer);
  const [first] = refused;
  if (first === undefined) return explanation;
  const steps = [...refused.map((message) => say.class.problem(message)), ...explanation.steps];
  return { ...explanation, verdict: { outcome: "failing", reason: "InvalidClass", message: first }, steps };
}

async function explainTaken({ object, namespace, spc }: ClassToExplain, viewer: Viewer | undefined): Promise<Explanation> {
  const { name } = spc.metadata;
  const foreign = foreignVerdict(spc);
  const fact: ClassFact = { kind: "found", class: spc };
  if (viewer === undefined) {
    return { object, namespace, verdict: foreign ?? verdictWithoutStatus(spc), steps: classSteps(name, fact) };
  }
  const look = await lookAtStatus(viewer, { namespace, name });
  const synced = look.kind === "seen" ? conditionOf(readStatus(look.value.status), "Synced") : undefined;
  const known = classSteps(name, fact, { isSynced: synced?.status === "True" });
  const consumers = await lookAtConsumers(viewer, spc);
  const ofPods = namesIn(listed(consumers).flatMap(({ credentials: names }) => names));
  const credentials = usesServicePrincipal(spc) ? credentialsNames(spc, ofPods) : [];
  const steps = [...known, consumersStep(consumers), ...(await clusterSteps(viewer, namespace, credentials, [{ spc, look }]))];
  return { object, namespace, verdict: foreign ?? verdictOf(spc, look), steps };
}

function verdictOf(spc: SecretProviderClass, look: StatusLook): Verdict {
  const synced = look.kind === "seen" ? conditionOf(readStatus(look.value.status), "Synced") : undefined;
  // By the class's own word, whatever the worker has come to say of it yet; else by the operator's.
  if (isSwitchedOffByAuthor(spc)) return verdictWithoutStatus(spc);
  if (synced?.reason === "SwitchedOff") return { outcome: "unmirrored", reason: synced.reason, message: synced.message };
  if (synced === undefined) return verdictWithoutStatus(spc);
  if (synced.status === "True" && mirrorsNothing(spc)) return { outcome: "unmirrored", reason: "NoSecretObjects", message: synced.message };
  return { outcome: synced.status === "True" ? "mirrored" : "failing", reason: synced.reason, message: synced.message };
}

/** Of a class that neither the Azure provider nor the worker takes. */
function foreignVerdict(spc: SecretProviderClass): Verdict | undefined {
  if (isOurs(spc)) return undefined;
  const mistaken = classDefect(spc, { cloudName: DEFAULT_CLOUD });
  if (mistaken !== undefined) return { outcome: "failing", reason: mistaken.reason, message: mistaken.message };
  return {
    outcome: "unmirrored",
    reason: "OtherProvider",
    message: `its provider is ${quoted(spc.spec?.provider ?? "", 40)}: nothing of it is ours`,
  };
}

function verdictWithoutStatus(spc: SecretProviderClass): Verdict {
  const defect = classDefect(spc, { cloudName: DEFAULT_CLOUD });
  if (defect !== undefined) return { outcome: "failing", reason: defect.reason, message: defect.message };
  if (isSwitchedOffByAuthor(spc)) {
    return { outcome: "unmirrored", reason: "SwitchedOff", message: `annotation ${CLASS_ANNOTATIONS.sync} is "never"` };
  }
  if (!mirrorsNothing(spc)) return { outcome: "pending", reason: "NoStatus", message: "no status from the worker yet" };
  return { outcome: "unmirrored", reason: "NoSecretObjects", message: "it is mounted by pods and mirrors nothing" };
}

const SHOWN = 12;

/** Pods that mount the class now. */
function consumersStep(look: Look<readonly Consumer[]>): Step {
  if (look.kind !== "seen") return say.pods.unknown(`${look.kind === "unseen" ? `${look.why}: ` : ""}who mounts it is not known`);
  const names = look.value.slice(0, SHOWN).map(({ name }) => name);
  const count = look.value.length;
  if (count === 0) return say.pods.ok("no pod mounts it now");
  const which = count > SHOWN ? `, among them ${names.join(", ")}` : `: ${names.join(", ")}`;
  return say.pods.ok(`${count === 1 ? "1 pod mounts" : `${count} pods mount`} it now${which}`);
}

function credentialsNames(spc: SecretProviderClass, ofPods: readonly string[]): readonly string[] {
  const stated = spc.metadata.annotations?.[CLASS_ANNOTATIONS.credentialsSecret];
  const all = [...(stated === undefined ? [] : [stated]), ...ofPods];
  return all.length === 0 ? [DEFAULT_CREDENTIALS_SECRET] : [...new Set(all)];
}

function usesServicePrincipal({ spec }: SecretProviderClass): boolean {
  const mode = readIdentityMode(spec?.parameters ?? {});
  return mode.ok && mode.value.kind === "servicePrincipal";
}

export interface KnownOfClass {
  /** Why it is not among what was looked at. */
  readonly absence?: string | undefined;
  /** The worker says so: identity bindings are on where the class needs them. */
  readonly isSynced?: boolean;
}

/** What is known of a class, and what is wrong with it. */
export function classSteps(name: string, fact: ClassFact, { absence, isSynced = false }: KnownOfClass = {}): readonly Step[] {
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
  return [say.class.ok(`SecretProviderClass ${name} exists`), ...problems, identityStep(name, fact.class, warnings)];
}

function identityStep(name: string, { spec }: SecretProviderClass, warnings: readonly PreflightWarning[]): Step {
  const mode = readIdentityMode(spec?.parameters ?? {});
  if (!mode.ok) return say.identity.problem(`class ${name}: ${describeProblem(mode.error)}`);
  const who = identityText(mode.value);
  // What the worker cannot be, the provider still is.
  const isForMounts = warnings.some(({ reason }) => reason === "IdentityUnavailable");
  if (isForMounts) return say.identity.ok(`volumes of class ${name} ask the vault as ${who}; its Secrets are not synced`);
  return say.identity.ok(`class ${name} asks the vault as ${who}`);
}

function identityText(mode: IdentityMode): string {
  switch (mode.kind) {
    case "servicePrincipal":
      return "the service principal of a credentials Secret";
    case "workloadIdentity":
      return `the application ${mode.clientId}, which trusts the pod's ServiceAccount (workload identity)`;
    case "managedIdentity":
      return mode.clientId === undefined ? "the node's system-assigned managed identity" : `the node's managed identity ${mode.clientId}`;
    case "podIdentity":
      return "a pod identity, which Azure has retired";
    case "azureTokenProxy":
      return `the application ${mode.clientId}, by an identity binding`;
  }
}

type StatusLook = Look<SecretProviderClassSync>;

/** What only the cluster tells of classes and the Secrets of their credentials: whether they are right, how the mirroring stands, who may read. */
export async function clusterSteps(
  viewer: Viewer,
  namespace: string,
  credentials: readonly string[],
  classes: readonly { readonly spc: SecretProviderClass; readonly look: StatusLook }[],
): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const name of credentials) steps.push(await credentialsStep(viewer, { namespace, name }));
  const mirrored = classes.flatMap(({ spc }) => secretObjectsOf(spc)).map(({ secretName }) => secretName);
  const readers = readersSteps(namespace, namesOnce([...credentials, ...mirrored]), classes.length > 0, await readRbac(viewer, namespace));
  return [...steps, ...classes.flatMap(({ spc, look }) => syncSteps(spc, look)), ...readers];
}

const namesOnce = (names: readonly string[]): readonly string[] => [...new Set(names)];

export function lookAtStatus(viewer: Viewer, ref: ObjectRef): Promise<StatusLook> {
  return viewer.object<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs, ref);
}

/** How the mirroring of a class stands, and each of its Secrets with what it was made from. */
function syncSteps(spc: SecretProviderClass, look: StatusLook): readonly Step[] {
  const { name } = spc.metadata;
  if (!isOurs(spc)) return [say.sync.ok(`class ${name} is not mirrored: its provider is not "azure"`)];
  // With a status: its versions are followed for workloads that ask for restarts.
  if (mirrorsNothing(spc) && look.kind !== "seen") return [say.sync.ok(`class ${name} mirrors nothing: it has no secretObjects`)];
  if (look.kind === "unseen") return [say.sync.unknown(`${look.why}: how class ${name} is mirrored is not known`)];
  if (look.kind === "unserved") return [say.sync.problem("the kind SecretProviderClassSync is not served: apply manifests/crds")];
  const status = look.kind === "seen" ? readStatus(look.value.status) : undefined;
  if (isSwitchedOffByAuthor(spc)) return [offStep(name, `its annotation ${CLASS_ANNOTATIONS.sync}: never`)];
  if (conditionOf(status, "Synced")?.reason === "SwitchedOff") return [offStep(name, conditionOf(status, "Synced")?.message ?? "")];
  if (status === undefined) return [say.sync.warning(`class ${name} is not mirrored yet: is the sync worker running?`)];
  return [
    ...conditionSteps(name, spc, status),
    ...rotatedSteps(name, status),
    ...status.secrets.map(secretStep),
    ...objectSteps(name, status),
  ];
}

/** What its status says of its Secrets is of before. */
function offStep(name: string, why: string): Step {
  return say.sync.ok(`class ${name} is SwitchedOff (${why}): its Secrets stay as they are, and nothing updates or repairs them`);
}

function conditionSteps(name: string, { metadata }: SecretProviderClass, status: ClassStatus): readonly Step[] {
  const synced = conditionOf(status, "Synced");
  const fresh = conditionOf(status, "Fresh");
  const isOld = synced?.status === "True" && fresh?.status === "False";
  const isOutdated = status.observedClassGeneration < (metadata.generation ?? 0);
  return [
    say.sync[synced?.status === "True" ? "ok" : "problem"](
      `class ${name} is ${synced?.reason ?? "not looked at"}: ${synced?.message ?? ""}`,
    ),
    ...(isOld ? [say.sync.warning(`class ${name} is not fresh (${fresh.reason}): ${fresh.message}`)] : []),
    ...(isOutdated ? [say.sync.warning(`class ${name} was changed since: the worker has yet to look at it`)] : []),
  ];
}

/** What keeps restarts from coming by themselves; the others are under way, or wait as they were asked to. */
const HALTED: ReadonlySet<RolloutReason> = new Set(["RolloutFailed", "InvalidWindow"]);

function rotatedSteps(name: string, { conditions }: ClassStatus): readonly Step[] {
  return conditions
    .filter((each) => each.type === "Rotated")
    .map(({ reason, message }) => {
      const state = HALTED.has(reason) ? "problem" : "ok";
      return say.sync[state](`restarts for class ${name}: ${reason}: ${message}`);
    });
}

/** Of a class that mirrors nothing. */
function objectSteps(name: string, { objects = [] }: ClassStatus): readonly Step[] {
  return objects.map(({ object, version, state, message }) => {
    const text = `class ${name}: ${object} ${version === undefined ? "has no known version" : `version ${version}`}`;
    return state === undefined ? say.sync.ok(text) : say.sync.problem(`${text}: ${state}${message === undefined ? "" : `: ${message}`}`);
  });
}

function secretStep({ name, state, message, data }: ClassStatus["secrets"][number]): Step {
  const keys = data.map(({ key, object, version }) => `${key} from ${object} version ${version}`).join(", ");
  const text = `Secret ${name} is ${state}${message === undefined ? "" : `: ${message}`}${keys === "" ? "" : `: ${keys}`}`;
  return say.secret[state === "Synced" ? "ok" : "problem"](text);
}
