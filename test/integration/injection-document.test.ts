import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { type KubectlOutput, kubectlOutput } from "../support/cli/kubectl-output.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { aNamespace } from "../support/cluster/namespace.ts";
import { assertNothingForbidden } from "../support/cluster/own-requests.ts";
import { installProduct, type Product } from "../support/cluster/product.ts";
import { at, listAt, MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { OPTED_IN, prefixed } from "../support/fixtures/pods.ts";

const refusal = controlPlaneRefusal();
const NAMED = "busybox-secrets-store-inline";
const ANNOTATED = "busybox-secrets-store-annotated";

let plane: ControlPlane;
let product: Product;

const exampleFile = (name: string): string => path.join(MANIFESTS, "examples", name);

function apply(namespace: string, manifest: unknown): Promise<KubectlOutput> {
  return kubectlOutput(plane, ["apply", "-n", namespace, "-f", "-"], JSON.stringify(manifest));
}

/** The document's pod, which specifies its own volume, with the annotations that opt it in. */
function optedIn(): unknown {
  const pod = parse(readFileSync(exampleFile("pod.yaml"), "utf8"));
  return { ...pod, metadata: { ...pod.metadata, annotations: prefixed(OPTED_IN) } };
}

async function storedPod(namespace: string, name: string): Promise<unknown> {
  return JSON.parse(await plane.kubectl(["get", "pod", name, "-n", namespace, "-o", "json"]));
}

/** Returns the spec without the random suffix of the token volume's name. */
function specOf(pod: unknown): unknown {
  return JSON.parse(JSON.stringify(at(pod, "spec")).replaceAll(/kube-api-access-[a-z0-9]{5}(?=")/g, "kube-api-access"));
}

/** Creates a namespace with the document's credentials and class, as its reader would. */
async function documentNamespace(): Promise<string> {
  const namespace = await aNamespace(plane);
  for (const file of ["credentials.yaml", "secretproviderclass.yaml"]) {
    await plane.kubectl(["apply", "-n", namespace, "-f", exampleFile(file)]);
  }
  return namespace;
}

describe("the document's pod", { skip: refusal }, () => {
  let twin: unknown;

  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    product = await installProduct(plane);
    await product.start("webhook");
    const namespace = await documentNamespace();
    await plane.kubectl(["apply", "-n", namespace, "-f", exampleFile("pod.yaml")]);
    twin = await storedPod(namespace, NAMED);
  });

  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  test("passes untouched without annotations", () => {
    assert.equal(at(twin, "metadata", "labels"), undefined);
    assert.deepEqual(Object.keys(Object(at(twin, "metadata", "annotations"))), ["kubectl.kubernetes.io/last-applied-configuration"]);
  });

  for (const [state, prepare] of [
    ["with its class in place", documentNamespace],
    ["with its class still to come", () => aNamespace(plane)],
  ] as const) {
    test(`is admitted with its own volume when it opts in, ${state}: no volume, mount or anything else in its spec changes`, async () => {
      const namespace = await prepare();

      const { code, stderr } = await apply(namespace, optedIn());
      const stored = await storedPod(namespace, NAMED);

      assert.equal(code, 0, stderr);
      assert.deepEqual(at(stored, "metadata", "labels"), { "keyvault-injector.dev/injected": "true" });
      assert.deepEqual(statusOf(stored), { classes: ["akvprovider-demo"], volumes: ["secrets-store-inline"] });
      assert.equal(listAt(stored, "spec", "volumes").length, 2);
      assert.deepEqual(specOf(stored), specOf(twin));
    });
  }

  for (const [state, prepare] of [
    ["with its class in place", documentNamespace],
    ["with its class still to come", () => aNamespace(plane)],
  ] as const) {
    test(`is what the annotated pod without a volume becomes, ${state}: volume, mount, reference and all the rest of the spec`, async () => {
      const namespace = await prepare();

      await plane.kubectl(["apply", "-n", namespace, "-f", exampleFile("pod-annotated.yaml")]);
      const stored = await storedPod(namespace, ANNOTATED);

      const volume = listAt(stored, "spec", "volumes").find((each) => at(each, "name") === "secrets-store-inline");
      assert.equal(at(volume, "csi", "nodePublishSecretRef", "name"), "secrets-store-creds");
      assert.equal(at(volume, "csi", "volumeAttributes", "secretProviderClass"), "akvprovider-demo");
      assert.ok(listAt(stored, "spec", "containers", 0, "volumeMounts").some((mount) => at(mount, "mountPath") === "/mnt/secrets-store"));
      assert.deepEqual(sorted(specOf(stored)), sorted(specOf(twin)));
    });
  }

  test("is not seen as changed when it is applied again, though the stored pod has more than the file", async () => {
    const namespace = await documentNamespace();
    const args = ["apply", "-n", namespace, "-f", exampleFile("pod-annotated.yaml")];
    await plane.kubectl(args);
    const first = await storedPod(namespace, ANNOTATED);

    const { stdout } = await kubectlOutput(plane, args);

    assert.equal(stdout, `pod/${ANNOTATED} unchanged\n`);
    assert.deepEqual(await storedPod(namespace, ANNOTATED), first);
  });

  test("would be told apart by a mount, a reference or a volume that differs", () => {
    const pod = structuredClone(specOf(twin)) as {
      containers: { volumeMounts: object[] }[];
      volumes: { csi?: { nodePublishSecretRef?: object } }[];
    }; // As the API server stores it.
    const [mounts, volumes] = [pod.containers[0]?.volumeMounts ?? [], pod.volumes];

    for (const owner of [mounts[0], volumes[0], volumes[0]?.csi, volumes[0]?.csi?.nodePublishSecretRef]) {
      const [key] = Object.keys(owner ?? {});
      assert.ok(owner !== undefined && key !== undefined);
      Object.assign(owner, { [key]: "other" });
      assert.notDeepEqual(sorted(pod), sorted(specOf(twin)));
    }
  });

  test("was admitted without a request of the webhook being answered 403", (context) => assertNothingForbidden(plane, context));
});

function statusOf(pod: unknown): unknown {
  const { version, ...rest } = JSON.parse(String(at(pod, "metadata", "annotations", "keyvault-injector.dev/status")));
  assert.match(version, /^\d+\.\d+\.\d+$/);
  return rest;
}

/** Sorts by name: the API server adds its token volume after the pod's own volumes and before ours. */
function sorted(spec: unknown): unknown {
  const byName = (items: readonly unknown[]): unknown[] =>
    [...items].sort((a, b) => (String(at(a, "name")) < String(at(b, "name")) ? -1 : 1));
  const containers = listAt(spec, "containers").map((container) => ({
    ...Object(container),
    volumeMounts: byName(listAt(container, "volumeMounts")),
  }));
  return { ...Object(spec), volumes: byName(listAt(spec, "volumes")), containers };
}
