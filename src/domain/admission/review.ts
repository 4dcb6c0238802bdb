import { memberOf, nonEmptyText } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";

export const ADMISSION_API_VERSION = "admission.k8s.io/v1";
export const ADMISSION_KIND = "AdmissionReview";

/**
 * Maximum length in characters of a text in a request. No name is longer, and a longer text from an untrusted sender would fill logs and
 * answers.
 */
export const LONGEST_TEXT = 253;

/** The fields that the webhook reads from the request of an AdmissionReview. It ignores all others. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: string;
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly subResource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** The object as the API server sent it, never decoded into a model and encoded again. */
  readonly object: unknown;
}

/** Reason why the webhook cannot answer a review. `uid` is set if it could be read, so that the answer can name it. */
export interface ReviewProblem {
  readonly uid: string | undefined;
  readonly message: string;
}

/** Reads a decoded body as AdmissionReview v1. Checks the fields that the webhook needs, and ignores all others. */
export function decodeReview(body: unknown): Result<AdmissionRequest, ReviewProblem> {
  if (!isJsonObject(body)) return failed({ uid: undefined, message: "the body must be a JSON object: an AdmissionReview" });
  const request = isJsonObject(body["request"]) ? body["request"] : undefined;
  const endless = request && endlessText(request);
  const uid = endless === "uid" ? undefined : nonEmptyText(request?.["uid"]);
  const problem = (message: string) => failed({ uid, message });
  if (body["kind"] !== ADMISSION_KIND) return problem(mustBe("kind", ADMISSION_KIND, body["kind"]));
  if (body["apiVersion"] !== ADMISSION_API_VERSION) return problem(mustBe("apiVersion", ADMISSION_API_VERSION, body["apiVersion"]));
  if (request === undefined) return problem("request must be an object");
  if (endless !== undefined) return problem(`request.${endless} must have at most ${LONGEST_TEXT} characters`);
  if (uid === undefined) return problem("request.uid must be a non-empty string");
  return decodeRequest(uid, request);
}

function decodeRequest(uid: string, request: JsonObject): Result<AdmissionRequest, ReviewProblem> {
  const problem = (message: string) => failed({ uid, message });
  const operation = nonEmptyText(request["operation"]);
  if (operation === undefined) return problem("request.operation must be a non-empty string");
  const resource = memberOf(request, "resource");
  const version = nonEmptyText(resource["version"]);
  const plural = nonEmptyText(resource["resource"]);
  if (version === undefined || plural === undefined) return problem("request.resource must name a version and a resource");
  return ok({
    uid,
    operation,
    resource: { group: nonEmptyText(resource["group"]) ?? "", version, resource: plural },
    subResource: nonEmptyText(request["subResource"]),
    namespace: nonEmptyText(request["namespace"]),
    name: nonEmptyText(request["name"]),
    object: request["object"],
  });
}

/** Returns the path of the first text that is longer than {@link LONGEST_TEXT}. */
function endlessText(request: JsonObject): string | undefined {
  const ofRequest = TEXTS.find((field) => isEndless(request[field]));
  if (ofRequest !== undefined) return ofRequest;
  const resource = memberOf(request, "resource");
  const ofResource = RESOURCE_TEXTS.find((field) => isEndless(resource[field]));
  return ofResource === undefined ? undefined : `resource.${ofResource}`;
}

const TEXTS = ["uid", "operation", "subResource", "namespace", "name"];
const RESOURCE_TEXTS = ["group", "version", "resource"];

function isEndless(text: unknown): boolean {
  return typeof text === "string" && text.length > LONGEST_TEXT;
}

function mustBe(field: string, wanted: string, value: unknown): string {
  const found = typeof value === "string" ? quoted(value) : value === undefined ? "missing" : "not a string";
  return `${field} must be "${wanted}", it is ${found}`;
}
