import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { decidePod, injectedPod, warningsOf } from "../support/webhook/decide-pod.ts";

type Json = Readonly<Record<string, unknown>>;

/** Limit of the API server: keys and values of all annotations together, in UTF-8 bytes. */
const MOST_BYTES = 256 * 1024;
const STATUS = "keyvault-injector.dev/status";

const sizeOf = (pod: { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } }): number =>
  Object.entries(pod.metadata.annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);

/** An opted-in pod whose annotations leave this number of bytes below the limit. */
function podLeaving(bytes: number, more: Readonly<Record<string, string>> = {}, letter = "x"): Json {
  const { metadata, ...rest } = aPod({ ...OPTED_IN, ...more });
  const { name, annotations } = Object(metadata);
  const missing = MOST_BYTES - bytes - sizeOf({ metadata: { annotations: { ...annotations, note: "" } } });
  const wide = letter.repeat(Math.floor(missing / Buffer.byteLength(letter)));
  const note = wide + "x".repeat(missing - Buffer.byteLength(wide));
  return { ...rest, metadata: { name, annotations: { ...annotations, note } } };
}

describe("a pod whose annotations are nearly full", () => {
  for (const [bytes, letter] of [
    [0, "x"],
    [1, "x"],
    [90, "x"],
    [90, "é"],
  ] as const) {
    test(`K10: is injected without the status that would tip it over, and told so: ${bytes} bytes left, filled with ${letter}`, () => {
      const pod = injectedPod(podLeaving(bytes, {}, letter));

      assert.ok(sizeOf(pod) <= MOST_BYTES, `${sizeOf(pod) - MOST_BYTES} bytes too many`);
      assert.equal(pod.metadata.annotations[STATUS], undefined);
      assert.equal(pod.spec.volumes.length, 1);
      assert.equal(pod.metadata.labels["keyvault-injector.dev/injected"], "true");
      assert.deepEqual(warningsOf(podLeaving(bytes, {}, letter)), [
        "the annotations of the pod fill 256 KiB: keyvault-injector.dev/status is omitted",
      ]);
    });
  }

  test("K10: is injected once, with and without a status", () => {
    for (const bytes of [90, 1_000]) {
      const { kind, reason } = decidePod(injectedPod(podLeaving(bytes)));
      assert.deepEqual([kind, reason], ["unchanged", "AlreadyInjected"], `${bytes} bytes left`);
    }
    const without = injectedPod(podLeaving(1_000));
    const { [STATUS]: written, ...annotations } = without.metadata.annotations;
    const foreign = (status: string): Json => ({
      ...without,
      metadata: { ...without.metadata, annotations: { ...annotations, [STATUS]: status } },
    });
    assert.notEqual(written, undefined);
    assert.equal(decidePod({ ...without, metadata: { ...without.metadata, annotations } }).reason, "AlreadyInjected", "without it");
    assert.equal(decidePod(foreign("{}")).reason, "AlreadyInjected", "with another one");
  });

  test("K10: has somebody else's status emptied where there is no room for its own", () => {
    const pod = injectedPod(podLeaving(10, { status: '{"version":"0"}' }));

    assert.ok(sizeOf(pod) <= MOST_BYTES);
    assert.equal(pod.metadata.annotations[STATUS], "{}");
  });

  test("has the status to the last byte that there is room for", () => {
    const written = sizeOf(injectedPod(podLeaving(5_000))) - (MOST_BYTES - 5_000);
    const full = injectedPod(podLeaving(written));

    assert.equal(sizeOf(full), MOST_BYTES);
    assert.match(full.metadata.annotations[STATUS] ?? "", /"classes":\["akvprovider-demo"\]/);
    assert.deepEqual(warningsOf(podLeaving(written)), []);
  });
});
