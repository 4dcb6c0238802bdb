import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClassFact } from "../../src/domain/injection/credentials.ts";
import { aClass, aPod } from "../support/fixtures/pods.ts";
import { decidePod, denialOf, injectedPod, writing } from "../support/webhook/decide-pod.ts";

type Json = Readonly<Record<string, unknown>>;

const names = (count: number, prefix: string): readonly string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const containers = (count: number): Json => ({ containers: names(count, "c").map((name) => ({ name, image: "a" })) });
const mounting = (classes: number, more: Readonly<Record<string, string>> = {}) => ({
  inject: "true",
  "secret-provider-class": names(classes, "class-").join(","),
  ...more,
});
const facts = Object.fromEntries(
  names(16, "class-").map((name): [string, ClassFact] => [name, { kind: "found", class: aClass({}, name) }]),
);
const longPaths = names(16, "class-").map((name) => `${name}=/${name}/${"x".repeat(4_000)}`);

describe("a pod whose containers and classes are many", () => {
  const bombs: Readonly<Record<string, Json>> = {
    "18,000 containers and 16 classes": aPod(mounting(16), containers(18_000)),
    "126 containers and 16 classes": aPod(mounting(16), containers(126)),
    "2,001 containers and a class": aPod(mounting(1), containers(2_001)),
    "500 containers, a class and 32 Secrets": aPod(mounting(1, { "env-from": names(32, "s").join(",") }), containers(500)),
    "125 containers and 16 classes at paths of 4,000 characters": aPod(
      mounting(16, { "mount-path": longPaths.join(",") }),
      containers(125),
    ),
    "more init containers than that": aPod(mounting(16), { initContainers: containers(18_000)["containers"] }),
  };
  for (const [what, pod] of Object.entries(bombs)) {
    test(`A-1: is denied before the patch is made that would end the webhook: ${what}`, () => {
      const decision = decidePod(pod, { facts });

      assert.equal(decision.kind, "denied", `${decision.kind}: ${JSON.stringify(decision).length} characters`);
      assert.match(denialOf(pod, { facts }), /^PodTooLarge: \d+ containers with \d+ classes .* name fewer containers with annotation/);
    });
  }

  test("A-1: is denied where its own sources of variables are too many to be compared with the Secrets that it asks for", () => {
    const sources = names(2_000, "P").map((prefix) => ({ prefix, secretRef: { name: "a" } }));
    const known = { "class-0": writing({ a: names(500, "k"), b: ["z"] }, "class-0") };
    const asking = (envFrom: readonly unknown[]) =>
      decidePod(aPod(mounting(1, { "env-from": "b" }), { containers: [{ name: "app", envFrom }] }), { facts: known }).kind;

    assert.equal(asking(sources), "denied");
    assert.equal(asking(sources.slice(0, 500)), "patched");
  });

  test("M1: is whole when it is asked about again, after another webhook: what it has of us does not count against it", () => {
    const pod = aPod(mounting(1, { "env-from": names(32, "s").join(",") }), containers(50));
    const again = decidePod(injectedPod(pod, { facts }), { facts });

    assert.deepEqual([again.kind, again.reason], ["unchanged", "AlreadyInjected"]);
  });

  test("A-1: gets what it asks for up to the limit, and by leaving containers out", () => {
    const [last] = names(1, "c");
    const left = { containers: `${last}` };

    assert.equal(decidePod(aPod(mounting(16), containers(125)), { facts }).kind, "patched");
    assert.equal(decidePod(aPod(mounting(16, left), containers(18_000)), { facts }).kind, "patched");
    assert.equal(decidePod(aPod({ inject: "false" }, containers(18_000))).kind, "unchanged");
  });
});
