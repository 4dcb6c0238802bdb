import type { AdmissionDecision } from "../../domain/admission/decision.ts";
import { POD_ANNOTATIONS } from "../../domain/annotations.ts";
import type { ClassFact } from "../../domain/injection/credentials.ts";
import { type Pod, readPod } from "../../domain/injection/pod.ts";
import { CSI_DRIVER } from "../../domain/injection/settings.ts";
import { memberOf } from "../../domain/json-members.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { classDefect } from "../../domain/preflight/class-defect.ts";
import { quoted } from "../../domain/quoted.ts";
import { isOurs } from "../../domain/sync/named-secrets.ts";
import { type Injection, type InjectionContext, injectPod, inTermsOfFiles } from "../shared/injection.ts";
import { DEFAULT_CLOUD } from "../shared/resources.ts";
import type { Viewer } from "../shared/viewer.ts";
import { webhookScope } from "./cluster-steps.ts";
import { classSteps, clusterSteps, readStatusObject } from "./explain-class.ts";
import { type Explanation, type ExplanationStep, type ExplanationVerdict, say } from "./explanation.ts";
import { type ExplainedRestarts, explainRestarts } from "./restart-steps.ts";
import { additionsText, controllerOf, templateOf, volumeSteps } from "./volume-steps.ts";

export interface PodToExplain {
  readonly object: string;
  readonly namespace: string;
  readonly pod: JsonObject;
  /** Whether the pod already exists. Its content is then compared with what the webhook would decide today. */
  readonly isStored: boolean;
  /** Whether the object comes from a file, so that its pods do not exist yet. */
  readonly isGiven?: boolean;
  /** Path of the pod in `workload`; absent or empty if the object is the pod itself. */
  readonly path?: readonly string[];
  /** Object that is the pod, or creates it. */
  readonly workload?: JsonObject;
  /** Reasons why the API server would reject the workload. */
  readonly refused?: readonly string[];
  /** Problems with annotations that are on the workload but not on the pod. */
  readonly misplaced?: readonly string[];
}

export interface ExplainContext extends InjectionContext {
  /** Undefined: only the files are known. */
  readonly viewer: Viewer | undefined;
  readonly clock: Pick<Clock, "now">;
}

/** Explains step by step why a pod is or is not injected, with the webhook's own decision. */
export async function explainPod(given: PodToExplain, context: ExplainContext): Promise<Explanation> {
  const { object, namespace, pod } = given;
  const injection = await injectPod(pod, namespace, context);
  const isAsking = !["NotOptedIn", "MirrorPod"].includes(injection.decision.reason);
  const isWhole = injection.decision.reason === "AlreadyInjected";
  const restarts = injection.decision.kind === "errored" ? NO_RESTARTS : await restartsOf(given, context);
  const ofNamespace = await namespaceMistakes(given, { injection, asksForRestarts: restarts.asks }, context);
  const input = { ...given, misplaced: [...(given.misplaced ?? []), ...ofNamespace] };
  const before = readPod(pod);
  const asked = { namespace, labels: before.ok ? before.value.labels : {}, now: context.clock.now() };
  const scope = context.viewer === undefined || !isAsking ? undefined : await webhookScope(context.viewer, asked);
  const ofCluster = await seenInCluster(input, injection, context.viewer);
  const decided = verdictOf(input, injection, restarts.asks);
  // A pod that has everything that it requests needs no response from the webhook.
  const unasked = isWhole ? undefined : scope?.unasked;
  const verdict = unasked ?? stuckBecause(input, injection, { ofCluster, facts: context.facts }) ?? decided;
  const steps = [
    ...(scope?.steps ?? []),
    before.ok ? optInStep(before.value, isMeant(input, injection)) : say["opt-in"].problem(decided.message),
    ...workloadSteps(input),
    ...defaultsSteps(context),
    ...[...injection.classes].flatMap(([name, fact]) => classSteps(name, fact, { absence: context.facts.absenceOf({ namespace, name }) })),
    ...volumeSteps({
      before: before.ok ? before.value : undefined,
      injection,
      untouched: unasked === undefined ? undefined : pod,
      template: await templateOf(pod, namespace, context.viewer),
    }),
    ...adviceSteps(input, injection, context),
    ...restarts.steps,
    ...ofCluster,
  ];
  return { object, namespace, verdict, steps };
}

/**
 * Reports the annotation `inject` on the Namespace, where it has no effect, although its author may want to inject all pods of the
 * Namespace. Ignores pods that state themselves what they request.
 */
