import type { KubeObject, ObjectRef, Resource } from "../kubernetes.ts";
import type { Sensitive } from "../sensitive.ts";

/**
 * Result of a read. `absent` is the API server's own word that the object does not exist (a Status that names it);
 * `unserved` means that the kind itself has no route (CRD gone, version not served), which says nothing of the object.
 */
export type ReadResult<T> = { readonly kind: "found"; readonly object: T } | { readonly kind: "absent" } | { readonly kind: "unserved" };

export interface WriteOptions {
  readonly fieldManager: string;
  readonly dryRun?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  /** Take over fields that another manager owns. */
  readonly force: boolean;
  readonly subresource?: "status";
}

export interface DeleteOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly dryRun?: boolean;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListRequest<T> extends ListOptions {
  /** What is kept of each object, called as its page arrives: for lists of what may be large. Default: all of it. */
  readonly keep?: (object: T) => T;
  /** The API server leaves everything but the metadata out: values of Secrets are neither sent nor read. */
  readonly metadataOnly?: boolean;
}

export interface TokenRequest {
  /** The one party that will accept the token. */
  readonly audience: string;
  /** The API server takes 600 and more. */
  readonly expirationSeconds: number;
}

/** Raw JSON in and out: no typed serialiser touches an object. Every call throws `KubeError`. */
export interface KubeClient {
  read<T extends KubeObject>(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<ReadResult<T>>;
  /** As `read`, but the API server leaves everything but the metadata out: values of a Secret are neither sent nor read. */
  readMetadata(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<ReadResult<KubeObject>>;
  /** All pages. An unserved kind throws `NotFound`. */
  list<T extends KubeObject>(resource: Resource, options: ListRequest<T>, signal: AbortSignal): Promise<readonly T[]>;
  /** POST; a taken name throws `AlreadyExists`. */
  create<T extends KubeObject>(resource: Resource, body: T, options: WriteOptions, signal: AbortSignal): Promise<T>;
  /**
   * PUT: the whole object is what `body` says, and what it leaves out goes. Only for `--secret-access=blind`, where the right to patch
   * would be a right to read.
   */
  replace<T extends KubeObject>(resource: Resource, body: T, options: WriteOptions, signal: AbortSignal): Promise<T>;
  /** Server-side apply. `metadata.uid` and `metadata.resourceVersion` in the body are preconditions (`Conflict`, `Invalid`). */
  apply<T extends KubeObject>(resource: Resource, body: T, options: ApplyOptions, signal: AbortSignal): Promise<T>;
  /** JSON merge patch, for removals that an apply cannot express. */
  mergePatch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: unknown,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<T>;
  /** False where it was already gone. A precondition that fails throws `Conflict`. */
  delete(resource: Resource, ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<boolean>;
  /** A new token of a ServiceAccount (the TokenRequest API). */
  requestToken(account: ObjectRef, request: TokenRequest, signal: AbortSignal): Promise<Sensitive>;
}
