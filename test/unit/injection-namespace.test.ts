import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeReview } from "../../src/domain/admission/review.ts";
import { needsNamespace } from "../../src/domain/injection/pod-admission.ts";
import { aClass, aPod, aReview, OPTED_IN } from "../support/fixtures/pods.ts";
import { decidePod, defaults, denialOf, injectedPod, warningsOf } from "../support/webhook/decide-pod.ts";

const P = "keyvault-injector.dev";

describe("a default on the Namespace", () => {
  const all = {
    "secret-provider-class": "akvprovider-demo",
    "credentials-secret": "team",
    "mount-path": "/secrets",
    "volume-name": "team-secrets",
    containers: "-log",
    "env-from": "shared",
  };
  const spec = { containers: [{ name: "app" }, { name: "log" }] };

  test("counts for an opted-in pod that says nothing itself, each of them", () => {
    const pod = injectedPod(aPod({ inject: "true" }, spec), { namespace: defaults(all) });

    assert.deepEqual(pod.spec.volumes, [
      {
        name: "team-secrets",
        csi: {
          driver: "secrets-store.csi.k8s.io",
          readOnly: true,
          volumeAttributes: { secretProviderClass: "akvprovider-demo" },
          nodePublishSecretRef: { name: "team" },
        },
      },
    ]);
    assert.deepEqual(pod.spec.containers, [
      {
        name: "app",
        volumeMounts: [{ name: "team-secrets", mountPath: "/secrets", readOnly: true }],
        envFrom: [{ secretRef: { name: "shared" } }],
      },
      { name: "log" },
    ]);
  });

  test("gives way to the pod's own", () => {
    const own = { inject: "true", "mount-path": "/own", containers: "log" };
    const pod = injectedPod(aPod(own, spec), { namespace: defaults(all) });

    assert.deepEqual(
      pod.spec.containers.map(({ volumeMounts }) => volumeMounts?.map(({ mountPath }) => mountPath)),
      [undefined, ["/own"]],
    );
  });

  test("opts no pod in, and is no status and no stamp", () => {
    const everything = defaults({ ...all, inject: "true", status: "x", rotated: "x" });

    for (const annotations of [{}, { inject: "false" }, { "mount-path": "/x" }]) {
      assert.equal(decidePod(aPod(annotations), { namespace: everything }).reason, "NotOptedIn");
    }
    assert.deepEqual(warningsOf(aPod({ inject: "true" }, spec), { namespace: everything }), [
      'env-from: no class of this pod writes Secret "shared"; it must exist before the pod starts',
    ]);
  });

  test("is another default name of the credentials: not set where the class does not read it", () => {
    const identity = { kind: "found", class: aClass({ clientID: "c" }) } as const;
    const namespace = defaults({ "credentials-secret": "team" });
    const reference = (annotations: Readonly<Record<string, string>>, fact: Parameters<typeof injectedPod>[1]) =>
      injectedPod(aPod({ ...OPTED_IN, ...annotations }), { namespace, ...fact }).spec.volumes[0]?.csi["nodePublishSecretRef"];

    assert.equal(reference({}, { facts: { "akvprovider-demo": identity } }), undefined);
    assert.deepEqual(reference({}, {}), { name: "team" });
    assert.deepEqual(reference({}, { facts: { "akvprovider-demo": { kind: "missing" } } }), { name: "team" });
    assert.deepEqual(reference({ "credentials-secret": "own" }, { facts: { "akvprovider-demo": identity } }), { name: "own" });
    assert.equal(reference({ "credentials-secret": "none" }, {}), undefined);
  });

  test("may be about classes and containers of other pods", () => {
    const namespace = defaults({ "mount-path": "other=/other,akvprovider-demo=/here", containers: "-proxy" });
    const pod = injectedPod(aPod(OPTED_IN), { namespace });

    assert.equal(pod.spec.containers[0]?.volumeMounts?.[0]?.mountPath, "/here");
    assert.match(
      denialOf(aPod(OPTED_IN), { namespace: defaults({ containers: "other" }) }),
      /^InvalidAnnotation: annotation keyvault-injector\.dev\/containers of Namespace "default" is "other": it leaves no container/,
    );
  });

  test("is denied where it is wrong, saying that it stands on the Namespace", () => {
    const cases: Readonly<Record<string, string>> = {
      "secret-provider-class": "A B",
      "credentials-secret": "A B",
      "mount-path": "x",
      "volume-name": "A",
      containers: ",",
      "env-from": ",",
      "restart-on-rotation": "yes",
    };
    for (const [key, value] of Object.entries(cases)) {
      const own = key === "secret-provider-class" ? { inject: "true" } : OPTED_IN;
      const message = denialOf(aPod(own), { namespace: defaults({ [key]: value }) });
      assert.ok(message.startsWith(`InvalidAnnotation: annotation ${P}/${key} of Namespace "default" is "${value}": `), message);
    }
  });

  test("that is unknown is told, and denied in strict mode", () => {
    const namespace = defaults({ "mount-paht": "/x" });

    assert.deepEqual(warningsOf(aPod(OPTED_IN), { namespace }), [
      'on Namespace "default", "mount-paht" is unknown: did you mean "mount-path"?',
    ]);
    assert.match(
      denialOf(aPod(OPTED_IN), { namespace, strictAnnotations: true }),
      /^UnknownAnnotation: annotation keyvault-injector\.dev\/mount-paht of Namespace "default" is unknown: did you mean/,
    );
    assert.equal(decidePod(aPod({}), { namespace, strictAnnotations: true }).reason, "NotOptedIn");
  });
});

describe("a Namespace that could not be read", () => {
  test("denies an opted-in pod, whose container a default may leave out", () => {
    assert.match(denialOf(aPod(OPTED_IN), { namespace: { kind: "unknown" } }), /^NamespaceUnknown: Namespace "default" could not be read/);
  });

  test("is no matter to a pod that did not opt in", () => {
    assert.equal(decidePod(aPod({ "mount-path": "/x" }), { namespace: { kind: "unknown" } }).reason, "NotOptedIn");
  });
});

describe("the look at a Namespace", () => {
  const isNeeded = (pod: unknown, changes: object = {}): boolean => {
    const review = decodeReview(aReview(pod, { ...changes }));
    assert.ok(review.ok);
    return needsNamespace(review.value);
  };

  test("is for opted-in pods alone", () => {
    assert.equal(isNeeded(aPod(OPTED_IN)), true);
    assert.equal(isNeeded(aPod({ "mount-path": "/x" })), false);
    assert.equal(isNeeded(aPod({ inject: "maybe" })), false);
    assert.equal(isNeeded({ metadata: { annotations: { [`${P}/inject`]: "true", "kubernetes.io/config.mirror": "x" } } }), false);
    assert.equal(isNeeded(aPod(OPTED_IN), { operation: "UPDATE" }), false);
    for (const broken of [null, [], { metadata: 1 }, { metadata: { annotations: [] } }]) assert.equal(isNeeded(broken), false);
  });
});

describe("our own stamps", () => {
  const stamped = { ...OPTED_IN, status: "anything", rotated: "0123abcd", "restart-on-rotation": "true", injected: "true" };

  test("are known, and the one in the wrong place is told but never denied", () => {
    const reported = ['"injected" is not a keyvault-injector.dev/ annotation: did you mean "inject"?'];

    assert.deepEqual(warningsOf(aPod(stamped)), reported);
    assert.equal(decidePod(aPod(stamped), { strictAnnotations: true }).kind, "patched");
  });
});
