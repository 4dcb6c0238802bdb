import type { JsonObject } from "./json.ts";

/** A request after authentication, otherwise as received. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Name of the caller for RBAC. */
  readonly user: string;
}

export type ApiAnswer =
  | { readonly kind: "answer"; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly kind: "watch"; readonly watch: Watch };

/** Lines of a watch, in their order. The network decides when to deliver them. Lines wait until there is a listener. */
export interface Watch {
  onLine(listener: (line: string) => void): void;
  onEnd(listener: () => void): void;
  close(): void;
}

export interface ApiServerOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Returns a number in [0, 1), for UIDs, generated names, and the delays of the server's own controllers. */
  readonly random: () => number;
  /** Runs the action after that many milliseconds. Returns a function that cancels it. */
  readonly later: (milliseconds: number, action: () => void) => () => void;
  readonly authorize?: Authorizer;
  readonly admit?: Admission;
  /** Whether kube-controller-manager runs: garbage collection, namespaces, and their ServiceAccounts. Default: true. */
  readonly controllerManager?: boolean;
  /** Share of the CRD deletions within a second of the creation that the server loses track of. Default: 0.02. */
  readonly lostDeletions?: number;
  /** Returns the token of a ServiceAccount for its claims. Default: an unsigned token. */
  readonly signToken?: (claims: JsonObject) => string;
  /** Called with every accepted write, including dry runs. */
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

/** Returns every stored object of a resource. `resource` is as in {@link Write}. */
export type Objects = (resource: string) => readonly JsonObject[];

/** Decides by RBAC, from the stored objects, whether a request is allowed. Without an authorizer, every request is. */
export type Authorizer = (attributes: Attributes, objects: Objects) => boolean;

/** A write as validating admission sees it, before it is stored. */
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
  /** The object's namespace. */
  readonly namespaceObject: JsonObject | undefined;
  /** Whether the authorizer allows the caller another request. */
  readonly isAllowed: (attributes: Omit<Attributes, "user">) => boolean;
  /** Returns a stored object, or undefined if there is none. `resource` is as in {@link Write}. */
  readonly find: (resource: string, name: string, namespace?: string) => JsonObject | undefined;
}

/** Reason why a write is refused. */
export interface Denial {
  /** `Forbidden` is 403, `Invalid` 422. */
  readonly reason: "Forbidden" | "Invalid";
  /** The whole sentence after `is forbidden: `. */
  readonly message: string;
}

/** Returns undefined if the write is not refused. */
export type Admission = (request: AdmissionRequest) => Denial | undefined;

/** One accepted write. */
export interface Write {
  /** Unix milliseconds. */
  readonly time: number;
  readonly user: string;
  readonly verb: "create" | "update" | "patch" | "apply" | "delete";
  /** For example `secrets` or `leases.coordination.k8s.io`. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uidBefore: string | undefined;
  readonly uidAfter: string | undefined;
  /** Version of the object after the write, or of the deletion. The same as before if the write changed nothing. */
  readonly resourceVersion: number;
  readonly isDryRun: boolean;
}

/** An open watch, as {@link SimulatedApiServer.cutWatches} shows it. */
export interface OpenWatch {
  readonly user: string;
  /** For example `secrets` or `leases.coordination.k8s.io`. */
  readonly resource: string;
  readonly url: string;
}
