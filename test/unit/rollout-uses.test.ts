import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { MountedVersions } from "../../src/domain/rollout/mounted-versions.ts";
import { hasStamp, isRestarted, restartStamp } from "../../src/domain/rollout/stamp.ts";
import { usesOf } from "../../src/domain/rollout/uses.ts";
import { type NamespaceSecrets, versionsFor } from "../../src/domain/rollout/versions.ts";
import { observeWorkload } from "../../src/domain/rollout/workload.ts";
import { namespaceSecrets, VersionTimes } from "../../src/sync/rollouts/rollout-versions.ts";
import type { SecretStore } from "../../src/sync/secrets/secret-store.ts";
import { secretOf } from "../support/fixtures/class-facts.ts";
import { NEW, OLD, observed, workload } from "../support/worker/observed-workload.ts";

const { inject, restartOnRotation, secretProviderClass, envFrom } = POD_ANNOTATIONS;

describe("a workload asks for restarts", () => {
  test("by its template, or by its Namespace where the template opted in and says nothing", () => {
    const asks = (annotations: Readonly<Record<string, string>>, defaults = {}): boolean => {
      const found = observed({ annotations });
      return found !== undefined && usesOf(found, defaults).asksForRestarts;
    };
    const byDefault = { [restartOnRotation]: "true" };

    assert.ok(asks({ [restartOnRotation]: "true" }));
    assert.ok(asks({ [inject]: "true" }, byDefault));
    assert.ok(!asks({}, byDefault));
    assert.ok(!asks({ [inject]: "true" }));
    assert.ok(!asks({ [inject]: "true", [restartOnRotation]: "false" }, byDefault));
    assert.ok(!asks({ [restartOnRotation]: "yes" }));
  });

  test("no more once it is being deleted", () => {
    const object = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", deletionTimestamp: "2026-01-01T00:00:00Z" } };
    const spec = { template: { metadata: { annotations: { [restartOnRotation]: "true" } } } };

    assert.equal(observeWorkload("Deployment", { ...object, spec } as typeof object), undefined);
  });
});

describe("what a workload uses", () => {
  const csi = (driver: string, name: string) => ({ name, csi: { driver, volumeAttributes: { secretProviderClass: name } } });

  test("are classes of its CSI volumes, and Secrets of variables and volumes, init containers included", () => {
    const pod = {
      volumes: [
        csi("secrets-store.csi.k8s.io", "mounted"),
        csi("other.example", "foreign"),
        { name: "s", secret: { secretName: "in-volume" } },
        { name: "p", projected: { sources: [{ secret: { name: "projected" } }, { configMap: { name: "no" } }] } },
      ],
      initContainers: [{ name: "i", envFrom: [{ secretRef: { name: "of-init" } }, { configMapRef: { name: "no" } }] }],
      containers: [
        {
          name: "c",
          env: [
            { name: "A", valueFrom: { secretKeyRef: { name: "in-env", key: "k" } } },
            { name: "B", value: "x" },
          ],
        },
      ],
    };

    const uses = usesOf(workload({ pod }), {});

    assert.deepEqual(uses.classes, ["mounted"]);
    assert.deepEqual(uses.secrets, ["in-env", "in-volume", "of-init", "projected"]);
  });

  test("are what its annotations say, those of its Namespace included, where it opted in", () => {
    const annotations = { [restartOnRotation]: "true", [secretProviderClass]: "one, two" };
    const defaults = { [envFrom]: "shared" };

    assert.deepEqual(usesOf(workload({ annotations }), defaults), { asksForRestarts: true, classes: [], secrets: [] });
    const optedIn = usesOf(workload({ annotations: { ...annotations, [inject]: "true" } }), defaults);
    assert.deepEqual(optedIn, { asksForRestarts: true, classes: ["one", "two"], secrets: ["shared"] });
  });
});

