import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClassFact } from "../../src/domain/injection/credentials.ts";
import { aClass, aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { decidePod, denialOf, injectedPod } from "../support/webhook/decide-pod.ts";

describe("an opted-in pod", () => {
  test("gets exactly the document's volume and mount, the label and the status", () => {
    const pod = injectedPod(aPod(OPTED_IN));

    assert.deepEqual(pod.spec.volumes, [
      {
        name: "secrets-store-inline",
        csi: {
          driver: "secrets-store.csi.k8s.io",
          readOnly: true,
          volumeAttributes: { secretProviderClass: "akvprovider-demo" },
          nodePublishSecretRef: { name: "secrets-store-creds" },
        },
      },
    ]);
    assert.deepEqual(pod.spec.containers[0]?.volumeMounts, [
      { name: "secrets-store-inline", mountPath: "/mnt/secrets-store", readOnly: true },
    ]);
    assert.deepEqual(pod.metadata.labels, { "keyvault-injector.dev/injected": "true" });
    assert.deepEqual(JSON.parse(pod.metadata.annotations["keyvault-injector.dev/status"] ?? ""), {
      version: "1.2.3",
      classes: ["akvprovider-demo"],
      volumes: ["secrets-store-inline"],
    });
  });

  test("gets the mount in init containers and native sidecars too", () => {
    const pod = injectedPod(aPod(OPTED_IN, { initContainers: [{ name: "setup" }, { name: "sidecar", restartPolicy: "Always" }] }));

    const mounted = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ volumeMounts }) => volumeMounts?.length);
    assert.deepEqual(mounted, [1, 1, 1]);
  });

  test("takes volume name, mount path and credentials from its annotations", () => {
    const pod = injectedPod(aPod({ ...OPTED_IN, "volume-name": "vault", "mount-path": "/etc//vault/", "credentials-secret": "sp" }));

    assert.deepEqual(pod.spec.containers[0]?.volumeMounts, [{ name: "vault", mountPath: "/etc/vault", readOnly: true }]);
    assert.deepEqual(pod.spec.volumes[0]?.csi["nodePublishSecretRef"], { name: "sp" });
  });

  test("keeps lists that are null, as if they were absent", () => {
    const pod = injectedPod(aPod(OPTED_IN, { volumes: null, initContainers: null, containers: [{ name: "app", volumeMounts: null }] }));

    assert.equal(pod.spec.volumes.length, 1);
    assert.equal(pod.spec.containers[0]?.volumeMounts?.length, 1);
  });

  test("has its own keys of the status and label corrected, and nothing else replaced", () => {
    const copied = { ...OPTED_IN, status: '{"version":"0.0.1"}' };
    const decision = decidePod({
      ...aPod(copied),
      metadata: { ...metadataOf(aPod(copied)), labels: { "keyvault-injector.dev/injected": "no" } },
    });

    assert.ok(decision.kind === "patched");
    const replaced = decision.patch.filter(({ op }) => op === "replace").map(({ path }) => path);
    assert.deepEqual(replaced.sort(), [
      "/metadata/annotations/keyvault-injector.dev~1status",
      "/metadata/labels/keyvault-injector.dev~1injected",
    ]);
  });
});

function metadataOf(pod: Readonly<Record<string, unknown>>): object {
  return pod["metadata"] as object;
}

describe("several classes", () => {
  const two = { inject: "true", "secret-provider-class": "db, web.tls" };

  test("get one volume each, named and placed by class", () => {
    const pod = injectedPod(aPod(two));

    const [db, web] = pod.spec.volumes;
    assert.equal(db?.name, "secrets-store-inline-db");
    assert.match(web?.name ?? "", /^secrets-store-inline-web-tls-[0-9a-f]{8}$/);
    assert.deepEqual(
      pod.spec.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath),
      ["/mnt/secrets-store/db", "/mnt/secrets-store/web.tls"],
    );
  });

  test("take values by class, and the rest from the default", () => {
    const pod = injectedPod(
      aPod({ ...two, "mount-path": "db=/etc/db", "volume-name": "web.tls=web", "credentials-secret": "db=sp,web.tls=none" }),
    );

    assert.deepEqual(
      pod.spec.volumes.map(({ name, csi }) => [name, csi["nodePublishSecretRef"]]),
      [
        ["secrets-store-inline-db", { name: "sp" }],
        ["web", undefined],
      ],
    );
    assert.deepEqual(
      pod.spec.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath),
      ["/etc/db", "/mnt/secrets-store/web.tls"],
    );
  });

  test("keep volume names within 63 characters, and apart", () => {
    const long = "c".repeat(200);
    const pod = injectedPod(aPod({ inject: "true", "secret-provider-class": `${long}a,${long}b` }));

    const names = pod.spec.volumes.map(({ name }) => name);
    assert.equal(new Set(names).size, 2);
    assert.ok(names.every((name) => name.length <= 63 && /^[a-z0-9-]+$/.test(name)));
  });
});