async function namespaceMistakes(
  { namespace, pod }: PodToExplain,
  { injection: { decision }, asksForRestarts }: { readonly injection: Injection; readonly asksForRestarts: boolean },
  { viewer, facts }: ExplainContext,
): Promise<readonly string[]> {
  if (decision.reason !== "NotOptedIn" || asksForRestarts) return [];
  const read = readPod(pod);
  const own = read.ok ? read.value.annotations : {};
  if (Object.hasOwn(own, POD_ANNOTATIONS.inject) || own[POD_ANNOTATIONS.restartOnRotation] === "true") return [];
  const reading = await viewer?.object<KubeObject>(RESOURCES.namespaces, { name: namespace });
  const ofFiles = viewer === undefined ? await facts.namespaceOf(namespace) : undefined;
  const { annotations = {}, labels = {} } = reading?.kind === "seen" ? reading.value.metadata : {};
  const written = { ...labels, ...annotations, ...(ofFiles?.kind === "found" ? ofFiles.annotations : {}) };
  if (written[POD_ANNOTATIONS.inject] !== "true") return [];
  const advice = "annotate the pod template of the workload, or the pod before it is created";
  return [`${POD_ANNOTATIONS.inject} on Namespace ${namespace} has no effect: ${advice}`];
}

/** Returns the webhook's warnings, except those about a missing class, which its own step reports. */
function adviceSteps({ namespace }: PodToExplain, injection: Injection, { facts }: ExplainContext): readonly ExplanationStep[] {
  const { decision, classes } = injection;
  if (decision.kind === "errored") return [];
  const missing = [...classes].flatMap(([name, { kind }]) => (kind === "missing" ? [`SecretProviderClass ${quoted(name, 63)} `] : []));
  return decision.warnings
    .filter((warning) => !missing.some((start) => warning.startsWith(start)))
    .map((warning) => say.advice.warning(inTermsOfFiles(warning, namespace, injection, facts)));
}

/** Reports problems with the workload's own metadata. */
function workloadSteps({ refused = [], misplaced = [] }: PodToExplain): readonly ExplanationStep[] {
  return [...refused.map((message) => say["opt-in"].problem(message)), ...misplaced.map((message) => say["opt-in"].warning(message))];
}

const NO_RESTARTS: ExplainedRestarts = { asks: false, steps: [] };

async function restartsOf(
  { workload, path, namespace }: PodToExplain,
  { facts, viewer, clock }: ExplainContext,
): Promise<ExplainedRestarts> {
  if (workload === undefined || path?.length === 0) return NO_RESTARTS;
  return explainRestarts({ workload, namespace, fact: await facts.namespaceOf(namespace), viewer, now: clock.now() });
}

/** Returns the verdict on an admitted pod that never starts, because something that its mount needs is missing or wrong. */
function stuckBecause(
  { isStored, pod, namespace }: PodToExplain,
  { decision, classes }: Injection,
  { ofCluster, facts }: Pick<ExplainContext, "facts"> & { readonly ofCluster: readonly ExplanationStep[] },
): ExplanationVerdict | undefined {
  const isAdmitted = decision.kind === "patched" || decision.reason === "AlreadyInjected";
  // A running pod has mounted its volumes; a pending pod may be waiting for this.
  if (!isAdmitted || (isStored && memberOf(pod, "status")["phase"] !== "Pending")) return undefined;
  const [missing] = [...classes].find(([, fact]) => fact.kind === "missing") ?? [];
  if (missing !== undefined) {
    const absence = facts.absenceOf({ namespace, name: missing }) ?? "does not exist, so the mount fails: create it, or correct the name";
    const message = `SecretProviderClass ${missing} ${absence}`;
    return { outcome: "stuck", reason: "ClassMissing", message };
  }
  const [broken] = [...classes].flatMap(([name, fact]) => brokenBecause(name, fact));
  if (broken !== undefined) return broken;
  const credentials = ofCluster.find(({ topic, state }) => topic === "credentials" && state === "problem");
  return credentials && { outcome: "stuck", reason: "CredentialsMissing", message: credentials.message };
}

/** Returns the verdict on a class whose mount the provider rejects. */
function brokenBecause(name: string, fact: ClassFact): readonly ExplanationVerdict[] {
  const defect = fact.kind === "found" ? classDefect(fact.class, { cloudName: DEFAULT_CLOUD }) : undefined;
  if (defect?.stopsPods !== true) return [];
  const { reason, message } = defect;
  return [{ outcome: "stuck", reason, message: `the mount of SecretProviderClass ${name} fails: ${message}` }];
}

