import assert from "node:assert/strict";
import { CLASS_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { clusterOf } from "../support/cluster.ts";
import { federatedApplication } from "../support/federation.ts";
import { DRIVER_IMAGE } from "../support/node-images.ts";
import { allowOlderDriver, forbidOlderDriver, OLDER_IMAGE, useDriver } from "../support/older-driver.ts";
import { object, opaque, providerClass } from "../support/provider-class.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { podTemplate, shell } from "../support/workloads.ts";
import { VAULT, type World } from "../support/world.ts";

/** Scenarios of the driver's own end-to-end suite, with our manifests, and with our worker instead of its Secret sync. */
export const DRIVER_SCENARIOS: Readonly<Record<number, string>> = {
  1: "the kinds of classes and of pod statuses are established",
  2: "the roles by upstream's names are there, all but the one for the driver's own sync",
  3: "a v1alpha1 class is mounted: secret and key read back",
  4: "a v1 class is mounted: secret and key read back",
  5: "a deleted pod's volume is unmounted without a complaint of the driver",
  6: "two Deployments share a class: file, Secret, environment and label; the Secret has no owner, by design",
  7: "the Secret stays with one of the two Deployments and goes with both",
  8: "of two classes of one name each namespace uses its own",
  9: "a class that is missing keeps the pod from starting, and the event says so",
  10: "a pod with two volumes of two classes reads both, and both Secrets are its environment",
  11: "a rotation reaches mount and Secret",
  12: "the driver hands the provider a token of the audience that the manifests name",
  13: "the driver's metrics count mounts, unmounts and rotations",
  14: "a pod from before an upgrade of the driver keeps its files, follows rotation and is unmounted; new ones mount",
};

const MOUNT = "/mnt/secrets-store";
const DRIVER = "secrets-store.csi.k8s.io";
const SHARED = "upstream-shared";

export function upstreamDriverScenarios(scenario: Scenarios, world: () => World): void {
  const cluster = clusterOf(world);
  const system = clusterOf(world, "kube-system");
  const run = (number: number, body: () => Promise<void>): void =>
    scenario.run(`upstream driver ${number}: ${DRIVER_SCENARIOS[number] ?? ""}`, body);
  const objects = [object("Upstream"), object("UpstreamKey", { objectType: "key" })];

  const mounts = async (apiVersion: "v1" | "v1alpha1"): Promise<void> => {
    const name = `upstream-${apiVersion}`;
    await cluster.apply(providerClass(world(), name, { apiVersion, objects }), podWith(name, [{ className: name }]));
    await cluster.wait(`pod/${name}`, "condition=Ready");
    assert.equal(await cluster.read(name, `${MOUNT}/Upstream`), "secret");
    assert.match(await cluster.read(name, `${MOUNT}/UpstreamKey`), /^-----BEGIN PUBLIC KEY-----\n[\s\S]+-----END PUBLIC KEY-----\n$/);
  };

  run(1, async () => {
    const { emulator, walk } = world();
    await emulator.setSecret({ vault: VAULT, name: "Upstream", value: "secret" });
    await emulator.createKey({ vault: VAULT, name: "UpstreamKey" });
    await emulator.grant({ vault: VAULT, appId: walk.values["client-id"], permissions: ["list", "keys/get", "certificates/get"] });
    for (const kind of ["secretproviderclasses", "secretproviderclasspodstatuses"]) {
      assert.equal(
        await cluster.field(`crd/${kind}.secrets-store.csi.x-k8s.io`, ".status.conditions[?(@.type=='Established')].status"),
        "True",
      );
    }
  });

  run(2, async () => {
    const roles = (await cluster.kubectl("get", "clusterroles", "--output=jsonpath={.items[*].metadata.name}")).split(" ");
    const ours = ["secretproviderclasses-role", "secretproviderclasses-admin-role", "secretproviderclasses-viewer-role"];
    for (const name of [...ours, "secretproviderclasspodstatuses-viewer-role"]) assert.ok(roles.includes(name), name);
    assert.ok(!roles.includes("secretprovidersyncing-role"));
    assert.equal(
      await cluster.field("clusterrolebinding/secretproviderclasses-rolebinding", ".roleRef.name"),
      "secretproviderclasses-role",
    );
  });

  run(3, () => mounts("v1alpha1"));
  run(4, () => mounts("v1"));

  run(5, async () => {
    await cluster.remove("pod/upstream-v1", "pod/upstream-v1alpha1");
    const uses = async (): Promise<string> =>
      cluster.field("secretproviderclasspodstatus/upstream-v1-default-upstream-v1", ".metadata.name");
    await cluster.until("the end of the pod's status", async () => (await uses()) === "");
    const log = await system.kubectl("logs", "daemonset/csi-secrets-store", "--container=secrets-store");
    assert.match(log, /unpublish/i);
    assert.doesNotMatch(log, /failed to clean and unmount target path/);
    await cluster.remove("secretproviderclass/upstream-v1", "secretproviderclass/upstream-v1alpha1");
  });

  run(6, async () => {
    await cluster.apply(
      providerClass(world(), SHARED, {
        objects,
        secretObjects: [{ ...opaque("upstream-secret", "Upstream", "username"), labels: { environment: "test" } }],
        annotations: { [CLASS_ANNOTATIONS.sync]: "while-used" },
      }),
      ...["upstream-one", "upstream-two"].map(deploymentOfTwo),
      providerClass(world(), "upstream-witness", {
        objects,
        secretObjects: [opaque("upstream-witness", "Upstream")],
        annotations: { [CLASS_ANNOTATIONS.sync]: "while-used" },
      }),
      podWith("upstream-witness", [{ className: "upstream-witness" }]),
    );
    for (const name of ["upstream-one", "upstream-two"]) {
      await cluster.kubectl("rollout", "status", `deployment/${name}`, "--timeout=90s");
      assert.equal(await cluster.read(`deployment/${name}`, `${MOUNT}/Upstream`), "secret");
      assert.equal(await cluster.kubectl("exec", `deployment/${name}`, "--", "sh", "-c", 'printf %s "$USERNAME"'), "secret");
    }
    await cluster.until("the witness's Secret", async () => (await cluster.secretKey("upstream-witness", "password")) === "secret");
    assert.equal(await cluster.secretKey("upstream-secret", "username"), "secret");
    assert.equal(await cluster.field("secret/upstream-secret", ".metadata.labels.environment"), "test");
    assert.equal(await cluster.field("secret/upstream-secret", ".metadata.labels.keyvault-injector\\.dev/managed"), "true");
    assert.equal(await cluster.field("secret/upstream-secret", ".metadata.ownerReferences"), "");
  });

  run(7, async () => {
    const uid = await cluster.field("secret/upstream-secret", ".metadata.uid");
    await cluster.kubectl("delete", "deployment/upstream-one", "pod/upstream-witness", "--cascade=foreground", "--timeout=60s");
    // The witness's class lost its only pod at the same time, so that its Secret is deleted when the grace ends.
    await cluster.until(
      "the end of the witness's Secret",
      async () => (await cluster.field("secret/upstream-witness", ".metadata.uid")) === "",
    );
    assert.equal(await cluster.field("secret/upstream-secret", ".metadata.uid"), uid);
    await cluster.kubectl("delete", "deployment/upstream-two", "--cascade=foreground", "--timeout=60s");
    await cluster.until("the Secret's end", async () => (await cluster.field("secret/upstream-secret", ".metadata.uid")) === "");
    await cluster.remove(`secretproviderclass/${SHARED}`, "secretproviderclass/upstream-witness");
  });

  run(8, async () => {
    const other = clusterOf(world, "test-ns");
    await cluster.kubectl("create", "namespace", "test-ns");
    const { "client-id": id, "client-secret": secret } = world().walk.values;
    const literals = [`--from-literal=clientid=${id}`, `--from-literal=clientsecret=${secret}`];
    await other.kubectl("create", "secret", "generic", "secrets-store-creds", ...literals);
    await cluster.apply(providerClass(world(), "namesake", { objects: [object("NotThere")] }));
    await other.apply(
      providerClass(world(), "namesake", { objects, secretObjects: [opaque("namesake", "Upstream")], namespace: "test-ns" }),
      podWith("namesake", [{ className: "namesake" }]),
    );
    await other.wait("pod/namesake", "condition=Ready");
    assert.equal(await other.read("namesake", `${MOUNT}/Upstream`), "secret");
    await other.until("its Secret", async () => (await other.secretKey("namesake", "password")) === "secret");
    assert.equal(await cluster.field("secret/namesake", ".metadata.name"), "");
    await other.remove("pod/namesake", "secretproviderclass/namesake");
    await other.until("the Secret's end", async () => (await other.secretKey("namesake", "password")) === undefined);
    await cluster.kubectl("delete", "namespace", "test-ns", "--timeout=90s");
    await cluster.remove("secretproviderclass/namesake");
  });

  run(9, async () => {
    await cluster.apply(podWith("orphan", [{ className: "nowhere" }]));
    const events = ["get", "events", "--field-selector=involvedObject.name=orphan,reason=FailedMount"];
    await cluster.until("the event", async () =>
      /failed to get secretproviderclass default\/nowhere.*not found/.test(
        await cluster.kubectl(...events, "--output=jsonpath={.items[*].message}"),
      ),
    );
    await cluster.remove("pod/orphan");
  });

  run(10, async () => {
    for (const [index, name] of ["first-of-two", "second-of-two"].entries()) {
      await cluster.apply(
        providerClass(world(), name, {
          objects: objects.slice(index, index + 1),
          secretObjects: [opaque(name, index === 0 ? "Upstream" : "UpstreamKey")],
        }),
      );
    }
    const classes = ["first-of-two", "second-of-two"];
    await cluster.apply(
      podWith(
        "two-volumes",
        classes.map((className) => ({ className, path: `/mnt/${className}`, secret: className })),
      ),
    );
    await cluster.wait("pod/two-volumes", "condition=Ready");
    assert.equal(await cluster.read("two-volumes", "/mnt/first-of-two/Upstream"), "secret");
    const key = await cluster.read("two-volumes", "/mnt/second-of-two/UpstreamKey");
    assert.match(key, /BEGIN PUBLIC KEY/);
    assert.equal(await cluster.secretKey("second-of-two", "password"), key);
    const environment = await cluster.kubectl("exec", "two-volumes", "--", "sh", "-c", 'printf %s "$FIRST_OF_TWO|$SECOND_OF_TWO"');
    assert.equal(environment, `secret|${key}`);
    for (const name of classes) assert.equal(await cluster.field(`secret/${name}`, ".metadata.ownerReferences"), "");
  });

  run(11, async () => {
    await world().emulator.rotateSecret({ vault: VAULT, name: "Upstream", value: "rotated" });
    await cluster.until("the rotated file", async () => (await cluster.read("two-volumes", "/mnt/first-of-two/Upstream")) === "rotated");
    await cluster.until("the rotated Secret", async () => (await cluster.secretKey("first-of-two", "password")) === "rotated");
    await cluster.remove("pod/two-volumes", "secretproviderclass/first-of-two", "secretproviderclass/second-of-two");
  });

  run(12, async () => {
    const audiences = await cluster.field(`csidriver/${DRIVER}`, ".spec.tokenRequests[*].audience");
    assert.equal(audiences, "api://AzureADTokenExchange api://AKSIdentityBinding");
    const name = "upstream-token";
    const parameters = { clientID: await federatedApplication(world(), { serviceAccount: "default", permissions: ["get", "keys/get"] }) };
    await cluster.apply(providerClass(world(), name, { objects, parameters }), podWith(name, [{ className: name }]));
    await cluster.wait(`pod/${name}`, "condition=Ready");

    // The control: an application that trusts another audience does not accept the same token.
    const audience = "api://SomebodyElse";
    const other = await federatedApplication(world(), { serviceAccount: "default", audience, permissions: ["get", "keys/get"] });
    const mistaken = "upstream-audience";
    const wrong = providerClass(world(), mistaken, { objects, parameters: { clientID: other } });
    await cluster.apply(wrong, podWith(mistaken, [{ className: mistaken }]));
    const events = ["get", "events", `--field-selector=involvedObject.name=${mistaken},reason=FailedMount`];
    await cluster.until("the refusal", async () =>
      /AADSTS/.test(await cluster.kubectl(...events, "--output=jsonpath={.items[*].message}")),
    );
    await cluster.remove(`pod/${name}`, `pod/${mistaken}`, `secretproviderclass/${name}`, `secretproviderclass/${mistaken}`);
  });

  run(13, async () => {
    const pod = await system.kubectl("get", "pods", "--selector=app=csi-secrets-store", "--output=jsonpath={.items[0].metadata.name}");
    const metrics = await world().node.kubectl(["get", "--raw", `/api/v1/namespaces/kube-system/pods/${pod}:8095/proxy/metrics`]);
    for (const name of ["node_publish_total", "node_unpublish_total"]) assert.match(metrics, new RegExp(`^${name}.* [1-9]`, "m"));
    assert.match(metrics, /^rotation_reconcile_total/m);
  });

  run(14, async () => {
    const { node } = world();
    await allowOlderDriver(node);
    await useDriver(node, OLDER_IMAGE);
    const name = "across-the-upgrade";
    await cluster.apply(providerClass(world(), name, { objects }), podWith(name, [{ className: name }]));
    await cluster.wait(`pod/${name}`, "condition=Ready");
    await useDriver(node, DRIVER_IMAGE);
    await forbidOlderDriver(node);
    assert.equal(await cluster.read(name, `${MOUNT}/Upstream`), "rotated");
    await world().emulator.rotateSecret({ vault: VAULT, name: "Upstream", value: "after the upgrade" });
    await cluster.until("the rotated file", async () => (await cluster.read(name, `${MOUNT}/Upstream`)) === "after the upgrade");
    await cluster.apply(podWith("after-the-upgrade", [{ className: name }]));
    await cluster.wait("pod/after-the-upgrade", "condition=Ready");
    assert.equal(await cluster.read("after-the-upgrade", `${MOUNT}/Upstream`), "after the upgrade");
    await cluster.remove(`pod/${name}`, "pod/after-the-upgrade", `secretproviderclass/${name}`);
  });
}

interface Volume {
  readonly className: string;
  readonly path?: string;
  /** Secret whose key `password` becomes an environment variable with the Secret's name. */
  readonly secret?: string;
}

/** A pod as upstream's users write it: with the whole volume, and without our annotations. */
function podWith(name: string, volumes: readonly Volume[]): object {
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: specWith(volumes) };
}

