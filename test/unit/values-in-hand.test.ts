import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { ObjectReader } from "../../src/domain/ports/vault-client.ts";
import type { ClassObject } from "../../src/domain/provider-class/object-rules.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { pki } from "../../src/pki/pki.ts";
import { ClassContent } from "../../src/sync/vault/class-content.ts";
import { fetchObjects } from "../../src/sync/vault/fetch-objects.ts";
import { ValuesInHand } from "../../src/sync/vault/values-in-hand.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

const MIB = 1_048_576;
const PIECE = 262_144;

interface Fetched {
  readonly isCutShort: boolean;
}

/** Classes that fetch values one by one and keep them until the test ends them. */
class Classes {
  readonly values = new ValuesInHand();
  /** Bytes in memory by class. */
  readonly held = new Map<string, number>();
  readonly done: string[] = [];
  attempts = 0;
  peak = 0;

  start(namespace: string, name: string, bytes: number, signal = new AbortController().signal): Promise<Fetched> {
    const provider: SecretProviderClass = { apiVersion: "v1", kind: "SecretProviderClass", metadata: { namespace, name } };
    const key = `${namespace}/${name}`;
    const fetch = async (hasRoom: (bytes: number) => boolean): Promise<Fetched> => {
      this.attempts += 1;
      for (let got = Math.min(PIECE, bytes); ; got = Math.min(got + PIECE, bytes)) {
        await nextTurn();
        if (!hasRoom(got)) {
          this.held.delete(key);
          return { isCutShort: true };
        }
        this.held.set(key, got);
        this.peak = Math.max(this.peak, this.all);
        if (got === bytes) break;
      }
      this.done.push(key);
      return { isCutShort: false };
    };
    return this.values.fetch(provider, fetch, signal);
  }

  get all(): number {
    return [...this.held.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  end(key: string): void {
    this.held.delete(key);
    this.values.end(key);
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 400; turn++) await nextTurn();
  }
}

const signal = new AbortController().signal;

async function nextTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}

/** A certificate whose decoding fails, as if the system refused a thread, and a history of 1 MB. */
function withBrokenDecoding() {
  const facts = { updated: undefined, expires: undefined, notBefore: undefined };
  const counted = { gets: 0 };
  const getSecret: ObjectReader["getSecret"] = async (name, version = "1") => {
    counted.gets += 1;
    await nextTurns(3);
    const secret = { ...facts, version, keyId: `https://vault/keys/${name}/1` };
    if (name === "cert") return { ...secret, value: Sensitive.ofText("AAAA"), contentType: "application/x-pkcs12" };
    return { ...secret, value: Sensitive.ofText("x".repeat(25_000)), contentType: undefined, keyId: undefined };
  };
  const unused = (): never => {
    throw new Error("only secrets are here");
  };
  const client: ObjectReader = {
    getSecret,
    getKey: unused,
    getCertificate: unused,
    listVersions: async function* () {
      await nextTurn();
      yield Array.from({ length: 40 }, (_, index) => ({ version: `v${index}`, isEnabled: true, created: index }));
    },
  };
  const decode = async (): Promise<never> => {
    await nextTurn();
    throw new Error("a decoding thread failed");
  };
  const plain = { type: "secret", version: undefined, format: "pem", encoding: "utf-8", filePermission: "" } as const;
  const objects: readonly ClassObject[] = [
    { ...plain, name: "cert", path: "cert", history: 0 },
    { ...plain, name: "long", path: "long", history: 39 },
  ];
  const render = { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles: false };
  return {
    get gets() {
      return counted.gets;
    },
    fetch: (hasRoom: (bytes: number) => boolean) =>
      fetchObjects(
        { client, render, content: new ClassContent({ decode }, { namespace: "team", saltKey: () => new Uint8Array(32) }), hasRoom },
        objects,
        signal,
      ),
  };
}

