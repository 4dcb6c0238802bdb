import { CLASS_ANNOTATIONS, COPY_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { type ObjectRef, RESOURCES, type Resource, type Secret, type SecretProviderClass } from "../../../src/domain/kubernetes.ts";
import { objectKey } from "../../../src/domain/object-key.ts";
import { KubeError, type KubeErrorCode } from "../../../src/domain/ports/kube-error.ts";
import { copyMetadata } from "../../../src/domain/sync/copies/copy-plan.ts";
import { heldSecret } from "../../../src/domain/sync/held-secret.ts";
import type { ObservedSecret } from "../../../src/domain/sync/observed-secret.ts";
import type { ClassStatus, CopyStatus } from "../../../src/domain/sync/status-fields.ts";
import { CopyPace } from "../../../src/sync/copies/copy-pace.ts";
import { type CopyPorts, reconcileCopies } from "../../../src/sync/copies/reconcile-copies.ts";
import { FIELD_MANAGER } from "../../../src/sync/field-manager.ts";
import { COPY_MARKS } from "../../../src/sync/secrets/secret-store.ts";
import { secretOf, syncedStatus } from "../fixtures/class-facts.ts";

export const KEY = "team/demo";
export const NOW = 1_000_000;

export const SOURCE: ObservedSecret = { ...secretOf("app"), ref: { namespace: "team", name: "app" } };

const classWith = (mirrorTo: string, resourceVersion = "7"): SecretProviderClass => ({
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: { namespace: "team", name: "demo", uid: "u", resourceVersion, annotations: { [CLASS_ANNOTATIONS.mirrorTo]: mirrorTo } },
  spec: { provider: "azure", secretObjects: [{ secretName: "app", type: "Opaque", data: [{ objectName: "object", key: "password" }] }] },
});

/** A copy with older content in the worker's form, which names the class `owner`. */
export function copyIn(namespace: string, owner = KEY): ObservedSecret {
  const { labels, annotations } = copyMetadata({ classKey: KEY, secret: SOURCE, mark: "old" });
  return {
    ...secretOf("app"),
    ref: { namespace, name: "app" },
    uid: `copy in ${namespace}`,
    labels,
    annotations: { ...annotations, [COPY_ANNOTATIONS.copiedFrom]: owner, [SECRET_ANNOTATIONS.content]: "v2:content" },
    owned: { data: ["password"], labels: Object.keys(labels), annotations: [...Object.keys(annotations), SECRET_ANNOTATIONS.content] },
  };
}

interface Pass {
  readonly mirrorTo: string;
  /** Namespaces that consent to copies of the class. */
  readonly granted: readonly string[];
  readonly copies: readonly ObservedSecret[];
  /** Namespaces whose Secrets the worker has no room for. The class is in `team`. */
  readonly inPart?: readonly string[];
  readonly before?: readonly CopyStatus[];
  /** The API server's answer to a write in the namespace. */
  readonly refuses?: Readonly<Record<string, KubeErrorCode>>;
  /** Namespaces whose classes belong to another shard. */
  readonly otherShard?: readonly string[];
  /** The API server's answer to a read of another class. */
  readonly readFails?: KubeErrorCode | "unserved";
  /** Value of `mirror-to` of another class that the API server finds. By default it finds none. */
  readonly found?: string;
  /** Namespaces that the install serves. Empty means all. */
  readonly served?: readonly string[];
  readonly pace?: CopyPace;
  /** Unix milliseconds. */
  readonly now?: number;
  /** Changes of the cluster during the first write, which takes longer than all others. */
  readonly meanwhile?: Meanwhile;
}

interface Meanwhile {
  /** Milliseconds that the first write takes. */
  readonly takes: number;
  /** New value of the class's `mirror-to`; undefined if someone deleted the class. */
  readonly mirrorTo?: string | undefined;
  readonly granted?: readonly string[];
  readonly isFrozen?: boolean;
  /** New fingerprint of the class's Secret. */
  readonly content?: string;
}

interface Passed {
  readonly outcome: string;
  /** Namespaces, in order. */
  readonly written: readonly string[];
  readonly status: readonly CopyStatus[] | undefined;
  /** Other classes that the worker requested from the API server. */
  readonly asked: readonly string[];
}

/** Runs one pass over the class's copies. */
export async function passOver({
  mirrorTo,
  granted,
  copies,
  inPart = [],
  before = [],
  refuses = {},
  otherShard = [],
  readFails,
  found,
  served = [],
  pace = new CopyPace(),
  now = NOW,
  meanwhile,
}: Pass): Promise<Passed> {
  let spc: SecretProviderClass | undefined = classWith(mirrorTo);
  let { time, consenting, isFrozen, content } = {
    time: now,
    consenting: granted,
    isFrozen: false,
    content: undefined as string | undefined,
  };
  const held = (secret: ObservedSecret): ObservedSecret => heldSecret(secret, () => !inPart.includes(secret.ref.namespace ?? ""));
  const written: string[] = [];
  const asked: string[] = [];
  let status: readonly CopyStatus[] | undefined;
  const write = (namespace = ""): void => {
    const code = refuses[namespace];
    if (code !== undefined) throw new KubeError(code, `${namespace} refuses`, { retry: { kind: "backoff" }, status: 403 });
    written.push(namespace);
    if (meanwhile === undefined || written.length > 1) return;
    time += meanwhile.takes;
    if ("mirrorTo" in meanwhile) spc = meanwhile.mirrorTo === undefined ? undefined : classWith(meanwhile.mirrorTo, "8");
    ({ granted: consenting = granted, isFrozen = false, content } = meanwhile);
  };
  const sourceNow = (): ObservedSecret =>
    content === undefined ? SOURCE : { ...SOURCE, annotations: { ...SOURCE.annotations, [SECRET_ANNOTATIONS.content]: content } };
  const stored: ClassStatus = { ...syncedStatus(), copies: before };
  const secretIn = (namespace?: string): Secret | undefined => {
    const observed = namespace === "team" ? sourceNow() : copies.find(({ ref }) => ref.namespace === namespace);
    return observed && { apiVersion: "v1", kind: "Secret", metadata: metadataOf(observed), type: "Opaque", data: {} };
  };
  const readOther = (ref: ObjectRef): unknown => {
    asked.push(objectKey(ref));
    if (found !== undefined) return { kind: "found", object: classWith(found) };
    if (readFails === undefined || readFails === "unserved") return { kind: readFails ?? "absent" };
    throw new KubeError(readFails, "a read fails", { retry: { kind: readFails === "Forbidden" ? "never" : "backoff" }, status: 403 });
  };
  const kube = {
    read: async (_: Resource, ref: ObjectRef) => (objectKey(ref) === KEY ? { kind: "found", object: spc } : readOther(ref)),
    list: async (resource: Resource, { namespace }: { readonly namespace?: string }) =>
      resource === RESOURCES.namespaces ? [{ metadata: { name: "left" } }] : [secretIn(namespace)].filter((each) => each !== undefined),
    delete: async (_: Resource, { namespace }: { readonly namespace: string }) => write(namespace),
    apply: async (_: Resource, body: Secret) => {
      write(body.metadata.namespace);
      return body;
    },
    create: async (_: Resource, body: Secret) => write(body.metadata.namespace),
  };
  const ports = {
    writing: {
      kube,
      fingerprints: { ofEncoded: () => "v2:content", withProof: () => "v2:content", isOfData: () => true, hasProof: () => true },
      logger: { info: () => {}, warn: () => {} },
      crdHealth: {
        get state() {
          return { kind: isFrozen ? "frozen" : "whole" };
        },
        confirm: async () => ({ kind: "whole" }),
      },
      written: () => {},
    },
    events: { emit: () => {} },
    clock: { now: () => time },
    pace,
    statuses: {
      get: () => stored,
      update: async (_: unknown, change: (status: ClassStatus) => ClassStatus | undefined) => {
        status = change(stored)?.copies;
      },
    },
    caches: {
      settings: { syncSecret: true, syncMode: "always" },
      install: { namespaces: served, shard: { serves: (namespace: string) => !otherShard.includes(namespace) } },
      classes: { get: ({ name }: { readonly name: string }) => (name === "demo" ? spc : undefined) },
      secrets: { ofClass: (key: string) => (key === KEY ? [held(SOURCE)] : []) },
      copies: {
        ofClass: (key: string) => copies.filter((copy) => COPY_MARKS.classKeyOf(copy) === key).map(held),
        get: ({ namespace }: ObjectRef) => copies.filter(({ ref }) => ref.namespace === namespace).map(held)[0],
      },
      consumers: { isUsed: () => true },
      grants: { consentOf: (namespace: string) => ({ from: consenting.includes(namespace) ? ["team/*"] : [], isTerminating: false }) },
      markOf: () => "new",
    },
  } as unknown as CopyPorts; // The pass uses only these ports.
  const outcome = await reconcileCopies(ports, KEY, new AbortController().signal).then(
    ({ kind }) => kind,
    (error: unknown) => `failed: ${error instanceof KubeError ? error.code : String(error)}`,
  );
  return { outcome, written, status, asked };
}

function metadataOf({ ref, uid, labels, annotations, owned }: ObservedSecret): Secret["metadata"] {
  const fields = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [`f:${key}`, {}]));
  const metadata = { "f:labels": fields(owned.labels), "f:annotations": fields(owned.annotations) };
  const fieldsV1 = { "f:metadata": metadata, "f:data": fields(owned.data) };
  return {
    ...ref,
    uid,
    labels,
    annotations,
    managedFields: [{ manager: FIELD_MANAGER, operation: "Apply", fieldsV1 }],
  };
}
