import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { KubeError, type KubeErrorCode } from "../../src/domain/ports/kube-error.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { refusedBy } from "../../src/kube/errors.ts";
import { attempt } from "../../src/sync/rollouts/own-requests.ts";
import { RolloutMemory } from "../../src/sync/rollouts/rollout-memory.ts";
import { type ApiAnswer, type ApiCall, apiRequest, JSON_PATCH, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied, messageOf } from "../support/cluster/policy-answers.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, installShipped, nodeSideHealing, policyIsActive, renderOwnKustomization } from "../support/cluster/shipped-manifests.ts";
import { ROLLOUT_CRD } from "../support/fixtures/rollout-crd.ts";
import { eventually } from "../support/time/eventually.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { workload } from "../support/worker/observed-workload.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const POLICY = "keyvault-injector-sync-workloads";
const { rotated: ROTATED, restartOnRotation: ASKS, inject: INJECT } = POD_ANNOTATIONS;
const STAMP = "0123456789abcdef";

/** Plural, and the fields that the kind requires. */
const KINDS = {
  Deployment: { api: "apps/v1", plural: "deployments", fields: { replicas: 2, strategy: { type: "Recreate" }, minReadySeconds: 1 } },
  StatefulSet: { api: "apps/v1", plural: "statefulsets", fields: { serviceName: "web", podManagementPolicy: "Parallel" } },
  DaemonSet: { api: "apps/v1", plural: "daemonsets", fields: { updateStrategy: { type: "RollingUpdate" }, minReadySeconds: 2 } },
  Rollout: { api: "argoproj.io/v1alpha1", plural: "rollouts", fields: { replicas: 2, strategy: { canary: {} } } },
} as const;
type Kind = keyof typeof KINDS;

let plane: ControlPlane;
let sync = "";
let somebody = "";
let serial = 0;

const call = (request: ApiCall): Promise<ApiAnswer> => apiRequest(plane, request);
function assertRefused(answer: ApiAnswer, message: RegExp): void {
  assertDenied(answer, POLICY, message);
}

async function namespaceWith(annotations: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = `n${++serial}`;
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name, annotations } };
  assertAllowed(await call({ method: "POST", path: "/api/v1/namespaces", body }));
  return name;
}

/** Returns a template of the maximum size: the API server limits the cost of its comparison. */
function largeTemplate(annotations: Readonly<Record<string, string>>): object {
  const env = Array.from({ length: 100 }, (_, index) => ({ name: `VARIABLE_${index}`, value: "x".repeat(100) }));
  const containers = Array.from({ length: 10 }, (_, index) => ({ name: `c${index}`, image: "app:1", env }));
  const volumes = Array.from({ length: 30 }, (_, index) => ({ name: `v${index}`, emptyDir: {} }));
  const notes = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`example.com/note-${index}`, "y".repeat(200)]));
  return { metadata: { labels: { app: "web" }, annotations: { ...notes, ...annotations } }, spec: { containers, volumes } };
}

const pathOf = (kind: Kind, namespace: string): string => `/apis/${KINDS[kind].api}/namespaces/${namespace}/${KINDS[kind].plural}`;

async function create(kind: Kind, namespace: string, annotations: Readonly<Record<string, string>>): Promise<string> {
  const { api: apiVersion, fields } = KINDS[kind];
  const spec = { selector: { matchLabels: { app: "web" } }, template: largeTemplate(annotations), ...fields };
  const metadata = { name: "web", labels: { team: "a" }, annotations: { note: "of its owner" } };
  assertAllowed(await call({ method: "POST", path: pathOf(kind, namespace), body: { apiVersion, kind, metadata, spec } }));
  return `${pathOf(kind, namespace)}/web`;
}

const stampPatch = (stamp: string | null): object => {
  const annotations = { [ROTATED]: stamp };
  return { metadata: { annotations }, spec: { template: { metadata: { annotations } } } };
};

function merge(path: string, body: unknown, token = sync): Promise<ApiAnswer> {
  return call({ method: "PATCH", path: `${path}?fieldManager=keyvault-injector-sync`, contentType: MERGE_PATCH, body, token });
}

