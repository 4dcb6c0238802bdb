/**
 * Bounds of the memory that live copies use for objects that users of a namespace can write, each object as large as possible. A
 * user who fills the memory of the worker or of the webhook stops it for the whole cluster.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as annotations from "../../src/domain/annotations.ts";
import { type KubeObject, type ManagedFieldsEntry, RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeWatcher } from "../../src/domain/ports/kube-watcher.ts";
import { startConsumers } from "../../src/sync/classes/consumers.ts";
import { startHeldClasses } from "../../src/sync/classes/held-classes.ts";
import { startStatusStore } from "../../src/sync/classes/status-store.ts";
import { createFingerprints } from "../../src/sync/fingerprints.ts";
import { startOwners } from "../../src/sync/gateways/owners.ts";
import { createDriverRecords } from "../../src/sync/rollouts/pod-files.ts";
import { startRolloutBudgets } from "../../src/sync/rollouts/rollout-budgets.ts";
import { startRolloutWorkloads } from "../../src/sync/rollouts/rollout-workloads.ts";
import { COPY_MARKS, startSecretStore } from "../../src/sync/secrets/secret-store.ts";
import { startGrants } from "../../src/sync/vault/find-identity.ts";
import { reflectClasses } from "../../src/webhook/class-copy.ts";
import { reflectNamespaces } from "../../src/webhook/namespace-lookup.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { type BlownUp, blownUps, sizeOf } from "../support/worker/blown-up.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";
import { type ToldCopies, toldCopies } from "../support/worker/reported-copies.ts";

/** Characters of the large part of an object. An object may have three times as many. */
const LARGE = 524_288;
/** The copies always hold an object that takes no more bytes than this. */
const SMALL = 64 * 1_024;
/** For larger objects, each copy has room for 16 MiB for each namespace. A text that a copy holds in two places counts twice here. */
const ROOM = 34 * 1_048_576;

/** Objects for each place. There are so many that the test notices if each of them keeps a part of a text that it cut. */
const MANY = 30;
const SLACK = 12 * 1_048_576;

const { signal } = new AbortController();
const nothing = (): void => undefined;
const crdHealth = { state: { kind: "whole" } } as unknown as Parameters<typeof startStatusStore>[0]["crdHealth"]; // The state never changes.
const kube = {} as Parameters<typeof startStatusStore>[0]["kube"]; // The store sends no request.
const fingerprints = createFingerprints(Buffer.alloc(32, 1));

/** The copies, by the file that starts the watch. */
const COPIES: Readonly<Record<string, (watcher: KubeWatcher) => unknown>> = {
  "src/webhook/namespace-lookup.ts": (watcher) => reflectNamespaces(watcher, signal),
  "src/webhook/class-copy.ts": (watcher) => reflectClasses(watcher, signal),
  "src/sync/vault/find-identity.ts": (watcher) => startGrants(watcher, nothing, signal),
  "src/sync/secrets/secret-store.ts": (watcher) => [
    startSecretStore({ watcher, fingerprints, logger: { warn: nothing }, onChange: nothing }, signal),
    startSecretStore({ watcher, fingerprints, logger: { warn: nothing }, onChange: nothing, marks: COPY_MARKS }, signal),
  ],
  "src/sync/classes/consumers.ts": (watcher) => startConsumers({ watcher, onUseChanged: nothing, onIdentitiesChanged: nothing }, signal),
  "src/sync/classes/held-classes.ts": (watcher) => startHeldClasses({ watcher, kube, onChange: nothing, requeue: nothing }, signal),
  "src/sync/classes/status-store.ts": (watcher) =>
    startStatusStore({ kube, watcher, logger: recordingLogger(), crdHealth, isOfClass: () => true, onLost: nothing }, signal),
  "src/sync/rollouts/rollout-workloads.ts": (watcher) =>
    startRolloutWorkloads(
      { watcher, clock: new ManualClock(), logger: recordingLogger(), watchesArgo: true, onChange: nothing, onGone: nothing },
      signal,
    ),
  "src/sync/rollouts/rollout-budgets.ts": (watcher) => startRolloutBudgets({ watcher, onChange: nothing, onListed: nothing }, signal),
  "src/sync/rollouts/pod-files.ts": (watcher) =>
    createDriverRecords({ watcher, crdHealth, onChange: nothing, onListed: nothing }, signal).problem(),
  "src/sync/gateways/owners.ts": (watcher) =>
    startOwners({ watcher, kinds: ["Gateway", "Ingress"], served: { Gateway: ["shop"], Ingress: ["shop"] }, onChange: nothing }, signal),
};

/**
 * Files whose copies users of a namespace cannot fill: these users cannot write the objects, or the copy holds only a number or
 * objects of the install.
 */