describe("the versions of a workload", () => {
  const none = (name: string): MountedVersions => ({ kind: "none", why: `nobody follows ${name}` });
  const namespace = (
    secrets: Readonly<Record<string, readonly string[]>>,
    present: readonly string[],
    mounted: (name: string) => MountedVersions = none,
  ): NamespaceSecrets => ({
    secretsOf: (name) => secrets[name],
    mountedOf: (name) => mounted(name),
    isMirrored: (name) => Object.values(secrets).flat().includes(name),
    versionsIn: (name) => {
      const index = present.indexOf(name);
      return index === -1 ? undefined : { objects: [`secret/${name}@1`, "secret/shared@1"], since: index, isFirst: name === "c" };
    },
  });
  const uses = { asksForRestarts: true, classes: ["one", "two"], secrets: ["c", "foreign"] };

  test("RC-9: are unknown for want of room where the worker has none for a Secret, which is there", () => {
    const spec = { provider: "azure", secretObjects: [{ secretName: "a", type: "Opaque", data: [] }] };
    const metadata = { namespace: "team", name: "one" };
    const found = namespaceSecrets({
      namespace: "team",
      classes: [{ apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata, spec }],
      secrets: { get: () => ({ ...secretOf("a"), annotations: {}, isPartial: true }) } as unknown as SecretStore, // The code reads nothing else.
      times: new VersionTimes(),
      mounts: { statuses: { get: () => undefined }, isSwitchedOff: () => false },
      now: 0,
    });

    const why = "the worker has no room in memory for the metadata of the Secret a";
    assert.deepEqual(versionsFor({ ...uses, classes: ["one"] }, found), { kind: "unknown", why });
  });

  test("are those of all Secrets of its classes, and of the mirrored Secrets that it names", () => {
    const versions = versionsFor(uses, namespace({ one: ["a"], two: [], three: ["c"], four: ["d"] }, ["c", "a", "d"]));

    assert.deepEqual(versions, {
      kind: "known",
      objects: ["secret/a@1", "secret/c@1", "secret/shared@1"],
      since: 1,
      rotated: 1,
      secrets: ["a", "c"],
    });
  });

  test("are not known while a Secret or a class is missing: a part of them would be other versions", () => {
    assert.equal(versionsFor(uses, namespace({ one: ["a", "b"], two: [] }, ["a"])).kind, "unknown");
    assert.equal(versionsFor(uses, namespace({ one: ["a"] }, ["a"])).kind, "unknown");
    assert.equal(versionsFor(uses, namespace({ one: ["a"], two: [], three: ["c"] }, ["a"])).kind, "unknown");
  });

  const known = (className: string, since = 5): MountedVersions => ({
    kind: "known",
    mounted: { className, versions: new Map([[`secret/${className}`, "9"]]), objects: [`secret/${className}@9`], since },
  });

  test("are those that its classes mount where these mirror nothing, beside those in Secrets", () => {
    const versions = versionsFor(
      uses,
      namespace({ one: ["a"], two: [], three: ["c"] }, ["c", "a"], (name) => known(name)),
    );

    assert.ok(versions.kind === "known");
    assert.deepEqual(versions.objects, ["secret/a@1", "secret/c@1", "secret/shared@1", "secret/two@9"]);
    assert.deepEqual(
      versions.mounted?.map(({ className }) => className),
      ["two"],
    );
    assert.deepEqual([versions.since, versions.secrets], [1, ["a", "c"]], "those of Secrets alone");
  });

  test("are not known while those of one of its mounted classes are not, and none where nobody follows any of them", () => {
    const open = (name: string): MountedVersions => (name === "one" ? known(name) : { kind: "unknown", why: "not reconciled" });
    assert.deepEqual(versionsFor(uses, namespace({ one: [], two: [] }, [], open)), { kind: "unknown", why: "not reconciled" });
    assert.deepEqual(versionsFor(uses, namespace({ one: [], two: [] }, [])), { kind: "none", why: "nobody follows one" });
    const nothing = { asksForRestarts: true, classes: [], secrets: ["foreign"] };
    const versions = versionsFor(nothing, namespace({}, []));
    assert.deepEqual(versions, { kind: "none", why: "it uses no class, and no Secret that a class syncs" });
  });
});

describe("stamps", () => {
  test("on the template make a restart, on the workload alone a record", () => {
    assert.ok(hasStamp({ templateStamp: NEW, podsStamp: undefined }, NEW));
    assert.ok(hasStamp({ templateStamp: OLD, podsStamp: NEW }, NEW));
    assert.ok(!hasStamp({ templateStamp: NEW, podsStamp: OLD }, NEW));
    assert.ok(isRestarted({ templateStamp: NEW, podsStamp: NEW }));
    assert.ok(!isRestarted({ templateStamp: OLD, podsStamp: NEW }));
    assert.ok(!isRestarted({ templateStamp: undefined, podsStamp: NEW }));
  });

  test("always change the template that they restart, also when versions come back", () => {
    const back = { templateStamp: NEW, podsStamp: OLD };

    const again = restartStamp(back, NEW);

    assert.notEqual(again, NEW);
    assert.ok(hasStamp({ templateStamp: again, podsStamp: again }, NEW));
    assert.equal(restartStamp({ templateStamp: again, podsStamp: OLD }, NEW), NEW);
  });
});
