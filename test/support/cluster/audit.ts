import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";

/** One request as the API server's audit log has it. */
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
  /** Whether the namespace was on its way out: refused to everybody, whatever their rights. */
  readonly isNamespaceTerminating: boolean;
  readonly uri: string;
  /** Of the request's arrival, RFC 3339. */
  readonly time: string;
  /** Id of the token (`JTI=…`), which tells apart processes that share a ServiceAccount; empty where the API server names none. */
  readonly credential: string;
}

/** Metadata of everything that ServiceAccounts outside kube-system do; no bodies, so no values. */
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

/** An event of the API server's own format, audit.k8s.io/v1: what tests read of it. */
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
  /** Only where the policy asks for bodies. */
  readonly requestObject?: unknown;
}

/** The whole events in a part of a log. */
export function rawEvents(text: string): readonly RawEvent[] {
  const lines = text.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}"));
  return lines.map((line) => JSON.parse(line) as RawEvent); // The API server's own format.
}

/** Whether the worker made the request in order to have it refused by its policies. */
export function isProbe({ userAgent }: Pick<RawEvent, "userAgent">): boolean {
  return userAgent === "keyvault-injector-guardrail-probe";
}

const CHUNK_BYTES = 64 * 1024 * 1024;

/** The requests of a log that are meant, oldest first, probes among them. Each call reads what was added since the last; no log is an empty one. */
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

/** Whole lines. */
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

/** Requests that RBAC or a policy refused: those that the same rights are refused at another time as well. */
export function forbidden(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  return entries.filter(({ code, isNamespaceTerminating }) => code === 403 && !isNamespaceTerminating);
}
