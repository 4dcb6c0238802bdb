import { type AdmissionDecision, denied, invalidReview, patched, unchanged } from "../admission/decision.ts";
import type { Denial } from "../admission/reasons.ts";
import type { AdmissionRequest } from "../admission/review.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { memberOf } from "../json-members.ts";
import { isJsonObject } from "../json-object.ts";
import { INPUT_ANNOTATIONS, misplacedKeys, WORKLOAD_INPUT } from "../misplaced-keys.ts";
import { quoted } from "../quoted.ts";
import type { Result } from "../result.ts";
import { readFlag } from "./annotation-value.ts";
import { type ClassMount, readClassMounts } from "./class-mounts.ts";
import { type ContainerSelection, selectContainers } from "./container-selection.ts";
import type { ClassFact } from "./credentials.ts";
import { annotationOnPod, effectiveAnnotations, type NamespaceFact } from "./effective-annotations.ts";
import { type EnvFrom, readEnvFrom } from "./env-from.ts";
import { additionProblem } from "./largest-addition.ts";
import { denial, warning } from "./messages.ts";
import { patchFor } from "./patch.ts";
import { isComplete, planInjection } from "./plan.ts";
import { type Pod, readPod } from "./pod.ts";
import { readRestartWindow, windowWarnings } from "./restart-window.ts";
import type { InjectionSettings } from "./settings.ts";
import {
  KNOWN_ON_NAMESPACES,
  type UnknownAnnotation,
  unknownAnnotationDenial,
  unknownAnnotations,
  unknownAnnotationWarning,
  unknownAnnotationWarnings,
} from "./unknown-annotations.ts";

/** Set by the kubelet on the API server's copy of a static pod, which cannot be changed. */
export const MIRROR_POD = "kubernetes.io/config.mirror";

/** A valid request for injection; the classes still have to be read. */
export interface InjectionRequest {
  readonly pod: Pod;
  readonly mounts: readonly ClassMount[];
  readonly selection: ContainerSelection;
  readonly envFrom: EnvFrom | undefined;
  readonly warnings: readonly string[];
}

export type Opened =
  | { readonly kind: "decided"; readonly decision: AdmissionDecision }
  | { readonly kind: "wanted"; readonly request: InjectionRequest };

const NO_DEFAULTS: NamespaceFact = { kind: "missing" };

/** Whether {@link openRequest} needs to know the Namespace: only opted-in pods have defaults. */
export function needsNamespace(request: AdmissionRequest): boolean {
  if (!isPodCreation(request) || !isJsonObject(request.object)) return false;
  const annotations = memberOf(memberOf(request.object, "metadata"), "annotations");
  return annotations[POD_ANNOTATIONS.inject] === "true" && annotations[MIRROR_POD] === undefined;
}

/** First half of the decision: everything that does not depend on a class. */
export function openRequest(request: AdmissionRequest, settings: InjectionSettings, namespace: NamespaceFact = NO_DEFAULTS): Opened {
  if (!isPodCreation(request)) return decided(unchanged("Unsupported"));
  if (request.namespace === undefined) return decided(invalidReview("request.namespace must be a non-empty string"));
  const pod = readPod(request.object);
  if (!pod.ok) return decided(invalidReview(`request.object is not a pod: ${pod.error}`));
  return openPod(pod.value, settings, { name: request.namespace, fact: namespace });
}

/** Second half of the decision: the additions, which depend on the facts about each class. */
export function closeRequest(
  request: InjectionRequest,
  facts: ReadonlyMap<string, ClassFact>,
  settings: InjectionSettings,
): AdmissionDecision {
  const plan = planInjection({ ...request, facts }, settings);
  if (!plan.ok) return denied(plan.error, request.warnings);
  const warnings = [...request.warnings, ...plan.value.warnings];
  if (isComplete(request.pod, plan.value)) return unchanged("AlreadyInjected", warnings);
  return patched(patchFor(request.pod.raw, plan.value), plan.value.classes, warnings);
}

/** Volumes cannot be added to an existing pod, and a subresource is not a pod. */
function isPodCreation({ operation, resource, subResource }: AdmissionRequest): boolean {
  return (
    operation === "CREATE" &&
    resource.group === "" &&
    resource.version === "v1" &&
    resource.resource === "pods" &&
    subResource === undefined
  );
}

interface NamespaceOfPod {
  readonly name: string;
  readonly fact: NamespaceFact;
}

