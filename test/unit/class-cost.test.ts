/**
 * The cost of one class for the worker, which has one thread for all classes: the cost of a search must grow in proportion to the
 * size of the class.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Registry } from "prom-client";
import { objectIdOf } from "../../src/domain/content/object-file.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { ClassObject } from "../../src/domain/provider-class/object-rules.ts";
import { heldKeys } from "../../src/domain/sync/key-status.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import { planSecret } from "../../src/domain/sync/secret-plan.ts";
import type { KeyStatus } from "../../src/domain/sync/status-fields.ts";
import { rfc3339 } from "../../src/domain/sync/stored-time.ts";
import { pki } from "../../src/pki/pki.ts";
import { fetchObjects } from "../../src/sync/vault/fetch-objects.ts";
import { createObjectVersionCaches } from "../../src/sync/vault/object-version-cache.ts";
import { withBudget } from "../../src/sync/vault/vault-budget.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { checkVersions } from "../../src/sync/vault/version-check.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { ListedVaults } from "../support/worker/listed-vault.ts";
import { CountedReads } from "./counted-reads.ts";

const INTERVAL = 120_000;
const HOUR = 3_600_000;
const FEW = 60;
const TIMES_MORE = 4;

/**
 * Checks that the number of property reads grows in proportion to the size. A search that compares all with all makes sixteen times
 * as many reads.
 */
async function assertInProportion(readsFor: (size: number) => number | Promise<number>): Promise<void> {
  const [few, many] = [await readsFor(FEW), await readsFor(FEW * TIMES_MORE)];
  assert.ok(few >= FEW, `${few} reads for ${FEW}: the search was not counted`);
  assert.ok(many <= few * TIMES_MORE * 1.25, `${few} reads for ${FEW}, ${many} for ${FEW * TIMES_MORE}`);
}

interface Shape {
  readonly objectOf: (index: number) => Partial<ClassObject>;
  /** File of the entry at the index. */
  readonly fileOf: (index: number) => string;
  readonly keyOf?: (index: number) => string;
  /** Whether the objects exist in the vault, with the versions in the Secrets. */
  readonly isThere?: boolean;
  readonly kind?: "changes" | "repair";
  /** Number of versions of each object in the vault. */
  readonly versions?: (size: number) => number;
  readonly isRotated?: boolean;
  /** Whether the check finds no change. */
  readonly isAsWritten?: boolean;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  "as it was written": {
    objectOf: (index) => ({ name: `s${index}`, path: `s${index}` }),
    fileOf: (index) => `s${index}`,
    isAsWritten: true,
  },
  "with one object under many names, rotated since": {
    objectOf: (index) => ({ name: "s", path: `f${index}` }),
    fileOf: (index) => `f${index}`,
    isRotated: true,
  },
  "with objects that all make the same file": {
    objectOf: (index) => ({ name: `s${index}`, path: "f" }),
    fileOf: () => "f",
  },
  "with objects that are not there": {
    objectOf: (index) => ({ name: `s${index}`, path: "f" }),
    fileOf: (index) => `f.${index}`,
    isThere: false,
  },
  "with entries that all have the same key": {
    objectOf: (index) => ({ name: `s${index}`, path: `s${index}` }),
    fileOf: (index) => `s${index}`,
    keyOf: () => "k",
  },
  "with all versions of one object, under many names": {
    objectOf: (index) => ({ name: "s", path: `f${index}`, history: 1_000 }),
    fileOf: (index) => `f${index}/0`,
    versions: (size) => size,
  },
  "whose Secrets were damaged": {
    objectOf: (index) => ({ name: `s${index}`, path: `s${index}` }),
    fileOf: (index) => `f${index}`,
    kind: "repair",
  },
};

const MADE: ClassObject = {
  type: "secret",
  name: "",
  path: "",
  version: undefined,
  history: 0,
  format: "pem",
  encoding: "utf-8",
  filePermission: "",
};