function verdictOf(
  { isStored, isGiven, object, pod: given, path = [], misplaced = [] }: PodToExplain,
  { decision, pod }: Injection,
  asksForRestarts: boolean,
): ExplanationVerdict {
  const { kind: outcome, reason } = decision;
  if (decision.kind === "errored") return { outcome, reason, message: [...path, decision.message].join(".") };
  if (decision.kind === "denied") return { outcome, reason, message: decision.message };
  if (decision.kind === "patched" && isStored) {
    // Another version of the webhook writes another status annotation, but that does not mean that a volume is missing.
    const isWhole = decision.patch.every(({ path }) => !path.startsWith("/spec/"));
    if (isWhole) return { outcome: "unchanged", reason: "AlreadyInjected", message: UNDENIED.AlreadyInjected };
    return { outcome, reason, message: `${object} requests injection, but was created without it: ${againText(given)}` };
  }
  // Reports why the pod requests nothing, although its author meant it to.
  const [mistake] = reason === "NotOptedIn" ? [...misplaced, ...decision.warnings] : [];
  if (mistake !== undefined) return { outcome, reason, message: mistake };
  if (reason === "NotOptedIn" && asksForRestarts) return { outcome, reason, message: RESTARTS_ALONE };
  return { outcome, reason, message: undeniedText(decision.reason, isGiven === true ? given : undefined, pod) };
}

/** `given`: the pod of a file, to which injection would add something. */
function undeniedText(reason: Undenied, given: JsonObject | undefined, pod: JsonObject | undefined): string {
  if (pod === undefined) return "";
  return reason === "Injected" && given !== undefined ? `injection would add ${additionsText(given, pod)}` : UNDENIED[reason];
}

/** Returns the advice for a pod without injection. A workload recreates its pods from the template, without a pod's own annotations. */
function againText(pod: JsonObject): string {
  const owner = controllerOf(pod);
  if (owner === undefined) return "recreate it";
  const { kind, name } = owner;
  return `restart the workload that owns ${String(kind)} ${String(name)}, or write the annotations on its pod template if they are missing there`;
}

const RESTARTS_ALONE = `it requests only restarts, so nothing is injected: restarts need no ${POD_ANNOTATIONS.inject}`;

type Undenied = Extract<AdmissionDecision, { readonly kind: "patched" | "unchanged" }>["reason"];

const UNDENIED: Readonly<Record<Undenied, string>> = {
  Injected: "the missing parts are added to each new pod",
  AlreadyInjected: "everything requested is there",
  NotOptedIn: `nothing is requested: annotate the pod, or the pod template, with ${POD_ANNOTATIONS.inject}: "true"`,
  MirrorPod: "the kubelet's copy of a static pod, which cannot be changed: write the volume into the static pod's file",
  Unsupported: "not a kind that creates pods",
};

/** Whether something requests injection in a place or a spelling that has no effect. */
function isMeant({ misplaced = [] }: PodToExplain, { decision }: Injection): boolean {
  return misplaced.length > 0 || (decision.kind !== "errored" && decision.warnings.length > 0);
}

function optInStep(pod: Pod, isAskedElsewhere: boolean): ExplanationStep {
  const value = pod.annotations[POD_ANNOTATIONS.inject];
  if (value === "true") return say["opt-in"].ok(`annotation ${POD_ANNOTATIONS.inject} is "true"`);
  if (value === undefined)
    return say["opt-in"][isAskedElsewhere ? "warning" : "ok"](`annotation ${POD_ANNOTATIONS.inject} is absent: not opted in`);
  if (value === "false") return say["opt-in"].ok(`annotation ${POD_ANNOTATIONS.inject} is "false": not opted in`);
  return say["opt-in"].problem(`annotation ${POD_ANNOTATIONS.inject} is ${quoted(value)}: write "true" or "false"`);
}

/** Reports a Namespace that the user may not read: its annotations are defaults for its pods. */
function defaultsSteps({ facts }: ExplainContext): readonly ExplanationStep[] {
  return facts.unseen("namespaces").map((why) => say["opt-in"].unknown(`${why}: it is not known whether it has defaults for this pod`));
}

/** Explains what only the cluster knows: credentials, synced Secrets, and permissions. */
async function seenInCluster(
  { namespace, pod }: PodToExplain,
  injection: Injection,
  viewer: Viewer | undefined,
): Promise<readonly ExplanationStep[]> {
  if (viewer === undefined || injection.decision.reason === "NotOptedIn") return [];
  const read = readPod(injection.pod ?? pod);
  const volumes = read.ok ? read.value.volumes.filter(({ csi }) => csi?.driver === CSI_DRIVER) : [];
  const ofAzure = volumes.filter(({ csi }) => !isOfOther(injection.classes.get(csi?.secretProviderClass ?? "")));
  const credentials = [...new Set(ofAzure.flatMap(({ csi }) => csi?.credentialsSecret ?? []))];
  const classes = [...injection.classes.values()].flatMap((fact): readonly SecretProviderClass[] =>
    fact.kind === "found" ? [fact.class] : [],
  );
  const readings = [];
  for (const spc of classes) readings.push({ spc, reading: await readStatusObject(viewer, { namespace, name: spc.metadata.name }) });
  return clusterSteps(viewer, namespace, credentials, readings);
}

/** Whether the class is known to belong to another provider, which expects other keys in the Secret of the volume. */
function isOfOther(fact: ClassFact | undefined): boolean {
  return fact?.kind === "found" && !isOurs(fact.class);
}
