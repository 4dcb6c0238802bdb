import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { eventsEnd, leaderReadsEvents } from "../simulation/invariants/event-queue.ts";
import { ARRIVES_MS, eventsArrive } from "../simulation/invariants/events.ts";
import { REST_MS } from "../simulation/invariants/rest.ts";
import { QUEUE_HOST } from "../simulation/world/event-queue.ts";
import type { Team } from "../simulation/world/team.ts";
import { MINUTE, StagedWorld } from "../support/worker/staged-world.ts";

const TEAM = "team";
const VAULT = `vault-of-${TEAM}`;
const RECEIVE = { host: QUEUE_HOST, method: "GET", path: "/vault-events/messages?numofmessages=32" };

describe("the simulation's invariants of events", () => {
  let staged: StagedWorld;
  let team: Team;
  let found: string[];

  /** Adds a version to the vault, and delivers an event about it. */
  function rotate(version: string): void {
    const object = team.vault.objects.get("db");
    const value = Buffer.from(`${VAULT}/db/${version}`).toString("base64");
    object?.versions.push({ version, value, since: staged.scheduler.now, isDisabled: false });
    if (object !== undefined) object.changedAt = staged.scheduler.now;
    staged.delivered({ vault: VAULT, object: "db", isCertificate: false, version });
  }

  /** Writes the version to the Secret as the worker does. */
  function mirror(version: string): void {
    staged.secret(TEAM, "db", { "key-db": Buffer.from(`${VAULT}/db/${version}`).toString("base64") });
  }

  function check(): readonly string[] {
    return eventsArrive.check?.(staged.world) ?? [];
  }

  beforeEach(async () => {
    staged = new StagedWorld({ hasEvents: true });
    team = staged.team(TEAM);
    mirror("1");
    found = [];
    for (const { watch } of [eventsArrive, leaderReadsEvents, eventsEnd]) watch?.(staged.world, (text) => void found.push(text));
    // The invariants do not blame a new leader.
    await staged.pass(5 * MINUTE);
  });

  test("are content with a version that arrives", async () => {
    rotate("2");
    mirror("2");
    await staged.pass(5 * MINUTE);
    assert.deepEqual(check(), []);
  });

  // Seed 54 of the small world: a certificate in the same Secret got a new version without an event.
  test("ask for the event's object only, and not for another one of the Secret", async () => {
    const wanted = team.classes.get("app");
    const object = team.vault.objects.get("db");
    assert.ok(wanted !== undefined && object !== undefined);
    const entries = [...wanted.entries, { object: "api", type: "secret" as const, pinned: undefined, alias: undefined, isDecoded: false }];
    team.classes.set("app", { ...wanted, entries, secrets: [{ name: "db", keys: [0, 1], label: undefined }] });
    team.vault.objects.set("api", { ...object, name: "api" });
    rotate("2");
    await staged.pass(5 * MINUTE);
    assert.equal(check().length, 1, "the control: the event's object is not there");
    mirror("2");
    assert.deepEqual(check(), []);
  });

  test("find one that does not, once it has had its time", async () => {
    rotate("2");
    await staged.pass(ARRIVES_MS - 1_000);
    assert.deepEqual(check(), []);
    await staged.pass(MINUTE);
    assert.match(check().join(), /^team\/db of app lacks what an event told of vault-of-team\/db, after \d+ s in which all worked$/);
  });

  test("wait for nothing that the world has lost, that has changed since, or that nobody names any more", async () => {
    rotate("2");
    staged.loseEvents();
    await staged.pass(5 * MINUTE);
    assert.deepEqual(check(), []);
    rotate("3");
    const object = team.vault.objects.get("db");
    if (object !== undefined) object.state = "disabled";
    await staged.pass(5 * MINUTE);
    assert.deepEqual(check(), []);
    if (object !== undefined) object.state = "enabled";
    rotate("4");
    team.classes.delete("app");
    await staged.pass(5 * MINUTE);
    assert.deepEqual(check(), []);
  });

  test("wait while the queue is away, and that is no excuse for anything else", async () => {
    rotate("2");
    for (let minute = 0; minute < 10; minute += 1) {
      const outcome = minute % 2 === 0 ? { how: "failed" as const, status: 0 } : { body: "<!DOCTYPE html><html></html>" };
      staged.ended(RECEIVE, outcome);
      await staged.pass(MINUTE);
    }
    assert.deepEqual(check(), []);
    await staged.pass(10 * MINUTE);
    assert.equal(check().length, 1);
  });

  test("leave to the poll what a vault that was away has kept from being looked at", async () => {
    rotate("2");
    for (let minute = 0; minute < 15; minute += 1) {
      staged.ended({ host: `${VAULT}.vault.azure.net`, path: "/secrets/db" }, { how: "failed", status: 0 });
      await staged.pass(MINUTE);
    }
    await staged.pass(15 * MINUTE);
    assert.deepEqual(check(), []);
  });

  test("leave to the poll what a thread did not decode", async () => {
    rotate("2");
    staged.threadFailed();
    await staged.pass(15 * MINUTE);
    assert.deepEqual(check(), []);
  });

  test("find a reader that does not lead, unless it has just woken up", async () => {
    staged.takeLease(staged.machine, "sync-0_1");
    staged.sent(RECEIVE);
    assert.deepEqual(found, []);
    staged.put("leases.coordination.k8s.io", "keyvault-injector/keyvault-injector-sync", { spec: { holderIdentity: "sync-1_1" } });
    staged.machine.stop(20_000);
    staged.sent(RECEIVE);
    await staged.pass(30_000);
    staged.sent(RECEIVE);
    assert.deepEqual(found, []);
    await staged.pass(MINUTE);
    staged.sent(RECEIVE);
    assert.deepEqual(found, ["sync-0/1 sends GET to the event queue while sync-1_1 leads"]);
  });

  test("find a reader that has no Lease, although one names an earlier process of its pod", () => {
    staged.takeLease(staged.machine, "sync-0_1");
    staged.sent({ ...RECEIVE, machine: staged.restarted() });
    assert.deepEqual(found, ["sync-0/2 sends GET to the event queue while sync-0_1 leads"]);
  });

  test("find a message that comes without end", () => {
    const body = "<QueueMessagesList><QueueMessage><MessageId>one</MessageId></QueueMessage></QueueMessagesList>";
    for (let time = 0; time < 150; time += 1) staged.ended(RECEIVE, { body });
    assert.deepEqual(found, []);
    staged.ended(RECEIVE, { body });
    assert.deepEqual(found, ["the message one was received more than 150 times"]);
  });

  test("are content at rest with looks at an empty queue, and find all else", async () => {
    const rest = async (everyMs: number): Promise<readonly string[]> => {
      for (let passed = 0; passed < REST_MS; passed += everyMs) {
        staged.ended(RECEIVE);
        await staged.pass(everyMs);
      }
      return eventsEnd.atRest?.(staged.world) ?? [];
    };
    assert.deepEqual(await rest(5_000), []);
    assert.deepEqual(await rest(60_000), ["the event queue was looked at only 19 times"]);
    assert.match((await rest(300)).join(), /^the event queue was looked at \d+ times$/);
    await rest(5_000);
    staged.ended({ ...RECEIVE, method: "DELETE" });
    staged.ended(RECEIVE, { body: "<MessageId>one</MessageId>" });
    staged.queued = 3;
    assert.deepEqual(eventsEnd.atRest?.(staged.world), [
      "the event queue still has 3 messages",
      "1 messages of the event queue were received",
      "the event queue was asked for something else than messages 1 times",
    ]);
  });
});
