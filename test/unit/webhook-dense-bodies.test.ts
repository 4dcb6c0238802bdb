import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createAdmissionGate } from "../../src/webhook/admission-gate.ts";
import { aClass, aPod, aReview, OPTED_IN } from "../support/fixtures/pods.ts";
import { type ListeningWebhook, startWebhook } from "../support/webhook/listening-webhook.ts";

const MIB = 1024 * 1024;
const LARGEST = 7 * MIB - 1_000;
const UID = "0b4f7a3e-6a0c-4a3f-9a52-3a7c3b1d5e10";
const START = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"${UID}","object":`;

const repeated = (text: string, length: number): string => text.repeat(Math.floor(length / text.length));
const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

/** A pod as dense as possible: variables, and the ownership of each variable, in 1.5 MiB. */
function densePod(variables: number): Readonly<Record<string, unknown>> {
  const env = Array.from({ length: variables }, (_, index) => ({ name: `V${index}`, value: 'a "quoted", [bracketed] \\ {value}' }));
  const owned = Object.fromEntries(env.map(({ name }) => [`k:{"name":"${name}"}`, { ".": {}, "f:name": {}, "f:value": {} }]));
  const fieldsV1 = { "f:spec": { "f:containers": { 'k:{"name":"app"}': { "f:env": owned } } } };
  const pod = aPod(OPTED_IN, { containers: [{ name: "app", image: "app:1", env }] });
  return { ...pod, metadata: { ...Object(pod["metadata"]), managedFields: [{ manager: "kubectl", fieldsV1 }] } };
}

describe("a body that is dense", () => {
  let webhook: ListeningWebhook;
  before(async () => {
    webhook = await startWebhook({ known: [aClass()] });
  });
  after(() => webhook.stop());

  const hostile: Readonly<Record<string, string>> = {
    "millions of lists in each other": nested(LARGEST / 2),
    "objects in each other": `${repeated('{"a":', LARGEST / 2)}1${"}".repeat(LARGEST / 10)}`,
    "millions of empty objects": `[${repeated("{},", LARGEST)}{}]`,
    "millions of empty lists": `[${repeated("[],", LARGEST)}[]]`,
    "a million keys": `{${Array.from({ length: 600_000 }, (_, index) => `"${index}":0`).join(",")}}`,
    "a text that never ends and is none": `["\\\\",${repeated("[],", MIB * 2)}`,
  };
  for (const [what, body] of Object.entries(hostile)) {
    test(`A-2: refuses before it is parsed what would take many times its size: ${what}`, async () => {
      const { status, json } = await webhook.post(`${START}${body}}}`);
      const next = await webhook.post(JSON.stringify(aReview(aPod(OPTED_IN))));

      assert.equal(status, 413);
      assert.equal(json.response?.uid, UID);
      assert.equal(json.response?.status?.reason, "TooLarge");
      assert.match(json.response?.status?.message ?? "", /more than 400000 values or 200 levels/);
      assert.equal(next.status, 200);
    });
  }

  test("A-2: refuses nothing that a text has in its strings", async () => {
    const note = `${"[".repeat(1_000)}\\"${repeated(',"{', MIB)}`;
    const pod = aPod(
      { ...OPTED_IN, note: note.slice(0, 200_000) },
      { containers: [{ name: "app", image: "app:1", args: [note, "\\", '"'] }] },
    );

    assert.equal((await webhook.post(JSON.stringify(aReview(pod)))).json.response?.patchType, "JSONPatch");
  });

  test("A-2: decides about the densest pod that there can be, and its former self beside it", async () => {
    const pod = densePod(15_000);
    const body = JSON.stringify(aReview(pod, { oldObject: pod }));
    const { status, json } = await webhook.post(body);

    assert.ok(body.length > 3.5 * MIB, `${body.length} bytes`);
    assert.deepEqual([status, json.response?.patchType], [200, "JSONPatch"]);
  });

  test("A-2: holds room for what a dense body becomes, not for its bytes", async () => {
    const later = Array.from({ length: 100_000 }, () => ({}));
    const dense = JSON.stringify(aReview(aPod(OPTED_IN, { later })));

    const held = await roomFor(dense);

    assert.ok(dense.length < 400_000, `${dense.length} bytes`);
    assert.ok(held > 6_000_000, `room for ${held} bytes`);
  });

  test("B-12: holds as much room as a body of a hundred thousand keys takes, which no two objects share", async () => {
    const later = Array.from({ length: 100_000 }, (_, index) => ({ [index.toString(36)]: 0 }));

    const held = await roomFor(JSON.stringify(aReview(aPod(OPTED_IN, { later }))));

    // The parsed objects take 17 MiB.
    assert.ok(held > 12 * MIB, `room for ${held} bytes`);
  });

  test("has room for five hundred ordinary pods at once", async () => {
    const ordinary = await roomFor(JSON.stringify(aReview(densePod(40))));
    const gate = createAdmissionGate();
    const displaced: number[] = [];
    const places = Array.from({ length: 500 }, (_, index) => gate.enter("api-server", () => displaced.push(index)));

    const isHeld = places.map((place) => place?.hold(ordinary));

    assert.ok(ordinary > 20_000, `${ordinary} bytes`);
    assert.deepEqual([displaced, isHeld.filter((each) => each !== true)], [[], []]);
  });
});

/** Returns the most bytes that the review of the body has reserved. */
async function roomFor(body: string): Promise<number> {
  const held: number[] = [];
  const gate = createAdmissionGate();
  const watched = await startWebhook({
    known: [aClass()],
    gate: {
      enter: (peer, displace) => {
        const place = gate.enter(peer, displace);
        return place === undefined ? undefined : { ...place, hold: (bytes) => held.push(bytes) > 0 && place.hold(bytes) };
      },
    },
  });
  await watched.post(body);
  await watched.stop();
  return Math.max(...held);
}
