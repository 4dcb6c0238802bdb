/**
 * What the apps see of the adapters. An app imports this file and never an adapter; `compose.ts` hands it the
 * implementation.
 */
import type { EventWord } from "./events.ts";
import type { KubeObject, ObjectRef, Resource } from "./kubernetes.ts";
import type { Result } from "./result.ts";
import type { Sensitive } from "./sensitive.ts";

/** How the queue should treat a failure. Data, not text: nobody guesses from a message. */
export type Retry = { readonly kind: "backoff" } | { readonly kind: "after"; readonly milliseconds: number } | { readonly kind: "never" };

// ---------------------------------------------------------------- Kubernetes

export type KubeErrorCode =
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Forbidden"
  | "Unauthorized"
  | "Invalid"
  | "Throttled"
  | "Gone"
  /** The namespace is being deleted: nothing can be made in it. */
  | "Terminating"
  | "TooLarge"
  | "Unavailable";

/** An API server's refusal, or no answer at all. The message never holds a request or response body. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly code: KubeErrorCode;
  readonly retry: Retry;
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined;

  constructor(
    code: KubeErrorCode,
    message: string,
    options: { readonly retry: Retry; readonly status?: number; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry;
    this.status = options.status;
  }
}

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
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly dryRun?: boolean;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface TokenRequest {
  /** The one party that will accept the token. */
  readonly audience: string;
  /** The API server takes 600 and more. */
  readonly expirationSeconds: number;
}

