import { type AdmissionDecision, internalError } from "../domain/admission/decision.ts";
import type { AdmissionRequest } from "../domain/admission/review.ts";
import type { ClassFact } from "../domain/injection/credentials.ts";
import { isKubeObject, objectAt } from "../domain/json-members.ts";
import type { SecretProviderClass } from "../domain/kubernetes.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { classWarnings } from "../domain/preflight/class-warnings.ts";
import { misplacedAnnotations } from "../domain/preflight/misplaced-annotations.ts";
import { completePreflight, reasonsOf } from "../domain/preflight/response.ts";
import type { PreflightWarning } from "../domain/preflight/warning.ts";
import { podRequestOf, templatePath } from "../domain/preflight/workload.ts";
import { workloadWarnings } from "../domain/preflight/workload-warnings.ts";
import { answerTo, type ReviewHandler } from "./answer.ts";
import type { ClassLookup } from "./class-lookup.ts";
import { decode } from "./decode.ts";
import type { PreflightMetrics, PreflightResource } from "./preflight-metrics.ts";

export interface PreflightOptions {
  /** The decision of the pod webhook. */
  readonly decidePod: (request: AdmissionRequest, lookUp: ClassLookup, peer: string) => Promise<AdmissionDecision>;
  readonly lookUp: ClassLookup;
  /** Cloud of classes without `cloudName`. */
  readonly cloudName: string;
  /** `--identity-bindings` */
  readonly identityBindings: boolean;
  readonly metrics: PreflightMetrics;
  readonly logger: Logger;
}

type Check = (request: AdmissionRequest, peer: string) => Promise<readonly PreflightWarning[]>;

/** Checks workloads: warns of the warnings and denials that their pods would get. */
export function createWorkloadHandler(options: PreflightOptions): ReviewHandler {
  return createHandler("workload", options, (request, peer) => checkWorkload(request, peer, options));
}

/** Checks SecretProviderClasses: warns of faults that would make a mount fail or a Secret missing. */
export function createClassHandler(options: PreflightOptions): ReviewHandler {
  return createHandler("class", options, async (request) => {
    const provider = asClass(request);
    return provider === undefined ? [] : classWarnings(provider, options);
  });
}

/** Never denies an object. An invalid review gets an HTTP error, for which the failure policy `Ignore` admits the object. */
function createHandler(resource: PreflightResource, { metrics, logger }: PreflightOptions, check: Check): ReviewHandler {
  return async (review) => {
    const decoded = await decode(review);
    if (decoded.kind === "refused") {
      metrics.count(resource, "errored", []);
      return answerTo(decoded.uid, decoded.decision);
    }
    const { request } = decoded;
    try {
      const warnings = await check(request, review.peer);
      const reasons = reasonsOf(warnings);
      metrics.count(resource, warnings.length === 0 ? "clean" : "warned", reasons);
      const { namespace, name } = request;
      if (warnings.length > 0)
        logger.info("preflight warned", { uid: request.uid, resource: request.resource.resource, namespace, name, reasons });
      return { status: 200, body: completePreflight(request.uid, warnings) };
    } catch (error) {
      // Without the message, which may quote the object.
      logger.error("a preflight check failed", { uid: request.uid, errorName: error instanceof Error ? error.name : typeof error });
      metrics.count(resource, "errored", []);
      return answerTo(request.uid, internalError());
    }
  };
}

async function checkWorkload(
  request: AdmissionRequest,
  peer: string,
  { decidePod, lookUp }: PreflightOptions,
): Promise<readonly PreflightWarning[]> {
  const pod = podRequestOf(request);
  if (pod === undefined) return [];
  const classes = new Map<string, ClassFact>();
  const noted: ClassLookup = async (ref) => {
    const fact = await lookUp(ref, peer);
    classes.set(ref.name, fact);
    return fact;
  };
  const decision = await decidePod(pod, noted, peer);
  const workload = objectAt(request.object, []) ?? {};
  return [...misplacedAnnotations(workload, templatePath(request) ?? []), ...workloadWarnings({ pod: pod.object, decision, classes })];
}

/** Returns the class of the review, in the namespace of the request: a new class may omit its own namespace. */
function asClass({ resource, namespace, object }: AdmissionRequest): SecretProviderClass | undefined {
  // The API server has validated it with the CRD's schema. Its name may not be generated yet.
  if (resource.resource !== "secretproviderclasses" || !isKubeObject<SecretProviderClass>(object)) return undefined;
  return { ...object, metadata: { ...object.metadata, ...(namespace === undefined ? {} : { namespace }) } };
}
