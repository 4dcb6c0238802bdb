import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { pki } from "../../src/pki/pki.ts";
import { createVaultMetrics } from "../../src/sync/vault-metrics.ts";
import { createMirrors } from "../../src/sync/vault-mirror.ts";
import { ListedVaults } from "../support/listed-vault.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { type Look, reasonOf, StoredClass } from "../support/stored-class.ts";

const INTERVAL = 120_000;
const TENANT = "aaaaaaaa-0000-0000-0000-000000000001";

let clock: ManualClock;
let vaults: ListedVaults;
let registry: Registry;
let mirror: ReturnType<typeof createMirrors>;
/** Classes that were told of a change. */
let told: string[];

/** What a worker that starts now has: nothing. */
function startWorker(): void {
  registry = new Registry();
  told = [];
  mirror = createMirrors({
    vaults,
    clock,
    random: () => 0,
    vaultMetrics: createVaultMetrics(registry),
    onChange: (classKey) => told.push(classKey) > 0,
    render: { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles: false },
    // Managed identities need nothing of the cluster.
    kube: Object.create(null),
    credentialsSecretNames: [],
    consumers: { credentialsSecretsOf: () => [], accountsOf: () => [] },
    limits: { vaults: [], identityModes: [] },
    cloudName: "AzurePublicCloud",
    readCloudFile: undefined,
  });
}

interface Facts {
  readonly objects: readonly string[];
  readonly clientId?: string;
  readonly vault?: string;
  readonly entry?: Readonly<Record<string, string>>;
}

function aClass(name: string, { objects, clientId = "app", vault = "vault-1", entry = {} }: Facts) {
  const parameters = { useVMManagedIdentity: "true", userAssignedIdentityID: clientId };
  const made = new StoredClass(name, { objects, vault, tenantId: TENANT, parameters, entry });
  const now = () => ({ due: clock.now(), interval: INTERVAL });
  return {
    first: () => made.first(mirror, now()),
    poll: (look: Partial<Look> = {}) => made.poll(mirror, { ...now(), ...look }),
    get versions() {
      return made.versions;
    },
    get stored() {
      return made.stored;
    },
  };
}

/** Synced, long after the objects were made, with their second well over. */
async function synced(facts: Facts, name = "class"): Promise<ReturnType<typeof aClass>> {
  const made = aClass(name, facts);
  await made.first();
  vaults.taken();
  await clock.advance(INTERVAL);
  return made;
}

async function givenObjects(...names: readonly string[]): Promise<void> {
  vaults.set(...names);
  await clock.advance(600_000);
}

beforeEach(() => {
  clock = new ManualClock();
  // Off by less than a sign-in bears: nothing below may depend on the two clocks agreeing.
  vaults = new ListedVaults(clock, 180_000);
  startWorker();
});

describe("a poll at rest", () => {
  test("costs one list an interval, a transaction for each 25 objects, for all classes of an identity", async () => {
    const names = Array.from({ length: 200 }, (_, index) => `object-${index}`);
    await givenObjects(...names);
    const classes = Array.from({ length: 40 }, (_, index) => aClass(`class-${index}`, { objects: names.slice(index * 5, index * 5 + 5) }));
    for (const one of classes) await one.first();
    vaults.taken();

    for (let round = 0; round < 5; round += 1) {
      await clock.advance(INTERVAL / 2);
      for (const one of classes) {
        await clock.advance(INTERVAL / 2 / classes.length);
        await one.poll();
      }
    }

    assert.deepEqual(
      vaults.taken(),
      Array.from({ length: 5 * 8 }, () => "app: list secrets"),
    );
    // The control: the same polls notice a change.
    vaults.set("object-7");
    await clock.advance(INTERVAL);
    await classes[1]?.poll();
    assert.ok(vaults.taken().includes("app: get object-7"));
  });

  test("takes its list once an interval, however late a poll runs", async () => {
    await givenObjects("a");
    const one = await synced({ objects: ["a"] });
    const due = clock.now();
    for (const late of [0, 4_000, 1_000, 0]) {
      await clock.advance(late);
      await one.poll({ due: due + INTERVAL * vaults.requests.length });
      await clock.advance(INTERVAL - late);
    }
    assert.equal(vaults.taken().length, 4);
  });

  test("asks for what is wanted one by one where the vault has more pages than that, and lists again once more is wanted", async () => {
    const others = Array.from({ length: 100 }, (_, index) => `other-${index}`);
    await givenObjects("a", ...others);
    const one = await synced({ objects: ["a"] });
    await one.poll();
    assert.equal(vaults.taken().length, 5);

    await clock.advance(INTERVAL);
    await one.poll();
    assert.deepEqual(vaults.taken(), ["app: get a"]);

    const many = await synced({ objects: others.slice(0, 9) }, "many");
    await many.poll();
    assert.equal(vaults.taken().filter((request) => request === "app: list secrets").length, 5);
  });

  test("asks for each object once an interval where the identity may not list, whoever names it, and for the list an hour later", async () => {
    await givenObjects("a", "b");
    vaults.refuse("app", "list");
    const [one, other] = [await synced({ objects: ["a", "b"] }, "one"), await synced({ objects: ["b"] }, "other")];

    await one.poll();
    await clock.advance(INTERVAL / 3);
    await other.poll();
    assert.deepEqual(vaults.taken(), ["app: list secrets", "app: get a", "app: get b"]);

    await clock.advance((INTERVAL * 2) / 3);
    await one.poll();
    assert.deepEqual(vaults.taken(), ["app: get a", "app: get b"]);

    await clock.advance(3_600_000);
    await one.poll();
    assert.ok(vaults.taken().includes("app: list secrets"));
  });
});

