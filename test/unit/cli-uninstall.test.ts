import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Cluster } from "../../src/cli/shared/command.ts";
import type { KubeObject, Resource } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { VERSION } from "../../tools/repository-files.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";

const object = (kind: string, name: string): Manifest => ({ apiVersion: "v1", kind, metadata: { name } });

/** An install with a Namespace and the policy, in a cluster whose user may read these kinds. */
function clusterFor(...readable: readonly string[]): Cluster {
  const held = heldCluster([object("Namespace", "keyvault-injector"), object("MutatingAdmissionPolicy", "keyvault-injector-injection")]);
  const read: KubeClient["read"] = async (resource, ref, signal) => {
    if (!readable.includes(resource.kind))
      throw new KubeError("Forbidden", `you lack permission to get ${resource.kind}`, { retry: { kind: "never" } });
    return held.kube.read(resource, ref, signal);
  };
  return { ...held, kube: { ...held.kube, read, mergePatch: async () => undefined } as unknown as KubeClient }; // The command makes no other calls.
}

const NEEDED = ["Namespace", "Deployment", "ValidatingAdmissionPolicyBinding"];

describe("uninstall --prepare", () => {
  test("AT6: needs no right to the policy that injects: the chart's Job has none", async () => {
    const { code, output } = await runOffline(["uninstall", "--prepare"], "", { cluster: clusterFor(...NEEDED) });

    assert.equal(code, 0);
    assert.match(output, /kubectl delete -k manifests\/overlays\/default /);
  });

  test("UN: does not take a policy that it may not read for one that is not there", async () => {
    const { output } = await runOffline(["uninstall", "--prepare"], "", { cluster: clusterFor(...NEEDED) });

    assert.match(output, /overlays\/default .*\n +# or manifests\/overlays\/policy: you lack permission to get mutatingadmissionpolicies/);
    const { output: whole } = await runOffline(["uninstall", "--prepare"], "", {
      cluster: clusterFor(...NEEDED, "MutatingAdmissionPolicy"),
    });
    assert.doesNotMatch(whole, /you lack permission/, "the control: it is read");
  });

  test("UN: fails, before it changes anything, where the API server does not answer about the policy", async () => {
    const held = heldCluster([object("Namespace", "keyvault-injector")]);
    let writes = 0;
    const read: KubeClient["read"] = async (resource, ref, signal) => {
      if (resource.kind === "MutatingAdmissionPolicy") throw new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } });
      return held.kube.read(resource, ref, signal);
    };
    const mergePatch = async () => {
      writes += 1;
    };
    const cluster = { ...held, kube: { ...held.kube, read, mergePatch } as unknown as KubeClient }; // The command makes no other calls.
    let now = 0;
    const sleep = async (milliseconds: number): Promise<void> => {
      now += milliseconds;
    };
    const { code, output } = await runOffline(["uninstall", "--prepare"], "", { cluster, clock: { now: () => now, sleep } });

    assert.equal(code, 2, output);
    assert.equal(writes, 0);
  });

  test("AT6: names the overlay of the policy where it is there", async () => {
    const { output } = await runOffline(["uninstall", "--prepare"], "", { cluster: clusterFor(...NEEDED, "MutatingAdmissionPolicy") });

    assert.match(output, /kubectl delete -k manifests\/overlays\/policy /);
  });

  test("RB4: does not erase the saved binding of another run that ended since this one read the Namespace", async () => {
    const written: unknown[] = [];
    const cluster = clusterFor(...NEEDED);
    const mergePatch = async (_resource: Resource, _ref: unknown, patch: unknown) => {
      written.push(patch);
      return undefined;
    };
    const { code } = await runOffline(["uninstall", "--prepare"], "", {
      cluster: { ...cluster, kube: { ...cluster.kube, mergePatch } as unknown as KubeClient }, // The command makes no other writes.
    });

    assert.deepEqual([code, written], [0, [{ metadata: { annotations: { "keyvault-injector.dev/uninstalling": "none" } } }]]);
  });

  test("is told apart from one that may not read the Namespace", async () => {
    assert.equal((await runOffline(["uninstall", "--prepare"], "", { cluster: clusterFor("Deployment") })).code, 2);
  });
});