/** Tries the patch as a dry run. */
function tryPatch(path: string, body: readonly unknown[], token = sync): Promise<ApiAnswer> {
  return call({ method: "PATCH", path: `${path}?dryRun=All`, contentType: JSON_PATCH, body, token });
}

const TEMPLATE = "/spec/template";
const STAMPED = { op: "add", path: `${TEMPLATE}/metadata/annotations/keyvault-injector.dev~1rotated`, value: STAMP };

/** Changes that a thief of the worker's token would try. */
const CHANGES: Readonly<Record<string, readonly unknown[]>> = {
  "another image": [{ op: "replace", path: `${TEMPLATE}/spec/containers/0/image`, value: "evil:1" }],
  "another image beside a stamp": [STAMPED, { op: "replace", path: `${TEMPLATE}/spec/containers/0/image`, value: "evil:1" }],
  "another account": [{ op: "add", path: `${TEMPLATE}/spec/serviceAccountName`, value: "admin" }],
  "a container more": [{ op: "add", path: `${TEMPLATE}/spec/containers/-`, value: { name: "more", image: "evil:1" } }],
  "a container less": [{ op: "remove", path: `${TEMPLATE}/spec/containers/9` }],
  "the host's network": [{ op: "add", path: `${TEMPLATE}/spec/hostNetwork`, value: true }],
  "another annotation of the template": [{ op: "add", path: `${TEMPLATE}/metadata/annotations/other`, value: "x" }],
  "an annotation of the template less": [{ op: "remove", path: `${TEMPLATE}/metadata/annotations/example.com~1note-1` }],
  "a label of the template": [{ op: "add", path: `${TEMPLATE}/metadata/labels/other`, value: "x" }],
  "a revision limit": [{ op: "add", path: "/spec/revisionHistoryLimit", value: 0 }],
  minReadySeconds: [{ op: "add", path: "/spec/minReadySeconds", value: 77 }],
  "a label": [{ op: "add", path: "/metadata/labels/other", value: "x" }],
  "an annotation": [{ op: "add", path: "/metadata/annotations/other", value: "x" }],
  "an annotation less": [{ op: "remove", path: "/metadata/annotations/note" }],
  "a finalizer": [{ op: "add", path: "/metadata/finalizers", value: ["example.com/hold"] }],
  "an owner": [
    { op: "add", path: "/metadata/ownerReferences", value: [{ apiVersion: "v1", kind: "Namespace", name: "default", uid: "0" }] },
  ],
};

/** Grants more rights than the worker has: the policy must also reject what RBAC rejects anyway. */
async function widen(): Promise<void> {
  const account = "keyvault-injector:keyvault-injector-sync";
  await plane.kubectl(["create", "clusterrolebinding", "widened", "--clusterrole=cluster-admin", `--serviceaccount=${account}`]);
  const asked = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user: `system:serviceaccount:${account}`,
      resourceAttributes: { namespace: "kube-system", verb: "create", group: "apps", resource: "daemonsets" },
    },
  };
  const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
  await eventually(async () => at((await call({ method: "POST", path, body: asked })).body, "status", "allowed") === true, {
    what: "the wider rights",
  });
}

for (const version of API_SERVER_VERSIONS) {
  const refusedBy = controlPlaneRefusal({ version });
  const skip = refusedBy === undefined ? false : `SKIPPED: ${refusedBy}`;
  describe(`the policy on workloads, on API server ${version}`, { skip }, () => thePolicy(version));
}