describe("a changed object", () => {
  test("is got once for all classes that name it, and they are told at once", async () => {
    await givenObjects("shared", "own");
    const [one, other] = [await synced({ objects: ["shared", "own"] }, "one"), await synced({ objects: ["shared"] }, "other")];
    vaults.set("shared");

    await clock.advance(INTERVAL);
    await one.poll();
    assert.deepEqual(vaults.taken(), ["app: list secrets", "app: get shared"]);
    assert.ok(told.includes("team/other"));

    await other.poll();
    assert.deepEqual(vaults.taken(), []);
    assert.deepEqual(other.versions, one.versions.slice(0, 1));
    assert.equal(other.versions[0], vaults.current("shared")?.version);
  });

  test("is not missed where it changed again within the second in which it was got", async () => {
    await givenObjects("a");
    const one = await synced({ objects: ["a"] });
    await clock.advance(1_000 - (clock.now() % 1_000));
    vaults.set("a");
    const first = vaults.current("a");
    await one.poll();
    assert.equal(one.versions[0], first?.version);

    await clock.advance(700);
    vaults.set("a");
    const second = vaults.current("a");
    assert.equal(second?.updated, first?.updated, "the list shows no difference");
    assert.notEqual(second?.version, first?.version);

    await clock.advance(INTERVAL);
    await one.poll();
    assert.equal(one.versions[0], second?.version);

    // And once its second is over it is at rest.
    await clock.advance(INTERVAL);
    vaults.taken();
    await one.poll();
    assert.deepEqual(vaults.taken(), ["app: list secrets"]);
  });

  test("is not missed where the worker started anew in between", async () => {
    await givenObjects("a");
    await clock.advance(1_000 - (clock.now() % 1_000));
    vaults.set("a");
    const one = aClass("class", { objects: ["a"] });
    await one.first();
    await clock.advance(700);
    vaults.set("a");

    startWorker();
    await clock.advance(INTERVAL);
    await one.poll();

    assert.equal(one.versions[0], vaults.current("a")?.version);
  });

  test("of the past costs no GET after a start of the worker", async () => {
    await givenObjects("a", "b");
    const one = await synced({ objects: ["a", "b"] });

    startWorker();
    await one.poll();

    assert.deepEqual(vaults.taken(), ["app: list secrets"]);
  });

  test("that was disabled, enabled again or deleted is noticed, and asked for once each time", async () => {
    await givenObjects("a", "b");
    const one = await synced({ objects: ["a", "b"] });
    const next = async (): Promise<string> => {
      await clock.advance(INTERVAL);
      return reasonOf(await one.poll());
    };
    vaults.enable("a", false);
    assert.deepEqual([await next(), await next()], ["ObjectDisabled", "ObjectDisabled"]);
    assert.deepEqual(vaults.taken(), ["app: list secrets", "app: get a", "app: list secrets"]);
    assert.equal(one.stored[1]?.state, "Synced");

    vaults.enable("a", true);
    assert.equal(await next(), "Synced");
    vaults.taken();

    vaults.delete("a");
    assert.deepEqual([await next(), await next()], ["ObjectNotFound", "ObjectNotFound"]);
    assert.deepEqual(vaults.taken(), ["app: list secrets", "app: get a", "app: list secrets"]);

    vaults.set("a");
    assert.equal(await next(), "Synced");
  });

  test("is asked for again at each poll while another refusal than its own state holds", async () => {
    await givenObjects("a");
    const one = await synced({ objects: ["a"] });
    vaults.refuse("app", "get");
    vaults.set("a");
    for (let round = 0; round < 2; round += 1) {
      await clock.advance(INTERVAL);
      assert.equal(reasonOf(await one.poll()), "Forbidden");
    }
    vaults.refuse("app");
    await clock.advance(INTERVAL);
    assert.equal(reasonOf(await one.poll()), "Synced");
    assert.equal(one.versions[0], vaults.current("a")?.version);
  });
});

