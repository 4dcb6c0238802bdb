import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COPY_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { CopyPace } from "../../src/sync/copies/copy-pace.ts";
import { copyIn, KEY, NOW, passOver, SOURCE } from "../support/worker/copies-pass.ts";

describe("a pass over the copies of a class", () => {
  for (const code of ["Forbidden", "Unavailable"] as const) {
    test(`CP-2: writes the others where one cannot be removed, and tells of all: ${code}`, async () => {
      const copies = [copyIn("left"), copyIn("stays")];
      const passed = await passOver({ mirrorTo: "left, stays", granted: ["stays"], copies, refuses: { left: code } });

      assert.deepEqual(passed, {
        outcome: `failed: ${code}`,
        written: ["stays"],
        status: [
          { namespace: "left", state: "NotGranted" },
          { namespace: "stays", state: "Synced" },
        ],
        asked: [],
      });
    });
  }

  test("CP-2: says of a namespace that the class names no more that its copy is still there", async () => {
    const passed = await passOver({
      mirrorTo: "stays",
      granted: ["stays"],
      copies: [copyIn("left"), copyIn("stays")],
      refuses: { left: "Forbidden" },
    });

    assert.deepEqual(passed.status, [
      { namespace: "left", state: "Failed", secrets: ["app"] },
      { namespace: "stays", state: "Synced" },
    ]);
  });

  test("CP-3: tells of the others where a write met another one, which keeps what was told of it", async () => {
    const passed = await passOver({
      mirrorTo: "busy, stays",
      granted: ["busy", "stays"],
      copies: [copyIn("busy"), copyIn("stays")],
      before: [{ namespace: "busy", state: "Synced" }],
      refuses: { busy: "Conflict" },
    });

    assert.deepEqual(passed, {
      outcome: "failed: Conflict",
      written: ["stays"],
      status: [
        { namespace: "busy", state: "Synced" },
        { namespace: "stays", state: "Synced" },
      ],
      asked: [],
    });
  });

  for (const word of ["w", "w/", "/w", "w/a%b", "w/a/b", "W/a", ""]) {
    test(`CP-1: repairs a copy whose class somebody edited to what no class is called, also where it would be another shard's: ${word}`, async () => {
      const passed = await passOver({
        mirrorTo: "edited, stays",
        granted: ["edited", "stays"],
        copies: [copyIn("edited", word), copyIn("stays")],
        otherShard: ["w", "W", ""],
      });

      assert.deepEqual(passed, {
        outcome: "done",
        written: ["edited", "stays"],
        status: [
          { namespace: "edited", state: "Synced" },
          { namespace: "stays", state: "Synced" },
        ],
        asked: [],
      });
    });
  }

  test("RC8: remembers nothing of a copy that is gone with its namespace", async () => {
    const source = { classKey: KEY, secret: SOURCE, mark: "new" };
    const pace = new CopyPace();
    for (const namespace of ["stays", "gone"]) pace.noteWrite({ source, namespace, step: { kind: "create" } }, NOW);

    await passOver({ mirrorTo: "stays, gone", granted: ["stays"], copies: [copyIn("stays")], pace });
    assert.ok(pace.has(KEY), "the control: one copy is left");
    await passOver({ mirrorTo: "stays, gone", granted: [], copies: [], pace });

    assert.ok(!pace.has(KEY));
  });

  test("RC-8: calls a copy Synced again a minute after the last repair where the damage went by itself", async () => {
    const source = { classKey: KEY, secret: SOURCE, mark: "new" };
    const planned = { source, namespace: "stays", step: { kind: "create" } } as const;
    const pace = new CopyPace();
    for (let write = 0; write < 5; write += 1) pace.noteWrite(planned, NOW);
    assert.ok(pace.pauseBefore(planned, NOW) > 0, "the control: the next repair waits");
    const right = copyIn("stays");
    const copies = [{ ...right, annotations: { ...right.annotations, [COPY_ANNOTATIONS.sourceContent]: "new" } }];
    const pass = { mirrorTo: "stays", granted: ["stays"], copies, pace };

    const soon = await passOver({ ...pass, now: NOW + 1_000 });
    const later = await passOver({ ...pass, now: NOW + 61_000 });

    assert.deepEqual(
      [soon, later].map(({ outcome, status }) => ({ outcome, state: status?.[0]?.state })),
      [
        { outcome: "requeueAfter", state: "Contested" },
        { outcome: "done", state: "Synced" },
      ],
    );
  });

  for (const readFails of ["Forbidden", "Unavailable"] as const) {
    test(`R20-3: writes and removes the other copies where the class that one of them names cannot be read: ${readFails}`, async () => {
      const passed = await passOver({
        mirrorTo: "edited, stays",
        granted: ["edited", "gone", "stays"],
        copies: [copyIn("edited", "elsewhere/x"), copyIn("gone"), copyIn("stays")],
        otherShard: ["elsewhere"],
        readFails,
      });

      assert.deepEqual(passed, {
        outcome: `failed: ${readFails}`,
        written: ["gone", "stays"],
        status: [
          { namespace: "edited", state: "Failed", secrets: ["app"] },
          { namespace: "stays", state: "Synced" },
        ],
        asked: ["elsewhere/x"],
      });
    });
  }

  test("R20-3: keeps what was told of a copy while the API server does not serve classes, and looks again", async () => {
    const passed = await passOver({
      mirrorTo: "edited, stays",
      granted: ["edited", "stays"],
      copies: [copyIn("edited", "elsewhere/x"), copyIn("stays")],
      before: [{ namespace: "edited", state: "Synced" }],
      otherShard: ["elsewhere"],
      readFails: "unserved",
    });

    assert.deepEqual(passed, {
      outcome: "requeueAfter",
      written: ["stays"],
      status: [
        { namespace: "edited", state: "Synced" },
        { namespace: "stays", state: "Synced" },
      ],
      asked: ["elsewhere/x"],
    });
  });

  test("R20-3: reads no class outside the install's namespaces, where nobody writes copies: somebody has edited the annotation", async () => {
    const passed = await passOver({
      mirrorTo: "edited, stays",
      granted: ["edited", "stays"],
      copies: [copyIn("edited", "elsewhere/x"), copyIn("stays")],
      otherShard: ["elsewhere"],
      readFails: "Forbidden",
      served: ["team", "edited", "stays"],
    });

    assert.deepEqual(passed, {
      outcome: "done",
      written: ["edited", "stays"],
      status: [
        { namespace: "edited", state: "Synced" },
        { namespace: "stays", state: "Synced" },
      ],
      asked: [],
    });
  });

  test("R20-3: reads no class for a namespace that takes no copies", async () => {
    const passed = await passOver({
      mirrorTo: "edited, stays",
      granted: ["stays"],
      copies: [copyIn("edited", "elsewhere/x"), copyIn("stays")],
      otherShard: ["elsewhere"],
      readFails: "Unavailable",
    });

    assert.deepEqual([passed.outcome, passed.written, passed.asked], ["done", ["stays"], []]);
  });

  for (const [what, inPart] of [
    ["a copy", ["full"]],
    ["a class's Secret", ["team"]],
    ["a class's Secret and a copy of it", ["team", "full"]],
  ] as const)
    test(`R20-10: writes what has new content where the worker has no room for ${what}, by what the API server has`, async () => {
      const copies = [copyIn("full"), copyIn("stays")];
      const passed = await passOver({ mirrorTo: "full, stays", granted: ["full", "stays"], copies, inPart });

      assert.deepEqual([passed.outcome, [...passed.written].sort()], ["done", ["full", "stays"]]);
      assert.deepEqual(passed.status, [
        { namespace: "full", state: "Synced" },
        { namespace: "stays", state: "Synced" },
      ]);
    });

  test("R20-10: leaves a copy alone that is right, also where the worker has no room for it", async () => {
    const copy = copyIn("full");
    const right = { ...copy, annotations: { ...copy.annotations, [COPY_ANNOTATIONS.sourceContent]: "new" } };
    const passed = await passOver({ mirrorTo: "full", granted: ["full"], copies: [right], inPart: ["team", "full"] });

    assert.deepEqual(passed, { outcome: "done", written: [], status: [{ namespace: "full", state: "Synced" }], asked: [] });
  });

  test("R20-10: calls a copy of another class a conflict, also where the worker has no room for it", async () => {
    const passed = await passOver({
      mirrorTo: "full",
      granted: ["full"],
      copies: [copyIn("full", "elsewhere/x")],
      inPart: ["team", "full"],
      otherShard: ["elsewhere"],
      found: "full",
    });

    assert.deepEqual([passed.written, passed.status], [[], [{ namespace: "full", state: "Conflict", secrets: ["app"] }]]);
  });

  const changes = {
    "the class no longer names the namespace": { mirrorTo: "a" },
    "someone deleted the class": { mirrorTo: undefined },
    "the CRD is damaged": { isFrozen: true },
    "the Namespace no longer accepts copies": { granted: ["a"] },
    "the class's Secret has new content": { content: "v2:rotated" },
  } as const;
  for (const [change, found] of Object.entries(changes)) {
    for (const copies of [[copyIn("a"), copyIn("b"), copyIn("c")], []])
      test(`RV2: writes no copy, of ${copies.length}, if during the write before it: ${change}`, async () => {
        const namespaces = ["a", "b", "c"];
        const pass = { mirrorTo: "a, b, c", granted: namespaces, copies, before: [{ namespace: "c", state: "Synced" } as const] };
        const control = await passOver({ ...pass, meanwhile: { takes: 12_000 } });
        const passed = await passOver({ ...pass, meanwhile: { takes: 12_000, ...found } });

        assert.deepEqual(control.written, namespaces, "the control: nothing has changed");
        assert.deepEqual([passed.outcome, passed.written], ["requeueAfter", ["a"]]);
      });
  }

  test("RV2: keeps what the status says of a copy that the pass no longer writes", async () => {
    const passed = await passOver({
      mirrorTo: "a, b",
      granted: ["a", "b"],
      copies: [copyIn("a"), copyIn("b")],
      before: [{ namespace: "b", state: "Failed", secrets: ["app"] }],
      meanwhile: { takes: 1_000, granted: ["a"] },
    });

    assert.deepEqual(passed.status, [
      { namespace: "a", state: "Synced" },
      { namespace: "b", state: "Failed", secrets: ["app"] },
    ]);
  });
});
