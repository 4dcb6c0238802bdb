import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../src/domain/annotations.ts";
import { createFingerprints } from "../../src/sync/fingerprints.ts";
import { SNAPSHOT } from "../../src/sync/healing/snapshots.ts";
import { judgeRecord } from "../../src/sync/healing/stored-record.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { RevisionServer } from "./revision-server.ts";
import { NOTES_KEY as KEY, type Note, startNotes } from "./signed-notes.ts";

describe("the data of a record that anybody may write", () => {
  let clock: ManualClock;
  let server: RevisionServer;
  let signal: AbortSignal;

  beforeEach(() => {
    clock = new ManualClock();
    server = new RevisionServer(clock);
    ({ signal } = new AbortController());
  });

  const started = () => startNotes(server, { clock }, signal);

  /** Data that counts its reads. */
  const counted = (content: string) => {
    let reads = 0;
    const data = { namespace: "team", name: "demo", content };
    const watched = new Proxy(data, {
      ownKeys: (target) => {
        reads += 1;
        return Reflect.ownKeys(target);
      },
    });
    return { data: watched, reads: () => reads };
  };

  const forgery = (data: Note, signature: string) => ({
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      namespace: "team",
      name: "forged",
      labels: { [SNAPSHOT_LABEL]: "true" },
      annotations: { [SNAPSHOT_ANNOTATIONS.signature]: signature },
    },
    revision: 1,
    data,
  });

  for (const [what, signature] of [
    ["no form of a signature", "v2:now:x"],
    ["the time of no date", `v2:9007199254740991:${"0".repeat(64)}`],
    ["another time than that of its creation", `v2:1000:${"0".repeat(64)}`],
  ] as const)
    test(`AT20-4: is not read where its signature has ${what}`, () => {
      const { data, reads } = counted("one");
      started();

      server.post(forgery(data, signature));
      const records = started();

      assert.equal(records.get("demo"), undefined);
      assert.equal(reads(), 0);
    });

  test("AT20-4: is read once where it is forged, whatever its metadata says next", () => {
    const { data, reads } = counted("one");
    const records = started();
    const digit = (index: number): string => `v2:${clock.now()}:${String(index).repeat(64)}`;
    const posted = server.post(forgery(data, digit(0)));
    const once = reads();
    assert.ok(once > 0);

    for (const index of [0, 1, 2]) {
      const annotations = { [SNAPSHOT_ANNOTATIONS.signature]: digit(index) };
      server.change({ ...posted, metadata: { ...posted.metadata, annotations } });
    }

    assert.equal(reads(), once);
    assert.equal(records.get("demo"), undefined);
  });

  test("AT20-4: is read once where it is genuine, and loses its word with its signature", async () => {
    await started().save({ namespace: "team", name: "demo", content: "one" }, signal);
    const { data, reads } = counted("one");
    const saved = server.all[0];
    assert.ok(saved !== undefined);
    const record = { ...saved, data };
    server.change(record);
    const records = started();
    const once = reads();

    server.change({ ...record, metadata: { ...record.metadata, labels: { ...record.metadata.labels, more: "1" } } });
    assert.equal(reads(), once);
    assert.equal(records.get("demo")?.content, "one");
    server.change({ ...record, metadata: { ...record.metadata, annotations: {} } });

    assert.equal(records.get("demo"), undefined);
  });

  test("AT20-4: is not read to its end where it is longer than any that is written", () => {
    const { mostCharacters = 0 } = SNAPSHOT;
    const unread = Object.defineProperty({}, "toJSON", {
      value: () => assert.fail("made JSON of"),
      enumerable: false,
    });
    const data = { long: "x".repeat(mostCharacters), unread };
    const metadata = {
      namespace: "team",
      name: "long",
      creationTimestamp: new Date(clock.now()).toISOString(),
      annotations: { [SNAPSHOT_ANNOTATIONS.signature]: `v2:${clock.now()}:${"0".repeat(64)}` },
    };
    const judged = judgeRecord({ metadata, data }, { kind: SNAPSHOT, fingerprints: createFingerprints(KEY) });

    assert.deepEqual(judged, { kind: "forged", why: "it is longer than any that this install writes" });
  });
});