describe("what one identity has seen", () => {
  test("is nothing to another: each is answered, or refused, by the vault itself", async () => {
    await givenObjects("a");
    vaults.refuse("stranger", "get", "list");
    const [own, foreign] = [aClass("own", { objects: ["a"] }), aClass("foreign", { objects: ["a"], clientId: "stranger" })];

    const answers = await Promise.all([own.first(), foreign.first()]);
    assert.deepEqual(answers.map(reasonOf), ["Synced", "Forbidden"]);
    assert.deepEqual(vaults.taken(), ["app: get a", "stranger: get a"]);

    const friend = aClass("friend", { objects: ["a"], clientId: "friend" });
    await friend.first();
    assert.deepEqual(vaults.taken(), ["friend: get a"]);
  });

  test("is shared while it is under way: classes that are applied together cost one GET for an object", async () => {
    await givenObjects("a");
    const classes = Array.from({ length: 6 }, (_, index) => aClass(`class-${index}`, { objects: ["a"] }));

    const answers = await Promise.all(classes.map((one) => one.first()));

    assert.deepEqual(
      answers.map(reasonOf),
      classes.map(() => "Synced"),
    );
    assert.deepEqual(vaults.taken(), ["app: get a"]);
  });
});

describe("an object that a class names by its version", () => {
  test("is asked for once a day", async () => {
    vaults.set("a");
    const version = vaults.current("a")?.version ?? "";
    await givenObjects("a");
    const one = await synced({ objects: ["a"], entry: { objectVersion: version } });
    await one.poll();
    assert.deepEqual(vaults.taken(), []);

    vaults.enable("a", false, version);
    await clock.advance(86_400_000);
    assert.equal(reasonOf(await one.poll()), "ObjectDisabled");
  });

  test("is asked for within a day of a start, and not by all classes at once", async () => {
    vaults.set("a");
    const version = vaults.current("a")?.version ?? "";
    await givenObjects("a");
    const one = await synced({ objects: ["a"], entry: { objectVersion: version } });
    startWorker();
    for (let hour = 0; hour <= 24; hour += 1) {
      await one.poll();
      await clock.advance(3_600_000);
    }
    assert.deepEqual(vaults.taken(), [`app: get a@${version}`]);
  });
});

describe("an object with its history", () => {
  test("costs a list of its versions, and a new version is got", async () => {
    await givenObjects("a");
    const one = await synced({ objects: ["a"], entry: { objectVersionHistory: "2" } });
    await one.poll();
    assert.deepEqual(vaults.taken(), ["app: versions a"]);

    vaults.set("a");
    await clock.advance(INTERVAL);
    await one.poll();
    assert.equal(one.versions[0], vaults.current("a")?.version);
    assert.equal(vaults.taken()[0], "app: versions a");
  });
});

describe("a repair", () => {
  test("asks for the objects of the damaged Secret alone", async () => {
    await givenObjects("a", "b", "c");
    const one = await synced({ objects: ["a", "b", "c"] });

    const answer = await one.poll({ kind: "repair", intact: new Set(["a", "c"]) });

    assert.deepEqual(vaults.taken(), ["app: get b"]);
    assert.deepEqual(answer.kind === "answered" && answer.secrets.map(({ kind }) => kind), ["unchanged", "desired", "unchanged"]);
  });
});

