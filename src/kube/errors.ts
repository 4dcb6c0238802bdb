import { valueAt } from "../domain/json-members.ts";
import { parsedJson } from "../domain/json-object.ts";
import { type ObjectRef, qualifiedPlural, type Resource } from "../domain/kubernetes.ts";
import { KubeError, type KubeErrorCode, type Refuser } from "../domain/ports/kube-error.ts";
import { BACKOFF, NEVER, type Retry } from "../domain/ports/retry.ts";

/** The attempted request, for messages and logs. */
export interface Attempt {
  readonly verb: "get" | "list" | "watch" | "create" | "update" | "apply" | "patch" | "delete";
  readonly resource: Resource;
  readonly ref?: Partial<ObjectRef>;
}

/** The parts of `meta/v1.Status` that this code reads. */
export interface Status {
  readonly kind: "Status";
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly field?: string }[];
  };
}

/** Enough for any sentence of the API server itself. A longer message quotes a user's object. */
const MESSAGE_LENGTH = 300;

/** No server asks for a longer pause. A wrong header must not stop our requests for a day. */
const LONGEST_RETRY_AFTER_SECONDS = 300;

export function parseStatus(text: string): Status | undefined {
  const value = parsedJson(text);
  return valueAt(value, ["kind"]) === "Status" ? (value as Status) : undefined; // This is the API server's own format. If a field has another type, the code only prints it and never calls it.
}

/** Returns the error for a status other than 2xx. `NotFound` may mean that the API server does not serve the kind. */
export function refusedBy(
  attempt: Attempt,
  answer: { readonly status: number; readonly retryAfter?: string | undefined; readonly body: string },
): KubeError {
  const status = parseStatus(answer.body);
  const isOurs = WITHOUT_STATUS.includes(answer.status) || (answer.status === 404 && !isAlwaysServed(attempt.resource));
  const isForeign = status === undefined && !isOurs;
  const code = isForeign ? "Unavailable" : codeOf(answer.status, status);
  const said = sayingOf(attempt.resource, status);
  const message = `${describeAttempt(attempt)}: HTTP ${answer.status}${said === "" ? "" : `: ${said}`}${adviceFor(code)}`;
  const seconds = Number(answer.retryAfter ?? status?.details?.retryAfterSeconds);
  return new KubeError(code, message, {
    retry: retryFor(code, seconds),
    status: answer.status,
    refuser: refuserOf(attempt.resource, status),
    isForeign,
  });
}

/** Returns the error for a missing response. */
export function noAnswer(attempt: Attempt, why: string, cause?: unknown): KubeError {
  return new KubeError("Unavailable", `${describeAttempt(attempt)}: ${why}`, { retry: BACKOFF, ...(cause === undefined ? {} : { cause }) });
}

/** Returns the error for a response with status 2xx that is not Kubernetes JSON. */
export function foreignAnswer(attempt: Attempt, why: string): KubeError {
  return new KubeError("Unavailable", `${describeAttempt(attempt)}: ${why}`, { retry: BACKOFF, isForeign: true });
}

/** Returns the error for a request that was not sent because our own credentials are missing. */
export function withoutCredentials(attempt: Attempt, why: string): KubeError {
  return new KubeError("Unavailable", `${describeAttempt(attempt)}: ${why}`, { retry: BACKOFF, isUnsent: true });
}

export function describeAttempt({ verb, resource, ref }: Attempt): string {
  const kind = qualifiedPlural(resource);
  const where = [ref?.namespace, ref?.name].filter((part) => part !== undefined).join("/");
  return where === "" ? `${verb} ${kind}` : `${verb} ${kind} ${where}`;
}

/** The API server answers too many requests with plain text. Any 401 concerns our token, and any 413 our request. */
const WITHOUT_STATUS: readonly number[] = [401, 413, 429];

const ALWAYS_SERVED: readonly string[] = [
  "",
  "apiextensions.k8s.io",
  "apps",
  "authorization.k8s.io",
  "batch",
  "coordination.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
];

/**
 * Whether every API server serves the kind. It answers an unknown path with 404 in plain text, so that the same answer about another kind
 * may be its own. An API server that is older than we support may lack the admission policies and the kinds of authentication.k8s.io.
 */
function isAlwaysServed({ group, plural }: Resource): boolean {
  return ALWAYS_SERVED.includes(group) || plural === "mutatingwebhookconfigurations" || plural === "validatingwebhookconfigurations";
}

const CODES: Readonly<Record<number, KubeErrorCode>> = {
  400: "Invalid",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "Invalid",
  406: "Invalid",
  409: "Conflict",
  410: "Gone",
  413: "TooLarge",
  415: "Invalid",
  422: "Invalid",
  429: "Throttled",
};

