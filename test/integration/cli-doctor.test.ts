import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { CHECKS, type CheckResult } from "../../src/cli/doctor/check.ts";
import type { InstallReport } from "../../src/cli/doctor/report.ts";
import { SETTINGS } from "../../src/runtime/settings.ts";
import { issueAuthority } from "../../src/tls/issue.ts";
import { runCli, runOnline } from "../support/cli.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { aNamespace } from "../support/namespace.ts";
import { installProduct, type Product, type ProductProcess } from "../support/product.ts";
import { installDefinitions, MANIFESTS } from "../support/shipped-manifests.ts";

const refusal = controlPlaneRefusal();
const PROBE = "probes";

let plane: ControlPlane;
let product: Product;
let worker: ProductProcess;
let webhook: ProductProcess;

interface Doctored {
  readonly code: number;
  readonly results: readonly CheckResult[];
  readonly report: InstallReport;
}

async function doctor(): Promise<Doctored> {
  const { code, output, notes } = await runOnline(["doctor", "-o", "json", "--no-vaults", "-n", PROBE], plane.kubeconfigPath);
  assert.deepEqual(notes, []);
  const report: InstallReport = JSON.parse(output);
  return { code, results: report.findings, report };
}

const kubectl = (...args: readonly string[]): Promise<string> => plane.kubectl(args);
const apply = (object: object): Promise<string> => plane.kubectl(["apply", "-f", "-"], JSON.stringify(object));
const setStatus = (kind: string, name: string, status: object): Promise<string> =>
  kubectl(
    "patch",
    kind,
    name,
    "-n",
    kind === "daemonset" ? "kube-system" : "keyvault-injector",
    "--subresource=status",
    "--type=merge",
    "-p",
    JSON.stringify({ status }),
  );
const readyNodes = (name: string, ready: number): Promise<string> =>
  setStatus("daemonset", name, { desiredNumberScheduled: 1, numberReady: ready, currentNumberScheduled: 1, numberMisscheduled: 0 });

/** What a cluster with nodes has, and a control plane alone has not. */
async function nodeSide(): Promise<void> {
  for (const file of ["csi-driver/csi-driver.yaml", "csi-driver/daemon-set.yaml", "azure-provider/daemon-set.yaml"]) {
    await kubectl("apply", "-f", path.join(MANIFESTS, "components", file));
  }
  for (const name of ["csi-secrets-store", "csi-secrets-store-provider-azure"]) await readyNodes(name, 1);
  for (const name of ["keyvault-injector-webhook", "keyvault-injector-sync"]) {
    await kubectl("scale", "deployment", name, "-n", "keyvault-injector", "--replicas=2");
    await setStatus("deployment", name, { replicas: 2, readyReplicas: 2 });
  }
  await apply({ apiVersion: "v1", kind: "Node", metadata: { name: "node-1" } });
  await driverOn([{ name: "secrets-store.csi.k8s.io", nodeID: "node-1", topologyKeys: null }]);
}

const driverOn = (drivers: readonly object[]): Promise<string> =>
  apply({ apiVersion: "storage.k8s.io/v1", kind: "CSINode", metadata: { name: "node-1" }, spec: { drivers } });

const patchWebhook = (operations: readonly object[]): Promise<string> =>
  kubectl("patch", "mutatingwebhookconfiguration", "keyvault-injector", "--type=json", "-p", JSON.stringify(operations));

/** Without an API server there is no finding at all; the webhook is stopped in a test of its own. */
const UNPLANTED: readonly string[] = ["api", "injection"];

interface Damage {
  readonly what: string;
  readonly check: keyof typeof CHECKS;
  readonly state: "FAIL" | "WARN";
  readonly message: RegExp;
  readonly damage: () => Promise<unknown>;
  readonly repair: () => Promise<unknown>;
}

/** Of a CA that was made then. */
function bundleOf(made: number): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return Buffer.from(issueAuthority(privateKey, made).pem).toString("base64");
}

