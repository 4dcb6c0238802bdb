import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { CheckResult } from "../../src/cli/doctor/checks/check.ts";
import type { InstallReport } from "../../src/cli/doctor/report.ts";
import type { RequestRecord } from "../../tools/key-vault-emulator/network/request-log.ts";
import { runCli } from "../support/cli/cli.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { setWorkerArguments } from "../support/cluster/worker-arguments.ts";
import { type Azurite, azuriteRefusal, startAzurite } from "../support/events/azurite.ts";
import { eventually } from "../support/time/eventually.ts";
import { samplesOf } from "../support/worker/metric-samples.ts";
import {
  assertNothingForbidden,
  classOf,
  createClass,
  createCredentials,
  dataOf,
  opaque,
  type SyncWorld,
  startSyncWorld,
  writesOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal() ?? azuriteRefusal();

const ACCOUNT = "shopevents";
const QUEUE = "vault-events";
const QUEUE_HOST = `${ACCOUNT}.queue.core.windows.net`;
/** Nobody waits for a poll here. Each class has a phase in the interval: in a short one, somebody's comes while requests are counted. */
const NO_POLL = "--rotation-poll-interval=24h";

let world: SyncWorld;
let azurite: Azurite;
let worker: ProductProcess;
let namespace: string;
let args: readonly string[];

async function count(name: string, outcome: string): Promise<number> {
  return samplesOf(await worker.metrics()).value(name, { outcome }) ?? 0;
}

const messages = (outcome: string): Promise<number> => count("event_messages_total", outcome);

async function isUp(): Promise<boolean> {
  return samplesOf(await worker.metrics()).value("event_queue_up") === 1;
}

async function lastSequence(): Promise<number> {
  return (await world.emulator.requests()).at(-1)?.sequence ?? 0;
}

/** Of the vault since then, challenges apart. */
async function transactions(since: number): Promise<readonly RequestRecord[]> {
  const host = `${world.vault}.vault.azure.net`;
  return (await world.emulator.requests({ after: since })).filter((one) => one.host === host && one.status !== 401);
}

async function holds(name: string, value: string, key = "value"): Promise<void> {
  await eventually(async () => (await dataOf(world.plane, namespace, name))?.[key] === value, {
    within: 120_000,
    what: `${value} in ${name}`,
  });
}

/** A synced class of one object. */
async function mirrored(value: string): Promise<string> {
  const object = await world.object(value);
  await createClass(world.plane, classOf(world, { namespace, name: object, objects: [object], secretObjects: [opaque(object, object)] }));
  await holds(object, value);
  return object;
}

const rotate = (name: string, value: string): Promise<unknown> => world.emulator.rotateSecret({ vault: world.vault, name, value });

/** Everything that was received is deleted. */
async function settled(): Promise<void> {
  await eventually(async () => (await azurite.count(QUEUE)) === 0, { within: 90_000, what: "an empty queue" });
}

function eventOf(facts: { readonly vault: string; readonly name: string; readonly version?: string }): string {
  const id = `https://${facts.vault}.vault.azure.net/secrets/${facts.name}/${facts.version ?? randomUUID().replaceAll("-", "")}`;
  const type = "Microsoft.KeyVault.SecretNewVersionCreated";
  return JSON.stringify({ id: randomUUID(), source: "x", type, time: new Date().toISOString(), specversion: "1.0", data: { Id: id } });
}

describe("a worker that reads an event queue", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    await world.emulator.grant({ vault: world.vault, appId: world.principal.appId, permissions: ["list"] });
    const stateDir = path.join(world.plane.directory, "emulator");
    azurite = await startAzurite({ stateDir, ca: readFileSync(world.emulator.caFile, "utf8"), account: ACCOUNT });
    await azurite.create(QUEUE);
    await world.emulator.addStorageAccount({ account: ACCOUNT, port: azurite.port });
    const { appId, clientSecret } = world.principal;
    await createCredentials(world.plane, "keyvault-injector", { clientid: appId, clientsecret: clientSecret });
    const queue = `${azurite.urlOf(QUEUE)};identity=servicePrincipal;tenantID=${world.tenantId};secret=secrets-store-creds`;
    // The Deployment is edited by a test below, which healing would undo.
    args = ["--log-level=debug", NO_POLL, "--heal=crds,classes", `--event-queues=${queue}`];
    namespace = await world.namespace();
    worker = await world.product.start("sync", { args });
    await eventually(isUp, { what: "an answer of the queue" });
    await world.emulator.subscribeEvents({ vault: world.vault, account: ACCOUNT, queue: QUEUE });
  });
  after(async () => {
    await azurite?.stop();
    await world?.stop();
  });

  test("brings a new version into its Secret without a poll, by one GET and no list", async () => {
    const object = await mirrored("before");
    await settled();
    const since = await lastSequence();
    const from = Date.now();

    await rotate(object, "after");
    await holds(object, "after");

    console.log(`event queues: a new version was in its Secret after ${Date.now() - from} ms`);
    assert.deepEqual(
      (await transactions(since)).map(({ path: asked }) => asked.replace(/\/$/, "")),
      [`/secrets/${object}`],
    );
    await settled();
    assert.ok((await count("event_hints_total", "applied")) >= 1);
    const lag = samplesOf(await worker.metrics());
    assert.ok((lag.value("event_lag_seconds_count") ?? 0) >= 1);
  });

  test("does nothing for the same event once more", async () => {
    const object = await mirrored("before");
    const { version } = await world.emulator.rotateSecret({ vault: world.vault, name: object, value: "after" });
    await holds(object, "after");
    await settled();
    const since = await lastSequence();
    const [before, writes] = [await messages("acted"), writesOf(world.plane.audit()).length];

    for (let times = 0; times < 20; times += 1) await azurite.put(QUEUE, eventOf({ vault: world.vault, name: object, version }));
    await settled();

    assert.equal((await messages("acted")) - before, 20, "each is looked at by what is known");
    assert.deepEqual(await transactions(since), []);
    assert.equal(writesOf(world.plane.audit()).length, writes);
  });

  test("has a certificate's event bring the secret and the key of its name forward, too", async () => {
    await world.emulator.grant({ vault: world.vault, appId: world.principal.appId, permissions: ["certificates/get"] });
    const name = `tls-${randomUUID().slice(0, 6)}`;
    await world.emulator.createCertificate({ vault: world.vault, name, contentType: "application/x-pem-file" });
    const objects = [{ objectName: name, objectType: "secret", objectAlias: "whole" }];
    await createClass(world.plane, classOf(world, { namespace, name, objects, secretObjects: [opaque(name, "whole")] }));
    const first = await eventually(async () => (await dataOf(world.plane, namespace, name))?.["value"], { what: "the certificate" });
    await settled();

    await world.emulator.rotateCertificate({ vault: world.vault, name });

    await eventually(async () => (await dataOf(world.plane, namespace, name))?.["value"] !== first, { what: "the new certificate" });
  });

  test("deletes what is no event of a vault, and what nobody names, without asking any vault", async () => {
    const object = await mirrored("value");
    await settled();
    const since = await lastSequence();
    const kinds = ["malformed", "otherType", "foreign", "unnamed"] as const;
    const before = await Promise.all(kinds.map(messages));

    await azurite.put(QUEUE, "nonsense <&>");
    await azurite.put(QUEUE, "x".repeat(40_000));
    await azurite.put(QUEUE, JSON.stringify({ specversion: "1.0", type: "Microsoft.Storage.BlobCreated", data: {} }));
    await azurite.put(QUEUE, eventOf({ vault: "somebody-elses", name: object }));
    await azurite.put(QUEUE, eventOf({ vault: world.vault, name: "nobody-names-it" }));
    await settled();

    const after = await Promise.all(kinds.map(messages));
    assert.deepEqual(
      after.map((value, index) => value - (before[index] ?? 0)),
      [2, 1, 1, 1],
    );
    assert.deepEqual(await transactions(since), []);
    assert.match(worker.log(), /deleting messages of an event queue without processing them/);
    assert.doesNotMatch(worker.log(), /nonsense/);
  });

  test("looks a few times for a version that its vault does not show, then leaves it to the poll", async () => {
    const object = await mirrored("value");
    await settled();
    const since = await lastSequence();
    const before = await count("event_hints_total", "leftToPoll");

    await azurite.put(QUEUE, eventOf({ vault: world.vault, name: object }));
    await eventually(async () => (await count("event_hints_total", "leftToPoll")) > before, {
      within: 60_000,
      what: "the end of the looks",
    });
    await settled();

    const asked = (await transactions(since)).map(({ method, path: at, status, time }) => `${time} ${method} ${at} ${status}`);
    assert.equal(asked.length, 4, `${object}: ${asked.join("\n")}`);
  });

  test("goes on by polls while the queue is away, hangs or throttles, says so once, and goes on with it", async () => {
    const object = await mirrored("one");
    await settled();
    const troubles: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] = [
      [
        "throttled",
        () => world.emulator.injectFault({ host: QUEUE_HOST, kind: "status", status: 503, times: 1_000 }),
        () => world.emulator.clearFaults({ host: QUEUE_HOST }),
      ],
      [
        "away",
        () => world.emulator.injectFault({ host: QUEUE_HOST, kind: "reset", times: 1_000 }),
        () => world.emulator.clearFaults({ host: QUEUE_HOST }),
      ],
      ["hanging", async () => azurite.pause(), async () => azurite.resume()],
    ];
    for (const [what, strike, mend] of troubles) {
      await strike();
      await eventually(async () => !(await isUp()), { within: 60_000, what: `the queue ${what} to be noticed` });
      const ready = await fetch(`${worker.healthUrl}/readyz`);
      assert.equal(ready.status, 200, "readiness is not about the queue");
      assert.match(await ready.text(), /\[~\] event-queues: shopevents\.queue\.core\.windows\.net\/vault-events: /);
      // Whatever the queue does, a class that is new, or asked for, is served.
      const fresh = await mirrored(`${what}-value`);
      await rotate(object, `${what}-rotated`);
      await mend();
      await holds(object, `${what}-rotated`);
      assert.equal((await dataOf(world.plane, namespace, fresh))?.["value"], `${what}-value`);
      await eventually(isUp, { within: 60_000, what: "an answer of the queue" });
    }
    const reported = worker.log().match(/an event queue cannot be read/g) ?? [];
    assert.ok(reported.length >= 3 && reported.length <= 12, `${reported.length} lines of three troubles`);
    await settled();
  });

  test("leaves to the next leader what it had in hand, and nothing is lost", async () => {
    const objects = await Promise.all(Array.from({ length: 10 }, () => mirrored("old")));
    await settled();
    const successor = await world.product.start("sync", { args });
    await Promise.all(objects.map((object) => rotate(object, "new")));
    await eventually(
      async () => (samplesOf(await worker.metrics()).value("event_messages_in_hand") ?? 0) > 0 || (await azurite.count(QUEUE)) < 10,
      {
        what: "messages in hand",
        every: 5,
      },
    );
    await worker.kill();
    worker = successor;
    for (const object of objects) await holds(object, "new");
    await settled();
  });

  test("is looked into by doctor, as the worker's identity there, and says which right or queue is missing", async () => {
    await setWorkerArguments(world.plane, ["sync", ...args]);
    const found = async (): Promise<CheckResult | undefined> => {
      const options = { kubeconfig: world.plane.kubeconfigPath, environment: world.environment };
      const { stdout } = await runCli(["doctor", "-o", "json"], options);
      const report = JSON.parse(stdout) as InstallReport; // Written by the command.
      return report.findings.find(({ check }) => check === "event-queues");
    };
    const label = `${QUEUE_HOST}/${QUEUE}`;
    assert.deepEqual(await found(), {
      check: "event-queues",
      state: "OK",
      message: `${label} can be reached, and its messages can be received; 0 messages waiting`,
    });

    await world.emulator.addStorageAccount({ account: ACCOUNT, port: azurite.port, users: [randomUUID()] });
    const forbidden = await found();
    assert.equal(forbidden?.state, "FAIL");
    assert.match(forbidden?.fix ?? "", /^az role assignment create --role 'Storage Queue Data Message Processor' .*queues\/vault-events$/);
    await world.emulator.addStorageAccount({ account: ACCOUNT, port: azurite.port });

    await azurite.remove(QUEUE);
    const absent = await found();
    assert.equal(absent?.state, "FAIL");
    assert.equal(absent?.fix, `az storage queue create --auth-mode login --account-name ${ACCOUNT} --name ${QUEUE}`);
    await azurite.create(QUEUE);
  });

  test("asks for nothing that it is forbidden", () => {
    assertNothingForbidden("event queues", world.plane);
  });
});
