import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";

/** One request in the API server's audit log. */
export interface AuditEntry {
  readonly user: string;
  readonly userAgent: string;
  readonly verb: string;
  /** `group/resource[/subresource]`, the core group as `resource`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** HTTP status. */
  readonly code: number;
  /** Whether the API server rejected the request because its namespace is being deleted, which does not depend on rights. */
  readonly isNamespaceTerminating: boolean;
  readonly uri: string;
  /** Time of the request's arrival, RFC 3339. */
  readonly time: string;
  /** Id of the token (`JTI=…`), which distinguishes processes that share a ServiceAccount. Empty if the log entry has none. */
  readonly credential: string;
}

/**
 * Audit policy that logs the metadata of all requests from ServiceAccounts outside kube-system. Without bodies, and therefore without
 * secret values.
 */
export function auditPolicy(): unknown {
  return {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived", "ResponseStarted"],
    rules: [
      { level: "None", userGroups: ["system:serviceaccounts:kube-system", "system:masters", "system:nodes"] },
      { level: "None", users: ["system:apiserver", "system:kube-controller-manager"] },
      { level: "Metadata", userGroups: ["system:serviceaccounts"] },
    ],
  };
}

/** The fields that tests read of an event in the API server's format audit.k8s.io/v1. */
export interface RawEvent {
  readonly user?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly userAgent?: string;
  readonly verb?: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: {
    readonly code?: number;
    readonly details?: { readonly causes?: readonly { readonly reason?: string }[] };
  };
  readonly requestURI?: string;
  readonly requestReceivedTimestamp?: string;
  readonly stageTimestamp?: string;
  /** Only present if the policy logs bodies. */
  readonly requestObject?: unknown;
}

/** The complete events in a part of a log. */
export function rawEvents(text: string): readonly RawEvent[] {
  const lines = text.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}"));
  return lines.map((line) => JSON.parse(line) as RawEvent); // The API server's own format.
}

/** Whether the worker sent the request to check that its policies reject it. */
export function isProbe({ userAgent }: Pick<RawEvent, "userAgent">): boolean {
  return userAgent === "keyvault-injector-guardrail-probe";
}

const CHUNK_BYTES = 64 * 1024 * 1024;

/**
 * Returns a function that returns the matching requests in a log, oldest first, including probes. Each call reads only new entries. A
 * missing log is like an empty one.
 */
export function auditTail(file: string, isMeant: (entry: AuditEntry) => boolean = () => true): () => readonly AuditEntry[] {
  let entries: readonly AuditEntry[] = [];
  let offset = 0;
  return () => {
    for (let chunk = readFrom(file, offset); chunk.length > 0; chunk = readFrom(file, offset)) {
      offset += chunk.length;
      entries = [...entries, ...rawEvents(chunk.toString("utf8")).map(entryOf).filter(isMeant)];
    }
    return entries;
  };
}

/** Reads whole lines only. */
function readFrom(file: string, offset: number): Buffer {
  if (!existsSync(file)) return Buffer.alloc(0);
  const descriptor = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(Math.min(Math.max(fstatSync(descriptor).size - offset, 0), CHUNK_BYTES));
    const length = readSync(descriptor, buffer, 0, buffer.length, offset);
    return buffer.subarray(0, buffer.subarray(0, length).lastIndexOf("\n") + 1);
  } finally {
    closeSync(descriptor);
  }
}

const CREDENTIAL = "authentication.kubernetes.io/credential-id";

function entryOf(event: RawEvent): AuditEntry {
  const ref = event.objectRef ?? {};
  const { user = {} } = event;
  const parts = [ref.apiGroup, ref.resource, ref.subresource].filter((part) => part !== undefined && part !== "");
  return {
    user: user.username ?? "",
    userAgent: event.userAgent ?? "",
    verb: event.verb ?? "",
    resource: parts.join("/"),
    namespace: ref.namespace ?? "",
    name: ref.name ?? "",
    ...answerOf(event),
    uri: event.requestURI ?? "",
    time: event.requestReceivedTimestamp ?? "",
    credential: user.extra?.[CREDENTIAL]?.[0] ?? "",
  };
}

function answerOf({ responseStatus = {} }: RawEvent): Pick<AuditEntry, "code" | "isNamespaceTerminating"> {
  const causes = responseStatus.details?.causes ?? [];
  return { code: responseStatus.code ?? 0, isNamespaceTerminating: causes.some(({ reason }) => reason === "NamespaceTerminating") };
}

/** Requests that RBAC or a policy rejected. Excludes rejections that depend on the time, such as those in a terminating namespace. */
export function forbidden(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  return entries.filter(({ code, isNamespaceTerminating }) => code === 403 && !isNamespaceTerminating);
}
