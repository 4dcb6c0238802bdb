import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { keyOf } from "../../src/domain/object-key.ts";
import { openProviderClass } from "../../src/domain/read-class.ts";
import type { ObjectEvent, VaultEvent } from "../../src/domain/vault-events/vault-event.ts";
import { Breaths } from "../../src/runtime/breaths.ts";
import { type Dispatched, dispatchEvent } from "../../src/sync/push/event-dispatch.ts";
import { type HintNews, Hints, type Waiter } from "../../src/sync/push/hints.ts";
import { NamedObjects } from "../../src/sync/push/named-objects.ts";
import { createPushMetrics } from "../../src/sync/push/push-metrics.ts";
import { pushedClasses } from "../../src/sync/pushed-classes.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

let classes: Map<string, SecretProviderClass>;
let named: NamedObjects;
let reported: string[];
let refused: Map<string, number | "all">;
let off: Set<string>;
let unfetched: string[];
let lost: SecretProviderClass[];
let hasOtherShards = false;

const cloud = { cloudName: "AzurePublicCloud", readCloudFile: undefined };
const waiter = { ended: () => undefined };

function aClass(name: string, objects: string, parameters: Readonly<Record<string, string>> = {}): SecretProviderClass {
  const spc: SecretProviderClass = {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "team", name },
    spec: {
      provider: "azure",
      parameters: { useVMManagedIdentity: "true", keyvaultName: "Shop", tenantID: "t", objects, ...parameters },
      secretObjects: [{ secretName: "out", type: "Opaque" }],
    },
  };
  named.note({ previous: classes.get(keyOf(spc)), current: spc });
  classes.set(keyOf(spc), spc);
  return spc;
}

/** Reads the class as its first poll does. */
function read(spc: SecretProviderClass): void {
  const opened = openProviderClass(spc.spec, { owner: keyOf(spc), ...cloud });
  assert.ok(opened.kind === "opened" && opened.readObjects().ok);
}

const entry = (name: string, type = "secret", more = ""): string => `  - |\n    objectName: ${name}\n    objectType: ${type}\n${more}`;
const objects = (...entries: readonly string[]): string => `array:\n${entries.join("")}`;

function event(facts: Partial<ObjectEvent> = {}): ObjectEvent {
  const common = { kind: "object", change: "NewVersionCreated", types: ["secret"], version: "v2", time: 5 } as const;
  return { ...common, vaultHost: "shop.vault.azure.net", name: "db", ...facts };
}

function dispatch(given: VaultEvent): Promise<Dispatched> {
  const hints = {
    add: (classKey: string, { object, change, objects: asked }: HintNews) =>
      reported.push(`${classKey}: ${object} ${change}${asked === 1 && change !== "AccessChanged" ? "" : ` of ${asked}`}`) > 0,
  };
  return dispatchWith(hints, given, waiter);
}

function dispatchWith(hints: Pick<Hints, "add">, given: VaultEvent, waits: Waiter): Promise<Dispatched> {
  const options = {
    named,
    hints,
    classes: {
      get: ({ namespace = "", name }: { readonly namespace?: string; readonly name: string }) => classes.get(`${namespace}/${name}`),
      lost: () => lost,
    },
    isFetched: (spc: SecretProviderClass) => !off.has(keyOf(spc)),
    noteUnfetched: (classKey: string) => void unfetched.push(classKey),
    hasOtherShards,
    refusedObjects: (key: string) => refused.get(key) ?? 0,
    cloud,
  };
  return dispatchEvent(options, { event: given, waiter: waits, breaths: new Breaths() });
}

