import assert from "node:assert/strict";
import { describe, test } from "node:test";
import jsonpatch from "fast-json-patch";
import type { AdmissionDecision } from "../../src/domain/admission/decision.ts";
import { decodeReview } from "../../src/domain/admission/review.ts";
import type { ClassFact } from "../../src/domain/injection/credentials.ts";
import { closeRequest, openRequest } from "../../src/domain/injection/pod-admission.ts";
import { aClass, aPod, aReview, OPTED_IN } from "../support/pods.ts";

const settings = { version: "1.2.3", strictAnnotations: false };

function decide(pod: unknown, facts: Readonly<Record<string, ClassFact>> = {}, strictAnnotations = false): AdmissionDecision {
  const review = decodeReview(aReview(pod));
  assert.ok(review.ok);
  const opened = openRequest(review.value, { ...settings, strictAnnotations });
  if (opened.kind === "decided") return opened.decision;
  const known = new Map<string, ClassFact>([["akvprovider-demo", { kind: "found", class: aClass() }], ...Object.entries(facts)]);
  return closeRequest(opened.request, known, settings);
}

interface Mounted {
  readonly name: string;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly: boolean }[];
}
interface Injected {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
  readonly spec: {
    readonly volumes: readonly { readonly name: string; readonly csi: Record<string, unknown> }[];
    readonly containers: readonly Mounted[];
    readonly initContainers?: readonly Mounted[];
  };
}

function inject(pod: unknown, facts: Readonly<Record<string, ClassFact>> = {}): Injected {
  const decision = decide(pod, facts);
  assert.equal(decision.kind, "patched", JSON.stringify(decision));
  assert.ok(decision.kind === "patched");
  // Its shape is what the test is about to check.
  return jsonpatch.applyPatch(structuredClone(pod), structuredClone(decision.patch), true, false).newDocument as Injected;
}

function denial(pod: unknown, facts: Readonly<Record<string, ClassFact>> = {}): { readonly reason: string; readonly message: string } {
  const decision = decide(pod, facts);
  assert.ok(decision.kind === "denied", JSON.stringify(decision));
  return { reason: decision.reason, message: decision.message };
}

describe("an opted-in pod", () => {
  test("gets exactly the document's volume and mount, the label and the status", () => {
    const pod = inject(aPod(OPTED_IN));

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
    const pod = inject(aPod(OPTED_IN, { initContainers: [{ name: "setup" }, { name: "sidecar", restartPolicy: "Always" }] }));

    const mounted = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ volumeMounts }) => volumeMounts?.length);
    assert.deepEqual(mounted, [1, 1, 1]);
  });

  test("takes volume name, mount path and credentials from its annotations", () => {
    const pod = inject(aPod({ ...OPTED_IN, "volume-name": "vault", "mount-path": "/etc//vault/", "credentials-secret": "sp" }));

    assert.deepEqual(pod.spec.containers[0]?.volumeMounts, [{ name: "vault", mountPath: "/etc/vault", readOnly: true }]);
    assert.deepEqual(pod.spec.volumes[0]?.csi["nodePublishSecretRef"], { name: "sp" });
  });

  test("keeps lists that are null, as if they were absent", () => {
    const pod = inject(aPod(OPTED_IN, { volumes: null, initContainers: null, containers: [{ name: "app", volumeMounts: null }] }));

    assert.equal(pod.spec.volumes.length, 1);
    assert.equal(pod.spec.containers[0]?.volumeMounts?.length, 1);
  });

  test("has its own keys of the status and label corrected, and nothing else replaced", () => {
    const copied = { ...OPTED_IN, status: '{"version":"0.0.1"}' };
    const decision = decide({
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
    const pod = inject(aPod(two));

    const [db, web] = pod.spec.volumes;
    assert.equal(db?.name, "secrets-store-inline-db");
    assert.match(web?.name ?? "", /^secrets-store-inline-web-tls-[0-9a-f]{8}$/);
    assert.deepEqual(
      pod.spec.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath),
      ["/mnt/secrets-store/db", "/mnt/secrets-store/web.tls"],
    );
  });

  test("take values by class, and the rest from the default", () => {
    const pod = inject(
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
    const pod = inject(aPod({ inject: "true", "secret-provider-class": `${long}a,${long}b` }));

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
      const pod = inject(aPod(OPTED_IN), { "akvprovider-demo": fact });

      assert.equal(pod.spec.volumes[0]?.csi["nodePublishSecretRef"] !== undefined, isSet);
    });
  }

  test("is set in every mode where the pod names it, and never with none", () => {
    const identity: ClassFact = { kind: "found", class: aClass({ clientID: "c" }) };

    const named = inject(aPod({ ...OPTED_IN, "credentials-secret": "sp" }), { "akvprovider-demo": identity });
    const none = inject(aPod({ ...OPTED_IN, "credentials-secret": "none" }));

    assert.deepEqual(named.spec.volumes[0]?.csi["nodePublishSecretRef"], { name: "sp" });
    assert.equal(none.spec.volumes[0]?.csi["nodePublishSecretRef"], undefined);
  });

  test("comes with a warning where the class is not there, was not read, or cannot work", () => {
    const odd: ClassFact = { kind: "found", class: aClass({ usePodIdentity: "tru" }) };
    const vault: ClassFact = { kind: "found", class: { ...aClass(), spec: { provider: "vault" } } };
    const warnings = [{ kind: "missing" } as const, { kind: "unknown" } as const, odd, vault].map((fact) => {
      const decision = decide(aPod(OPTED_IN), { "akvprovider-demo": fact });
      return decision.kind === "patched" ? decision.warnings : [];
    });

    assert.deepEqual(warnings, [
      ['SecretProviderClass "akvprovider-demo" is not in this namespace yet; it gets nodePublishSecretRef "secrets-store-creds"'],
      ['SecretProviderClass "akvprovider-demo" could not be read; it gets nodePublishSecretRef "secrets-store-creds"'],
      ['SecretProviderClass "akvprovider-demo": "usePodIdentity" must be "true" or "false", the mount will fail'],
      ['SecretProviderClass "akvprovider-demo" has provider "vault", not "azure"'],
    ]);
  });
});

