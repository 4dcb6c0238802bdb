import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type CliOutput, runCli } from "../support/cli/cli.ts";
import { apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { CHART, HELM_VERSIONS, type HelmAnswer, type HelmVersion, helmRefusal, runHelm } from "../support/cluster/helm.ts";
import { at, installShipped, listAt } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";

const refusal = controlPlaneRefusal() ?? helmRefusal();
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

const RELEASE = "akvsecretsprovider";
const NAMESPACE = "keyvault-injector";
const DRIVER = "secrets-store-csi-driver";
/** The settings in the document. */
const DOCUMENT = [`${DRIVER}.enableSecretRotation=true`, `${DRIVER}.rotationPollInterval=3m`, `${DRIVER}.syncSecret.enabled=true`];

const setting = (values: readonly string[]): readonly string[] => values.flatMap((value) => ["--set", value]);

/** Runs Helm on a control plane without nodes: no kubelet runs the hooks. */
class Installer {
  readonly #plane: ControlPlane;
  readonly #version: HelmVersion;

  constructor(plane: ControlPlane, version: HelmVersion) {
    this.#plane = plane;
    this.#version = version;
  }

  ask(...args: readonly string[]): Promise<HelmAnswer> {
    return runHelm(this.#version, args, { KUBECONFIG: this.#plane.kubeconfigPath });
  }

  /** Runs Helm. Throws its output if it fails. */
  async run(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.ask(...args);
    if (code !== 0) throw new Error(`helm ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  install(...args: readonly string[]): Promise<string> {
    return this.run("install", RELEASE, CHART, "-n", NAMESPACE, "--create-namespace", ...args);
  }

  upgrade(...args: readonly string[]): Promise<string> {
    return this.run("upgrade", RELEASE, CHART, "-n", NAMESPACE, "--reuse-values", ...args);
  }

  /** Uninstalls without hooks: without nodes no kubelet runs a hook's pods. */
  uninstallWithoutHooks(): Promise<string> {
    return this.run("uninstall", RELEASE, "-n", NAMESPACE, "--no-hooks");
  }

  /** Uninstalls. The test runs the hook's pod in the kubelet's place. */
  async uninstall(): Promise<string> {
    const [said] = await Promise.all([this.run("uninstall", RELEASE, "-n", NAMESPACE, "--timeout", "120s"), runHook(this.#plane)]);
    return said;
  }
}

/** Does what the hook's pod would do, under the pod's own account and rights. */
async function runHook(plane: ControlPlane): Promise<void> {
  const pod = await eventually(
    async () => {
      const { body } = await apiRequest(plane, { method: "GET", path: `/api/v1/namespaces/${NAMESPACE}/pods` });
      return listAt(body, "items").find((item) => String(at(item, "metadata", "name")).startsWith("keyvault-injector-uninstall-"));
    },
    { what: "the hook's pod", within: 60_000 },
  );
  const account = String(at(pod, "spec", "serviceAccountName"));
  const args = listAt(pod, "spec", "containers", 0, "args").map(String);
  const kubeconfig = await plane.kubeconfigFor({ namespace: NAMESPACE, name: account });
  const { code, stdout, stderr } = await runCli(args, { kubeconfig });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /is marked: the worker no longer heals anything/);
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/${String(at(pod, "metadata", "name"))}/status`;
  await apiRequest(plane, { method: "PATCH", path, contentType: MERGE_PATCH, body: { status: { phase: "Succeeded" } } });
}

interface DoctorRun {
  readonly helm: HelmAnswer;
  readonly doctor: CliOutput;
}

interface DoctorTest {
  readonly phase: "Succeeded" | "Failed";
  /** Runs while the pod and its rights exist. */
  readonly meanwhile?: () => Promise<void>;
}

/** Runs `helm test`, and runs its pod in the kubelet's place. `phase` is the final phase of the pod. */
async function helmTest(plane: ControlPlane, installer: Installer, { phase, meanwhile }: DoctorTest): Promise<DoctorRun> {
  const place = `/api/v1/namespaces/${NAMESPACE}/pods/keyvault-injector-doctor`;
  const answered = installer.ask("test", RELEASE, "-n", NAMESPACE, "--timeout", "120s");
  const pod = await eventually(
    async () => {
      const { status, body } = await apiRequest(plane, { method: "GET", path: place });
      return status === 200 && at(body, "status", "phase") === "Pending" ? body : undefined;
    },
    { what: "the pod of helm test", within: 60_000 },
  );
  const kubeconfig = await plane.kubeconfigFor({ namespace: NAMESPACE, name: String(at(pod, "spec", "serviceAccountName")) });
  const doctor = await runCli(listAt(pod, "spec", "containers", 0, "args").map(String), { kubeconfig });
  await meanwhile?.();
  await apiRequest(plane, { method: "PATCH", path: `${place}/status`, contentType: MERGE_PATCH, body: { status: { phase } } });
  return { helm: await answered, doctor };
}

async function get(plane: ControlPlane, ...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await plane.kubectl(["get", ...args, "-o", "json"]));
}

async function workerArguments(plane: ControlPlane): Promise<readonly unknown[]> {
  const deployment = await get(plane, "deployment", "keyvault-injector-sync", "-n", NAMESPACE);
  return listAt(deployment, "spec", "template", "spec", "containers", 0, "args");
}

/** Returns the objects of the release according to Helm: kind, namespace and name. */
async function held(plane: ControlPlane, installer: Installer): Promise<readonly string[]> {
  const manifest = await installer.run("get", "manifest", RELEASE, "-n", NAMESPACE);
  const text = await plane.kubectl(["get", "-f", "-", "-o", "name", "--ignore-not-found"], manifest);
  return text
    .trim()
    .split("\n")
    .filter((line) => line !== "");
}

/** Whether the worker may list Secrets there. Its other rights come with this one. */
async function mayServe(plane: ControlPlane, namespace: string): Promise<boolean> {
  const worker = `--as=system:serviceaccount:${NAMESPACE}:keyvault-injector-sync`;
  const answer = await plane.kubectl(["auth", "can-i", "list", "secrets", "-n", namespace, worker]).catch(() => "no");
  return answer.trim() === "yes";
}

/** cert-manager's two kinds, with only the fields that Helm needs. */
const CERT_MANAGER = ["Certificate", "Issuer"].map((kind) => {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.cert-manager.io` },
    spec: {
      group: "cert-manager.io",
      scope: "Namespaced",
      names: { kind, plural },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  };
});

async function injectedFrom(plane: ControlPlane): Promise<unknown> {
  const configuration = await get(plane, "mutatingwebhookconfiguration", "keyvault-injector");
  return at(configuration, "metadata", "annotations", "cert-manager.io/inject-ca-from");
}

async function definitions(plane: ControlPlane): Promise<number> {
  return listAt(await get(plane, "crd"), "items").length;
}

/** Returns the generations, or the resource versions of kinds without a generation. They show what an apply changed. */
async function generations(plane: ControlPlane, installer: Installer): Promise<readonly unknown[]> {
  const manifest = await installer.run("get", "manifest", RELEASE, "-n", NAMESPACE);
  const list: unknown = JSON.parse(await plane.kubectl(["get", "-f", "-", "-o", "json"], manifest));
  return listAt(list, "items").map((item) => [
    at(item, "kind"),
    at(item, "metadata", "name"),
    at(item, "metadata", "generation") ?? at(item, "metadata", "resourceVersion"),
  ]);
}

/** Writes to the webhook configuration what the webhook writes: one field, with its own field manager. */
async function publishAuthority(plane: ControlPlane): Promise<void> {
  const configuration = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "keyvault-injector" },
    webhooks: [{ name: "pods.keyvault-injector.dev", clientConfig: { caBundle: Buffer.from("CA").toString("base64") } }],
  };
  const flags = ["--server-side", "--field-manager=keyvault-injector-webhook", "--validate=false"];
  await plane.kubectl(["apply", ...flags, "-f", "-"], JSON.stringify(configuration));
}

async function publishedAuthority(plane: ControlPlane): Promise<unknown> {
  return at(await get(plane, "mutatingwebhookconfiguration", "keyvault-injector"), "webhooks", 0, "clientConfig", "caBundle");
}

for (const version of HELM_VERSIONS) {
  describe(`the chart on an API server, by ${version}`, { skip }, () => {
    let plane: ControlPlane;
    let installer: Installer;
    before(async () => {
      plane = await startControlPlane();
      installer = new Installer(plane, version);
      await installer.install(...setting(DOCUMENT));
    });
    after(async () => {
      await plane?.stop();
    });

    test("is installed with the document's settings, definitions included", async () => {
      assert.ok((await held(plane, installer)).length >= 45);
      assert.equal(await definitions(plane), 3);
      assert.deepEqual(await workerArguments(plane), [
        "sync",
        "--sync-secret=true",
        "--enable-secret-rotation=true",
        "--heal-node-side=false",
        "--rotation-poll-interval=3m",
      ]);
    });

    test("is tested by doctor, whose account may look at all of it but Secrets, and change nothing", async () => {
      const may = async (...what: readonly string[]): Promise<string> => {
        const as = `--as=system:serviceaccount:${NAMESPACE}:keyvault-injector-doctor`;
        return (await plane.kubectl(["auth", "can-i", ...what, "-n", NAMESPACE, as]).catch(() => "no")).trim();
      };
      const meanwhile = async (): Promise<void> => {
        assert.equal(await may("list", "pods"), "yes");
        for (const what of ["get secrets", "create pods", "patch deployments", "delete pods"])
          assert.equal(await may(...what.split(" ")), "no", what);
      };
      const { helm, doctor } = await helmTest(plane, installer, { phase: "Failed", meanwhile });
      assert.notEqual(helm.code, 0);
      // Without nodes, no Deployment is ready.
      assert.equal(doctor.code, 1, doctor.stderr);
      assert.match(doctor.stdout, /FAIL +deployments/);
      // No worker runs, so there are no component copies. The account has no right for the other checks.
      const skipped = [...doctor.stdout.matchAll(/^ *SKIP +(\S+)/gm)].map(([, check]) => String(check));
      assert.deepEqual([...new Set(skipped)].sort(), ["authority", "components", "guardrails", "injection"], doctor.stdout);

      assert.equal((await helmTest(plane, installer, { phase: "Succeeded" })).helm.code, 0);
      // Its rights are deleted with it.
      assert.equal(await may("list", "pods"), "no");
    });

    test("refuses a PodMonitor and alerts where the cluster has no Prometheus operator, each by its value", async () => {
      const parts = ["podMonitor", "prometheusRule", "dashboard"].map((part) => `monitoring.${part}.enabled=true`);
      const { code, stderr } = await installer.ask("upgrade", RELEASE, CHART, "-n", NAMESPACE, "--reuse-values", ...setting(parts));
      assert.notEqual(code, 0);
      assert.deepEqual(
        stderr
          .match(/^- monitoring\.\w+\.enabled: the cluster does not have the API monitoring\.coreos\.com\/v1/gm)
          ?.map((line) => line.split(".")[1]),
        ["podMonitor", "prometheusRule"],
      );
    });

    test("ends its notes in the next step", async () => {
      const notes = await installer.run("get", "notes", RELEASE, "-n", NAMESPACE);
      assert.match(notes, /Sync into Secrets is on\.\nRotation is on, every 3m\./);
      assert.match(
        notes,
        /helm test akvsecretsprovider --namespace keyvault-injector --logs\n\nNext, inject a pod: .*\/docs\/how-to\/inject-a-pod\.md\s*$/,
      );
    });

    test("refuses a second release in another namespace, and says where the first one is", async () => {
      const { code, stderr } = await installer.ask("install", "second", CHART, "-n", "elsewhere", "--create-namespace");

      assert.notEqual(code, 0);
      assert.match(
        stderr,
        /is already installed in namespace keyvault-injector by Helm release akvsecretsprovider in namespace keyvault-injector/,
      );
      assert.match(stderr, /the cluster already has the Secrets Store CSI driver, installed by Helm release akvsecretsprovider/);
    });

    test("takes changed settings, leaves the webhook's CA alone, changes nothing when there is nothing to change, and goes back", async () => {
      await publishAuthority(plane);
      const before = await publishedAuthority(plane);
      assert.ok(before);

      await installer.upgrade(...setting([`${DRIVER}.rotationPollInterval=5m`, "logLevel=debug"]));
      assert.deepEqual((await workerArguments(plane)).slice(-2), ["--rotation-poll-interval=5m", "--log-level=debug"]);
      assert.equal(await publishedAuthority(plane), before);

      const settled = await generations(plane, installer);
      await installer.upgrade();
      assert.deepEqual(await generations(plane, installer), settled);

      await installer.run("rollback", RELEASE, "1", "-n", NAMESPACE);
      assert.equal((await workerArguments(plane)).at(-1), "--rotation-poll-interval=3m");
      assert.equal(await publishedAuthority(plane), before);
    });

    test("keeps sync and rotation as they were in an upgrade that does not say, and takes what it says", async () => {
      const switches = async (): Promise<readonly unknown[]> => (await workerArguments(plane)).slice(1, 3);
      const values = (isOn: boolean): readonly string[] =>
        setting([`${DRIVER}.syncSecret.enabled=${isOn}`, `${DRIVER}.enableSecretRotation=${isOn}`]);
      const silently = ["upgrade", RELEASE, CHART, "-n", NAMESPACE, "--reset-values"];
      for (const isOn of [false, true]) {
        await installer.upgrade(...values(isOn));
        const reported = [`--sync-secret=${isOn}`, `--enable-secret-rotation=${isOn}`];
        assert.deepEqual(await switches(), reported);
        await installer.run(...silently);
        assert.deepEqual(await switches(), reported);
        const driver = await get(plane, "csidriver", "secrets-store.csi.k8s.io");
        assert.equal(at(driver, "spec", "requiresRepublish"), isOn);
      }
      await installer.upgrade(...setting(DOCUMENT));
    });

    test("limits the worker to namespaces that are there, names one that is not, and gives all of them back", async () => {
      for (const namespace of ["team-a", "team-b"]) await plane.kubectl(["create", "namespace", namespace]);
      const served = async (): Promise<readonly boolean[]> =>
        Promise.all(["team-a", "team-b", NAMESPACE].map((namespace) => mayServe(plane, namespace)));

      assert.deepEqual(await served(), [true, true, true]);
      const args = ["upgrade", RELEASE, CHART, "-n", NAMESPACE, "--reuse-values", "--set", "namespaces={team-a,team-z}"];
      const { code, stderr } = await installer.ask(...args);
      assert.notEqual(code, 0);
      assert.match(stderr, /\n- namespaces: namespace team-z does not exist\. Run `kubectl create namespace team-z` first, or omit it\n/);
      assert.doesNotMatch(stderr, /team-a/);
      assert.deepEqual(await served(), [true, true, true]);

      await installer.upgrade(...setting(["namespaces={team-a}"]));
      assert.equal((await workerArguments(plane)).at(-1), "--namespaces=team-a");
      assert.deepEqual(await served(), [true, false, true]);

      // With null, Helm would keep the previous values.
      await installer.upgrade("--set-json", "namespaces=[]");
      assert.deepEqual(await served(), [true, true, true]);
      const bindings = await get(plane, "rolebindings", "--all-namespaces");
      assert.ok(!JSON.stringify(bindings).includes("keyvault-injector-sync-served"));
    });

    test("S6: an upgrade carries the namespaces that use the node's identity over, once, and keeps what they are", async () => {
      const identities = async (): Promise<readonly unknown[]> =>
        (await workerArguments(plane)).filter((arg) => String(arg).startsWith("--managed-identity-namespaces"));
      const aClass = (namespace: string, secretObjects: readonly unknown[]) => ({
        apiVersion: "secrets-store.csi.x-k8s.io/v1",
        kind: "SecretProviderClass",
        metadata: { name: "by-the-node", namespace },
        spec: { provider: "azure", parameters: { useVMManagedIdentity: "true", keyvaultName: "shop", tenantID: "t" }, secretObjects },
      });
      const mirrored = [{ secretName: "app", type: "Opaque", data: [{ objectName: "a", key: "a" }] }];
      for (const namespace of ["old-a", "old-b", "late"]) await plane.kubectl(["create", "namespace", namespace]);
      const items = [aClass("old-a", mirrored), aClass("old-b", [])];
      await plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
      assert.deepEqual(await identities(), [], "a new install has none");
      // An install before 0.4.0 had neither of them.
      await plane.kubectl(["delete", "validatingadmissionpolicy", "keyvault-injector-sync-pods", "--ignore-not-found"]);
      await plane.kubectl(["delete", "podtemplate", "keyvault-injector-sync", "-n", NAMESPACE, "--ignore-not-found"]);

      await installer.upgrade();
      assert.deepEqual(await identities(), ["--managed-identity-namespaces=old-a"]);

      // A later class gets no permission from this upgrade.
      await plane.kubectl(["apply", "-f", "-"], JSON.stringify(aClass("late", mirrored)));
      await installer.upgrade();
      assert.deepEqual(await identities(), ["--managed-identity-namespaces=old-a"]);

      await installer.upgrade("--set-json", "managedIdentityNamespaces=[]");
      assert.deepEqual(await identities(), []);
      await installer.upgrade("--set-json", 'managedIdentityNamespaces=["late","old-b"]');
      assert.deepEqual(await identities(), ["--managed-identity-namespaces=late,old-b"]);
      await installer.upgrade("--set-json", "managedIdentityNamespaces=[]");
    });

    test("leaves the webhook's certificate to cert-manager where the cluster has it, and takes it back", async () => {
      const args = ["upgrade", RELEASE, CHART, "-n", NAMESPACE, "--reuse-values", "--set", "certManager.enabled=true"];
      const { code, stderr } = await installer.ask(...args);
      assert.notEqual(code, 0);
      assert.match(
        stderr,
        /\n- certManager\.enabled: the cluster does not have the API cert-manager\.io\/v1\. Install cert-manager first, /,
      );
      const owned = async (): Promise<string> =>
        plane.kubectl([
          "get",
          "role,rolebinding",
          "-n",
          NAMESPACE,
          "-o",
          "name",
          "--field-selector",
          "metadata.name=keyvault-injector-webhook",
        ]);
      const before = await owned();
      assert.match(before, /role\.\S+\n.*rolebinding/);

      const items = JSON.stringify({ apiVersion: "v1", kind: "List", items: CERT_MANAGER });
      await plane.kubectl(["apply", "-f", "-"], items);
      await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
      await installer.upgrade(...setting(["certManager.enabled=true"]));

      assert.equal(await injectedFrom(plane), `${NAMESPACE}/keyvault-injector-webhook`);
      assert.equal(listAt(await get(plane, "certificates.cert-manager.io", "-n", NAMESPACE), "items").length, 2);
      assert.equal(await owned(), "");

      await installer.upgrade(...setting(["certManager.enabled=false"]));
      assert.equal(await injectedFrom(plane), undefined);
      assert.equal(listAt(await get(plane, "certificates.cert-manager.io", "-n", NAMESPACE), "items").length, 0);
      assert.equal(await owned(), before);
      await plane.kubectl(["delete", "-f", "-"], items);
    });

    test("is uninstalled without its definitions, its classes and mirrored Secrets", async () => {
      const secretClass = { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata: { name: "kept" } };
      await plane.kubectl(["apply", "-n", "default", "-f", "-"], JSON.stringify({ ...secretClass, spec: { provider: "azure" } }));
      await plane.kubectl(["create", "secret", "generic", "mirrored", "-n", "default"]);
      await plane.kubectl(["label", "secret", "mirrored", "-n", "default", "keyvault-injector.dev/managed=true"]);
      const manifest = await installer.run("get", "manifest", RELEASE, "-n", NAMESPACE);

      await installer.uninstall();

      const namespace = await get(plane, "namespace", NAMESPACE);
      assert.ok(at(namespace, "metadata", "annotations", "keyvault-injector.dev/uninstalling"), "the hook marked the namespace");
      await eventually(async () => (await plane.kubectl(["get", "-f", "-", "-o", "name", "--ignore-not-found"], manifest)).trim() === "", {
        what: "every object of the release gone",
      });
      assert.equal(await definitions(plane), 3);
      await plane.kubectl(["get", "secretproviderclass", "kept", "-n", "default"]);
      await plane.kubectl(["get", "secret", "mirrored", "-n", "default"]);
    });

    test("is refused beside manifests that were applied without Helm, and takes them over when told to", async () => {
      await installShipped(plane);

      const elsewhere = await installer.ask("install", RELEASE, CHART, "-n", "elsewhere", "--create-namespace", "--take-ownership");
      assert.notEqual(elsewhere.code, 0);
      assert.match(elsewhere.stderr, /is already installed in namespace keyvault-injector by manifests applied without Helm/);
      const here = await installer.ask("install", RELEASE, CHART, "-n", NAMESPACE);
      assert.notEqual(here.code, 0);
      assert.match(here.stderr, /invalid ownership metadata/);

      // Helm 4 applies server-side, and then a field that kubectl owns is a conflict.
      await installer.install("--take-ownership", ...(version === "helm-4" ? ["--force-conflicts"] : []));
      assert.equal((await workerArguments(plane))[1], "--sync-secret=true");
    });
  });
}

describe("a release of Helm 3", { skip }, () => {
  test("is upgraded and uninstalled by Helm 4", async () => {
    const plane = await startControlPlane();
    try {
      await new Installer(plane, "helm-3").install();
      const later = new Installer(plane, "helm-4");

      await later.upgrade(...setting(DOCUMENT));
      assert.equal((await workerArguments(plane)).at(-1), "--rotation-poll-interval=3m");

      await later.uninstallWithoutHooks();
      assert.equal(await definitions(plane), 3);
    } finally {
      await plane.stop();
    }
  });
});
