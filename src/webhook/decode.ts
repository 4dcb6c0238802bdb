import type { IncomingMessage } from "node:http";
import { type AdmissionDecision, abortedRequest, invalidReview, late, overloaded, tooLarge } from "../domain/admission/decision.ts";
import { type JsonExtent, jsonExtent } from "../domain/admission/json-extent.ts";
import { parseJson } from "../domain/admission/parse-json.ts";
import { type AdmissionRequest, decodeReview } from "../domain/admission/review.ts";
import { quoted } from "../domain/quoted.ts";
import type { IncomingReview } from "./incoming-review.ts";
import { LARGEST_BODY, readBody } from "./read-body.ts";

export type DecodedReview =
  | { readonly kind: "review"; readonly request: AdmissionRequest }
  | { readonly kind: "refused"; readonly uid: string | undefined; readonly decision: AdmissionDecision };

/**
 * Limits of a body. A pod of 3 MiB, the maximum of the API server, has fewer values even if it consists only of short environment
 * variables. No Kubernetes object is nested a fifth as deep.
 */
const LARGEST_EXTENT: JsonExtent = { values: 400_000, depth: 200 };

/**
 * Memory of a parsed value: 30 to 90 bytes were measured, the most for objects with one key each that no other object has. An ordinary pod
 * of forty variables has about 400 values, so 500 of them have room at once.
 */
const BYTES_PER_VALUE = 64;

/** Turns the bytes on the wire into a request that can be decided, once it is its turn, or into a refusal if they are not a review. */
export async function decode(review: IncomingReview): Promise<DecodedReview> {
  const { message, place, displaced } = review;
  const body = await readBody(review);
  if (body.kind === "aborted") return refused(undefined, abortedRequest());
  if (body.kind === "late") return refused(undefined, late());
  if (body.kind === "displaced") return refused(undefined, overloaded());
  if (body.kind === "tooLarge") {
    return refused(
      uidAtStart(body.start),
      tooLarge(`the body is larger than ${LARGEST_BODY / 1024 / 1024} MiB, more than any review of a pod`),
    );
  }
  place.complete();
  await review.turn();
  if (displaced.aborted) return refused(undefined, overloaded());
  const problem = headerProblem(message);
  if (problem !== undefined) return refused(undefined, invalidReview(problem));
  const extent = jsonExtent(body.bytes, LARGEST_EXTENT);
  if (extent.values > LARGEST_EXTENT.values || extent.depth > LARGEST_EXTENT.depth) {
    return refused(uidAtStart(body.bytes), tooLarge(TOO_DENSE));
  }
  if (!place.hold(Math.max(body.bytes.length, extent.values * BYTES_PER_VALUE))) return refused(undefined, overloaded());
  const text = decodeText(body.bytes);
  if (text === undefined) return refused(undefined, invalidReview("the body is not valid UTF-8"));
  const json = parseJson(text);
  if (!json.ok) return refused(undefined, invalidReview(json.error));
  const decoded = decodeReview(json.value);
  return decoded.ok ? { kind: "review", request: decoded.value } : refused(decoded.error.uid, invalidReview(decoded.error.message));
}

const TOO_DENSE = `the body has more than ${LARGEST_EXTENT.values} values or ${LARGEST_EXTENT.depth} levels, more than any review of a pod`;

function refused(uid: string | undefined, decision: AdmissionDecision): DecodedReview {
  return { kind: "refused", uid, decision };
}

function headerProblem({ headers }: IncomingMessage): string | undefined {
  const type = headers["content-type"] ?? "";
  const [essence = ""] = type.split(";");
  if (essence.trim().toLowerCase() !== "application/json") return `Content-Type must be application/json, it is ${quoted(type)}`;
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") return `Content-Encoding must be absent, it is ${quoted(encoding)}`;
  return undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decodeText(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The API server writes the uid first, so the start of a body that is too large to read still identifies the request. */
function uidAtStart(start: Buffer): string | undefined {
  return /"request"\s*:\s*\{\s*"uid"\s*:\s*"([-\w]{1,64})"/.exec(start.subarray(0, 4096).toString("latin1"))?.[1];
}