const NOT_OF_TENANTS: Readonly<Record<string, string>> = {
  "src/cli/dashboard/live.ts": "a person's own process, which ends with the terminal",
  "src/cli/refresh/seen-answer.ts": "likewise; one word of one status",
  "src/sync/served-namespaces.ts": "hands on",
  "src/sync/shard.ts": "hands on",
  "src/sync/guardrails.ts": "policies of the cluster; a number of each",
  "src/sync/healing/watched-crds.ts": "definitions of the cluster",
  "src/sync/healing/components.ts": "objects of the cluster and of the install",
  "src/sync/healing/signed-records.ts": "what this install has signed",
  "src/sync/secrets/driver-sync.ts": "bindings of the cluster",
  "src/tls/start-certificates.ts": "objects of the install",
};

const OWN_ANNOTATIONS = Object.fromEntries(
  Object.values(annotations)
    .flatMap((keys) => (typeof keys === "string" ? [] : Object.values(keys)))
    .map((key) => [key, key.endsWith("/inject") || key.endsWith("/restart-on-rotation") ? "true" : "value"]),
);
const LABELS = { [annotations.MANAGED_LABEL]: "true", [annotations.COPY_LABEL]: "true", app: "web" };
const FIELDS = { "f:app": {} };
const MANAGED_FIELDS: readonly ManagedFieldsEntry[] = [
  {
    manager: "keyvault-injector-sync",
    operation: "Update",
    time: "2026-01-01T00:00:00Z",
    fieldsV1: { "f:data": FIELDS, "f:metadata": { "f:labels": FIELDS, "f:annotations": FIELDS } },
  },
];
const POD_SPEC = {
  volumes: [
    {
      name: "v",
      csi: {
        driver: "secrets-store.csi.k8s.io",
        volumeAttributes: { secretProviderClass: "app" },
        nodePublishSecretRef: { name: "creds" },
      },
      secret: { secretName: "db" },
    },
  ],
  containers: [
    { name: "c", env: [{ name: "A", valueFrom: { secretKeyRef: { name: "db", key: "a" } } }], envFrom: [{ secretRef: { name: "db" } }] },
  ],
};
const TEMPLATE = { metadata: { labels: LABELS, annotations: OWN_ANNOTATIONS }, spec: POD_SPEC };
const WORKLOAD = {
  spec: { selector: { matchLabels: LABELS }, template: TEMPLATE },
  status: { conditions: [{ type: "Progressing", message: "m" }] },
};
const STATUS = {
  observedClassGeneration: 1,
  conditions: [{ type: "Synced", status: "True", reason: "Synced", message: "m", lastTransitionTime: "2026-01-01T00:00:00Z" }],
  secrets: [{ name: "db", state: "Synced", message: "m", data: [{ key: "k", object: "secret/o", version: "v", message: "m" }] }],
  objects: [{ object: "secret/o", version: "v" }],
  copies: [{ namespace: "other", state: "Synced", secrets: ["db"] }],
};
const TLS = {
  mode: "Terminate",
  options: { "keyvault-injector.dev/certificate": "https://shop.vault.azure.net/certificates/web" },
  certificateRefs: [{ name: "c" }],
};

/** For each kind, an object with all fields that the code reads. */
const SEEDS: Readonly<Record<string, object>> = {
  Namespace: {},
  SecretProviderClass: {
    spec: {
      provider: "azure",
      parameters: { keyvaultName: "shop", objects: "array: []", clientID: "id" },
      secretObjects: [{ secretName: "db", type: "Opaque", labels: { app: "web" }, data: [{ objectName: "o", key: "k" }] }],
    },
  },
  SecretProviderClassSync: { status: STATUS },
  SecretProviderClassPodStatus: { status: { secretProviderClassName: "app", mounted: true, objects: [{ id: "secret/o", version: "v" }] } },
  Secret: { type: "Opaque", data: { app: "" } },
  Pod: { spec: POD_SPEC, status: { phase: "Running" } },
  Deployment: WORKLOAD,
  StatefulSet: WORKLOAD,
  DaemonSet: WORKLOAD,
  Rollout: WORKLOAD,
  PodDisruptionBudget: { spec: { selector: { matchLabels: LABELS, matchExpressions: [{ key: "app", operator: "In", values: ["web"] }] } } },
  Gateway: { spec: { gatewayClassName: "shop", listeners: [{ name: "web", protocol: "HTTPS", tls: TLS }] } },
  Ingress: { spec: { ingressClassName: "shop", tls: [{ hosts: ["a.example"], secretName: "c" }] } },
  ServiceAccount: {},
};

function seedOf(kind: string): KubeObject {
  const metadata = {
    namespace: "greedy",
    name: "o",
    uid: "o",
    labels: LABELS,
    annotations: OWN_ANNOTATIONS,
    managedFields: MANAGED_FIELDS,
    ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "p" }],
  };
  return { apiVersion: "v1", kind, ...SEEDS[kind], metadata };
}

