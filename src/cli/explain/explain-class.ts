import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { readPod } from "../../domain/injection/pod.ts";
import { CSI_DRIVER, DEFAULT_CREDENTIALS_SECRET } from "../../domain/injection/settings.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { classDefect } from "../../domain/preflight/class-defect.ts";
import { readIdentityMode } from "../../domain/provider-class/identity-mode.ts";
import { quoted } from "../../domain/quoted.ts";
import { isSwitchedOffByAuthor } from "../../domain/schedule/class-annotations.ts";
import { conditionOf } from "../../domain/sync/class-status.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { readStatus } from "../../domain/sync/stored-status.ts";
import { readRbac } from "../access/read-rbac.ts";
import type { Viewer } from "../cluster.ts";
import { DEFAULT_CLOUD } from "../install.ts";
import { classSteps, lookAtStatus, type StatusLook, syncSteps } from "./class-steps.ts";
import { credentialsStep } from "./credentials-steps.ts";
import { type Explanation, type Step, step, type Verdict } from "./explanation.ts";
import { readersSteps } from "./readers-steps.ts";

export interface ClassToExplain {
  readonly object: string;
  readonly namespace: string;
  readonly provider: SecretProviderClass;
  /** Why the API server would not take it, where it is of a file. */
  readonly refused?: readonly string[];
}

/** How a class stands: what is wrong with it, who mounts it, what is mirrored of it, and who may read that. */
export async function explainClass(explained: ClassToExplain, viewer: Viewer | undefined): Promise<Explanation> {
  const { refused = [] } = explained;
  const explanation = await explainTaken(explained, viewer);
  const [first] = refused;
  if (first === undefined) return explanation;
  const steps = [...refused.map((message) => step("class", "problem", message)), ...explanation.steps];
  return { ...explanation, verdict: { outcome: "failing", reason: "InvalidClass", message: first }, steps };
}

async function explainTaken({ object, namespace, provider }: ClassToExplain, viewer: Viewer | undefined): Promise<Explanation> {
  const { name } = provider.metadata;
  const foreign = foreignVerdict(provider);
  const known = classSteps(name, { kind: "found", class: provider }, undefined);
  if (viewer === undefined) {
    return { object, namespace, verdict: foreign ?? verdictWithoutStatus(provider), steps: known };
  }
  const look = await lookAtStatus(viewer, { namespace, name });
  const consumers = await consumersOf(viewer, namespace, name);
  const credentials = usesServicePrincipal(provider) ? credentialsNames(provider, consumers.secrets) : [];
  const steps: Step[] = [...known, ...consumers.steps];
  for (const secret of credentials) steps.push(await credentialsStep(viewer, { namespace, name: secret }));
  steps.push(...syncSteps(provider, look));
  const secrets = [...new Set([...credentials, ...secretObjectsOf(provider).map(({ secretName }) => secretName)])];
  steps.push(...readersSteps({ namespace, secrets, isMountable: true }, await readRbac(viewer, namespace)));
  return { object, namespace, verdict: foreign ?? verdictOf(provider, look), steps };
}

function verdictOf(provider: SecretProviderClass, look: StatusLook): Verdict {
  const synced = look.kind === "seen" ? conditionOf(readStatus(look.value.status), "Synced") : undefined;
  // By the class's own word, whatever the worker has come to say of it yet; else by the operator's.
  if (isSwitchedOffByAuthor(provider)) return verdictWithoutStatus(provider);
  if (synced?.reason === "SwitchedOff") return { outcome: "unmirrored", reason: synced.reason, message: synced.message };
  if (synced === undefined || secretObjectsOf(provider).length === 0) return verdictWithoutStatus(provider);
  return { outcome: synced.status === "True" ? "mirrored" : "failing", reason: synced.reason, message: synced.message };
}

/** Of a class that neither the Azure provider nor the worker takes. */
function foreignVerdict(provider: SecretProviderClass): Verdict | undefined {
  if (isOurs(provider)) return undefined;
  const mistaken = classDefect(provider, { cloudName: DEFAULT_CLOUD });
  if (mistaken !== undefined) return { outcome: "failing", reason: mistaken.reason, message: mistaken.message };
  return {
    outcome: "unmirrored",
    reason: "OtherProvider",
    message: `its provider is ${quoted(provider.spec?.provider ?? "", 40)}: nothing of it is ours`,
  };
}

function verdictWithoutStatus(provider: SecretProviderClass): Verdict {
  const defect = classDefect(provider, { cloudName: DEFAULT_CLOUD });
  if (defect !== undefined) return { outcome: "failing", reason: defect.reason, message: defect.message };
  if (isSwitchedOffByAuthor(provider)) {
    return { outcome: "unmirrored", reason: "SwitchedOff", message: `annotation ${CLASS_ANNOTATIONS.sync} is "never"` };
  }
  if (secretObjectsOf(provider).length > 0)
    return { outcome: "pending", reason: "NoStatus", message: "the worker has not said anything of it yet" };
  return { outcome: "unmirrored", reason: "NoSecretObjects", message: "it is mounted by pods and mirrors nothing" };
}

interface Consumers {
  readonly steps: readonly Step[];
  /** Credential Secrets that the pods name. */
  readonly secrets: readonly string[];
}

const SHOWN = 12;

/** Pods that mount the class now. */
async function consumersOf(viewer: Viewer, namespace: string, className: string): Promise<Consumers> {
  const look = await viewer.all<KubeObject>(RESOURCES.pods, { namespace });
  if (look.kind !== "seen") {
    return { steps: [step("pods", "unknown", `${look.kind === "unseen" ? `${look.why}: ` : ""}who mounts it is not known`)], secrets: [] };
  }
  const mounting = look.value.flatMap((object) => {
    const pod = readPod(object);
    const volumes = pod.ok ? pod.value.volumes : [];
    const own = volumes.filter(({ csi }) => csi?.driver === CSI_DRIVER && csi.secretProviderClass === className);
    return own.length === 0 ? [] : [{ name: object.metadata.name, secrets: own.flatMap(({ csi }) => csi?.credentialsSecret ?? []) }];
  });
  const names = mounting.slice(0, SHOWN).map(({ name }) => name);
  const text = mounting.length === 0 ? "no pod mounts it now" : `${mounting.length} pods mount it now, among them ${names.join(", ")}`;
  return { steps: [step("pods", "ok", text)], secrets: [...new Set(mounting.flatMap(({ secrets }) => secrets))].sort() };
}

function credentialsNames(provider: SecretProviderClass, ofPods: readonly string[]): readonly string[] {
  const stated = provider.metadata.annotations?.[CLASS_ANNOTATIONS.credentialsSecret];
  const all = [...(stated === undefined ? [] : [stated]), ...ofPods];
  return all.length === 0 ? [DEFAULT_CREDENTIALS_SECRET] : [...new Set(all)];
}

function usesServicePrincipal({ spec }: SecretProviderClass): boolean {
  const mode = readIdentityMode(spec?.parameters ?? {});
  return mode.ok && mode.value.kind === "servicePrincipal";
}