function specWith(volumes: readonly Volume[]): object {
  const env = volumes.flatMap(({ secret }) =>
    secret === undefined
      ? []
      : [{ name: secret.toUpperCase().replaceAll("-", "_"), valueFrom: { secretKeyRef: { name: secret, key: "password" } } }],
  );
  const volumeMounts = volumes.map(({ path = MOUNT }, index) => ({ name: `secrets-${index}`, mountPath: path, readOnly: true }));
  return {
    containers: [shell("sleeper", "trap 'exit 0' TERM; sleep 10000 & wait", { env, volumeMounts })],
    volumes: volumes.map(({ className }, index) => ({ name: `secrets-${index}`, csi: csi(className) })),
  };
}

function csi(className: string): object {
  return {
    driver: DRIVER,
    readOnly: true,
    volumeAttributes: { secretProviderClass: className },
    nodePublishSecretRef: { name: "secrets-store-creds" },
  };
}

function deploymentOfTwo(name: string): object {
  const { containers, volumes } = specWith([{ className: SHARED }]) as { containers: object[]; volumes: object[] }; // Built above.
  const env = [{ name: "USERNAME", valueFrom: { secretKeyRef: { name: "upstream-secret", key: "username" } } }];
  const template = podTemplate(name, { containers: [], annotations: {} }) as { metadata: object }; // `podTemplate` builds it.
  const spec = { containers: containers.map((container) => ({ ...container, env })), volumes };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: { ...template, spec } },
  };
}