/** Returns the number of reads of the class's objects, entries, and stored keys in the first check of a worker that has just started. */
async function readsOfCheck(shape: Shape, size: number): Promise<number> {
  const { objectOf, fileOf, keyOf = String, isThere = true, kind = "changes", versions = () => 1, isRotated, isAsWritten } = shape;
  const clock = new ManualClock();
  await clock.advance(HOUR);
  const vaults = new ListedVaults(clock);
  const all = Array.from({ length: size }, (_, index) => ({ ...MADE, ...objectOf(index) }));
  const made = isThere ? versions(size) : 0;
  for (let version = 0; version < made; version += 1) vaults.set(...new Set(all.map(({ name }) => name)));
  const updated = rfc3339(clock.now());
  const keyFor = (object: ClassObject, index: number): KeyStatus => {
    const version = vaults.current(object.name)?.version ?? "v";
    return { key: keyOf(index), object: objectIdOf(object), version, updated };
  };
  const written = all.map(keyFor);
  await clock.advance(HOUR);
  if (isRotated === true) vaults.set(...all.slice(0, 1).map(({ name }) => name));
  await clock.advance(HOUR);
  const reads = new CountedReads();
  const objects = reads.ofEach(all);
  const data = reads.ofEach(all.map((_, index) => ({ objectName: fileOf(index), key: keyOf(index) })));
  const keys = reads.ofEach(written);
  const metrics = createVaultMetrics(new Registry());
  const address = { vaultUrl: "https://kv.vault.azure.net/", authorityHost: "https://login.microsoftonline.com/", tenantId: "t" };
  const client = withBudget(vaults, { clock, random: () => 0, metrics }).clientFor(
    address,
    { kind: "managedIdentity", clientId: "app" },
    "team",
  );
  const versionCache = createObjectVersionCaches({ clock, metrics, onChange: () => true })(client);
  const timing = { due: clock.now(), interval: INTERVAL, period: INTERVAL, credentialsMs: 0 };
  const intact = new Set(kind === "changes" ? ["out"] : []);
  const fetchRequest = {
    kind,
    ...timing,
    intact,
    stored: [{ name: "out", state: "Synced", data: keys }],
    checked: clock.now() - HOUR,
  } as const;
  const secretObjects = [{ secretName: "out", type: "Opaque", data }];
  reads.count = 0;
  const input = { classKey: "team/one", objects, secretObjects, leaving: new Set<ClassObject>(), fetchRequest, now: clock.now() };
  const { unchanged } = await checkVersions(versionCache, input, new AbortController().signal);
  const { count } = reads;
  assert.equal(unchanged.size === 1, isAsWritten === true);
  return count;
}

describe("a class", () => {
  for (const [what, shape] of Object.entries(SHAPES)) {
    test(`A-21: ${what}, costs a check in proportion to its size`, () => assertInProportion((size) => readsOfCheck(shape, size)));
  }

  test("A-21: with too many versions together, costs a fetch in proportion to its objects", () =>
    assertInProportion(async (size) => {
      const reads = new CountedReads();
      const history = reads.ofEach(Array.from({ length: size }, (_, index) => ({ ...MADE, name: "s", path: `f${index}`, history: 1_000 })));
      const listed = Array.from({ length: size }, (_, created) => ({ version: `v${created}`, isEnabled: true, created }));
      const refused = () => Promise.reject(new VaultError("NotFound", "no s", { retry: { kind: "never" }, origin: "vault" }));
      const listVersions = async function* () {
        yield listed;
      };
      const client = { getSecret: refused, getKey: refused, getCertificate: refused, listVersions };
      const render = { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles: false };
      const { failures } = await fetchObjects({ client, render }, history, new AbortController().signal);
      assert.equal(failures.length, size);
      return reads.count;
    }));

  test("A-21: that no longer names the keys of its Secret, costs a plan in proportion to their number", () =>
    assertInProportion((size) => {
      const reads = new CountedReads();
      const keys = reads.of(Array.from({ length: size }, (_, index) => `k${index}`));
      const owned = { data: Array.from({ length: size }, (_, index) => `old${index}`), labels: [], annotations: [] };
      const observed = { type: "Opaque", isContentIntact: false, annotations: {}, labels: {}, owned } as unknown as ObservedSecret; // Contains only the fields that the plan reads.
      const wanted = { name: "out", type: "Opaque", labels: {}, annotations: {}, keys, objects: [], fingerprint: "" };
      const action = planSecret(wanted, { className: "c", observed, isClaimedBy: () => false });
      assert.equal(action.kind === "apply" && action.removed.data.length, size);
      return reads.count;
    }));

  test("A-21: with a key that is stored many times, costs a status in proportion to their number", () =>
    assertInProportion((size) => {
      const reads = new CountedReads();
      const found = Array.from({ length: size }, (_, index) => ({ key: "k", object: `secret/new${index}`, version: "v" }));
      const stored = reads.ofEach(Array.from({ length: size }, (_, index) => ({ key: "k", object: `secret/s${index}`, version: "v" })));
      assert.equal(heldKeys(found, stored).length, size);
      return reads.count;
    }));
});
