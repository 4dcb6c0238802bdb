import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { decidePod, denialOf, injectedPod, type World, warningsOf, writing } from "../support/webhook/decide-pod.ts";

const asking = { ...OPTED_IN, "env-from": "db, web" };
const world: World = { facts: { "akvprovider-demo": writing({ db: ["USER", "PASSWORD"], web: ["TOKEN"] }) } };
const source = (name: string, prefix?: string): object => ({ ...(prefix === undefined ? {} : { prefix }), secretRef: { name } });

describe("env-from", () => {
  test("adds the Secrets to every selected container, behind what it has", () => {
    const spec = {
      initContainers: [{ name: "setup" }, { name: "sidecar", restartPolicy: "Always" }],
      containers: [
        { name: "app", envFrom: [{ configMapRef: { name: "c" } }] },
        { name: "log", envFrom: null },
      ],
    };
    const pod = injectedPod(aPod({ ...asking, containers: "-setup" }, spec), world);

    const both = [source("db"), source("web")];
    assert.deepEqual(
      [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ envFrom }) => envFrom),
      [undefined, both, [{ configMapRef: { name: "c" } }, ...both], both],
    );
  });

  test("adds nothing that is there, optional or not, and something where a prefix makes it another", () => {
    const there = [{ secretRef: { name: "db", optional: true } }, source("web", "WEB_")];
    const pod = injectedPod(aPod(asking, { containers: [{ name: "app", envFrom: there }] }), world);

    assert.deepEqual(pod.spec.containers[0]?.envFrom, [...there, source("web")]);
    assert.equal(decidePod(pod, world).reason, "AlreadyInjected");
  });

  test("refuses a variable that the container sets itself, whatever the value", () => {
    const containers = [{ name: "app", env: [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "PASSWORD" } } }] }];

    assert.equal(
      denialOf(aPod(asking, { containers }), world),
      'EnvTaken: container "app" sets variable "PASSWORD" itself, which would hide the same key of Secret "db": rename one of them',
    );
  });

  test("refuses a variable that another source gives by its prefix", () => {
    const facts = { "akvprovider-demo": writing({ db: ["APP_TOKEN"], web: ["OTHER"], own: ["TOKEN"] }) };
    const containers = [{ name: "app", envFrom: [source("own", "APP_")] }];

    assert.match(
      denialOf(aPod(asking, { containers }), { facts }),
      /^EnvTaken: container "app" already has variable "APP_TOKEN" from Secret "own", and Secret "db" has that key too/,
    );
  });

  test("tells variables apart by case, but on Windows", () => {
    const spec = { containers: [{ name: "app", env: [{ name: "password", value: "x" }] }] };

    assert.equal(decidePod(aPod(asking, spec), world).kind, "patched");
    assert.match(
      denialOf(aPod(asking, { ...spec, os: { name: "windows" } }), world),
      /^EnvTaken: container "app" sets variable "PASSWORD"/,
    );
  });

  test("takes what cannot be known: a class that is not there, a Secret of another class, a ConfigMap", () => {
    const containers = [{ name: "app", env: [{ name: "PASSWORD", value: "x" }], envFrom: [{ configMapRef: { name: "c" } }] }];

    assert.equal(decidePod(aPod(asking, { containers }), { facts: { "akvprovider-demo": { kind: "missing" } } }).kind, "patched");
    assert.equal(
      decidePod(aPod(asking, { containers }), { facts: { "akvprovider-demo": writing({ other: ["PASSWORD"] }) } }).kind,
      "patched",
    );
  });

  test("is planned in bounded time for a class that writes as many keys as fit into it, and a pod of as many containers as it may have", () => {
    const keys = Array.from({ length: 30_000 }, (_, index) => `KEY_${index}`);
    const containers = Array.from({ length: 600 }, (_, index) => ({
      name: `c${index}`,
      env: [{ name: "OWN", value: "x" }],
      envFrom: [source("other", `P${index}_`)],
    }));
    const facts = { "akvprovider-demo": writing({ db: keys, other: keys }) };
    const started = process.cpuUsage();
    const decision = decidePod(aPod({ ...OPTED_IN, "env-from": "db" }, { containers }), { facts });
    const { user, system } = process.cpuUsage(started);

    assert.equal(decision.kind, "patched");
    // This bound detects work in proportion to the product of both sizes, which took half a minute. It does not measure speed.
    assert.ok((user + system) / 1e6 < 10, `${(user + system) / 1e6} s`);
  });

  test("tells of a Secret that no class of the pod writes, where all are known", () => {
    const wrong = { ...OPTED_IN, "env-from": "bd" };

    assert.deepEqual(warningsOf(aPod(wrong), world), [
      'env-from: no class of this pod writes Secret "bd"; it must exist before the pod starts',
    ]);
    const missing = warningsOf(aPod(wrong), { facts: { "akvprovider-demo": { kind: "missing" } } });
    assert.ok(missing.every((text) => !text.startsWith("env-from")));
  });
});
