import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS, COPY_ANNOTATIONS, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { RESOURCES, type Resource, type Secret, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { KubeError, type KubeErrorCode } from "../../src/domain/ports/kube-error.ts";
import { copyMetadata } from "../../src/domain/sync/copies/copy-plan.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import type { ClassStatus, CopyStatus } from "../../src/domain/sync/status-fields.ts";
import { CopyPace } from "../../src/sync/copies/copy-pace.ts";
import { type CopyPorts, reconcileCopies } from "../../src/sync/copies/reconcile-copies.ts";
import { FIELD_MANAGER } from "../../src/sync/field-manager.ts";
import { COPY_MARKS } from "../../src/sync/secrets/secret-store.ts";
import { secretOf, syncedStatus } from "../support/fixtures/class-facts.ts";

const KEY = "team/demo";
const NOW = 1_000_000;

const SOURCE: ObservedSecret = { ...secretOf("app"), ref: { namespace: "team", name: "app" } };

const classWith = (mirrorTo: string): SecretProviderClass => ({
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: { namespace: "team", name: "demo", uid: "u", resourceVersion: "7", annotations: { [CLASS_ANNOTATIONS.mirrorTo]: mirrorTo } },
  spec: { provider: "azure", secretObjects: [{ secretName: "app", type: "Opaque", data: [{ objectName: "object", key: "password" }] }] },
});

/** A copy of older content, as the worker has written it, that says it is of the class `owner`. */
function copyIn(namespace: string, owner = KEY): ObservedSecret {
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
  /** Namespaces that take copies of the class. */
  readonly granted: readonly string[];
  readonly copies: readonly ObservedSecret[];
  readonly before?: readonly CopyStatus[];
  /** The API server's answer to a write in the namespace. */
  readonly refuses?: Readonly<Record<string, KubeErrorCode>>;
  /** Namespaces whose classes are another shard's. */
  readonly otherShard?: readonly string[];
  readonly pace?: CopyPace;
  /** Unix milliseconds. */
  readonly now?: number;
}

interface Passed {
  readonly outcome: string;
  /** Namespaces, in order. */
  readonly written: readonly string[];
  readonly status: readonly CopyStatus[] | undefined;
}

/** One pass over the class's copies. */
async function passOver({
  mirrorTo,
  granted,
  copies,
  before = [],
  refuses = {},
  otherShard = [],
  pace = new CopyPace(),
  now = NOW,
}: Pass): Promise<Passed> {
  const spc = classWith(mirrorTo);
  const written: string[] = [];
  let status: readonly CopyStatus[] | undefined;
  const write = (namespace = ""): void => {
    const code = refuses[namespace];
    if (code !== undefined) throw new KubeError(code, `${namespace} refuses`, { retry: { kind: "backoff" }, status: 403 });
    written.push(namespace);
  };
  const stored: ClassStatus = { ...syncedStatus(), copies: before };
  const source = { apiVersion: "v1", kind: "Secret", metadata: metadataOf(SOURCE), type: "Opaque", data: {} };
  const kube = {
    read: async () => ({ kind: "found", object: spc }),
    list: async (resource: Resource) => (resource === RESOURCES.namespaces ? [{ metadata: { name: "left" } }] : [source]),
    delete: async (_: Resource, { namespace }: { readonly namespace: string }) => write(namespace),
    apply: async (_: Resource, body: Secret) => {
      write(body.metadata.namespace);
      return body;
    },
  };
  const ports = {
    writing: {
      kube,
      fingerprints: { ofEncoded: () => "v2:content", withProof: () => "v2:content", isOfData: () => true, hasProof: () => true },
      logger: { info: () => {}, warn: () => {} },
      crdHealth: { state: { kind: "whole" }, confirm: async () => ({ kind: "whole" }) },
      written: () => {},
    },
    events: { emit: () => {} },
    clock: { now: () => now },
    pace,
    statuses: {
      get: () => stored,
      update: async (_: unknown, change: (status: ClassStatus) => ClassStatus | undefined) => {
        status = change(stored)?.copies;
      },
    },
    caches: {
      settings: { syncSecret: true, syncMode: "always" },
      install: { namespaces: [], shard: { serves: (namespace: string) => !otherShard.includes(namespace) } },
      classes: { get: ({ name }: { readonly name: string }) => (name === "demo" ? spc : undefined) },
      secrets: { ofClass: (key: string) => (key === KEY ? [SOURCE] : []) },
      copies: {
        ofClass: (key: string) => copies.filter((copy) => COPY_MARKS.classKeyOf(copy) === key),
        get: (ref: { readonly namespace: string }) => copies.find((copy) => copy.ref.namespace === ref.namespace),
      },
      consumers: { isUsed: () => true },
      grants: { consentOf: (namespace: string) => ({ from: granted.includes(namespace) ? ["team/*"] : [], isTerminating: false }) },
      markOf: () => "new",
    },
  } as unknown as CopyPorts; // As far as it is asked.
  const outcome = await reconcileCopies(ports, KEY, new AbortController().signal).then(
    ({ kind }) => kind,
    (error: unknown) => `failed: ${error instanceof KubeError ? error.code : String(error)}`,
  );
  return { outcome, written, status };
}

function metadataOf({ ref, uid, labels, annotations }: ObservedSecret): object {
  const fieldsV1 = { "f:metadata": { "f:labels": { [`f:${MANAGED_LABEL}`]: {} } } };
  return {
    ...ref,
    uid,
    labels,
    annotations,
    managedFields: [{ manager: FIELD_MANAGER, operation: "Apply", fieldsType: "FieldsV1", fieldsV1 }],
  };
}

describe("a pass over the copies of a class", () => {
  for (const code of ["Forbidden", "Unavailable"] as const) {
    test(`CP-2: writes the others where one cannot be removed, and tells of all: ${code}`, async () => {
      const copies = [copyIn("left"), copyIn("stays")];
      const passed = await passOver({ mirrorTo: "left, stays", granted: ["stays"], copies, refuses: { left: code } });

      assert.deepEqual(passed, {
        outcome: `failed: ${code}`,
        written: ["stays"],
        status: [
          { namespace: "left", state: "NotGranted" },
          { namespace: "stays", state: "Synced" },
        ],
      });
    });
  }

  test("CP-2: says of a namespace that the class names no more that its copy is still there", async () => {
    const passed = await passOver({
      mirrorTo: "stays",
      granted: ["stays"],
      copies: [copyIn("left"), copyIn("stays")],
      refuses: { left: "Forbidden" },
    });

    assert.deepEqual(passed.status, [
      { namespace: "left", state: "Failed", secrets: ["app"] },
      { namespace: "stays", state: "Synced" },
    ]);
  });

  test("CP-3: tells of the others where a write met another one, which keeps what was told of it", async () => {
    const passed = await passOver({
      mirrorTo: "busy, stays",
      granted: ["busy", "stays"],
      copies: [copyIn("busy"), copyIn("stays")],
      before: [{ namespace: "busy", state: "Synced" }],
      refuses: { busy: "Conflict" },
    });

    assert.deepEqual(passed, {
      outcome: "failed: Conflict",
      written: ["stays"],
      status: [
        { namespace: "busy", state: "Synced" },
        { namespace: "stays", state: "Synced" },
      ],
    });
  });

  for (const word of ["w", "w/", "/w", "w/a%b", "w/a/b", "W/a", ""]) {
    test(`CP-1: repairs a copy whose class somebody edited to what no class is called, also where it would be another shard's: ${word}`, async () => {
      const passed = await passOver({
        mirrorTo: "edited, stays",
        granted: ["edited", "stays"],
        copies: [copyIn("edited", word), copyIn("stays")],
        otherShard: ["w", "W", ""],
      });

      assert.deepEqual(passed, {
        outcome: "done",
        written: ["edited", "stays"],
        status: [
          { namespace: "edited", state: "Synced" },
          { namespace: "stays", state: "Synced" },
        ],
      });
    });
  }

  test("RC-8: calls a copy Synced again a minute after the last repair where the damage went by itself", async () => {
    const source = { classKey: KEY, secret: SOURCE, mark: "new" };
    const planned = { source, namespace: "stays", step: { kind: "create" } } as const;
    const pace = new CopyPace();
    for (let write = 0; write < 5; write += 1) pace.noteWrite(planned, NOW);
    assert.ok(pace.pauseBefore(planned, NOW) > 0, "the control: the next repair waits");
    const right = copyIn("stays");
    const copies = [{ ...right, annotations: { ...right.annotations, [COPY_ANNOTATIONS.sourceContent]: "new" } }];
    const pass = { mirrorTo: "stays", granted: ["stays"], copies, pace };

    const soon = await passOver({ ...pass, now: NOW + 1_000 });
    const later = await passOver({ ...pass, now: NOW + 61_000 });

    assert.deepEqual(
      [soon, later].map(({ outcome, status }) => ({ outcome, state: status?.[0]?.state })),
      [
        { outcome: "requeueAfter", state: "Contested" },
        { outcome: "done", state: "Synced" },
      ],
    );
  });

  test("RC-9: does not call a copy for which the worker has no room somebody else's Secret", async () => {
    const copies = [{ ...copyIn("full"), isPartial: true }, copyIn("stays")];
    const passed = await passOver({ mirrorTo: "full, stays", granted: ["full", "stays"], copies });

    assert.deepEqual(passed, {
      outcome: "done",
      written: ["stays"],
      status: [
        { namespace: "full", state: "Failed", secrets: ["app"] },
        { namespace: "stays", state: "Synced" },
      ],
    });
  });
});