describe("a vault in trouble", () => {
  const throttling = (retryAfter: number | undefined): VaultError =>
    new VaultError("Throttled", "429", {
      retry: retryAfter === undefined ? { kind: "backoff" } : { kind: "after", milliseconds: retryAfter },
    });
  const away = new VaultError("Unreachable", "no connection", { retry: { kind: "backoff" } });
  const isOf = (vault: string, error: VaultError) => (vaultUrl: string) => (vaultUrl.startsWith(`https://${vault}.`) ? error : undefined);

  for (const retryAfter of [undefined, 20_000]) {
    test(`is left alone after a 429 ${retryAfter === undefined ? "without" : "with"} Retry-After, and the others are not`, async () => {
      await givenObjects("a", "b");
      const [one, second] = [await synced({ objects: ["a"] }, "one"), await synced({ objects: ["b"] }, "second")];
      const elsewhere = await synced({ objects: ["a"], vault: "quiet" }, "elsewhere");
      vaults.failure = isOf("vault-1", throttling(retryAfter));

      const answer = await one.poll();
      assert.equal(reasonOf(answer), "Throttled");
      assert.deepEqual(answer.kind === "refused" && answer.retry, { kind: "after", milliseconds: retryAfter ?? 1_000 });
      vaults.taken();
      assert.equal(reasonOf(await second.poll()), "Throttled");
      assert.deepEqual(vaults.taken(), []);
      assert.equal(reasonOf(await elsewhere.poll()), "Synced");

      vaults.failure = undefined;
      await clock.advance(retryAfter ?? 1_000);
      const [waiting] = [second.poll()];
      await clock.advance(1_000);
      assert.equal(reasonOf(await waiting), "Synced");
    });
  }

  test("is polled less often after a 429, and as before once it has answered for a while", async () => {
    await givenObjects("a");
    const one = await synced({ objects: ["a"] });
    await one.poll();
    vaults.failure = isOf("vault-1", throttling(undefined));
    await one.poll({ kind: "repair", intact: new Set() });
    vaults.failure = undefined;
    vaults.taken();
    await clock.advance(INTERVAL);
    await one.poll();
    assert.deepEqual(vaults.taken(), [], "the list of two intervals ago still counts");

    for (let round = 0; round < 3; round += 1) {
      await clock.advance(INTERVAL);
      await one.poll();
    }
    assert.equal(vaults.taken().length, 3);
  });

  test("that does not answer is left alone, and tried by one request at a time until it does", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `object-${index}`);
    await givenObjects(...names);
    const classes = await Promise.all(names.map((name) => aClass(name, { objects: [name] })).map(async (one) => (await one.first(), one)));
    vaults.taken();
    await clock.advance(INTERVAL);
    vaults.failure = isOf("vault-1", away);

    for (const one of classes) assert.equal(reasonOf(await one.poll()), "Unreachable");
    assert.equal(vaults.taken().length, 5);

    await clock.advance(5_000);
    for (const one of classes) await one.poll();
    assert.equal(vaults.taken().length, 1);

    vaults.failure = undefined;
    await clock.advance(10_000);
    for (const one of classes) assert.equal(reasonOf(await one.poll()), "Synced");
    assert.deepEqual(vaults.taken(), ["app: list secrets"]);
  });

  test("is told in the same words by every class until it is over, whichever request met it", async () => {
    await givenObjects("a", "b");
    const classes = [await synced({ objects: ["a"] }, "one"), await synced({ objects: ["b"] }, "two")];
    let attempts = 0;
    vaults.failure = (vaultUrl) => {
      attempts += 1;
      return new VaultError("Unreachable", `list the secrets from ${vaultUrl}: no connection, for the ${attempts}. time`, {
        retry: { kind: "backoff" },
      });
    };
    const told = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      for (const one of classes) {
        const answer = await one.poll();
        told.add(answer.kind === "refused" ? answer.message : "");
      }
      await clock.advance(7_000);
    }

    assert.deepEqual([...told], ["https://vault-1.vault.azure.net/: no connection, for the 1. time"]);
    assert.ok(attempts > 5);
  });

  test("shows in the metrics, and no other vault does", async () => {
    await givenObjects("a");
    const one = await synced({ objects: ["a"] });
    vaults.failure = isOf("vault-1", throttling(undefined));
    await one.poll();

    const text = await registry.metrics();
    assert.match(text, /vault_requests_total\{kind="secret",operation="list",outcome="throttled"\} 1/);
    assert.match(text, /vault_throttled_total\{vault="vault-1\.vault\.azure\.net"\} 1/);
    assert.match(text, /vault_rate\{vault="vault-1\.vault\.azure\.net"\} 150/);
    assert.match(text, /vault_breaker_open\{vault="vault-1\.vault\.azure\.net"\} 0/);
  });
});