/** Raw JSON in and out: no typed serialiser touches an object. Every call throws {@link KubeError}. */
export interface KubeClient {
  read<T extends KubeObject>(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<ReadResult<T>>;
  /** All pages. An unserved kind throws `NotFound`. */
  list<T extends KubeObject>(resource: Resource, options: ListOptions, signal: AbortSignal): Promise<readonly T[]>;
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

/** A change seen by a watch. `previous` is absent for an addition, `current` for a deletion. */
export interface Change<T> {
  readonly previous: T | undefined;
  readonly current: T | undefined;
}

/** Live copy of a collection. `project` decides what is kept in memory. */
export interface Reflector<T> {
  /** True after the first complete list, false again while the kind is unserved. */
  readonly hasSynced: boolean;
  /** The API server has no such kind at the moment. The copy is kept as it was last seen. */
  readonly isUnserved: boolean;
  /** Unix milliseconds of the last list, event or bookmark. */
  readonly lastActivity: number;
  get(ref: ObjectRef): T | undefined;
  list(): readonly T[];
  /** Drops the copy's claim to be current and lists anew. */
  relist(): void;
  /** Resolves when `hasSynced` first holds; rejects when the signal aborts. */
  synced(signal: AbortSignal): Promise<void>;
}

export interface ReflectorOptions<T> extends ListOptions {
  readonly resource: Resource;
  /** Called once per object received; return what to keep, undefined to ignore the object. */
  readonly project: (object: KubeObject) => T | undefined;
  /** Called in order, after the copy was updated. Must not throw and must not block: enqueue a key and return. */
  readonly onChange?: (ref: ObjectRef, change: Change<T>) => void;
  /** Called when the kind becomes served or unserved. */
  readonly onServed?: (served: boolean) => void;
}

export interface KubeWatcher {
  /** Starts at once and runs until the signal aborts. */
  reflect<T>(options: ReflectorOptions<T>, signal: AbortSignal): Reflector<T>;
}

/** Holds a coordination.k8s.io Lease. */
export interface LeaderElection {
  readonly isLeader: boolean;
  /** Leads, and nobody else can by now: false from the moment at which a renewal is overdue, whenever this process comes to notice it. */
  readonly holdsLease: boolean;
  /**
   * Blocks until the lease is won, calls `lead` with a signal that aborts when it is lost, and resolves when the outer signal aborts
   * (the lease is then released). Rejects when the lease was lost: the process must end, since another leader may already write.
   */
  run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
}

export interface EventSink {
  /** Posts one event on the object; failures are logged, never thrown. */
  emit(event: {
    readonly regarding: KubeObject;
    readonly type: "Normal" | "Warning";
    readonly reason: EventWord;
    readonly message: string;
  }): void;
}

// ---------------------------------------------------------------- Azure

export type VaultErrorCode =
  | "NotFound"
  | "Disabled"
  | "Expired"
  | "NotYetValid"
  | "Unauthorized"
  /** The class's identity cannot be had where we run: no such account, no such identity of the node. */
  | "IdentityUnavailable"
  | "Forbidden"
  | "Throttled"
  | "Unreachable"
  | "Invalid";

/** What the Azure adapter lets out: what was tried, on what, and what to do; never a value, a token, a header or a body. */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: VaultErrorCode;
  readonly retry: Retry;
  /** Where the provider has a text of its own, which does not name the object. */
  readonly providerText: string | undefined;

  constructor(
    code: VaultErrorCode,
    message: string,
    options: { readonly retry: Retry; readonly cause?: unknown; readonly providerText?: string | undefined },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry;
    this.providerText = options.providerText;
  }
}

/** An application with a client secret. */
export interface ServicePrincipalIdentity {
  readonly kind: "servicePrincipal";
  readonly clientId: string;
  readonly clientSecret: Sensitive;
}

/** An application, or a user-assigned managed identity, that trusts a ServiceAccount by a federated credential. */
export interface WorkloadIdentity {
  readonly kind: "workloadIdentity";
  readonly clientId: string;
  readonly account: { readonly namespace: string; readonly name: string };
  /** A fresh token of the account for `api://AzureADTokenExchange`. Throws {@link VaultError}. */
  readonly requestToken: (signal: AbortSignal) => Promise<Sensitive>;
}

/** An identity of the machine that we run on; without `clientId` its system-assigned one. */
export interface ManagedIdentity {
  readonly kind: "managedIdentity";
  readonly clientId: string | undefined;
}

/** Who asks. */
export type VaultIdentity = ServicePrincipalIdentity | WorkloadIdentity | ManagedIdentity;

/** Which vault, in which cloud, asked under which tenant. */
export interface VaultAddress {
  /** `https://<name>.<suffix>/` */
  readonly vaultUrl: string;
  /** `https://login.microsoftonline.com/` and its kin. */
  readonly authorityHost: string;
  readonly tenantId: string;
  /** Scope of tokens for the vaults of a cloud that the operator describes; absent for the clouds that everybody knows. */
  readonly customScope?: string;
}

/** What every object of a vault has. */
export interface VaultObject {
  /** Key Vault version id: 32 hex digits. */
  readonly version: string;
  /** Unix milliseconds. */
  readonly updated: number | undefined;
  readonly expires: number | undefined;
  readonly notBefore: number | undefined;
  /** When the vault answered, by its own clock, in whole seconds; absent where it does not say. */
  readonly answered?: number;
}

export interface VaultSecret extends VaultObject {
  readonly value: Sensitive;
  readonly contentType: string | undefined;
  /** Set on certificate-backed secrets. */
  readonly keyId: string | undefined;
}

/** Public half of a key, in the words of a JSON Web Key; numbers are big-endian. */
export interface PublicJwk {
  /** `RSA`, `RSA-HSM`, `EC`, `EC-HSM`, `oct`, … */
  readonly kty: string;
  readonly n?: Uint8Array | undefined;
  readonly e?: Uint8Array | undefined;
  readonly crv?: string | undefined;
  readonly x?: Uint8Array | undefined;
  readonly y?: Uint8Array | undefined;
}

export interface VaultKey extends VaultObject {
  readonly jwk: PublicJwk;
}

export interface VaultCertificate extends VaultObject {
  /** The certificate alone, in DER: no chain, no key. */
  readonly der: Uint8Array;
}

/** One entry of an object's version list. */
export interface VaultVersion {
  readonly version: string;
  readonly isEnabled: boolean;
  /** Unix milliseconds; 0 where the vault does not say. */
  readonly created: number;
}

export type VaultObjectKind = "secret" | "key" | "certificate";

/** One entry of the list of a vault's objects: the current version's attributes, but not which version that is. */
export interface ListedObject {
  /** In the spelling of its first version: names are case-insensitive. */
  readonly name: string;
  readonly isEnabled: boolean;
  /** Unix milliseconds, in whole seconds. */
  readonly updated: number | undefined;
}

/** Objects of one vault as one identity sees them. Throws {@link VaultError}. */
export interface ObjectReader {
  /** `version` undefined: the current one. */
  getSecret(name: string, version: string | undefined, signal: AbortSignal): Promise<VaultSecret>;
  getKey(name: string, version: string | undefined, signal: AbortSignal): Promise<VaultKey>;
  getCertificate(name: string, version: string | undefined, signal: AbortSignal): Promise<VaultCertificate>;
  /** All versions, disabled and expired ones too, in the vault's order. */
  listSecretVersions(name: string, signal: AbortSignal): Promise<readonly VaultVersion[]>;
  listKeyVersions(name: string, signal: AbortSignal): Promise<readonly VaultVersion[]>;
  listCertificateVersions(name: string, signal: AbortSignal): Promise<readonly VaultVersion[]>;
}

/** One vault as one identity sees it. Throws {@link VaultError}. */
export interface VaultClient extends ObjectReader {
  /** All objects of a kind, a page at a time: each page is one transaction and holds up to 25. */
  listObjects(kind: VaultObjectKind, signal: AbortSignal): AsyncIterable<readonly ListedObject[]>;
}

/** Hands out one client per (cloud, tenant, vault, identity) and reuses it. */
export interface VaultClients {
  clientFor(address: VaultAddress, identity: VaultIdentity): VaultClient;
}

// ---------------------------------------------------------------- PKI

/** A block of PEM. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  readonly type: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly der: Uint8Array;
}

export interface PemText {
  readonly blocks: readonly PemBlock[];
  /** What follows the last block: all of the input where there is none. */
  readonly rest: Uint8Array;
}