describe("an event", () => {
  beforeEach(() => {
    [classes, named, reported, refused, off, unfetched] = [new Map(), new NamedObjects(), [], new Map(), new Set(), []];
    lost = [];
    hasOtherShards = false;
  });

  test("ES-1: of a vault that no class names is foreign, or may be another shard's, where there are such", async () => {
    const access: VaultEvent = { kind: "access", vaultName: "shop", time: 5 };
    const outcomes = async (): Promise<readonly string[]> =>
      (await Promise.all([event(), access].map(dispatch))).map(({ outcome }) => outcome);

    assert.deepEqual(await outcomes(), ["foreign", "foreign"]);
    hasOtherShards = true;
    assert.deepEqual(await outcomes(), ["otherShard", "otherShard"]);
  });

  const forms: Readonly<Record<string, string>> = {
    "as the documentation writes it": objects(entry("DB")),
    "in quotes": 'array:\n  - "objectName: db\\nobjectType: secret\\n"',
    "as JSON in a list": 'array:\n  - \'{"objectName": "db", "objectType": "secret"}\'',
    "after a blank line and a tab": 'array:\n  - |\n\n    objectName:    "db"\n    objectType: secret',
  };
  for (const [form, text] of Object.entries(forms)) {
    test(`finds the class that names the object, ${form}, before it was read and after`, async () => {
      const spc = aClass("one", text);
      assert.deepEqual(await dispatch(event()), { outcome: "acted", waits: 1 });
      read(spc);
      assert.deepEqual(await dispatch(event()), { outcome: "acted", waits: 1 });
      assert.deepEqual(reported, ["team/one: secret/db NewVersionCreated", "team/one: secret/db NewVersionCreated"]);
    });
  }

  test("of a certificate finds the type that a class names, or all three where the class was not read yet", async () => {
    const spc = aClass("one", objects(entry("db", "key")));
    await dispatch(event({ types: ["cert", "secret", "key"] }));
    read(spc);
    await dispatch(event({ types: ["cert", "secret", "key"] }));
    assert.deepEqual(
      reported.map((line) => line.split(" ")[1]),
      ["cert/db", "secret/db", "key/db", "key/db"],
    );
  });

  test("finds a class that selects the object by its name, as the type that it selects", async () => {
    for (const [name, objectSelectors] of [
      ["pattern", "out: {names: shop-*}"],
      ["other", "out: {names: other-*}"],
      ["tags", "out: {tags: {a: b}}"],
      ["keys", "out: {names: shop-*, type: key}"],
      ["none", ""],
    ] as const)
      read(aClass(name, "array: []", { objectSelectors }));
    assert.deepEqual(await dispatch(event({ name: "shop-db" })), { outcome: "acted", waits: 2 });
    assert.deepEqual(reported.sort(), ["team/pattern: secret/shop-db NewVersionCreated", "team/tags: secret/shop-db NewVersionCreated"]);
  });

  test("is none of a class that names one version, that is off, that is gone, or that no longer names the object", async () => {
    read(aClass("pinned", objects(entry("db", "secret", `    objectVersion: ${"a".repeat(32)}\n`))));
    assert.deepEqual(await dispatch(event()), { outcome: "unnamed", waits: 0 });
    const gone = aClass("gone", objects(entry("db")));
    classes.delete(keyOf(gone));
    named.note({ previous: gone, current: undefined });
    aClass("changed", objects(entry("db")));
    aClass("changed", objects(entry("other")));
    aClass("off", objects(entry("db")));
    read(aClass("off-pinned", objects(entry("db", "secret", `    objectVersion: ${"a".repeat(32)}\n`))));
    for (const name of ["off", "off-pinned"]) off.add(`team/${name}`);
    assert.deepEqual(await dispatch(event()), { outcome: "unnamed", waits: 0 });
    assert.deepEqual(reported, []);
    assert.deepEqual(unfetched, ["team/off"], "RC3: remembered for the class's next use");
  });

  test("S20: reaches a class that is not restored yet, if that class may name the object", async () => {
    for (const name of ["db", "other"]) {
      const spc = aClass(name, objects(entry(name)));
      classes.delete(keyOf(spc));
      named.note({ previous: spc, current: undefined });
      lost.push(spc);
    }
    const access: VaultEvent = { kind: "access", vaultName: "shop", time: 5 };
    refused.set("team/other", 1);
    assert.deepEqual(await dispatch(event()), { outcome: "acted", waits: 1 });
    assert.deepEqual(await dispatch(event({ name: "else" })), { outcome: "unnamed", waits: 0 });
    assert.deepEqual(await dispatch(event({ vaultHost: "else.vault.azure.net" })), { outcome: "foreign", waits: 0 });
    assert.deepEqual(await dispatch(access), { outcome: "access", waits: 1 });
    assert.deepEqual(reported, ["team/db: secret/db NewVersionCreated", "team/other: refused AccessChanged of 1"]);
  });

  test("of a vault with the same name in another cloud is nobody's here", async () => {
    aClass("one", objects(entry("db")));
    aClass("china", objects(entry("db")), { cloudName: "AzureChinaCloud" });
    assert.equal((await dispatch(event({ vaultHost: "shop.vault.azure.cn" }))).outcome, "acted");
    assert.deepEqual(reported, ["team/china: secret/db NewVersionCreated"]);
    assert.equal((await dispatch(event({ vaultHost: "shop.vault.usgovcloudapi.net" }))).outcome, "unnamed");
    assert.equal((await dispatch(event({ vaultHost: "else.vault.azure.net" }))).outcome, "foreign");
  });

  test("of changed access has those classes look that were refused something, each once", async () => {
    for (const name of ["refused", "well"]) read(aClass(name, objects(entry("a"), entry("b", "cert"))));
    aClass("unread", objects(entry("a"), entry("b", "cert")));
    for (const name of ["refused", "unread"]) refused.set(`team/${name}`, "all");
    assert.deepEqual(await dispatch({ kind: "access", vaultName: "shop", time: 7 }), { outcome: "access", waits: 2 });
    assert.deepEqual(reported, ["team/refused: refused AccessChanged of 2", "team/unread: refused AccessChanged of 1"]);
    assert.deepEqual(await dispatch({ kind: "access", vaultName: "else", time: 7 }), { outcome: "foreign", waits: 0 });
  });

  test("CW-5: of changed access counts the lists that selectors need, so that no class gets its looks for nothing", async () => {
    const byNames = (...secretNames: readonly string[]): string => secretNames.map((name) => `${name}:\n  names: app-*\n`).join("");
    read(aClass("selecting", "array: []", { objectSelectors: byNames("out") }));
    read(aClass("both", objects(entry("a"), entry("b")), { objectSelectors: byNames("out") }));
    read(aClass("empty", "array: []"));
    for (const name of ["selecting", "both", "empty"]) refused.set(`team/${name}`, "all");
    await dispatch({ kind: "access", vaultName: "shop", time: 7 });
    assert.deepEqual(reported.toSorted(), [
      "team/both: refused AccessChanged of 3",
      "team/empty: refused AccessChanged of 1",
      "team/selecting: refused AccessChanged of 1",
    ]);
  });

  test("RC-7: of changed access asks for what was refused, however many objects the class has", async () => {
    read(aClass("large", objects(...Array.from({ length: 700 }, (_, index) => entry(`o${index}`)))));
    refused.set("team/large", 3);
    await dispatch({ kind: "access", vaultName: "shop", time: 7 });
    assert.deepEqual(reported, ["team/large: refused AccessChanged of 3"]);
  });

  test("RC-7: of changed access counts each refused object once, and the whole class where none is named", () => {
    const forbidden = (object: string) => ({ key: object, object, state: "Forbidden" }) as const;
    const inPart = { name: "s", state: "PartialSync", data: [forbidden("secret/a"), { ...forbidden("secret/a"), key: "b" }] } as const;
    const condition = { type: "Synced", status: "False", reason: "Forbidden" };
    for (const [status, expected] of [
      [{ conditions: [condition], secrets: [inPart], objects: [forbidden("key/c")] }, 2],
      [{ conditions: [condition], secrets: [{ name: "s", state: "Forbidden", data: [] }] }, "all"],
      [{ conditions: [], secrets: [{ name: "s", state: "Synced", data: [{ key: "k", object: "secret/a" }] }] }, 0],
    ] as const) {
      const live = { statuses: { get: () => status } } as unknown as Parameters<typeof pushedClasses>[1]; // The only part that is used here.
      const process = { limits: {}, shard: { count: 1 } } as unknown as Parameters<typeof pushedClasses>[0]; // As above.
      assert.equal(pushedClasses(process, live).refusedObjects("team/app"), expected);
    }
  });

  test("A18-5: of changed access is one hint for each class, and one message, however many objects and events there are", async () => {
    const all = Array.from({ length: 400 }, (_, index) => entry(`o${index}`));
    for (let index = 0; index < 20; index += 1) {
      read(aClass(`c${index}`, objects(...all)));
      refused.set(`team/c${index}`, "all");
    }
    const hints = new Hints({ clock: new ManualClock(), metrics: createPushMetrics(new Registry()), enqueue: () => undefined });
    let open = 0;
    for (let time = 0; time < 50; time += 1) {
      const given = await dispatchWith(hints, { kind: "access", vaultName: "shop", time }, { ended: () => void (open -= 1) });
      open += given.waits;
    }
    assert.equal(open, 20, "the last message waits for one look of each class");
    for (let index = 0; index < 20; index += 1) assert.equal(hints.of(`team/c${index}`).length, 1);
  });

  test("AF3: about thousands of classes leaves the thread to others in between, and reaches all of them", async () => {
    for (let index = 0; index < 3_000; index += 1) aClass(`c${index}`, objects(entry("db")));
    for (const given of [event(), { kind: "access", vaultName: "shop", time: 7 } as const]) {
      refused = new Map([...classes.keys()].map((key) => [key, "all"]));
      let [turns, isOver] = [0, false];
      const count = (): void => {
        turns += 1;
        if (!isOver) setImmediate(count);
      };
      setImmediate(count);
      const { waits } = await dispatch(given);
      isOver = true;
      assert.equal(waits, 3_000);
      assert.ok(turns >= 10, `others had ${turns} turns`);
    }
  });

  test("AF3: goes on with what a class is by then, where it changes in between", async () => {
    for (let index = 0; index < 1_000; index += 1) aClass(`c${index}`, objects(entry("db")));
    const dispatched = dispatch(event());
    await Promise.resolve();
    classes.delete("team/c998");
    off.add("team/c999");
    assert.deepEqual(await dispatched, { outcome: "acted", waits: 998 });
    assert.deepEqual(unfetched, ["team/c999"]);
  });
});
