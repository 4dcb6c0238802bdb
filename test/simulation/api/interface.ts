import type { JsonObject } from "./json.ts";

/** A request as it arrives at the API server: authenticated, and otherwise as the bytes say. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** As RBAC knows the caller. */
  readonly user: string;
}

export type ApiAnswer =
  | { readonly kind: "answer"; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly kind: "watch"; readonly watch: Watch };

/** Lines of a watch in their order; the network delivers them when it likes. What comes before there is a listener is kept for it. */
export interface Watch {
  onLine(listener: (line: string) => void): void;
  onEnd(listener: () => void): void;
  close(): void;
}

export interface ApiServerOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** In [0, 1): uids, generated names, and how long the server's own controllers take. */
  readonly random: () => number;
  /** Runs the action after that many milliseconds; gives back what cancels it. */
  readonly later: (milliseconds: number, action: () => void) => () => void;
  readonly authorize?: Authorizer;
  readonly admit?: Admission;
  /** Whether kube-controller-manager runs: garbage collection, namespaces, their accounts. Default true. */
  readonly controllerManager?: boolean;
  /** Of the deletions of a CRD within a second of its creation, the share that the server loses track of. Default 0.02. */
  readonly lostDeletions?: number;
  /** The token of a ServiceAccount from its claims; default: one that nobody has signed. */
  readonly signToken?: (claims: JsonObject) => string;
  /** Called with every accepted write, dry runs too. */
  readonly onWrite?: (write: Write) => void;
}

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

export interface Attributes {
  readonly user: string;
  readonly verb: Verb;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** Every object of a resource (as in {@link Write}) as it is stored. */
export type Objects = (resource: string) => readonly JsonObject[];

/** What RBAC says, from what the server has stored; every request is allowed where nobody asks. */
export type Authorizer = (attributes: Attributes, objects: Objects) => boolean;

/** A write on its way to the store: what validating admission sees of it. */
export interface AdmissionRequest {
  readonly user: string;
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** Absent for a deletion. */
  readonly object: JsonObject | undefined;
  /** Absent for a creation. */
  readonly oldObject: JsonObject | undefined;
  readonly isDryRun: boolean;
  /** The namespace that the object is in. */
  readonly namespaceObject: JsonObject | undefined;
  /** Whether the authorizer allows the caller something else. */
  readonly isAllowed: (attributes: Omit<Attributes, "user">) => boolean;
  /** An object as it is stored; undefined where there is none. `resource` as in {@link Write}. */
  readonly find: (resource: string, name: string, namespace?: string) => JsonObject | undefined;
}

/** Why a write is refused. */
export interface Denial {
  /** `Forbidden` is 403, `Invalid` 422. */
  readonly reason: "Forbidden" | "Invalid";
  /** The whole sentence after `is forbidden: `. */
  readonly message: string;
}

/** Undefined where the write is not refused. */
export type Admission = (request: AdmissionRequest) => Denial | undefined;

/** One accepted write. */
export interface Write {
  /** Unix milliseconds. */
  readonly time: number;
  readonly user: string;
  readonly verb: "create" | "update" | "patch" | "apply" | "delete";
  /** `secrets`, or `leases.coordination.k8s.io`. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uidBefore: string | undefined;
  readonly uidAfter: string | undefined;
  /** Of the object after the write; of the deletion where it is gone. The same as before where the write changed nothing. */
  readonly resourceVersion: number;
  readonly isDryRun: boolean;
}

/** A watch that is open, as {@link SimulatedApiServer.cutWatches} shows it. */
export interface OpenWatch {
  readonly user: string;
  /** `secrets`, or `leases.coordination.k8s.io`. */
  readonly resource: string;
  readonly url: string;
}