const setBundle = (caBundle: string): Promise<string> =>
  patchWebhook([{ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: caBundle }]);

const policySpec = (change: object): Promise<string> =>
  kubectl("patch", "validatingadmissionpolicy", "keyvault-injector-sync-snapshots", "--type=merge", "-p", JSON.stringify({ spec: change }));

const bundle = (): Promise<string> =>
  kubectl("get", "mutatingwebhookconfiguration", "keyvault-injector", "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}");
const clientConfig = async (): Promise<unknown> =>
  JSON.parse(await kubectl("get", "mutatingwebhookconfiguration", "keyvault-injector", "-o", "jsonpath={.webhooks[0].clientConfig}"));
let kept = "";
const keeping = async (args: readonly string[]): Promise<void> => {
  kept = await kubectl(...args, "-o", "json");
};
/** Puts back what {@link keeping} kept, as it was. */
const putBack = (): Promise<string> => plane.kubectl(["create", "-f", "-"], JSON.stringify(withoutServerFields(JSON.parse(kept))));

function withoutServerFields(object: { metadata: Record<string, unknown> }): object {
  const { uid: _uid, resourceVersion: _version, creationTimestamp: _time, ...metadata } = object.metadata;
  return { ...object, metadata };
}

async function deleting(...resource: readonly string[]): Promise<void> {
  await keeping(["get", ...resource]);
  await kubectl("delete", ...resource);
}