describe("NU10: uninstall --dry-run", () => {
  const policyBinding = object("ValidatingAdmissionPolicyBinding", "keyvault-injector-pod-volume");
  const binding = { ...policyBinding, metadata: { ...policyBinding.metadata, uid: "u-1" } };
  const saved = { "keyvault-injector.dev/final-check": JSON.stringify({ spec: {}, managedFields: [] }) };

  for (const [option, objects, verbs] of [
    ["--prepare", [object("Namespace", "keyvault-injector"), binding], ["mergePatch", "delete"]],
    [
      "--undo",
      [{ ...object("Namespace", "keyvault-injector"), metadata: { name: "keyvault-injector", annotations: saved } }],
      ["create", "mergePatch"],
    ],
  ] as const) {
    const run = async (args: readonly string[]) => {
      const held = heldCluster(objects);
      const writes: string[] = [];
      const noted =
        (verb: string) =>
        async (...given: readonly unknown[]) => {
          const isDryRun = given.some((each) => (each as { readonly dryRun?: boolean } | undefined)?.dryRun === true);
          writes.push(isDryRun ? `dry ${verb}` : verb);
          return { metadata: {} };
        };
      const verbsOf = { mergePatch: noted("mergePatch"), delete: noted("delete"), create: noted("create") };
      const cluster = { ...held, kube: { ...held.kube, ...verbsOf } as unknown as KubeClient }; // The command makes no other writes.
      return { ...(await runOffline(["uninstall", ...args], "", { cluster })), writes };
    };

    test(`has the API server check ${option} without storing anything, and prints what it would do`, async () => {
      const wet = await run([option]);
      const dry = await run([option, "--dry-run"]);

      assert.deepEqual(
        dry.writes,
        verbs.map((verb) => `dry ${verb}`),
      );
      assert.ok(wet.writes.length >= verbs.length && wet.writes.every((write) => !write.startsWith("dry")), "the control writes");
      assert.equal(dry.output, `Nothing was changed (--dry-run). Without --dry-run, the command prints:\n\n${wet.output}`);
    });
  }
});

/** An install whose worker's Deployment has these labels and annotations. */
function installedBy(metadata: Pick<Manifest["metadata"], "labels" | "annotations">): Cluster {
  const worker = { ...object("Deployment", "keyvault-injector-sync") };
  const held = heldCluster([
    object("Namespace", "keyvault-injector"),
    { ...worker, metadata: { ...worker.metadata, namespace: "keyvault-injector", ...metadata } },
  ]);
  return { ...held, kube: { ...held.kube, mergePatch: async () => undefined } as unknown as KubeClient }; // Nothing else is written.
}

const prepared = async (cluster: Cluster): Promise<string> => (await runOffline(["uninstall", "--prepare"], "", { cluster })).output;
const staying = (output: string): string => output.split("\n").find((line) => line.startsWith("What remains: ")) ?? "";

