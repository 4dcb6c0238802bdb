import type { Denial } from "./interface.ts";
import type { JsonObject } from "./json.ts";

/** What the API server says of a kind, in messages and details. */
export interface GroupKind {
  readonly group: string;
  /** The plural, or the kind's name: which of them differs by the refusal. */
  readonly kind: string;
}

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusBody {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: JsonObject;
  /** Of the list whose token has expired. */
  readonly continueToken?: string;
}

/** An answer other than the one that was asked for. Thrown inside the server, and answered by it. */
export class Refusal {
  readonly status: StatusBody;

  constructor(status: StatusBody) {
    this.status = status;
  }

  get body(): string {
    return JSON.stringify(statusObject(this.status));
  }
}

export function statusObject({ code, reason, message, details, continueToken }: StatusBody): JsonObject {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: continueToken === undefined ? {} : { continue: continueToken },
    status: "Failure",
    message,
    ...(reason === "" ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

function qualified({ group, kind }: GroupKind): string {
  return group === "" ? kind : `${kind}.${group}`;
}

function detailsOf({ group, kind }: GroupKind, name: string): JsonObject {
  return { ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), kind };
}

export function notFound(resource: GroupKind, name: string): Refusal {
  const message = `${qualified(resource)} ${JSON.stringify(name)} not found`;
  return new Refusal({ code: 404, reason: "NotFound", message, details: detailsOf(resource, name) });
}

export function alreadyExists(resource: GroupKind, name: string, isBeingDeleted: boolean): Refusal {
  const message = `${isBeingDeleted ? "object is being deleted: " : ""}${qualified(resource)} ${JSON.stringify(name)} already exists`;
  return new Refusal({ code: 409, reason: "AlreadyExists", message, details: detailsOf(resource, name) });
}

export function conflict(resource: GroupKind, name: string, why: string): Refusal {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} ${JSON.stringify(name)}: ${why}`;
  return new Refusal({ code: 409, reason: "Conflict", message, details: detailsOf(resource, name) });
}

export const MODIFIED = "the object has been modified; please apply your changes to the latest version and try again";

export function applyConflict(causes: readonly Cause[], message: string): Refusal {
  return new Refusal({ code: 409, reason: "Conflict", message, details: { causes: causes.map(causeObject) } });
}

export function forbidden(resource: GroupKind, name: string, why: string, causes: readonly Cause[] = []): Refusal {
  const of = name === "" ? "" : ` ${JSON.stringify(name)}`;
  const message = `${qualified(resource)}${of} is forbidden: ${why}`;
  const details = { ...detailsOf(resource, name), ...(causes.length === 0 ? {} : { causes: causes.map(causeObject) }) };
  return new Refusal({ code: 403, reason: "Forbidden", message, details });
}

/** By a policy. Where the policy gives no reason the server answers `Invalid`, in the sentence of `Forbidden`. */
export function denied(resource: GroupKind, name: string, { reason, message }: Denial): Refusal {
  const { status } = forbidden(resource, name, message, [{ reason: "", message }]);
  return new Refusal({ ...status, reason, code: reason === "Invalid" ? 422 : 403 });
}

export function badRequest(message: string): Refusal {
  return new Refusal({ code: 400, reason: "BadRequest", message });
}

export function methodNotAllowed(resource: GroupKind, action: string): Refusal {
  const message = `${action} is not supported on resources of kind ${JSON.stringify(qualified(resource))}`;
  return new Refusal({ code: 405, reason: "MethodNotAllowed", message, details: detailsOf(resource, "") });
}

export function unsupportedMediaType(accepted: readonly string[]): Refusal {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`;
  return new Refusal({ code: 415, reason: "UnsupportedMediaType", message });
}

/** A resourceVersion that the server has forgotten. */
export function expired(message: string, continueToken?: string): Refusal {
  return new Refusal({ code: 410, reason: "Expired", message, ...(continueToken === undefined ? {} : { continueToken }) });
}

/** The objects of the kind are not yet in memory. */
export function initializing(): Refusal {
  return new Refusal({ code: 429, reason: "TooManyRequests", message: "storage is (re)initializing", details: { retryAfterSeconds: 1 } });
}

/** A resourceVersion that the server does not have yet. */
export function tooLargeVersion(wanted: number, current: number): Refusal {
  const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  return new Refusal({
    code: 504,
    reason: "Timeout",
    message: `Timeout: Too large resource version: ${wanted}, current: ${current}`,
    details: { causes, retryAfterSeconds: 1 },
  });
}

export function internalError(message: string): Refusal {
  const details = { causes: [{ message }] };
  return new Refusal({ code: 500, reason: "InternalError", message: `Internal error occurred: ${message}`, details });
}

export function tooLarge(message: string): Refusal {
  return new Refusal({ code: 413, reason: "RequestEntityTooLarge", message: `Request entity too large: ${message}` });
}

export function causeObject({ reason, message, field }: Cause): JsonObject {
  return { ...(reason === "" ? {} : { reason }), message, ...(field === undefined ? {} : { field }) };
}

export function invalid(resource: GroupKind, name: string, causes: readonly Cause[]): Refusal {
  const reported = [...new Set(causes.map(({ field, message }) => `${field ?? ""}: ${message}`))];
  const all = reported.length === 1 ? reported[0] : `[${reported.join(", ")}]`;
  const details = {
    ...(name === "" ? {} : { name }),
    ...(resource.group === "" ? {} : { group: resource.group }),
    ...(resource.kind === "" ? {} : { kind: resource.kind }),
    causes: causes.map(causeObject),
  };
  const message = `${qualified(resource)} ${JSON.stringify(name)} is invalid: ${all}`;
  return new Refusal({ code: 422, reason: "Invalid", message, details });
}