function thePolicy(version: ApiServerVersion): void {
  before(async () => {
    plane = await startControlPlane({ version, controllerManager: false });
    await installShipped(plane, await renderOwnKustomization(nodeSideHealing("overlays/default")));
    await plane.kubectl(["create", "-f", "-"], JSON.stringify(ROLLOUT_CRD));
    await plane.kubectl(["wait", "--for=condition=Established", "crd/rollouts.argoproj.io", "--timeout=30s"]);
    await plane.kubectl(["create", "serviceaccount", "somebody", "-n", "default"]);
    await plane.kubectl(["create", "clusterrolebinding", "somebody", "--clusterrole=cluster-admin", "--serviceaccount=default:somebody"]);
    await widen();
    sync = await serviceAccountToken(plane, "keyvault-injector", "keyvault-injector-sync");
    somebody = await serviceAccountToken(plane, "default", "somebody");
    const probe = await create("Deployment", await namespaceWith(), {});
    await policyIsActive(POLICY, () => merge(probe, { spec: { paused: true } }));
  });
  after(async () => {
    await plane?.stop();
  });

  for (const kind of Object.keys(KINDS) as Kind[]) {
    test(`lets the worker stamp a ${kind} that asks for it, again, and on the workload alone`, async () => {
      const path = await create(kind, await namespaceWith(), { [ASKS]: "true" });

      assertAllowed(await merge(path, { metadata: { annotations: { [ROTATED]: STAMP } } }));
      const stamped = await merge(path, stampPatch(STAMP));
      assertAllowed(stamped);
      assert.equal(at(stamped.body, "spec", "template", "metadata", "annotations", ROTATED), STAMP);
      assertAllowed(await merge(path, stampPatch(`${STAMP}-2`)));
      assertAllowed(await merge(path, {}));
    });

    test(`refuses the worker everything else of a ${kind}, and nobody else`, async () => {
      const path = await create(kind, await namespaceWith(), { [ASKS]: "true" });
      assertAllowed(await tryPatch(path, [STAMPED]));

      for (const [change, patch] of Object.entries(CHANGES)) {
        const denied = await tryPatch(path, patch);
        assertRefused(denied, /can change only (the pod template's annotation keyvault-injector\.dev\/rotated|its restart annotations)/);
        const allowed = await tryPatch(path, patch, somebody);
        assert.ok(allowed.status === 200, `${change}: ${messageOf(allowed)}`);
      }
    });

    test(`refuses the worker to make, delete or scale a ${kind}`, async () => {
      const namespace = await namespaceWith();
      const path = await create(kind, namespace, { [ASKS]: "true" });
      const name = `other-${++serial}`;
      const spec = { selector: { matchLabels: { app: "web" } }, template: largeTemplate({ [ASKS]: "true" }), ...KINDS[kind].fields };
      const body = { apiVersion: KINDS[kind].api, kind, metadata: { name }, spec };

      assertRefused(
        await call({ method: "POST", path: pathOf(kind, namespace), body, token: sync }),
        /cannot create, delete, or scale workloads/,
      );
      assertRefused(await call({ method: "DELETE", path, token: sync }), /cannot create, delete, or scale workloads/);
      const status = await call({
        method: "PATCH",
        path: `${path}/status`,
        contentType: MERGE_PATCH,
        body: { status: { observedGeneration: kind === "Rollout" ? "9" : 9 } },
        token: sync,
      });
      assertRefused(status, /cannot create, delete, or scale workloads/);
      if (kind === "DaemonSet") return;
      const scaled = await call({
        method: "PATCH",
        path: `${path}/scale`,
        contentType: MERGE_PATCH,
        body: { spec: { replicas: 0 } },
        token: sync,
      });
      assertRefused(scaled, /cannot create, delete, or scale workloads/);
    });
  }

  test("lets the worker heal our own components by name in our own namespace, and neither hold nor own nor delete them", async () => {
    const own = "/apis/apps/v1/namespaces/keyvault-injector/deployments";
    const node = "/apis/apps/v1/namespaces/kube-system/daemonsets";
    const apply = (path: string, kind: Kind): Promise<ApiAnswer> => {
      const name = path.split("/").at(-1);
      const spec = { selector: { matchLabels: { app: "web" } }, template: largeTemplate({}) };
      const body = { apiVersion: "apps/v1", kind, metadata: { name }, spec };
      const query = "fieldManager=kubectl&force=true&dryRun=All";
      return call({ method: "PATCH", path: `${path}?${query}`, contentType: "application/apply-patch+yaml", body, token: sync });
    };
    const refused = /cannot create, delete, or scale workloads/;

    assertAllowed(await tryPatch(`${own}/keyvault-injector-webhook`, [{ op: "replace", path: "/spec/replicas", value: 5 }]));
    assertAllowed(await apply(`${node}/csi-secrets-store`, "DaemonSet"));
    assertRefused(await apply(`${node}/kube-proxy`, "DaemonSet"), refused);
    assertRefused(await apply(`${own}/csi-secrets-store`, "Deployment"), refused);
    assertRefused(
      await apply(`/apis/apps/v1/namespaces/${await namespaceWith()}/deployments/keyvault-injector-sync`, "Deployment"),
      refused,
    );
    assertRefused(await call({ method: "DELETE", path: `${own}/keyvault-injector-webhook?dryRun=All`, token: sync }), refused);
    const owner = { apiVersion: "v1", kind: "Namespace", name: "default", uid: "0" };
    for (const [path, value] of Object.entries({ finalizers: ["example.com/hold"], ownerReferences: [owner] })) {
      const held = await tryPatch(`${own}/keyvault-injector-webhook`, [{ op: "add", path: `/metadata/${path}`, value }]);
      assertRefused(held, /cannot add finalizers or owners to keyvault-injector's components/);
    }
  });

  test("AT5: leaves a driver alone whose healing nobody asked for, beside a product that heals its own", async () => {
    const path = "/apis/apps/v1/namespaces/kube-system/daemonsets/csi-secrets-store";
    const spec = { selector: { matchLabels: { app: "web" } }, template: largeTemplate({}) };
    const body = { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "csi-secrets-store" }, spec };
    assertAllowed(await call({ method: "POST", path: "/apis/apps/v1/namespaces/kube-system/daemonsets", body }));
    const otherImage = [{ op: "replace", path: `${TEMPLATE}/spec/containers/0/image`, value: "evil:1" }];
    // The control: with the right to create the DaemonSet, which comes with its healing, the worker may change it.
    assertAllowed(await tryPatch(path, otherImage));

    // From here on the worker has the rights that the overlay gives it, a patch of every DaemonSet among them.
    await plane.kubectl(["delete", "clusterrolebinding", "widened"]);
    try {
      await eventually(async () => messageOf(await tryPatch(path, otherImage)).includes(POLICY), { what: "a refusal by the policy" });
      assertRefused(await tryPatch(path, otherImage), /can restart only workloads that request restarts/);
      assertAllowed(await tryPatch(path, otherImage, somebody));
    } finally {
      await widen();
      await call({ method: "DELETE", path });
    }
  });

  test("refuses a stamp that is none, and to take one away", async () => {
    const path = await create("Deployment", await namespaceWith(), { [ASKS]: "true" });

    for (const stamp of ["", "0123", `${STAMP}0`, "0123456789ABCDEF", "password-of-the-db", `${STAMP}-3`]) {
      assertRefused(await merge(path, stampPatch(stamp)), /a restart stamp must be 16 hexadecimal digits/);
      assertRefused(
        await merge(path, { metadata: { annotations: { [ROTATED]: stamp } } }),
        /a restart stamp must be 16 hexadecimal digits/,
      );
    }
    assertAllowed(await merge(path, stampPatch(STAMP)));
    assertRefused(await merge(path, stampPatch(null)), /cannot be removed from the template/);
    assertAllowed(await merge(path, stampPatch(null), somebody));
  });

  test("lets the worker say which request it has followed, on the workload alone, and nothing else there", async () => {
    const path = await create("Deployment", await namespaceWith(), { [ASKS]: "true" });
    const answered = (value: string): object => ({ [RESTART_ANNOTATIONS.nowAnswered]: value });

    assertAllowed(await merge(path, { metadata: { annotations: answered(STAMP) } }));
    for (const value of ["", "0123", `${STAMP}-2`, "password-of-the-db"]) {
      assertRefused(
        await merge(path, { metadata: { annotations: answered(value) } }),
        /restart-now-answered must be 16 hexadecimal digits/,
      );
    }
    assertRefused(await merge(path, { spec: { template: { metadata: { annotations: answered(STAMP) } } } }), /in a workload's spec/);
    for (const key of [RESTART_ANNOTATIONS.now, RESTART_ANNOTATIONS.paused, POD_ANNOTATIONS.restartWindow]) {
      assertRefused(await merge(path, { metadata: { annotations: { [key]: "always" } } }), /in a workload's metadata/);
    }
  });

  test("counts whether the workload asks, before the change, and its Namespace where an opted-in template says nothing", async () => {
    const [plain, asking] = [await namespaceWith(), await namespaceWith({ [ASKS]: "true" })];
    const refused = /can restart only workloads that request restarts/;

    const silent = await create("Deployment", plain, {});
    assertRefused(await merge(silent, stampPatch(STAMP)), refused);
    const both = { spec: { template: { metadata: { annotations: { [ASKS]: "true", [ROTATED]: STAMP } } } } };
    assertRefused(await merge(silent, both), refused);
    assertRefused(await merge(await create("StatefulSet", plain, { [ASKS]: "false" }), stampPatch(STAMP)), refused);
    assertRefused(await merge(await create("DaemonSet", plain, { [INJECT]: "true" }), stampPatch(STAMP)), refused);

    assertAllowed(await merge(await create("DaemonSet", asking, { [INJECT]: "true" }), stampPatch(STAMP)));
    assertRefused(await merge(await create("StatefulSet", asking, { [INJECT]: "true", [ASKS]: "false" }), stampPatch(STAMP)), refused);
    assertRefused(await merge(await create("Deployment", asking, {}), stampPatch(STAMP)), refused);
  });

  test("A18-17: is recognised by the worker where it refuses a restart for a pause, and there alone", async () => {
    const paused = await create("Deployment", await namespaceWith({ [RESTART_ANNOTATIONS.paused]: "true" }), { [ASKS]: "true" });
    const silent = await create("Deployment", await namespaceWith(), {});
    /** `Conflict`: the worker checks again. Undefined: the restart has failed. */
    const seenAs = async (path: string): Promise<KubeErrorCode | undefined> => {
      const { status, body } = await merge(path, stampPatch(STAMP));
      const error = refusedBy({ verb: "patch", resource: WORKLOADS.Deployment }, { status, body: JSON.stringify(body) });
      const ports = { memory: new RolloutMemory(), clock: new ManualClock(), logger: recordingLogger() };
      const request = { workload: workload(), request: "restart" } as const;
      return attempt(ports, request, () => Promise.reject(error)).then(
        () => undefined,
        (thrown: unknown) => (thrown instanceof KubeError ? thrown.code : undefined),
      );
    };
    assert.deepEqual([await seenAs(paused), await seenAs(silent)], ["Conflict", undefined]);
  });

  for (const kind of Object.keys(KINDS) as Kind[]) {
    test(`A18-17: refuses the worker another stamp on the template of a ${kind} whose restarts are paused, and nobody else`, async () => {
      const { paused: PAUSED } = RESTART_ANNOTATIONS;
      const refused = /cannot restart workloads where restarts are paused/;
      const [running, paused] = [await namespaceWith(), await namespaceWith({ [PAUSED]: "true" })];
      const byNamespace = await create(kind, paused, { [ASKS]: "true" });
      const byItself = await create(kind, running, { [ASKS]: "true" });
      assertAllowed(await merge(byItself, stampPatch(STAMP)));

      const request = { [RESTART_ANNOTATIONS.now]: "2026-11-29T07:00:00Z" };
      for (const value of ["true", "yes", ""]) {
        assertAllowed(await merge(byItself, { metadata: { annotations: { ...request, [PAUSED]: value } } }, somebody));
        assertRefused(await merge(byItself, stampPatch(`${STAMP}-2`)), refused);
      }
      assertRefused(await merge(byNamespace, stampPatch(STAMP)), refused);
      const lifted = {
        metadata: { annotations: { [PAUSED]: "false", [ROTATED]: STAMP } },
        spec: { template: { metadata: { annotations: { [ROTATED]: STAMP } } } },
      };
      assertRefused(await merge(byItself, lifted), /in a workload's metadata/);

      // Writes that restart nothing are allowed, and other users have no restrictions.
      assertAllowed(
        await merge(byNamespace, { metadata: { annotations: { [ROTATED]: STAMP, [RESTART_ANNOTATIONS.nowAnswered]: STAMP } } }),
      );
      assertAllowed(await merge(byItself, stampPatch(STAMP)));
      assertAllowed(await merge(byNamespace, stampPatch(STAMP), somebody));
      assertAllowed(await merge(byItself, { metadata: { annotations: { [PAUSED]: "false" } } }, somebody));
      assertAllowed(await merge(byItself, stampPatch(`${STAMP}-2`)));
    });
  }
}
