import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { decidePod, denialOf } from "../support/webhook/decide-pod.ts";

type Json = Readonly<Record<string, unknown>>;

const onDrive = { ...OPTED_IN, "mount-path": "C:\\secrets" };

/** Whether the webhook treats the pod as a Windows pod: it accepts a path with a drive only for those. */
const isWindows = (spec: Json): boolean => decidePod(aPod(onDrive, spec)).kind === "patched";

function affinityTo(...terms: readonly (readonly Json[])[]): Json {
  const nodeSelectorTerms = terms.map((matchExpressions) => ({ matchExpressions }));
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
}

const expression = (key: string, operator: string, ...values: readonly string[]): Json => ({ key, operator, values });
const OS = "kubernetes.io/os";
const SKU = "kubernetes.azure.com/os-sku";

const WINDOWS: Readonly<Record<string, Json>> = {
  "the label of before 1.14": { nodeSelector: { "beta.kubernetes.io/os": "windows" } },
  "the SKU of AKS": { nodeSelector: { [SKU]: "Windows2022" } },
  "another SKU of AKS": { nodeSelector: { [SKU]: "WindowsAnnual", pool: "win" } },
  "the build of Windows": { nodeSelector: { "node.kubernetes.io/windows-build": "10.0.20348" } },
  "an affinity": affinityTo([expression(OS, "In", "windows")]),
  "an affinity to one of several SKUs": affinityTo([expression(SKU, "In", "Windows2019", "Windows2022")]),
  "an affinity to what is not Linux": affinityTo([expression(OS, "NotIn", "linux")]),
  "an affinity to a build": affinityTo([expression("node.kubernetes.io/windows-build", "Exists")]),
  "alternatives that are all Windows": affinityTo(
    [expression(OS, "In", "windows"), expression("zone", "In", "a")],
    [expression("zone", "In", "b"), expression(SKU, "In", "Windows2022")],
  ),
  "options of Windows": { securityContext: { windowsOptions: { runAsUserName: "ContainerUser" } } },
  "options of Windows of a container": {
    containers: [{ name: "app", securityContext: { windowsOptions: { runAsUserName: "ContainerUser" } } }],
  },
  "a mount on a drive": {
    containers: [{ name: "app", volumeMounts: [{ name: "data", mountPath: "D:\\data" }] }],
    volumes: [{ name: "data", emptyDir: {} }],
  },
};

const LINUX: Readonly<Record<string, Json>> = {
  nothing: {},
  "another SKU": { nodeSelector: { [SKU]: "AzureLinux" } },
  "an affinity to either": affinityTo([expression(OS, "In", "windows", "linux")]),
  "alternatives of which one is Linux": affinityTo([expression(OS, "In", "windows")], [expression(OS, "In", "linux")]),
  "alternatives of which one does not say": affinityTo([expression(OS, "In", "windows")], [expression("zone", "In", "a")]),
  "an affinity to what is not Windows": affinityTo([expression(OS, "NotIn", "windows")]),
  "its own word against its selector's": { os: { name: "linux" }, nodeSelector: { [OS]: "windows" } },
  "its selector's word against a drive": {
    nodeSelector: { [OS]: "linux" },
    containers: [{ name: "app", volumeMounts: [{ name: "data", mountPath: "D:\\data" }] }],
  },
};

describe("a Windows pod", () => {
  for (const [by, spec] of Object.entries(WINDOWS)) {
    test(`K9: is known by ${by}`, () => assert.ok(isWindows(spec)));
  }
  for (const [by, spec] of Object.entries(LINUX)) {
    test(`is not known by ${by}`, () => assert.ok(!isWindows(spec)));
  }

  test("K9: has one place under every spelling, whatever it is known by", () => {
    for (const mountPath of ["C:\\mnt\\secrets-store", "c:/MNT/Secrets-Store/", "\\mnt\\secrets-store", "/mnt/secrets-store"]) {
      const containers = [{ name: "app", volumeMounts: [{ name: "data", mountPath }] }];
      const spec = { nodeSelector: { "beta.kubernetes.io/os": "windows" }, containers, volumes: [{ name: "data", emptyDir: {} }] };
      const decision = decidePod(aPod(OPTED_IN, spec));

      assert.equal(decision.reason, "MountPathTaken", mountPath);
      assert.match(denialOf(aPod(OPTED_IN, spec)), /already has volume "data" at /);
    }
    const unsaid = { containers: [{ name: "app", volumeMounts: [{ name: "data", mountPath: "C:\\mnt\\secrets-store" }] }] };
    assert.equal(decidePod(aPod(OPTED_IN, unsaid)).reason, "MountPathTaken", "a pod that nothing but the path tells");
  });

  test("K9: has variables without case, whatever it is known by", () => {
    const spec = { nodeSelector: { [SKU]: "Windows2022" }, containers: [{ name: "app", env: [{ name: "password", value: "x" }] }] };
    const facts = {
      "akvprovider-demo": {
        kind: "found",
        class: {
          apiVersion: "secrets-store.csi.x-k8s.io/v1",
          kind: "SecretProviderClass",
          metadata: { name: "akvprovider-demo", namespace: "default" },
          spec: { provider: "azure", secretObjects: [{ secretName: "db", data: [{ objectName: "p", key: "PASSWORD" }] }] },
        },
      },
    } as const;

    assert.equal(decidePod(aPod({ ...OPTED_IN, "env-from": "db" }, spec), { facts }).reason, "EnvTaken");
  });
});
