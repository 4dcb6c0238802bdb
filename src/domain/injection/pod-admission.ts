import { type AdmissionDecision, denied, invalidReview, patched, unchanged } from "../admission/decision.ts";
import type { Denial } from "../admission/reasons.ts";
import type { AdmissionRequest } from "../admission/review.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { failed, ok, type Result } from "../result.ts";
import { invalidAnnotation } from "./annotation-value.ts";
import { type ClassMount, readClassMounts } from "./class-mounts.ts";
import { selectContainers } from "./container-selection.ts";
import type { ClassFact } from "./credentials.ts";
import { patchFor } from "./patch.ts";
import { planInjection } from "./plan.ts";
import { type Pod, type PodContainer, readPod } from "./pod.ts";
import type { InjectionSettings } from "./settings.ts";
import { unknownAnnotations, unknownAnnotationWarning } from "./unknown-annotations.ts";

/** Set by the kubelet on the API server's copy of a static pod, which nothing can change. */
const MIRROR_POD = "kubernetes.io/config.mirror";

/** A valid request for injection; the classes still have to be looked up. */
export interface InjectionRequest {
  readonly pod: Pod;
  readonly mounts: readonly ClassMount[];
  readonly containers: readonly PodContainer[];
  readonly warnings: readonly string[];
}

export type Opened =
  | { readonly kind: "decided"; readonly decision: AdmissionDecision }
  | { readonly kind: "wanted"; readonly request: InjectionRequest };

/** First half of the decision: all that can be said without looking at a class. */
export function openRequest(request: AdmissionRequest, settings: InjectionSettings): Opened {
  if (!isPodCreation(request)) return decided(unchanged("Unsupported"));
  if (request.namespace === undefined) return decided(invalidReview("request.namespace must be a non-empty string"));
  const pod = readPod(request.object);
  return pod.ok ? openPod(pod.value, settings) : decided(invalidReview(`request.object is not a pod: ${pod.error}`));
}

/** Second half: with what is known of each class, what to add. */
export function closeRequest(
  request: InjectionRequest,
  facts: ReadonlyMap<string, ClassFact>,
  settings: InjectionSettings,
): AdmissionDecision {
  const plan = planInjection({ ...request, facts }, settings);
  if (!plan.ok) return denied(plan.error, request.warnings);
  const warnings = [...request.warnings, ...plan.value.warnings];
  const patch = patchFor(request.pod.raw, plan.value);
  return patch.length === 0 ? unchanged("AlreadyInjected", warnings) : patched(patch, plan.value.classes, warnings);
}

/** Volumes cannot be added to a pod that exists, and a subresource is not a pod. */
function isPodCreation({ operation, resource, subResource }: AdmissionRequest): boolean {
  return (
    operation === "CREATE" &&
    resource.group === "" &&
    resource.version === "v1" &&
    resource.resource === "pods" &&
    subResource === undefined
  );
}

function openPod(pod: Pod, settings: InjectionSettings): Opened {
  if (pod.annotations[MIRROR_POD] !== undefined) return decided(unchanged("MirrorPod"));
  const unknown = unknownAnnotations(pod.annotations);
  const [first] = unknown;
  if (first !== undefined && settings.strictAnnotations) {
    const message = `annotation ${first.key} is unknown: did you mean ${first.nearest}? Correct or remove it`;
    return decided(denied({ reason: "UnknownAnnotation", message }));
  }
  const warnings = unknown.map(unknownAnnotationWarning);
  const optIn = readOptIn(pod.annotations);
  if (!optIn.ok) return decided(denied(optIn.error, warnings));
  if (!optIn.value) return decided(unchanged("NotOptedIn", [...warnings, ...forgottenOptIn(pod.annotations)]));
  return openOptedIn(pod, warnings);
}

function openOptedIn(pod: Pod, warnings: readonly string[]): Opened {
  const mounts = readClassMounts(pod.annotations);
  if (!mounts.ok) return decided(denied(mounts.error, warnings));
  const containers = selectContainers(pod.annotations[POD_ANNOTATIONS.containers], pod.containers);
  if (!containers.ok) return decided(denied(containers.error, warnings));
  return { kind: "wanted", request: { pod, mounts: mounts.value, containers: containers.value, warnings } };
}

function readOptIn(annotations: Readonly<Record<string, string>>): Result<boolean, Denial> {
  const value = annotations[POD_ANNOTATIONS.inject];
  if (value === undefined || value === "false") return ok(false);
  return value === "true" ? ok(true) : failed(invalidAnnotation(POD_ANNOTATIONS.inject, value, 'write "true" or "false"'));
}

/** Annotations that ask for something on a pod that says nothing about injection. */
function forgottenOptIn(annotations: Readonly<Record<string, string>>): readonly string[] {
  const { inject, secretProviderClass } = POD_ANNOTATIONS;
  const isForgotten = annotations[inject] === undefined && annotations[secretProviderClass] !== undefined;
  return isForgotten ? [`nothing is injected: ${secretProviderClass} needs ${inject}: "true"`] : [];
}

function decided(decision: AdmissionDecision): Opened {
  return { kind: "decided", decision };
}
