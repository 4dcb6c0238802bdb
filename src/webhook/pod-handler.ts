import { type AdmissionDecision, internalError, overloaded } from "../domain/admission/decision.ts";
import { type AdmissionRequest, LONGEST_TEXT } from "../domain/admission/review.ts";
import type { ClassFact } from "../domain/injection/credentials.ts";
import { closeRequest, needsNamespace, openRequest } from "../domain/injection/pod-admission.ts";
import type { InjectionSettings } from "../domain/injection/settings.ts";
import { memberOf, membersOf } from "../domain/json-members.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { answerTo, type ReviewHandler } from "./answer.ts";
import type { ClassLookup } from "./class-lookup.ts";
import { decode } from "./decode.ts";
import type { IncomingReview } from "./incoming-review.ts";
import type { AdmissionMetrics } from "./metrics.ts";
import type { NamespaceLookup } from "./namespace-lookup.ts";

export interface PodHandlerOptions {
  readonly settings: InjectionSettings;
  readonly lookUp: ClassLookup;
  readonly lookUpNamespace: NamespaceLookup;
  readonly metrics: AdmissionMetrics;
  readonly logger: Logger;
}

/** Answers one review: decodes, decides, counts, and logs it. Every review leads to exactly one response, one count and one log line. */
export function createPodHandler(options: PodHandlerOptions): ReviewHandler {
  return async (review) => {
    const finish = options.metrics.start();
    const { uid, request, decision } = await decideSafely(review, options);
    const seconds = finish(decision);
    logDecision(options.logger, { uid, request, decision, seconds });
    return answerTo(uid, decision);
  };
}

interface Decided {
  readonly uid: string | undefined;
  readonly request: AdmissionRequest | undefined;
  readonly decision: AdmissionDecision;
}

async function decideSafely(review: IncomingReview, options: PodHandlerOptions): Promise<Decided> {
  const decoded = await decode(review);
  if (decoded.kind === "refused") return { uid: decoded.uid, request: undefined, decision: decoded.decision };
  const { request } = decoded;
  try {
    const decision = await decidePod(request, { ...options, ...lookupsFor(review.peer, options) });
    // Another review has taken its place in the meantime, so this one may hold nothing more.
    return { uid: request.uid, request, decision: review.displaced.aborted ? overloaded() : decision };
  } catch (error) {
    options.logger.error("failed to decide on a pod", { uid: request.uid, ...whereFrom(error) });
    return { uid: request.uid, request, decision: internalError() };
  }
}

/** Makes reads of the API server count for the peer that sent the review. */
function lookupsFor(peer: string, { lookUp, lookUpNamespace }: PodHandlerOptions): Pick<PodHandlerOptions, "lookUp" | "lookUpNamespace"> {
  return { lookUp: (ref) => lookUp(ref, peer), lookUpNamespace: (name) => lookUpNamespace(name, peer) };
}

/** Returns the decision on a pod, without counting or logging it. */
export async function decidePod(
  request: AdmissionRequest,
  options: Pick<PodHandlerOptions, "settings" | "lookUp" | "lookUpNamespace">,
): Promise<AdmissionDecision> {
  const { settings, lookUp, lookUpNamespace } = options;
  const isNeeded = request.namespace !== undefined && needsNamespace(request);
  const opened = openRequest(request, settings, isNeeded ? await lookUpNamespace(request.namespace) : undefined);
  if (opened.kind === "decided") return opened.decision;
  const { mounts } = opened.request;
  const found = await Promise.all(
    mounts.map(
      async ({ className }): Promise<readonly [string, ClassFact]> => [
        className,
        await lookUp({ ...(request.namespace === undefined ? {} : { namespace: request.namespace }), name: className }),
      ],
    ),
  );
  return closeRequest(opened.request, new Map(found), settings);
}

/** Returns the location of a bug, but not its data: an error's message may quote the pod, its stack frames cannot. */
function whereFrom(error: unknown): { readonly errorName: string; readonly frames: readonly string[] } {
  if (!(error instanceof Error)) return { errorName: typeof error, frames: [] };
  const frames = (error.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line));
  return { errorName: error.name, frames: frames.slice(0, 10).map((line) => line.trim()) };
}

/** Logs no messages, because they quote the request. The API server shows them to the user. */
function logDecision(logger: Logger, { uid, request, decision, seconds }: Decided & { readonly seconds: number }): void {
  logger.info("admission review answered", {
    uid,
    namespace: request?.namespace,
    pod: podName(request),
    outcome: decision.kind,
    reason: decision.reason,
    durationMs: Math.round(seconds * 1e5) / 100,
  });
}

/** Returns the name, or the prefix from which the API server will generate one. */
function podName(request: AdmissionRequest | undefined): string | undefined {
  if (request?.name !== undefined) return request.name;
  const metadata = memberOf(membersOf(request?.object), "metadata");
  const name = metadata["name"] ?? metadata["generateName"];
  return typeof name === "string" ? name.slice(0, LONGEST_TEXT) : undefined;
}