describe("values in hand", () => {
  test("B-9: are 64 MiB at the most, half of them of one namespace, and every class has its turn", async () => {
    const classes = new Classes();
    const runs = Array.from({ length: 48 }, (_, index) => classes.start("team", `c${index}`, 8 * MIB));
    await classes.settle();
    assert.ok(classes.done.length > 0 && classes.done.length < 48);
    for (let ended = 0; ended < 48; ended++) {
      const next = classes.done[ended];
      assert.ok(next !== undefined, `${ended} of 48: nobody goes on`);
      classes.end(next);
      await classes.settle();
    }
    await Promise.all(runs);
    assert.ok(classes.peak > 24 * MIB && classes.peak <= 32 * MIB, `${classes.peak} bytes`);
    assert.ok(classes.attempts < 48 * 4, `${classes.attempts} attempts`);
  });

  test("B-9: leave room for a modest class, however many namespaces have large ones", async () => {
    const classes = new Classes();
    const stop = new AbortController();
    const runs: Promise<unknown>[] = [];
    for (let namespace = 0; namespace < 8; namespace++)
      for (let index = 0; index < 8; index++) runs.push(classes.start(`large-${namespace}`, `c${index}`, 8 * MIB, stop.signal));
    await classes.settle();
    assert.ok(classes.peak <= 64 * MIB, `${classes.peak} bytes`);
    void classes.start("modest", "app", 100_000);
    await classes.settle();
    assert.ok(classes.done.includes("modest/app"));
    stop.abort();
    await Promise.allSettled(runs);
  });

  test("B-9: go to a large class of another namespace that waits, before further ones of those that have some", async () => {
    const classes = new Classes();
    const stop = new AbortController();
    const runs: Promise<unknown>[] = [];
    for (let namespace = 0; namespace < 6; namespace++)
      for (let index = 0; index < 8; index++) runs.push(classes.start(`large-${namespace}`, `c${index}`, 8 * MIB, stop.signal));
    await classes.settle();
    runs.push(classes.start("late", "app", 8 * MIB, stop.signal));
    for (let ended = 0; ended < 20 && !classes.done.includes("late/app"); ended++) {
      const next = classes.done[ended];
      assert.ok(next !== undefined, "nobody goes on");
      classes.end(next);
      await classes.settle();
    }
    assert.ok(classes.done.includes("late/app"));
    stop.abort();
    await Promise.allSettled(runs);
  });

  test("B-9: are free again after a class that was stopped while it waited, or ended with what it had", async () => {
    const classes = new Classes();
    for (let round = 0; round < 40; round++) {
      const stop = new AbortController();
      const runs = Array.from({ length: 6 }, (_, index) => classes.start("team", `c${index}`, 8 * MIB, stop.signal));
      await classes.settle();
      stop.abort();
      await Promise.allSettled(runs);
      for (let index = 0; index < 6; index++) classes.end(`team/c${index}`);
    }
    classes.done.length = 0;
    await Promise.all(Array.from({ length: 4 }, (_, index) => classes.start("team", `c${index}`, 8 * MIB)));
    assert.equal(classes.done.length, 4);
  });

  test("B-9: are given back by each reconcile, however it ends", async () => {
    const world = new SimulatedWorld();
    world.vaults.set("db");
    await world.clock.advance(600_000);
    // More classes than a namespace has steps of room for. Every other class fails after it received a value.
    const names = Array.from({ length: 140 }, (_, index) => `app-${index}`);
    for (const [index, name] of names.entries())
      world.apply({ namespace: "team", name, objects: index % 2 === 0 ? ["db"] : ["db", "absent"] });
    const leader = world.lead();
    await world.clock.advance(60_000);
    const synced = names.filter((name) => world.value({ namespace: "team", name: `${name}-db` }) !== undefined);
    assert.equal(synced.length, names.length);
    await leader.stop();
  });

  test("W15: are given back whole by a class of which one object is rejected while its neighbours are still got", async () => {
    const broken = withBrokenDecoding();
    const provider: SecretProviderClass = { apiVersion: "v1", kind: "SecretProviderClass", metadata: { namespace: "team", name: "bad" } };
    const values = new ValuesInHand();
    for (let attempt = 0; attempt < 60; attempt++) {
      await assert.rejects(
        values.fetch(provider, (hasRoom) => broken.fetch(hasRoom), signal),
        /a decoding thread failed/,
      );
      const atEnd = broken.gets;
      values.end("team/bad");
      await nextTurns(100);
      assert.equal(broken.gets, atEnd, "values were got beside the handler");
    }
    const all = Array.from({ length: 4 }, (_, index) => ({ ...provider, metadata: { namespace: "team", name: `large-${index}` } }));
    const ended: string[] = [];
    for (const large of all)
      void values.fetch(large, async (hasRoom) => ({ isCutShort: !hasRoom(8 * MIB) }), signal).then(() => ended.push(large.metadata.name));
    await nextTurns(400);
    assert.equal(ended.length, 4);
  });
});