describe("NC-2: what comes after uninstall --prepare", () => {
  const release = { "meta.helm.sh/release-name": "akvsecretsprovider", "meta.helm.sh/release-namespace": "keyvault-injector" };

  test("NC-2: for a Helm release, is one command with its namespace, which removes driver and provider as well", async () => {
    const output = await prepared(installedBy({ annotations: release }));

    assert.match(output, /^ {2}helm uninstall akvsecretsprovider --namespace keyvault-injector$/m);
    assert.match(output, /also removes the CSI driver and the Azure provider, if the chart installed them/);
    assert.doesNotMatch(staying(output), /driver|provider\b/);
    assert.doesNotMatch(output, /overlays|manifests\/|-k /, "no checkout");
  });

  test("NC-2: for manifests, needs no checkout, and keeps driver and provider", async () => {
    const output = await prepared(installedBy({}));

    assert.match(output, /kubectl delete -f keyvault-injector-VERSION\.yaml -l app\.kubernetes\.io\/name=keyvault-injector/);
    assert.match(output, /without -l, it also deletes the CRDs, and with them every class/);
    assert.match(output, /kubectl delete -k manifests\/overlays\/default --ignore-not-found/);
    assert.match(staying(output), /CSI driver and the provider, unless your overlay contains them/);
    assert.match(output, /kubectl delete \S*daemonsets\S* -n kube-system -l app\.kubernetes\.io\/part-of=keyvault-injector/);
    assert.doesNotMatch(output, /helm uninstall/);
  });

  for (const [tool, metadata] of [
    ["Flux", { labels: { "helm.toolkit.fluxcd.io/name": "keyvault-injector" }, annotations: release }],
    ["Flux", { labels: { "kustomize.toolkit.fluxcd.io/name": "keyvault-injector" } }],
    ["Argo CD", { annotations: { "argocd.argoproj.io/tracking-id": "keyvault-injector:apps/Deployment:x/y" } }],
  ] as const) {
    test(`NC-2: for ${tool}, is to be removed from Git: ${JSON.stringify(metadata).slice(0, 48)}`, async () => {
      const output = await prepared(installedBy(metadata));

      assert.match(output, new RegExp(`remove it from Git, so that ${tool} deletes it`));
      assert.doesNotMatch(output, /helm uninstall|delete -[kf]/);
      assert.match(staying(output), /unless Git no longer contains them: .*CRDs.*CSI driver/);
    });
  }

  test("NC-2: names every way where the worker is gone, and says which of them removes the driver", async () => {
    const output = await prepared(clusterFor(...NEEDED));

    assert.match(output, /helm uninstall RELEASE --namespace keyvault-injector {4}# also removes the CSI driver and the Azure provider/);
    assert.match(output, /kubectl delete -f keyvault-injector-VERSION\.yaml/);
    assert.match(output, /remove it from Git/);
    assert.match(staying(output), /CSI driver and the provider, unless the chart or your overlay contains them/);
  });

  test("NC-2: names the CRDs, which need no checkout, and quotes what a release is called", async () => {
    const output = await prepared(installedBy({ annotations: { ...release, "meta.helm.sh/release-name": "a b" } }));

    for (const name of readManifests(`releases/${VERSION}/crds.yaml`).map(({ metadata }) => metadata.name))
      assert.match(output, new RegExp(`kubectl delete crds .*${name}`));
    assert.match(output, /helm uninstall 'a b' --namespace keyvault-injector/);
  });
});

/** An install with the final check's binding, which Helm owns, in a cluster that stores writes. */
function storingInstall() {
  const [NAMESPACE, BINDING] = ["Namespace", "ValidatingAdmissionPolicyBinding"];
  const made = object(BINDING, "keyvault-injector-pod-volume");
  const stored = new Map<string, KubeObject>([
    [NAMESPACE, object(NAMESPACE, "keyvault-injector")],
    [BINDING, { ...made, metadata: { ...made.metadata, uid: "u-1", managedFields: HELM } }],
  ]);
  let isAnswerLost = false;
  const kube = {
    read: async ({ kind }: Resource) => {
      const found = stored.get(kind);
      return found === undefined ? { kind: "absent" } : { kind: "found", object: structuredClone(found) };
    },
    mergePatch: async ({ kind }: Resource, _: unknown, { metadata }: { readonly metadata: Manifest["metadata"] }) => {
      const found = stored.get(kind);
      assert.ok(found);
      const annotations = Object.entries({ ...found.metadata.annotations, ...metadata.annotations }).filter(([, value]) => value !== null);
      Object.assign(found.metadata, metadata, { annotations: Object.fromEntries(annotations) });
    },
    create: async ({ kind }: Resource, body: Manifest, { fieldManager }: { readonly fieldManager: string }) => {
      const managedFields = [{ manager: fieldManager, operation: "Update" as const }];
      stored.set(kind, { ...body, metadata: { ...body.metadata, uid: "u-2", managedFields } });
      if (isAnswerLost) throw new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } });
      return stored.get(kind);
    },
    delete: async ({ kind }: Resource) => stored.delete(kind),
  };
  const cluster = { ...heldCluster([]), kube: kube as unknown as KubeClient }; // The command makes no other calls.
  return {
    run: async (option: string, lost = false) => {
      isAnswerLost = lost;
      return runOffline(["uninstall", option], "", { cluster });
    },
    owners: () => stored.get(BINDING)?.metadata.managedFields,
    own: (managedFields: unknown) => Object.assign(stored.get(BINDING)?.metadata ?? {}, { managedFields }),
  };
}

const HELM = [{ manager: "helm", operation: "Apply" as const }];

describe("RA8: uninstall --undo, after an --undo whose answer to the create was lost", () => {
  test("RA8: gives the binding's fields back to their owners", async () => {
    const install = storingInstall();
    await install.run("--prepare");
    assert.equal((await install.run("--undo", true)).code, 2);
    const { code, output } = await install.run("--undo");

    assert.deepEqual([code, install.owners()], [0, HELM]);
    assert.match(output, /^The policy binding keyvault-injector-pod-volume exists again\.$/m);
  });

  test("RA8: does so, too, where --prepare comes between", async () => {
    const install = storingInstall();
    await install.run("--prepare");
    await install.run("--undo", true);
    await install.run("--prepare");
    await install.run("--undo");

    assert.deepEqual(install.owners(), HELM);
  });

  test("RA8: leaves a binding alone that somebody else has applied since", async () => {
    const install = storingInstall();
    await install.run("--prepare");
    await install.run("--undo", true);
    const both = [
      { manager: "keyvault-injector-uninstall", operation: "Update" },
      { manager: "flux", operation: "Apply" },
    ];
    install.own(both);
    await install.run("--undo");

    assert.deepEqual(install.owners(), both);
  });
});