function openPod(pod: Pod, settings: InjectionSettings, namespace: NamespaceOfPod): Opened {
  if (pod.annotations[MIRROR_POD] !== undefined) return decided(unchanged("MirrorPod"));
  const unknown = unknownAnnotations(pod.annotations);
  const refused = settings.strictAnnotations ? firstDenial(unknown.reported) : undefined;
  if (refused !== undefined) return decided(denied(refused));
  const labels = misplacedKeys(INPUT_ANNOTATIONS, { wrong: pod.labels, right: pod.annotations }).map((key) => warning("label", { key }));
  const ofWorkloads = misplacedKeys(WORKLOAD_INPUT, { wrong: pod.labels, right: pod.annotations }).map((key) => ({
    key,
    nearest: undefined,
  }));
  const ofOthers = ofWorkloads.map((each) => unknownAnnotationWarning(each));
  const warnings = [...labels, ...ofOthers, ...unknownAnnotationWarnings(unknown)];
  const optIn = readOptIn(pod.annotations);
  if (!optIn.ok) return decided(denied(optIn.error, warnings));
  if (!optIn.value) return decided(unchanged("NotOptedIn", [...warnings, ...reportedWithoutOptIn(pod.annotations)]));
  return openOptedIn({ pod, settings, namespace, warnings });
}

interface OptedIn {
  readonly pod: Pod;
  readonly settings: InjectionSettings;
  readonly namespace: NamespaceOfPod;
  readonly warnings: readonly string[];
}

function openOptedIn({ pod, settings, namespace: { name, fact }, warnings: own }: OptedIn): Opened {
  // Without the defaults, the webhook might give secrets to a container that a default excludes.
  if (fact.kind === "unknown") return decided(denied(denial("namespaceUnknown", { namespace: quoted(name, 63) }), own));
  const defaults = fact.kind === "found" ? fact.annotations : {};
  const unknown = unknownAnnotations(defaults, KNOWN_ON_NAMESPACES);
  const refused = settings.strictAnnotations ? firstDenial(unknown.reported, name) : undefined;
  if (refused !== undefined) return decided(denied(refused, own));
  const warnings = [...own, ...unknownAnnotationWarnings(unknown, name)];
  const annotations = effectiveAnnotations(pod.annotations, name, defaults);
  const mounts = readClassMounts(annotations, pod.system);
  if (!mounts.ok) return decided(denied(mounts.error, warnings));
  const selection = selectContainers(annotations(POD_ANNOTATIONS.containers), pod.containers);
  if (!selection.ok) return decided(denied(selection.error, warnings));
  const envFrom = readEnvFrom(annotations);
  if (!envFrom.ok) return decided(denied(envFrom.error, warnings));
  const tooLarge = additionProblem({ selection: selection.value, mounts: mounts.value, envFrom: envFrom.value });
  if (tooLarge !== undefined) return decided(denied(tooLarge, warnings));
  const restart = readFlag(annotations(POD_ANNOTATIONS.restartOnRotation));
  if (!restart.ok) return decided(denied(restart.error, warnings));
  const window = readRestartWindow(annotations(POD_ANNOTATIONS.restartWindow), name);
  if (!window.ok) return decided(denied(window.error, warnings));
  const reported = [...warnings, ...selection.value.warnings, ...window.value];
  return { kind: "wanted", request: { pod, mounts: mounts.value, selection: selection.value, envFrom: envFrom.value, warnings: reported } };
}

function firstDenial(unknown: readonly UnknownAnnotation[], namespace?: string): Denial | undefined {
  return unknown.map((each) => unknownAnnotationDenial(each, namespace)).find((each) => each !== undefined);
}

function readOptIn(annotations: Readonly<Record<string, string>>): Result<boolean, Denial> {
  const value = annotations[POD_ANNOTATIONS.inject];
  return readFlag(value === undefined ? undefined : annotationOnPod(POD_ANNOTATIONS.inject, value));
}

/** Returns warnings for a pod that is not opted in. The webhook never denies such a pod. */
function reportedWithoutOptIn(annotations: Readonly<Record<string, string>>): readonly string[] {
  const { inject, secretProviderClass, restartOnRotation, restartWindow } = POD_ANNOTATIONS;
  const isForgotten = annotations[inject] === undefined && annotations[secretProviderClass] !== undefined;
  const restart = annotations[restartOnRotation];
  const isFlag = restart === undefined || restart === "true" || restart === "false";
  const window = annotations[restartWindow];
  return [
    ...(isForgotten ? [warning("forgottenOptIn", {})] : []),
    ...(isFlag ? [] : [warning("flag", { value: restart })]),
    ...(window === undefined ? [] : windowWarnings(window)),
  ];
}

function decided(decision: AdmissionDecision): Opened {
  return { kind: "decided", decision };
}