/** A private key in both encodings, DER. `other` are kinds that no Secret and no file of the provider takes. */
export type PrivateKey =
  | {
      readonly kind: "rsa" | "ec";
      readonly pkcs8: Uint8Array;
      /** PKCS#1 for RSA, SEC 1 for EC. */
      readonly traditional: Uint8Array;
    }
  | { readonly kind: "other" };

/** What links a certificate to its issuer, in hex; undefined where it does not say. */
export interface CertificateKeyIds {
  readonly subject: string | undefined;
  readonly authority: string | undefined;
}

/**
 * Keys, certificates and their containers. Total and synchronous, in time bounded by the input; errors are the words of the Go
 * libraries that the provider and the driver use, and hold nothing of the input.
 */
export interface Pki {
  decodePem(text: Uint8Array): PemText;
  encodePem(block: PemBlock): Uint8Array;
  /** Certificates and private keys (as `traditional`, under the type `PRIVATE KEY`) in the order of the file; the password is empty. */
  decodePkcs12(bytes: Uint8Array): Result<readonly PemBlock[], string>;
  /** PKCS#1, PKCS#8 or SEC 1; undefined where it is none of them. */
  readPrivateKey(der: Uint8Array): PrivateKey | undefined;
  readCertificate(der: Uint8Array): Result<CertificateKeyIds, string>;
  /** SubjectPublicKeyInfo in DER. */
  encodePublicKey(jwk: PublicJwk): Result<Uint8Array, string>;
}

// ---------------------------------------------------------------- TLS

/** Certificate and private key that a TLS server presents, both PEM. The key goes to the TLS library and nowhere else. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What a TLS server serves now, and when that changes. */
export interface CertificateSource {
  /** Undefined until the first certificate has been issued. */
  current(): ServingCertificate | undefined;
  /** Called after `current` changed, with nothing in hand: read it again. New connections are to use the new certificate. */
  onChange(listener: () => void): void;
}

// ---------------------------------------------------------------- Process

/** The only source of time. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Structured log: a constant message and fields. Values of secrets, bodies, objects and tokens never appear in fields. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  child(fields: Readonly<Record<string, unknown>>): Logger;
}