/** Places in objects that the copies hold unchanged, and the reason. */
const HELD_WHOLE: readonly (readonly [RegExp, string])[] = [
  [
    /^Namespace metadata\.annotations\.grants\./,
    "who may write Namespaces grants by them; by a list that was cut, copies would be deleted that are granted",
  ],
  [/^SecretProviderClassPodStatus /, "the driver's own, from classes and what a node has mounted"],
  [/^Pod spec\.volumes$/, "each names another class, and each of these is in use"],
];

/** Returns the places that can be large in an object of the kind, except those that the copies hold unchanged. */
function placesOf(kind: string): readonly BlownUp[] {
  return blownUps(seedOf(kind), LARGE).filter(({ place }) => !HELD_WHOLE.some(([places]) => places.test(`${kind} ${place}`)));
}

describe("the live copies", () => {
  test("are all known here: each that holds what people of a namespace can write", () => {
    const root = path.resolve(import.meta.dirname, "../..");
    const watching = globSync("src/**/*.ts", { cwd: root }).filter((file) =>
      /\.reflect(<[^(]*>)?\(/.test(readFileSync(path.join(root, file), "utf8")),
    );
    assert.deepEqual(watching.toSorted(), [...Object.keys(COPIES), ...Object.keys(NOT_OF_TENANTS)].toSorted());
  });

  for (const [file, start] of Object.entries(COPIES))
    test(`A18-20: of ${file} hold little of a namespace's objects, whatever in them is large`, () => {
      const copies = started(start);
      assert.ok(copies.kinds().length > 0);
      for (const kind of new Set(copies.kinds()))
        for (const each of placesOf(kind)) {
          assert.ok(sizeOf(each.object) > LARGE / 2, `${kind}: ${each.place} is large`);
          assert.ok(heldOf(copies, each) < ROOM, `${kind}: objects whose ${each.place} is large are all held`);
        }
    });

  for (const [file, start] of Object.entries(COPIES))
    test(`A18-18: of ${file} keep nothing of a text in memory that they have cut`, () => {
      const copies = started(start);
      for (const kind of new Set(copies.kinds())) {
        const before = heapBytes();
        const sizeBefore = sizeOf(copies.held());
        tellTexts(copies, kind);
        const grown = heapBytes() - before;
        const known = sizeOf(copies.held()) - sizeBefore;
        assert.ok(grown < 2 * known + SLACK, `${kind}: ${mib(grown)} MiB in memory, of which ${mib(known)} can be seen`);
      }
    });

  test("would be found by this where one keeps a part of a text as slice makes it", () => {
    const project = ({ metadata: { labels = {} } }: KubeObject) => labels["app"]?.slice(0, 100) ?? "";
    const copies = started((watcher) => watcher.reflect({ resource: RESOURCES.pods, project }, signal));
    const before = heapBytes();
    tellTexts(copies, "Pod");
    assert.ok(heapBytes() - before > 2 * sizeOf(copies.held()) + SLACK);
  });

  test("would be found by this where one holds a text, a list or a map of an object as it is", () => {
    const holdsAll = (watcher: KubeWatcher) => watcher.reflect({ resource: RESOURCES.pods, project: (object) => object }, signal);
    const places = blownUps(seedOf("Pod"), LARGE);
    for (const place of ["metadata.annotations", "spec.volumes", "spec.volumes.0.csi.volumeAttributes.secretProviderClass"]) {
      const each = places.find((one) => one.place === place);
      assert.ok(each !== undefined && heldOf(started(holdsAll), each) > ROOM, place);
    }
  });
});

function started(start: (watcher: KubeWatcher) => unknown): ToldCopies {
  const copies = toldCopies();
  start(copies.watcher);
  return copies;
}

/**
 * Tells the copies such objects until they hold little of the next object, or until they exceed the room. Returns the bytes that
 * each copy holds.
 */
function heldOf(copies: ToldCopies, each: BlownUp): number {
  const { length } = copies.kinds().filter((kind) => kind === each.object.kind);
  let sum = 0;
  for (let index = 0; sum <= ROOM * length; index += 1) {
    const size = sizeOf(copies.heldOf(tellAnother(copies, each, index)));
    sum += size;
    if (size <= SMALL) break;
  }
  return sum / length;
}

/** Keeps no reference to the objects, so that the caller measures only the memory of the copies. */
function tellTexts(copies: ToldCopies, kind: string): void {
  for (const each of placesOf(kind)) if (each.isText) for (let index = 0; index < MANY; index += 1) tellAnother(copies, each, index);
}

/** Each object is a new one, as from the API server, and shares no memory with the others. */
function tellAnother(copies: ToldCopies, { place, object }: BlownUp, index: number): KubeObject {
  const { metadata, ...rest } = structuredClone(object);
  const name = `${place}-${index}`;
  const next = { ...rest, metadata: { ...metadata, name, uid: name } };
  copies.report(next);
  return next;
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(1);