describe("the containers annotation", () => {
  const spec = { initContainers: [{ name: "setup" }], containers: [{ name: "app" }, { name: "log" }] };
  const mountedIn = (value: string) => {
    const pod = inject(aPod({ ...OPTED_IN, containers: value }, spec));
    const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    return all.filter(({ volumeMounts }) => volumeMounts !== undefined).map(({ name }) => name);
  };

  test("selects the named ones", () => assert.deepEqual(mountedIn("app, setup"), ["setup", "app"]));
  test("leaves out those with a dash", () => assert.deepEqual(mountedIn("-log"), ["setup", "app"]));
  test("refuses a container that the pod does not have, naming those it has", () => {
    for (const value of ["ap", "-ap"]) {
      assert.deepEqual(denial(aPod({ ...OPTED_IN, containers: value }, spec)), {
        reason: "ContainerNotFound",
        message: 'annotation keyvault-injector.dev/containers names container "ap": the pod has setup, app, log, write one of these',
      });
    }
  });
});

describe("a bad value", () => {
  const P = "keyvault-injector.dev";
  const long = "x".repeat(300);
  const cases: readonly [Readonly<Record<string, string>>, string][] = [
    [{ inject: "yes" }, `annotation ${P}/inject is "yes": write "true" or "false"`],
    [{ inject: "" }, `annotation ${P}/inject is "": write "true" or "false"`],
    [
      { "secret-provider-class": "Demo" },
      `annotation ${P}/secret-provider-class is "Demo": "Demo" is no name of an object, write the name of a SecretProviderClass of the pod's namespace, or a comma list of names`,
    ],
    [
      { "secret-provider-class": "a,,b" },
      `annotation ${P}/secret-provider-class is "a,,b": write the name of a SecretProviderClass of the pod's namespace, or a comma list of names`,
    ],
    [{ "secret-provider-class": "a,a" }, `annotation ${P}/secret-provider-class is "a,a": it lists "a" twice, write it once`],
    [
      { "credentials-secret": "My Creds" },
      `annotation ${P}/credentials-secret is "My Creds": write the name of a Secret of the pod's namespace, or "none"`,
    ],
    [{ "mount-path": "secrets" }, `annotation ${P}/mount-path is "secrets": write an absolute path such as "/mnt/secrets-store"`],
    [
      { "mount-path": "/a/../b" },
      `annotation ${P}/mount-path is "/a/../b": a mount path has no "..", write an absolute path such as "/mnt/secrets-store"`,
    ],
    [
      { "mount-path": "/a:b" },
      `annotation ${P}/mount-path is "/a:b": a mount path has no ":" and no control characters, write an absolute path such as "/mnt/secrets-store"`,
    ],
    [
      { "mount-path": "//" },
      `annotation ${P}/mount-path is "//": a mount at the root would hide the container's own files, write an absolute path such as "/mnt/secrets-store"`,
    ],
    [
      { "mount-path": "other=/x" },
      `annotation ${P}/mount-path is "other=/x": "other" is no class of this pod, write one of akvprovider-demo`,
    ],
    [
      { "volume-name": "a.b" },
      `annotation ${P}/volume-name is "a.b": write a DNS label: at most 63 of a-z, 0-9 and "-", such as "secrets-store-inline"`,
    ],
    [
      { "volume-name": long },
      `annotation ${P}/volume-name is "${"x".repeat(57)}...": write a DNS label: at most 63 of a-z, 0-9 and "-", such as "secrets-store-inline"`,
    ],
    [
      { containers: "a b" },
      `annotation ${P}/containers is "a b": "a b" is no container name, write container names separated by commas, "-name" to leave one out`,
    ],
    [{ containers: "" }, `annotation ${P}/containers is "": write container names separated by commas, "-name" to leave one out`],
    [{ containers: "app,-app" }, `annotation ${P}/containers is "app,-app": it names "app" and leaves it out, write one of the two`],
    [{ containers: "-app" }, `annotation ${P}/containers is "-app": it leaves no container to mount into, name at least one`],
    [
      { "secret-provider-class": "a,b", "volume-name": "a=v,b=v" },
      `annotation ${P}/volume-name is "a=v,b=v": b and a get the same volume name "v", write class=name for each`,
    ],
    [
      { "secret-provider-class": "a,b", "mount-path": "a=/x/y,b=/x" },
      `annotation ${P}/mount-path is "a=/x/y,b=/x": class a would be mounted at "/x/y", in the mount of class b, write class=path for each, none inside another`,
    ],
    [{ "secret-provider-class": Array.from({ length: 17 }, (_, i) => `c${i}`).join(",") }, "a pod mounts at most 16 classes"],
    [{ "volume-name": "akvprovider-demo=a,akvprovider-demo=b" }, 'it names class "akvprovider-demo" twice, write it once'],
    [{ "volume-name": "akvprovider-demo=a,b" }, '"b" names no class, write one value for all or class=value,class=value'],
  ];
  for (const [annotations, message] of cases) {
    test(`is denied with the fix: ${JSON.stringify(annotations).slice(0, 70)}`, () => {
      const denied = denial(aPod({ ...OPTED_IN, ...annotations }));

      assert.equal(denied.reason, "InvalidAnnotation");
      assert.ok(denied.message.endsWith(message), denied.message);
      assert.ok(denied.message.startsWith(`annotation ${P}/`));
    });
  }

  // The final check's policy trims in Go too: what one of them takes for a name, the other must take for the same.
  test("is trimmed as Go trims: a byte order mark stays, a next-line character goes", () => {
    const patchOf = (space: string) => decide(aPod({ inject: "true", "secret-provider-class": `${space}akvprovider-demo${space}` }));

    assert.deepEqual(
      ["\u0085", "\u00a0", "\n", "\ufeff"].map((space) => patchOf(space).reason),
      ["Injected", "Injected", "Injected", "InvalidAnnotation"],
    );
    const decision = patchOf("\ufeff");
    assert.match(decision.kind === "denied" ? decision.message : "", /is "\\ufeffakvprovider-demo\\ufeff": /);
  });

  test("is not what a missing class is: that has its own reason", () => {
    const denied = denial(aPod({ inject: "true" }));

    assert.equal(denied.reason, "ClassRequired");
    assert.match(denied.message, /^annotation keyvault-injector.dev\/secret-provider-class is missing: write the name/);
  });
});

describe("an unknown annotation", () => {
  const misspelt = { ...OPTED_IN, "secret-provider-clas": "x" };

  test("is a warning with the nearest known one", () => {
    const decision = decide(aPod(misspelt));

    assert.ok(decision.kind === "patched");
    assert.deepEqual(decision.warnings, [
      '"secret-provider-clas" is no annotation of keyvault-injector.dev/: did you mean "secret-provider-class"?',
    ]);
  });

  test("warns on a pod that is not opted in because of it", () => {
    const decision = decide(aPod({ Inject: "true" }));

    assert.deepEqual(decision, {
      kind: "unchanged",
      reason: "NotOptedIn",
      warnings: ['"Inject" is no annotation of keyvault-injector.dev/: did you mean "inject"?'],
    });
  });

  test("is denied in strict mode", () => {
    const decision = decide(aPod(misspelt), {}, true);

    assert.ok(decision.kind === "denied");
    assert.equal(decision.reason, "UnknownAnnotation");
    assert.match(decision.message, /did you mean keyvault-injector.dev\/secret-provider-class\?/);
  });
});
