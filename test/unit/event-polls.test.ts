import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { INTERVAL, PollingWorker } from "../support/worker/polling-worker.ts";

let worker: PollingWorker;

const hintsOf = (...names: readonly string[]) => ({
  keys: new Set(names.map((name) => `secret/${name}`)),
  isAccessChanged: false,
  since: worker.clock.now(),
});

describe("a look because of an event", () => {
  beforeEach(() => {
    worker = new PollingWorker();
  });

  test("asks for the one object, and takes no list", async () => {
    await worker.givenObjects("a", "b", "c");
    const one = await worker.synced({ objects: ["a", "b", "c"] });
    worker.vaults.set("b");
    const answer = await one.poll({ kind: "hinted", hints: hintsOf("b") });
    assert.deepEqual(worker.vaults.taken(), ["app: get b"]);
    assert.deepEqual(answer.kind === "answered" && answer.secrets.map(({ kind }) => kind), ["unchanged", "desired", "unchanged"]);
    assert.equal(answer.kind === "answered" && answer.checkedAt, undefined, "it says nothing of the others");
  });

  test("asks for all objects of a Secret that is made from several", async () => {
    await worker.givenObjects("a", "b", "c");
    const one = await worker.synced({ objects: ["a", "b", "c"], secrets: { both: ["a", "b"], other: ["c"] } });
    await one.poll({ kind: "hinted", hints: hintsOf("A".toLowerCase()) });
    assert.deepEqual(worker.vaults.taken().toSorted(), ["app: get a", "app: get b"]);
  });

  test("asks for nothing where the class does not name the object, or names a version of it", async () => {
    await worker.givenObjects("a", "b");
    const [version = ""] = (await worker.synced({ objects: ["b"] }, "other")).versions;
    const one = await worker.synced({ objects: ["a", { objectName: "b", objectVersion: version }] });
    worker.vaults.taken();
    await one.poll({ kind: "hinted", hints: hintsOf("b", "somebody-elses") });
    assert.deepEqual(worker.vaults.taken(), []);
  });

  test("is one GET for all classes of the identity that name the object", async () => {
    await worker.givenObjects("a");
    const classes = [await worker.synced({ objects: ["a"] }, "one"), await worker.synced({ objects: ["a"] }, "two")];
    worker.vaults.taken();
    worker.vaults.set("a");
    const hints = hintsOf("a");
    for (const each of classes) await each.poll({ kind: "hinted", hints });
    assert.deepEqual(worker.vaults.taken(), ["app: get a"]);
    assert.equal(new Set(classes.flatMap(({ versions }) => versions)).size, 1);
  });

  test("does not believe what was got before the event", async () => {
    await worker.givenObjects("a");
    const classes = [await worker.synced({ objects: ["a"] }, "one"), await worker.synced({ objects: ["a"] }, "two")];
    worker.vaults.taken();
    await classes[0]?.poll({ kind: "hinted", hints: hintsOf("a") });
    await worker.clock.advance(1_000);
    worker.vaults.set("a");
    await classes[1]?.poll({ kind: "hinted", hints: hintsOf("a") });
    assert.equal(worker.vaults.taken().length, 2);
  });

  test("stands in for no poll: the next one asks as it would have", async () => {
    await worker.givenObjects("a");
    const one = await worker.synced({ objects: ["a"] });
    await one.poll({ kind: "hinted", hints: hintsOf("a"), due: worker.clock.now() - INTERVAL });
    worker.vaults.taken();
    await one.poll();
    assert.match(worker.vaults.taken().join(), /list/);
  });

  test("of a poll that is due asks for what the event tells of, whatever the list says", async () => {
    await worker.givenObjects("a", "b");
    const one = await worker.synced({ objects: ["a", "b"] });
    await one.poll();
    worker.vaults.taken();
    await worker.clock.advance(1_000);
    worker.vaults.set("b");
    // Within the interval the worker uses the previous list, which has the old version.
    await one.poll({ hints: hintsOf("b") });
    assert.deepEqual(worker.vaults.taken(), ["app: get b"]);
  });

  // Seed 82 of the small world: an object of the same Secret had been disabled and enabled again, of which no event tells.
  for (const lists of [true, false])
    test(`S19: of a class ${lists ? "with" : "without"} lists asks again for what was refused of the same Secret, and of no other one`, async () => {
      if (!lists) worker.vaults.refuse("app", "list");
      await worker.givenObjects("a", "b", "c");
      const one = await worker.synced({ objects: ["a", "b", "c"], secrets: { both: ["a", "b"], other: ["c"] } });
      for (const name of ["b", "c"]) worker.vaults.enable(name, false);
      await one.poll();
      assert.deepEqual(
        one.stored.map(({ state }) => state),
        ["ObjectDisabled", "ObjectDisabled"],
      );
      await worker.clock.advance(1_000);
      for (const name of ["b", "c"]) worker.vaults.enable(name, true);
      worker.vaults.set("a");
      worker.vaults.taken();
      await one.poll({ hints: hintsOf("a") });
      assert.deepEqual(worker.vaults.taken().toSorted(), ["app: get a", "app: get b"]);
      assert.deepEqual(
        one.stored.map(({ state }) => state),
        ["Synced", "ObjectDisabled"],
      );
    });

  test("after a change of access asks for what was refused, and for nothing else", async () => {
    await worker.givenObjects("a");
    const one = await worker.synced({ objects: ["a", "b"] });
    worker.vaults.set("b");
    await one.poll({ kind: "hinted", hints: { ...hintsOf(), isAccessChanged: true } });
    assert.deepEqual(worker.vaults.taken(), ["app: get b"]);
  });

  test("after a change of access asks again for what this interval's poll was refused", async () => {
    await worker.givenObjects("a");
    const one = await worker.synced({ objects: ["a", "b"] });
    await one.poll();
    await worker.clock.advance(1_000);
    worker.vaults.set("b");
    worker.vaults.taken();
    await one.poll();
    assert.deepEqual(worker.vaults.taken(), [], "nobody has said that it may be had now");
    await one.poll({ hints: { ...hintsOf(), isAccessChanged: true } });
    assert.deepEqual(worker.vaults.taken(), ["app: get b"]);
  });
});
