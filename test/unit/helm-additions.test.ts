import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { additionsTo, unionOf } from "../../tools/helm-chart/additions.ts";

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

describe("what several components add to an object of the chart", () => {
  const pod = { containers: [{ name: "webhook", args: ["webhook"] }] };
  const certified = {
    containers: [{ name: "webhook", args: ["webhook", "--tls=x"], mounts: [{ name: "tls" }] }],
    volumes: [{ name: "tls" }],
    group: 1,
  };
  const verifying = {
    containers: [{ name: "webhook", args: ["webhook", "--ca=x"], mounts: [{ name: "ca" }] }],
    volumes: [{ name: "ca" }],
  };

  test("is all of it, each under its condition, and what both add under either", () => {
    const union = unionOf(pod, [
      { condition: "a", object: certified },
      { condition: "b", object: verifying },
    ]);

    assert.deepEqual(union?.object, {
      containers: [{ name: "webhook", args: ["webhook", "--tls=x", "--ca=x"], mounts: [{ name: "tls" }, { name: "ca" }] }],
      volumes: [{ name: "tls" }, { name: "ca" }],
      group: 1,
    });
    assert.deepEqual(
      union?.conditional.map(({ at, condition }) => `${condition}: ${at}`),
      [
        "a: containers/[name=webhook]/args/[=--tls=x]",
        "b: containers/[name=webhook]/args/[=--ca=x]",
        "or (a) (b): containers/[name=webhook]/mounts",
        "a: containers/[name=webhook]/mounts/[name=tls]",
        "b: containers/[name=webhook]/mounts/[name=ca]",
        "or (a) (b): volumes",
        "a: volumes/[name=tls]",
        "b: volumes/[name=ca]",
        "a: group",
      ],
    );
  });

  test("is not known where one of them changes what is there", () => {
    const changing = { containers: [{ name: "webhook", args: ["other"] }] };

    assert.equal(
      unionOf(pod, [
        { condition: "a", object: certified },
        { condition: "b", object: changing },
      ]),
      undefined,
    );
  });
});