/** With the processes stopped, so that nothing is healed or published while doctor looks. */
const DAMAGES: readonly Damage[] = [
  {
    what: "a CRD deleted",
    check: "crds",
    state: "FAIL",
    message: /^secretproviderclasspodstatuses\S+ is missing$/,
    damage: () => kubectl("delete", "crd", "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io"),
    repair: () => installDefinitions(plane, "--force-conflicts"),
  },
  {
    what: "a CRD without a field",
    check: "crds",
    state: "FAIL",
    message: /^secretproviderclasses\S+: version v1 lacks the fields/,
    damage: () =>
      kubectl(
        "patch",
        "crd",
        "secretproviderclasses.secrets-store.csi.x-k8s.io",
        "--type=json",
        "-p",
        JSON.stringify([{ op: "remove", path: "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/secretObjects" }]),
      ),
    repair: () => installDefinitions(plane, "--force-conflicts"),
  },
  {
    what: "the webhook's configuration deleted",
    check: "webhook",
    state: "FAIL",
    message: /^there is no MutatingWebhookConfiguration/,
    damage: () => deleting("mutatingwebhookconfiguration", "keyvault-injector"),
    repair: putBack,
  },
  {
    what: "the failure policy Fail",
    check: "webhook",
    state: "WARN",
    message: /failurePolicy is Fail/,
    damage: () => patchWebhook([{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" }]),
    repair: () => patchWebhook([{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }]),
  },
  {
    what: "no preflight configuration",
    check: "preflight",
    state: "WARN",
    message: /^not configured/,
    damage: () => deleting("validatingwebhookconfiguration", "keyvault-injector"),
    repair: putBack,
  },
  {
    what: "an expired certificate",
    check: "certificates",
    state: "FAIL",
    message: /expired on 2020-/,
    damage: async () => {
      kept = await bundle();
      await setBundle(bundleOf(Date.parse("2019-06-01T00:00:00Z")));
    },
    repair: () => setBundle(kept),
  },
  {
    what: "a bundle without the CA of the Secret",
    check: "authority",
    state: "FAIL",
    message: /does not trust the CA of Secret keyvault-injector\/keyvault-injector-ca: it is not in the caBundle$/,
    damage: async () => {
      kept = await bundle();
      await setBundle(bundleOf(Date.now()));
    },
    repair: () => setBundle(kept),
  },
  {
    what: "no CA Secret",
    check: "authority",
    state: "FAIL",
    message: /^there is no Secret keyvault-injector\/keyvault-injector-ca$/,
    damage: () => deleting("secret", "keyvault-injector-ca", "-n", "keyvault-injector"),
    repair: putBack,
  },
  {
    what: "somebody else at the webhook's address",
    check: "authority",
    state: "FAIL",
    message: /^127\.0\.0\.1 serves a certificate of .* that the API server does not trust/,
    damage: async () => {
      kept = JSON.stringify(await clientConfig());
      const { port } = new URL(plane.server);
      const config = { url: `https://127.0.0.1:${port}/`, caBundle: await bundle() };
      await patchWebhook([{ op: "replace", path: "/webhooks/0/clientConfig", value: config }]);
    },
    repair: () => patchWebhook([{ op: "replace", path: "/webhooks/0/clientConfig", value: JSON.parse(kept) }]),
  },
  {
    what: "another namespace left out",
    check: "namespaces",
    state: "WARN",
    message: /left out besides our own: default$/,
    damage: () => patchWebhook([{ op: "add", path: "/webhooks/0/namespaceSelector/matchExpressions/0/values/-", value: "default" }]),
    repair: () => patchWebhook([{ op: "remove", path: "/webhooks/0/namespaceSelector/matchExpressions/0/values/2" }]),
  },
  {
    what: "kube-system not left out",
    check: "namespaces",
    state: "FAIL",
    message: /^kube-system is not left out/,
    damage: () =>
      patchWebhook([{ op: "replace", path: "/webhooks/0/namespaceSelector/matchExpressions/0/values/0", value: "kube-public" }]),
    repair: () =>
      patchWebhook([{ op: "replace", path: "/webhooks/0/namespaceSelector/matchExpressions/0/values/0", value: "kube-system" }]),
  },
  {
    what: "a policy deleted",
    check: "policies",
    state: "FAIL",
    message: /^policy keyvault-injector-sync-secrets is missing$/,
    damage: () => deleting("validatingadmissionpolicy", "keyvault-injector-sync-secrets"),
    repair: putBack,
  },
  {
    what: "a binding deleted",
    check: "policies",
    state: "FAIL",
    message: /^policy keyvault-injector-sync-secrets has no binding/,
    damage: () => deleting("validatingadmissionpolicybinding", "keyvault-injector-sync-secrets"),
    repair: putBack,
  },
  {
    what: "a binding that only audits",
    check: "policies",
    state: "FAIL",
    message: /^policy keyvault-injector-sync-snapshots is bound without Deny/,
    damage: () =>
      kubectl(
        "patch",
        "validatingadmissionpolicybinding",
        "keyvault-injector-sync-snapshots",
        "--type=merge",
        "-p",
        '{"spec":{"validationActions":["Audit"]}}',
      ),
    repair: () =>
      kubectl(
        "patch",
        "validatingadmissionpolicybinding",
        "keyvault-injector-sync-snapshots",
        "--type=merge",
        "-p",
        '{"spec":{"validationActions":["Deny"]}}',
      ),
  },
  {
    what: "a policy for another namespace",
    check: "policies",
    state: "FAIL",
    message: /^policy keyvault-injector-sync-snapshots is written for the install in namespace elsewhere, not in keyvault-injector$/,
    damage: async () => {
      await keeping(["get", "validatingadmissionpolicy", "keyvault-injector-sync-snapshots"]);
      const expression = "request.userInfo.username == 'system:serviceaccount:elsewhere:keyvault-injector-sync'";
      await policySpec({ matchConditions: [{ name: "by-the-sync-worker", expression }] });
    },
    repair: () => policySpec({ matchConditions: JSON.parse(kept).spec.matchConditions }),
  },
  {
    what: "a policy that an error switches off",
    check: "policies",
    state: "FAIL",
    message: /^policy keyvault-injector-sync-snapshots has failurePolicy Ignore/,
    damage: () => policySpec({ failurePolicy: "Ignore" }),
    repair: () => policySpec({ failurePolicy: "Fail" }),
  },
  {
    what: "a binding that leaves namespaces out",
    check: "policies",
    state: "WARN",
    message: /^binding keyvault-injector-sync-snapshots narrows policy keyvault-injector-sync-snapshots$/,
    damage: () => bindingSpec({ matchResources: { namespaceSelector: { matchLabels: { team: "a" } } } }),
    repair: () => bindingSpec({ matchResources: null }),
  },
  {
    what: "a policy that is there and bound, and denies nothing",
    check: "guardrails",
    state: "FAIL",
    message: /^nothing stops the worker from what keyvault-injector-sync-snapshots forbids$/,
    damage: async () => {
      await keeping(["get", "validatingadmissionpolicy", "keyvault-injector-sync-snapshots"]);
      await policySpec({ validations: [{ expression: "true" }] });
    },
    repair: () => policySpec({ validations: JSON.parse(kept).spec.validations }),
  },
  {
    what: "a second instance",
    check: "instances",
    state: "FAIL",
    message: /^there is a second instance in namespace second: both write the same Secrets$/,
    damage: async () => {
      await kubectl("create", "namespace", "second");
      await apply(deploymentIn("second"));
    },
    repair: () => kubectl("delete", "deployment", "keyvault-injector-sync", "-n", "second"),
  },
  {
    what: "the worker's binding moved to another namespace",
    check: "instances",
    state: "FAIL",
    message: /^ClusterRoleBinding keyvault-injector-sync binds the worker of namespace second, not of keyvault-injector$/,
    damage: () => bindWorkerOf("second"),
    repair: () => bindWorkerOf("keyvault-injector"),
  },
  {
    what: "a Deployment without a ready replica",
    check: "deployments",
    state: "FAIL",
    message: /^keyvault-injector-webhook: 0 of 2/,
    damage: () => setStatus("deployment", "keyvault-injector-webhook", { readyReplicas: 0 }),
    repair: () => setStatus("deployment", "keyvault-injector-webhook", { readyReplicas: 2 }),
  },
  {
    what: "a Deployment deleted",
    check: "deployments",
    state: "FAIL",
    message: /keyvault-injector-sync is missing$/,
    damage: () => deleting("deployment", "keyvault-injector-sync", "-n", "keyvault-injector"),
    repair: async () => {
      await putBack();
      await setStatus("deployment", "keyvault-injector-sync", { replicas: 2, readyReplicas: 2 });
    },
  },
  {
    what: "the worker's rights taken away",
    check: "rights",
    state: "FAIL",
    message: /^the worker may not create, patch, delete secrets: no Secret is written$/,
    damage: () => deleting("clusterrolebinding", "keyvault-injector-sync"),
    repair: putBack,
  },
  {
    what: "no lease holder",
    check: "lease",
    state: "FAIL",
    message: /^no worker holds the lease/,
    damage: () =>
      kubectl(
        "patch",
        "lease",
        "keyvault-injector-sync",
        "-n",
        "keyvault-injector",
        "--type=merge",
        "-p",
        '{"spec":{"holderIdentity":""}}',
      ),
    repair: () => freshLease(),
  },
  {
    what: "a lease that nobody renews",
    check: "lease",
    state: "FAIL",
    message: /^somebody has not renewed it for \d+ s/,
    damage: () => freshLease("2020-01-01T00:00:00.000000Z"),
    repair: () => freshLease(),
  },
  {
    what: "no CSI driver",
    check: "driver",
    state: "FAIL",
    message: /^there is no CSIDriver/,
    damage: () => deleting("csidriver", "secrets-store.csi.k8s.io"),
    repair: putBack,
  },
  {
    what: "a driver that is not ready",
    check: "driver",
    state: "FAIL",
    message: /csi-secrets-store: 0 of 1 are ready$/,
    damage: () => readyNodes("csi-secrets-store", 0),
    repair: () => readyNodes("csi-secrets-store", 1),
  },
  {
    what: "no provider",
    check: "provider",
    state: "FAIL",
    message: /^no DaemonSet runs the provider's image$/,
    damage: () => deleting("daemonset", "csi-secrets-store-provider-azure", "-n", "kube-system"),
    repair: async () => {
      await putBack();
      await readyNodes("csi-secrets-store-provider-azure", 1);
    },
  },
  {
    what: "a driver that may write Secrets",
    check: "driver-sync",
    state: "WARN",
    message: /secrets-store-csi-driver may write Secrets \(ClusterRoleBinding syncing\)/,
    damage: () =>
      kubectl(
        "create",
        "clusterrolebinding",
        "syncing",
        "--clusterrole=keyvault-injector-sync",
        "--serviceaccount=kube-system:secrets-store-csi-driver",
      ),
    repair: () => kubectl("delete", "clusterrolebinding", "syncing"),
  },
  {
    what: "a node without the driver",
    check: "nodes",
    state: "WARN",
    message: /^0 of 1 nodes have the driver; without it: node-1$/,
    damage: () => kubectl("delete", "csinode", "node-1"),
    repair: () => driverOn([{ name: "secrets-store.csi.k8s.io", nodeID: "node-1", topologyKeys: null }]),
  },
  {
    what: "a class that fails",
    check: "classes",
    state: "WARN",
    message: /^probes\/failing is Forbidden: not granted$/,
    damage: async () => {
      await apply({
        apiVersion: "keyvault-injector.dev/v1alpha1",
        kind: "SecretProviderClassSync",
        metadata: { name: "failing", namespace: PROBE },
      });
      const condition = {
        type: "Synced",
        status: "False",
        reason: "Forbidden",
        message: "not granted",
        observedGeneration: 1,
        lastTransitionTime: "2026-01-01T00:00:00Z",
      };
      const status = { observedGeneration: 1, conditions: [condition], secretsSynced: "0/1", secrets: [] };
      await kubectl("patch", "spcsync", "failing", "-n", PROBE, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status }));
    },
    repair: () => kubectl("delete", "spcsync", "failing", "-n", PROBE),
  },
];

const bindingSpec = (spec: object): Promise<string> =>
  kubectl("patch", "validatingadmissionpolicybinding", "keyvault-injector-sync-snapshots", "--type=merge", "-p", JSON.stringify({ spec }));

const bindWorkerOf = async (namespace: string): Promise<string> => {
  // Made anew: a change of it would be refused.
  await kubectl("delete", "clusterrolebinding", "keyvault-injector-sync");
  const names = ["keyvault-injector-sync", "--clusterrole=keyvault-injector-sync"];
  return kubectl("create", "clusterrolebinding", ...names, `--serviceaccount=${namespace}:keyvault-injector-sync`);
};

function deploymentIn(namespace: string): object {
  const labels = { "app.kubernetes.io/name": "keyvault-injector", "app.kubernetes.io/component": "sync" };
  const spec = { containers: [{ name: "sync", image: "keyvault-injector" }] };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "keyvault-injector-sync", namespace, labels },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

function freshLease(renewTime = new Date().toISOString().replace("Z", "000Z")): Promise<string> {
  const spec = { holderIdentity: "somebody", renewTime, leaseDurationSeconds: 600 };
  return kubectl("patch", "lease", "keyvault-injector-sync", "-n", "keyvault-injector", "--type=merge", "-p", JSON.stringify({ spec }));
}

/** The Deployments are given replicas here that no installer gave them. */
const HELD = { args: ["--heal=crds,classes"] };

describe("doctor", { skip: refusal }, () => {
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    product = await installProduct(plane);
    [webhook, worker] = await Promise.all([product.start("webhook"), product.start("sync", HELD)]);
    await aNamespace(plane, PROBE);
    await nodeSide();
  });

  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  test("finds nothing wrong with a whole install, by every check, and ends with 0", async () => {
    const { code, results } = await eventually(async () => {
      const found = await doctor();
      return found.results.every(({ state }) => state === "OK")
        ? found
        : assert.fail(JSON.stringify(found.results.filter(({ state }) => state !== "OK")));
    });

    assert.equal(code, 0);
    assert.deepEqual([...new Set(results.map(({ check }) => check))], Object.keys(CHECKS));
  });

  test("holds in its JSON what the install consists of and is set to", async () => {
    const { report } = await doctor();

    assert.deepEqual([report.report, report.format, report.version, report.namespace], ["install", 1, "9.9.9", "keyvault-injector"]);
    assert.deepEqual(report.components.map(({ component, wanted, ready }) => `${component} ${ready}/${wanted}`).sort(), [
      "driver 1/1",
      "provider 1/1",
      "sync 2/2",
      "webhook 2/2",
    ]);
    assert.equal(report.settings.sync["rotation-poll-interval"], "2m");
    assert.deepEqual(Object.keys(report.settings.sync), Object.keys(SETTINGS));
    assert.deepEqual([...new Set(report.crds.map(({ state }) => state))], ["whole"]);
    assert.equal(report.crds.length, 3);
    assert.deepEqual(
      report.policies.filter(({ isPresent, actions }) => !isPresent || actions.length === 0),
      [],
    );
    assert.deepEqual([report.classes, report.walks, report.unseen], [[], [], []]);
  });

  test("says so in a process of its own as well", async () => {
    const { code, stdout, stderr } = await runCli(["doctor", "-n", PROBE], { kubeconfig: plane.kubeconfigPath });

    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /\n\d+ OK, 0 WARN, 0 FAIL, 0 SKIP\n$/);
  });

  test("sees that the webhook is gone, by the API server's own eyes, and that the worker gave the lease up", async () => {
    await Promise.all([webhook.stop(), worker.stop()]);

    const { code, results } = await doctor();

    assert.equal(code, 1);
    assert.deepEqual(
      results.filter(({ state }) => state === "FAIL").map(({ check, message }) => `${check}: ${message}`),
      ["injection: the API server gets no answer from the webhook", "lease: no worker holds the lease: nothing is mirrored"],
    );
    await freshLease();
  });

  test("finds each damage by its own check, says what to do, and nothing after the repair", async (context) => {
    let found = 0;
    const others = async (): Promise<readonly string[]> =>
      (await doctor()).results
        .filter(({ state, check }) => state !== "OK" && check !== "injection")
        .map(({ check, message }) => `${check}: ${message}`);
    for (const { what, check, state, message, damage, repair } of DAMAGES) {
      await damage();
      // A policy goes on as it was for a moment after it was changed.
      await eventually(async () => {
        const { results } = await doctor();
        const hit = results.find((result) => result.check === check && result.state === state && message.test(result.message));
        assert.ok(hit !== undefined && (hit.fix ?? "") !== "", `${what}: ${JSON.stringify(results.filter((each) => each.state !== "OK"))}`);
        return true;
      });
      found += 1;
      await repair();
      await eventually(async () => {
        const left = await others();
        return left.length === 0 ? true : assert.fail(`after the repair of ${what}: ${left.join("; ")}`);
      });
    }
    context.diagnostic(`${found}/${DAMAGES.length} damages found`);
    const unchecked = Object.keys(CHECKS).filter(
      (check) => !UNPLANTED.includes(check) && !DAMAGES.some((damage) => damage.check === check),
    );
    assert.deepEqual(unchecked, []);
  });

  test("ends with 2 where there is no API server", async () => {
    const kubeconfig = path.join(plane.directory, "nowhere.json");
    writeFileSync(kubeconfig, readFileSync(plane.kubeconfigPath, "utf8").replace(/https:\/\/[^\s"]+/, "https://127.0.0.1:1"));

    const { code, stdout, stderr } = await runCli(["doctor"], { kubeconfig });

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^keyvault-injector doctor: .*check the kubeconfig's server, or the network\n$/);
  });
});
