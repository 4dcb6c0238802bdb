import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { apiRequest } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertNothingForbidden } from "../support/cluster/own-requests.ts";
import { installProduct, type Product } from "../support/cluster/product.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";
import { aClass, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";

const refusal = controlPlaneRefusal();

let plane: ControlPlane;
let product: Product;

type Json = Readonly<Record<string, unknown>>;

function template(name: string, spec: Json = {}): Json {
  const container = { name: "app", image: "app:1" };
  return {
    metadata: { labels: { app: name }, annotations: prefixed({ ...OPTED_IN, "env-from": "db" }) },
    spec: { containers: [container], initContainers: [{ ...container, name: "sidecar", restartPolicy: "Always" }], ...spec },
  };
}

const selecting = (name: string): Json => ({ selector: { matchLabels: { app: name } } });
const anywhere = { tolerations: [{ operator: "Exists" }] };
const once = { restartPolicy: "Never" };

/** Every controller that creates pods, with its minimum spec. */
const CONTROLLERS: readonly (readonly [apiVersion: string, kind: string, spec: (name: string) => Json])[] = [
  ["apps/v1", "Deployment", (name) => ({ ...selecting(name), template: template(name) })],
  ["apps/v1", "ReplicaSet", (name) => ({ ...selecting(name), template: template(name) })],
  ["v1", "ReplicationController", (name) => ({ selector: { app: name }, template: template(name) })],
  ["apps/v1", "StatefulSet", (name) => ({ ...selecting(name), serviceName: name, template: template(name) })],
  ["apps/v1", "DaemonSet", (name) => ({ ...selecting(name), template: template(name, anywhere) })],
  ["batch/v1", "Job", (name) => ({ template: template(name, once) })],
  ["batch/v1", "CronJob", (name) => ({ schedule: "0 0 29 2 *", jobTemplate: { spec: { template: template(name, once) } } })],
];

async function podsOf(name: string): Promise<readonly unknown[]> {
  const { body } = await apiRequest(plane, { method: "GET", path: `/api/v1/namespaces/default/pods?labelSelector=app%3D${name}` });
  return listAt(body, "items");
}

describe("pods that controllers make", { skip: refusal }, () => {
  before(async () => {
    plane = await startControlPlane();
    product = await installProduct(plane);
    await product.start("webhook");
    // A DaemonSet creates pods only for nodes.
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node" } };
    await plane.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: [node, aClass()] }));
  });

  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  for (const [apiVersion, kind, spec] of CONTROLLERS) {
    test(`are injected: ${kind}`, async () => {
      const name = kind.toLowerCase();
      await plane.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion, kind, metadata: { name }, spec: spec(name) }));
      // A manual run has the same template as a scheduled one, which would start only after a minute.
      if (kind === "CronJob") await plane.kubectl(["create", "job", "by-hand", "--from=cronjob/cronjob"]);

      const [pod] = await eventually(async () => {
        const pods = await podsOf(name);
        return pods.length > 0 && pods;
      });

      assert.match(String(at(pod, "metadata", "ownerReferences", 0, "kind")), /Set$|Controller$|^Job$/);
      assert.equal(at(pod, "metadata", "labels", "keyvault-injector.dev/injected"), "true");
      for (const list of ["containers", "initContainers"]) {
        const [container] = listAt(pod, "spec", list);
        assert.ok(listAt(container, "volumeMounts").some((mount) => at(mount, "mountPath") === "/mnt/secrets-store"));
        assert.deepEqual(at(container, "envFrom"), [{ secretRef: { name: "db" } }]);
      }
    });
  }

  test("follow a default of their Namespace that changes", async () => {
    const key = "keyvault-injector.dev/mount-path";
    await plane.kubectl(["create", "namespace", "team"]);
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "app", ...Object(template("app")["metadata"]) },
      spec: template("app")["spec"],
    };
    const placeOf = async (): Promise<string> => {
      const { body } = await apiRequest(plane, { method: "POST", path: "/api/v1/namespaces/team/pods?dryRun=All", body: pod });
      const mounts = listAt(body, "spec", "containers", 0, "volumeMounts").map((mount) => String(at(mount, "mountPath")));
      return mounts.find((path) => !path.startsWith("/var/run")) ?? "";
    };

    for (const path of ["/first", "/second"]) {
      await plane.kubectl(["annotate", "--overwrite", "namespace", "team", `${key}=${path}`]);
      await eventually(async () => (await placeOf()) === path, { what: `the mount at ${path}` });
    }
    await plane.kubectl(["annotate", "namespace", "team", `${key}-`]);
    await eventually(async () => (await placeOf()) === "/mnt/secrets-store", { what: "the mount where it is without a default" });
  });

  test("no request of the webhook was answered 403", (context) => assertNothingForbidden(plane, context));
});
