import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { additionsTo } from "../../tools/helm-chart/additions.ts";

describe("what a component adds to an object of the chart", () => {
  test("is found in maps, after a list's items, and in items that have a name", () => {
    const pod = { containers: [{ name: "webhook", args: ["webhook"] }] };
    const certified = { containers: [{ name: "webhook", args: ["webhook", "--tls=x"], mounts: [] }], volumes: [{ name: "tls" }] };

    assert.deepEqual(additionsTo(pod, certified), [
      "containers/[name=webhook]/args/[=--tls=x]",
      "containers/[name=webhook]/mounts",
      "volumes",
    ]);
    assert.deepEqual(additionsTo(pod, pod), []);
  });

  test("is not known where something is taken away, changed, or has no path to it", () => {
    assert.equal(additionsTo({ a: 1, b: 2 }, { a: 1, c: 3 }), undefined);
    assert.equal(additionsTo({ a: [1, 2] }, { a: [1] }), undefined);
    assert.equal(additionsTo({ a: ["x", "y"] }, { a: ["y", "x", "z"] }), undefined);
    assert.equal(additionsTo({ a: 1 }, { a: 2 }), undefined);
    assert.equal(additionsTo({ rules: [] }, { rules: [{ verbs: ["get"] }] }), undefined);
  });
});
