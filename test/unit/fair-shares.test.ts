import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Connection, createConnectionTable } from "../../src/runtime/connection-table.ts";
import { createFairTurns } from "../../src/runtime/fair-turns.ts";
import { VERIFIED } from "../../src/runtime/peer.ts";
import { createPeerSlots } from "../../src/runtime/peer-slots.ts";
import { eventually } from "../support/time/eventually.ts";
import { ELSEWHERE } from "../support/webhook/strangers.ts";

/** Blocks the event loop for this time. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe("turns of the event loop", () => {
  test("are few in each round, and one where it takes long, so that others are heard in between", async () => {
    const turns = createFairTurns();
    const rounds: number[] = [];
    let round = 0;
    let isOver = false;
    const beat = (): void => {
      round += 1;
      if (isOver) return;
      setImmediate(beat);
    };
    beat();
    const long = Array.from({ length: 3 }, () => turns.run("a", () => (work(30), rounds.push(round))));
    await eventually(() => rounds.length === long.length, { every: 1 });
    assert.equal(new Set(rounds).size, 3, rounds.join());

    rounds.length = 0;
    for (let count = 0; count < 50; count++) turns.run("a", () => rounds.push(round));
    await eventually(() => rounds.length === 50, { every: 1 });
    isOver = true;
    assert.ok(new Set(rounds).size >= 5, rounds.join());
  });

  test("go to the peer that has had the least time: a hundred cheap jobs of one before the second expensive one of another", async () => {
    const turns = createFairTurns();
    const done: string[] = [];
    const jobs = [
      ...Array.from({ length: 3 }, () => () => turns.run("expensive", () => (work(200), done.push("expensive")))),
      ...Array.from({ length: 100 }, () => () => turns.run("cheap", () => done.push("cheap"))),
    ];
    for (const job of jobs) job();
    await eventually(() => done.length === 103);

    assert.ok(done.lastIndexOf("cheap") < done.indexOf("expensive", done.indexOf("expensive") + 1), done.join());
  });

  test("are not saved up: who was silent has no more of them afterwards", async () => {
    // The test uses its own clock: on a busy machine, one job may take as long as four.
    let time = 0;
    const turns = createFairTurns(() => time);
    const done: string[] = [];
    const job = (who: string): number => {
      time += 5;
      return done.push(who);
    };
    const late = (): void => {
      for (let count = 0; count < 20; count++) turns.run("late", () => job("late"));
    };
    for (let count = 0; count < 20; count++) turns.run("busy", () => job("busy") === 10 && late());
    await eventually(() => done.length === 40);

    assert.ok(done.lastIndexOf("busy") < 35, "the busy one is served beside the late one, not after it");
  });

  test("B-13: go to what can wait when nobody else's does, and one at a time before who comes meanwhile", async () => {
    const turns = createFairTurns();
    const done: string[] = [];
    const pods = (from: number): void => {
      for (let index = from; index < from + 5; index++) turns.run("a", () => done.push(`pod ${index}`));
    };
    const later = [0, 1, 2].map(async (index) => {
      await turns.takeBehind("a");
      work(50);
      done.push(`later ${index}`);
      if (index === 0) pods(5);
    });
    pods(0);
    await Promise.all(later);

    const expected = ["later 0", "later 1", "later 2"];
    expected.splice(1, 0, "pod 5", "pod 6", "pod 7", "pod 8", "pod 9");
    expected.unshift("pod 0", "pod 1", "pod 2", "pod 3", "pod 4");
    assert.deepEqual(done, expected);
  });

  test("B-13: come to what can wait also where the others' never end", async () => {
    const turns = createFairTurns();
    let [pods, isOver] = [0, false];
    const again = (): void => {
      pods += 1;
      work(1);
      if (!isOver && pods < 5_000) turns.run("a", again);
    };
    again();
    await turns.takeBehind("a");
    isOver = true;

    assert.ok(pods > 1 && pods < 2_000, `after ${pods} jobs`);
  });

  test("of one peer come in their order, and before all to who has shown who it is", async () => {
    const turns = createFairTurns();
    const done: string[] = [];
    for (const name of ["first", "second", "third"]) turns.run("a", () => done.push(name));
    turns.run(VERIFIED, () => done.push("verified"));
    await eventually(() => done.length === 4);

    assert.deepEqual(done, ["verified", "first", "second", "third"]);
  });
});

describe("slots", () => {
  const never = new AbortController().signal;

  test("leave some for others whatever one peer asks for, and give the next one to who has fewest", async () => {
    const slots = createPeerSlots({ slots: 4, most: 3 });
    const held = await Promise.all([1, 2, 3].map(() => slots.enter("a", never)));
    const order: string[] = [];
    const waiting = ["a", "a"].map((peer) => slots.enter(peer, never).then(() => order.push(peer)));
    assert.ok(await slots.enter("b", never));
    const other = slots.enter("c", never).then(() => order.push("c"));
    held[0]?.();
    await other;
    held[1]?.();
    held[2]?.();
    await Promise.all(waiting);

    assert.deepEqual(order, ["c", "a", "a"]);
  });

  test("are given up with the signal, and given back once", async () => {
    const slots = createPeerSlots({ slots: 1, most: 1 });
    const leave = await slots.enter("a", never);
    const stop = new AbortController();
    const waiting = slots.enter("b", stop.signal);
    stop.abort();
    assert.equal(await waiting, undefined);
    leave?.();
    leave?.();
    assert.ok(await slots.enter("b", never));
    const third = slots.enter("c", never);
    assert.equal(await Promise.race([third, nextTurn("none")]), "none");
  });

  test("are as many as there are for who has shown who it is", async () => {
    const slots = createPeerSlots({ slots: 4, most: 1 });
    const held = await Promise.all([1, 2, 3, 4].map(() => slots.enter(VERIFIED, never)));

    assert.ok(held.every((leave) => leave !== undefined));
  });
});

describe("the table of connections", () => {
  /** A server that keeps its connections in a table of this size, and clients with names. */
  async function serve(most: number) {
    const table = createConnectionTable(most);
    const opened: Connection[] = [];
    const server = createServer((socket) => {
      const connection = table.open(socket);
      if (connection !== undefined) opened.push(connection);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const closed: string[] = [];
    const open = async (name: string, from = "127.0.0.1"): Promise<Connection | undefined> => {
      const before = opened.length;
      const socket: Socket = connect({ port, host: "127.0.0.1", localAddress: from });
      socket.on("error", () => undefined).resume();
      socket.once("close", () => closed.push(name));
      await once(socket, "connect");
      await eventually(() => opened.length > before || closed.includes(name), { every: 1 });
      return opened[before];
    };
    const stop = async (): Promise<void> => {
      table.endAll();
      table.close();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    };
    return { open, closed, stop, table };
  }

  const skip = ELSEWHERE === "127.0.0.1" ? "SKIPPED: this machine has one loopback address" : false;
  test("has a place for another address where one address has all of them, and all of those are being answered", {
    skip,
  }, async (context) => {
    const { open, closed, stop } = await serve(4);
    context.after(stop);
    for (const name of ["oldest", "second", "third", "fourth"]) (await open(name, ELSEWHERE))?.enter("answering");

    assert.ok((await open("probe")) !== undefined, "the probe of another address got no place");
    await eventually(() => closed.length === 1);
    assert.deepEqual(closed, ["oldest"]);
    assert.equal(await open("one more", ELSEWHERE), undefined, "an address that has the most got one more");
  });

  test("takes none of those that are answered while an address with no fewer connections than that of the newcomer has idle ones", {
    skip,
  }, async (context) => {
    const { open, closed, stop } = await serve(5);
    context.after(stop);
    for (const name of ["a", "b", "c"]) (await open(name, ELSEWHERE))?.enter("answering");
    (await open("mine"))?.enter("answering");
    (await open("my idle one"))?.enter("idle");

    await open("newcomer");
    await eventually(() => closed.length === 1);
    assert.deepEqual(closed, ["my idle one"]);
  });

  test("gives up what is worth least of the address that has the most, and what is answered of no address for its own newcomers", {
    skip,
  }, async (context) => {
    const { open, closed, stop } = await serve(6);
    context.after(stop);
    for (const stage of ["answering", "answering", "answering", "idle", "unused", "silent"] as const) {
      (await open(stage, ELSEWHERE))?.enter(stage);
    }
    const worst = ["silent", "unused", "idle"];
    for (const [count] of worst.entries()) {
      (await open("mine"))?.enter("answering");
      await eventually(() => closed.length > count);
    }
    assert.deepEqual(closed, worst);
    await open("one too many");
    await eventually(() => closed.length > 3);
    assert.deepEqual(closed.at(-1), "one too many");
  });

  test("counts who has shown who it is with nobody", async (context) => {
    const { open, closed, stop } = await serve(2);
    context.after(stop);
    for (const name of ["a", "b", "c"]) (await open(name))?.verify();
    await open("stranger");
    await open("another");
    await nextTurn();
    assert.deepEqual(closed, []);
    await open("third");
    await eventually(() => closed.length === 1);
    assert.deepEqual(closed, ["stranger"]);
  });

  test("ends those that do nothing when it is told to, and the others as soon as they are idle", async (context) => {
    const { open, closed, stop, table } = await serve(10);
    context.after(stop);
    const busy = await open("busy");
    busy?.enter("answering");
    (await open("idle"))?.enter("idle");
    await open("silent");
    table.endWhenIdle();
    await eventually(() => closed.length === 2);
    assert.deepEqual(closed.toSorted(), ["idle", "silent"]);
    (await open("later"))?.enter("idle");
    busy?.enter("idle");
    await eventually(() => closed.length === 3);
    assert.equal(closed[2], "busy");
  });
});