describe("the credentials reference", () => {
  const modes: readonly [string, ClassFact, boolean][] = [
    ["is set for a class in service-principal mode", { kind: "found", class: aClass() }, true],
    ["is set for a class that is not there yet", { kind: "missing" }, true],
    ["is set for a class that could not be read", { kind: "unknown" }, true],
    ["is left out for workload identity", { kind: "found", class: aClass({ clientID: "c" }) }, false],
    [
      "is left out for a managed identity, in any of Go's spellings of true",
      { kind: "found", class: aClass({ useVMManagedIdentity: " T " }) },
      false,
    ],
    ["is left out for pod identity", { kind: "found", class: aClass({ usePodIdentity: "true" }) }, false],
    ["is left out for identity binding", { kind: "found", class: aClass({ useAzureTokenProxy: "1" }) }, false],
    ["is set where a flag is spelt in no way that means true", { kind: "found", class: aClass({ useVMManagedIdentity: "yes" }) }, true],
  ];
  for (const [behaviour, fact, isSet] of modes) {
    test(behaviour, () => {
      const pod = injectedPod(aPod(OPTED_IN), { facts: { "akvprovider-demo": fact } });

      assert.equal(pod.spec.volumes[0]?.csi["nodePublishSecretRef"] !== undefined, isSet);
    });
  }

  test("is set in every mode where the pod names it, and never with none", () => {
    const identity: ClassFact = { kind: "found", class: aClass({ clientID: "c" }) };

    const named = injectedPod(aPod({ ...OPTED_IN, "credentials-secret": "sp" }), { facts: { "akvprovider-demo": identity } });
    const none = injectedPod(aPod({ ...OPTED_IN, "credentials-secret": "none" }));

    assert.deepEqual(named.spec.volumes[0]?.csi["nodePublishSecretRef"], { name: "sp" });
    assert.equal(none.spec.volumes[0]?.csi["nodePublishSecretRef"], undefined);
  });

  test("comes with a warning where the class is not there, was not read, or cannot work", () => {
    const odd: ClassFact = { kind: "found", class: aClass({ usePodIdentity: "tru" }) };
    const vault: ClassFact = { kind: "found", class: { ...aClass(), spec: { provider: "vault" } } };
    const warnings = [{ kind: "missing" } as const, { kind: "unknown" } as const, odd, vault].map((fact) => {
      const decision = decidePod(aPod(OPTED_IN), { facts: { "akvprovider-demo": fact } });
      return decision.kind === "patched" ? decision.warnings : [];
    });

    assert.deepEqual(warnings, [
      ['SecretProviderClass "akvprovider-demo" does not exist: pods wait for it (credentials: Secret "secrets-store-creds")'],
      ['SecretProviderClass "akvprovider-demo" could not be read (credentials: Secret "secrets-store-creds")'],
      ['SecretProviderClass "akvprovider-demo": "usePodIdentity" must be "true" or "false"; the mount will fail'],
      ['SecretProviderClass "akvprovider-demo" has provider "vault", not "azure"'],
    ]);
  });
});

describe("the containers annotation", () => {
  const spec = { initContainers: [{ name: "setup" }], containers: [{ name: "app" }, { name: "log" }] };
  const mountedIn = (value: string) => {
    const pod = injectedPod(aPod({ ...OPTED_IN, containers: value }, spec));
    const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    return all.filter(({ volumeMounts }) => volumeMounts !== undefined).map(({ name }) => name);
  };

  test("selects the named ones", () => assert.deepEqual(mountedIn("app, setup"), ["setup", "app"]));
  test("leaves out those with a dash", () => assert.deepEqual(mountedIn("-log"), ["setup", "app"]));
  test("refuses a container that the pod does not have, naming those it has", () => {
    assert.equal(
      denialOf(aPod({ ...OPTED_IN, containers: "ap" }, spec)),
      'ContainerNotFound: annotation keyvault-injector.dev/containers names container "ap", but the pod has setup, app, log: write one of these; ' +
        'a container that another webhook adds later can only be excluded, as "-name"',
    );
  });
});