function codeOf(http: number, status: Status | undefined): KubeErrorCode {
  if (status?.reason === "AlreadyExists") return "AlreadyExists";
  if (http === 403 && causesOf(status).some(({ reason }) => reason === "NamespaceTerminating")) return "Terminating";
  if (http === 422 && causesOf(status).some(({ reason }) => reason === "FieldValueTooLong")) return "TooLarge";
  // The API server reports etcd's own limit as an internal error.
  if (http === 500 && status?.message?.includes("etcdserver: request is too large") === true) return "TooLarge";
  return CODES[http] ?? "Unavailable";
}

function retryFor(code: KubeErrorCode, retryAfterSeconds: number): Retry {
  if (code === "Invalid" || code === "AlreadyExists" || code === "TooLarge") return NEVER;
  if ((code === "Throttled" || code === "Unavailable") && retryAfterSeconds > 0) {
    return { kind: "after", milliseconds: Math.min(retryAfterSeconds, LONGEST_RETRY_AFTER_SECONDS) * 1_000 };
  }
  return BACKOFF;
}

function adviceFor(code: KubeErrorCode): string {
  if (code === "Forbidden") return " (grant the ServiceAccount this permission, or check the policy that denied the request)";
  if (code === "Terminating") return " (the namespace is being deleted)";
  return code === "Unauthorized" ? " (the API server rejected our token; does the ServiceAccount still exist?)" : "";
}

/**
 * Returns the API server's message. The message about an invalid object quotes the rejected values, and a policy's message may quote
 * anything. For Secrets, the result therefore has only the reason, the field names, and the fixed part of the sentence of an authorizer, a
 * policy, or a webhook.
 */
function sayingOf(resource: Resource, status: Status | undefined): string {
  if (status === undefined) return "";
  if (isOfSecrets(resource)) return secretSaying(status);
  return printable(status.message ?? status.reason ?? "");
}

function isOfSecrets({ group, plural }: Resource): boolean {
  return group === "" && plural === "secrets";
}

/**
 * Each pattern requires the place where the API server itself names the refuser. A policy or a webhook can write the same words, but only
 * after its own name.
 */
const REFUSERS: readonly RegExp[] = [
  /(?<=forbidden: )User "[\w:.@-]+" cannot \w+ resource "[\w./-]+" in API group "[\w.-]*"(?: in the namespace "[\w.-]+")?/,
  /(?<=forbidden: )ValidatingAdmissionPolicy '[\w.-]+' with binding '[\w.-]+' denied request/,
  /^admission webhook "[\w.-]+" denied the request/,
];

/** The API server writes the words before the colon itself. The text of a webhook or a policy comes later. */
function refuserOf(resource: Resource, { message = "" }: Partial<Status> = {}): Refuser | undefined {
  if (message.startsWith('admission webhook "')) return { kind: "webhook" };
  const [, right, policy, sentence] =
    /(?:^| is )forbidden: (?:(User "[^"]*" cannot )|ValidatingAdmissionPolicy '([\w.-]+)' with binding '(?:[\w.-]+' denied request: (.*))?)/s.exec(
      message,
    ) ?? [];
  if (policy !== undefined) {
    const isReported = sentence !== undefined && !isOfSecrets(resource);
    return { kind: "policy", name: policy, ...(isReported ? { sentence: printable(sentence) } : {}) };
  }
  if (right === undefined) return undefined;
  const [, of, by] = /^([\w./-]+ "[^"]*") is forbidden: User "([^"]*)" cannot impersonate\S* resource "/.exec(message) ?? [];
  return of === undefined || by === undefined
    ? { kind: "rights" }
    : { kind: "rights", impersonation: { by: printable(by), of: printable(of) } };
}

function secretSaying(status: Status): string {
  const message = status.message ?? "";
  const fixed = REFUSERS.map((refuser) => refuser.exec(message)?.[0]).find((sentence) => sentence !== undefined);
  const fields = causesOf(status).flatMap(({ field }) => (field === undefined ? [] : [field]));
  const parts = [status.reason, fixed, fields.length === 0 ? undefined : `fields ${fields.join(", ")}`];
  return printable(parts.filter((part) => part !== undefined).join(", "));
}

function causesOf(status: Status | undefined): readonly { readonly reason?: string; readonly field?: string }[] {
  const causes = status?.details?.causes;
  return Array.isArray(causes) ? causes : [];
}

function printable(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return line.length > MESSAGE_LENGTH ? `${line.slice(0, MESSAGE_LENGTH)}…` : line;
}
