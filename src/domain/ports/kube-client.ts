import type { KubeObject, ObjectRef, Resource } from "../kubernetes.ts";
import type { Sensitive } from "../sensitive.ts";

/**
 * Result of a read. `absent`: the API server itself reports that the object does not exist (a Status that names it). `unserved`: the kind
 * has no route (CRD deleted, version not served), which says nothing about the object.
 */
export type ReadResult<T> = { readonly kind: "found"; readonly object: T } | { readonly kind: "absent" } | { readonly kind: "unserved" };

export interface WriteOptions {
  readonly fieldManager: string;
  readonly dryRun?: boolean;
}

export interface PatchOptions extends WriteOptions {
  /** Called when the patch leaves the process, which can be long after the call. If false, the patch is not sent and throws `Conflict`. */
  readonly isStillDue?: () => boolean;
}

export interface ApplyOptions extends WriteOptions {
  /** Whether to take over fields that another manager owns. */
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
  /** Returns the part of each object to keep, called when its page arrives: for lists with large objects. Default: the whole object. */
  readonly keep?: (object: T) => T;
  /** Whether the API server omits everything except the metadata, so that values of Secrets are neither sent nor read. */
  readonly metadataOnly?: boolean;
}

export interface TokenRequest {
  /** The only party that will accept the token. */
  readonly audience: string;
  /** The API server accepts 600 and more. */
  readonly expirationSeconds: number;
}

/** Sends and receives raw JSON: no typed serialiser changes an object. Every call throws `KubeError`. */
export interface KubeClient {
  read<T extends KubeObject>(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<ReadResult<T>>;
  /** Like `read`, but the API server omits everything except the metadata, so that values of a Secret are neither sent nor read. */
  readMetadata(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<ReadResult<KubeObject>>;
  /** Lists all pages. An unserved kind throws `NotFound`. */
  list<T extends KubeObject>(resource: Resource, options: ListRequest<T>, signal: AbortSignal): Promise<readonly T[]>;
  /** POST; a name that is already in use throws `AlreadyExists`. */
  create<T extends KubeObject>(resource: Resource, body: T, options: WriteOptions, signal: AbortSignal): Promise<T>;
  /**
   * PUT: replaces the whole object, and removes fields that `body` omits. Only for `--secret-access=blind`, because there the right to
   * patch would imply a right to read.
   */
  replace<T extends KubeObject>(resource: Resource, body: T, options: WriteOptions, signal: AbortSignal): Promise<T>;
  /** Server-side apply. `metadata.uid` and `metadata.resourceVersion` in the body are preconditions (`Conflict`, `Invalid`). */
  apply<T extends KubeObject>(resource: Resource, body: T, options: ApplyOptions, signal: AbortSignal): Promise<T>;
  /** JSON merge patch, for removals that an apply cannot express. */
  mergePatch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: unknown,
    options: PatchOptions,
    signal: AbortSignal,
  ): Promise<T>;
  /** Returns false if the object was already gone. A failed precondition throws `Conflict`. */
  delete(resource: Resource, ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<boolean>;
  /** Requests a new token of a ServiceAccount (the TokenRequest API). */
  requestToken(account: ObjectRef, request: TokenRequest, signal: AbortSignal): Promise<Sensitive>;
}
