import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { beforeEach, describe, test } from "node:test";
import { SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../src/domain/annotations.ts";
import { canonical } from "../../src/domain/healing/snapshot.ts";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { RevisionServer } from "./revision-server.ts";
import { NOTES_KEY as KEY, type Note, noteKind, startNotes } from "./signed-notes.ts";

const MINUTE = 60_000;

type Revision = KubeObject & { readonly revision: number; readonly data: Note };

const note = (content: string, namespace = "team"): Note => ({ namespace, name: "demo", content });

describe("a signed record", () => {
  let clock: ManualClock;
  let server: RevisionServer;
  let signal: AbortSignal;

  beforeEach(() => {
    clock = new ManualClock();
    server = new RevisionServer(clock);
    ({ signal } = new AbortController());
  });

  /** Starts a process that reads and writes notes. It knows only the state of the API server. */
  const started = (label = "true", formerUntil = Number.POSITIVE_INFINITY) =>
    startNotes(server, { clock, kind: noteKind(label), formerUntil }, signal);

  const only = (): Revision => {
    assert.equal(server.all.length, 1);
    return server.all[0] as Revision; // The tests create no other objects.
  };

  /** The record as version 0.3.0 wrote it. */
  const former = (data: Note): KubeObject & Omit<Revision, keyof KubeObject> => {
    const text = canonical(data);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    const content = `v1:${createHmac("sha256", KEY).update(length).update(text).digest("hex")}`;
    const metadata = {
      namespace: data.namespace,
      name: `former-${data.content}`,
      labels: { [SNAPSHOT_LABEL]: "true" },
      annotations: { [SNAPSHOT_ANNOTATIONS.content]: content },
    };
    return { apiVersion: "apps/v1", kind: "ControllerRevision", metadata, revision: 1, data };
  };

  test("is found by the next process", async () => {
    await started().save(note("one"), signal);

    assert.deepEqual(started().get("demo"), note("one"));
  });

  test("S13: is not believed beside the one that followed it, although somebody has made it again since", async () => {
    const records = started();
    await records.save(note("old"), signal);
    const old = only();
    await clock.advance(1_000);
    await records.save(note("new"), signal);

    server.post(old);

    assert.deepEqual(records.get("demo"), note("new"));
    assert.deepEqual(started().get("demo"), note("new"));
  });

  test("S13: is not believed as a copy that somebody makes later, when there is no other", async () => {
    const records = started();
    await records.save(note("old"), signal);
    const old = only();
    await records.remove("demo", signal);
    await clock.advance(2 * MINUTE);

    server.post(old);

    assert.equal(started().get("demo"), undefined);
    // The control: the copy has everything that the original had.
    assert.deepEqual(only().metadata.annotations, old.metadata.annotations);
  });

  test("S13: is not believed while it is going away, whatever holds it back", async () => {
    await started().save(note("old"), signal);

    server.hold(only());

    assert.equal(started().get("demo"), undefined);
  });

  test("S13: is none of another kind", async () => {
    await started("true").save(note("one"), signal);
    const record = only();
    const other = { ...record, metadata: { ...record.metadata, labels: { [SNAPSHOT_LABEL]: "component" } } };

    server.post(other);

    assert.equal(started("component").get("demo"), undefined);
  });

  test("S13: is none of another namespace", async () => {
    await started().save(note("one"), signal);
    const record = only();
    server.remove(record.metadata);

    server.post({ ...record, metadata: { ...record.metadata, namespace: "elsewhere" } });

    assert.equal(started().get("demo"), undefined);
  });

  /** Starts a process whose API server uses another clock. */
  const startedOn = (other: RevisionServer, kind = noteKind()) => startNotes(other, { clock, kind }, signal);

  test("is signed by the API server's clock where that is another than ours", async () => {
    const behind = { now: () => clock.now() - 60 * MINUTE };
    const ahead = new RevisionServer(behind);
    const records = startedOn(ahead);

    await records.save(note("one"), signal);
    await records.save(note("two"), signal);

    assert.deepEqual(records.get("demo"), note("two"));
    assert.equal(ahead.all.length, 1);
  });

  test("seed 20261131: is signed so, too, where several are saved when the clocks are found to differ", async () => {
    const behind = new RevisionServer({ now: () => clock.now() - 5 * MINUTE });
    const kind = { ...noteKind("true"), keyOf: ({ content }: Note) => content };
    const records = startedOn(behind, kind);
    const contents = ["one", "two", "three"];

    await Promise.all(contents.map((content) => records.save(note(content), signal)));

    const next = startedOn(behind, kind);
    assert.deepEqual(
      contents.map((content) => next.get(content)),
      contents.map((content) => note(content)),
    );
  });

  test("seed 20261131: is signed so, too, once the clocks agree again", async () => {
    let skew = 5 * MINUTE;
    const other = new RevisionServer({ now: () => clock.now() - skew });
    const records = startedOn(other);
    await records.save(note("one"), signal);
    skew = 0;
    await clock.advance(10 * MINUTE);

    await records.save(note("two"), signal);

    assert.deepEqual(startedOn(other).get("demo"), note("two"));
  });

  /** Saves as a queue does: it tries again until it succeeds. */
  const saved = async (records: ReturnType<typeof started>, data: Note, tries = 1): Promise<void> => {
    try {
      await records.save(data, signal);
    } catch (error) {
      if (tries === 1) throw error;
      await saved(records, data, tries - 1);
    }
  };

  test("RC20-2: is believed by the next process, too, once the API server's clock is set back", async () => {
    let skew = 5 * MINUTE;
    const other = new RevisionServer({ now: () => clock.now() + skew });
    const records = startedOn(other);
    await records.save(note("one"), signal);
    skew = 0;
    await clock.advance(MINUTE);

    for (const content of ["two", "three"]) {
      await saved(records, note(content), 3);
      assert.deepEqual(records.get("demo"), note(content));
      assert.deepEqual(startedOn(other).get("demo"), note(content));
      assert.equal(other.all.length, 1);
    }
  });

  test("RC20-2: is not believed where a clock other than that of its signature dates it, and nothing older goes for it", async () => {
    let calls = 0;
    // Two API servers, one of which is ahead. Requests alternate between them.
    const other = new RevisionServer({ now: () => clock.now() + (calls++ % 2) * 5 * MINUTE });
    const records = startedOn(other);
    await records.save(note("one"), signal);
    assert.deepEqual(startedOn(other).get("demo"), note("one"));
    calls = 1;

    await assert.rejects(records.save(note("two"), signal), /clock/);

    assert.deepEqual(records.get("demo"), note("one"));
    assert.deepEqual(startedOn(other).get("demo"), note("one"));
    assert.equal(other.all.length, 1);
  });

  test("RC20-2: is not believed where the API server dates it by no clock at all", async () => {
    const records = started();
    await records.save(note("one"), signal);
    server.isUndated = true;

    await assert.rejects(records.save(note("two"), signal), /clock/);

    assert.deepEqual(started().get("demo"), note("one"));
  });

  test("takes another name where somebody has put something else under its own", async () => {
    const records = started();
    await records.save(note("one"), signal);
    const record = only();
    const other: Revision = { ...record, data: note("theirs") };
    server.post(other);
    assert.equal(started().get("demo"), undefined);

    await records.save(note("one"), signal);

    assert.deepEqual(started().get("demo"), note("one"));
  });

  test("of 0.3.0 is believed, and signed anew as it is", async () => {
    server.post(former(note("one")));
    const records = started("true", clock.now() + 1_000);
    assert.deepEqual(records.get("demo"), note("one"));
    const stop = new AbortController();

    const renewing = records.renew(stop.signal);
    await clock.advance(1_000);
    stop.abort();
    await renewing;

    assert.deepEqual(records.get("demo"), note("one"));
    assert.match(only().metadata.annotations?.[SNAPSHOT_ANNOTATIONS.signature] ?? "", /^v2:\d+:[0-9a-f]{64}$/);
    // The annotation that version 0.3.0 reads remains, so that a downgrade works.
    assert.equal(
      only().metadata.annotations?.[SNAPSHOT_ANNOTATIONS.content],
      former(note("one")).metadata.annotations?.[SNAPSHOT_ANNOTATIONS.content],
    );
  });

  test("S13: of 0.3.0 is not believed when somebody makes it again after the upgrade", async () => {
    const upgrade = clock.now();
    await clock.advance(2 * MINUTE);

    server.post(former(note("old")));

    assert.equal(started("true", upgrade).get("demo"), undefined);
  });

  test("of 0.3.0 does not stand up to one that is signed, whichever was written last", async () => {
    const records = started();
    await records.save(note("signed"), signal);
    server.post(former(note("old")));

    assert.deepEqual(records.get("demo"), note("signed"));
  });
});
