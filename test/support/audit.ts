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

interface RawEvent {
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
  readonly responseStatus?: { readonly code?: number };
  readonly requestURI?: string;
  readonly requestReceivedTimestamp?: string;
}

/** Of requests that the worker makes in order to have them refused. */
const PROBE = "keyvault-injector-guardrail-probe";

/** All requests, but for those that probe the policies. */
export function parseAudit(text: string): readonly AuditEntry[] {
  return everyRequest(text).filter(({ userAgent }) => userAgent !== PROBE);
}

export function probesIn(text: string): readonly AuditEntry[] {
  return everyRequest(text).filter(({ userAgent }) => userAgent === PROBE);
}

function everyRequest(text: string): readonly AuditEntry[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => entryOf(JSON.parse(line) as RawEvent)); // The API server's own format, audit.k8s.io/v1.
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
    code: event.responseStatus?.code ?? 0,
    uri: event.requestURI ?? "",
    time: event.requestReceivedTimestamp ?? "",
    credential: user.extra?.[CREDENTIAL]?.[0] ?? "",
  };
}

/** Requests that RBAC or a policy refused. */
export function forbidden(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  return entries.filter((entry) => entry.code === 403);
}
