import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RestError } from "@azure/keyvault-secrets";
import fc from "fast-check";
import type { VaultClient } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { VaultObjectKind } from "../../src/domain/ports/vault-object.ts";
import { answerTo, challengeTo, VAULT_URL, vaultOverHttp } from "../support/worker/vault-over-http.ts";

/** A vault whose list has pages of these sizes, and the requests whose connection it resets instead of a response. */
interface ListedVault {
  readonly pages: readonly number[];
  readonly resets: ReadonlySet<number>;
}

/** Returns an item in the format of its kind. The id contains the name and the version of the item. */
function itemOf(kind: string, index: number, isVersion: boolean): object {
  const id = isVersion ? `${VAULT_URL}${kind}/db/${String(index).padStart(32, "0")}` : `${VAULT_URL}${kind}/object-${index}`;
  return { [kind === "keys" ? "kid" : "id"]: id, attributes: { enabled: true, created: 1_700_000_000, updated: 1_700_000_000 } };
}

function clientOf({ pages, resets }: ListedVault): VaultClient {
  let requests = 0;
  return vaultOverHttp(async (request) => {
    const index = requests;
    requests += 1;
    if (resets.has(index)) throw new RestError("socket hang up", { code: "ECONNRESET", request });
    const challenge = challengeTo(request);
    if (challenge !== undefined) return challenge;
    const url = new URL(request.url);
    const [kind = "", , versions] = url.pathname.split("/").filter((part) => part !== "");
    const page = Number(url.searchParams.get("$skiptoken") ?? "0");
    const before = totalOf({ pages: pages.slice(0, page) });
    const value = Array.from({ length: pages[page] ?? 0 }, (_, at) => itemOf(kind, before + at, versions !== undefined));
    url.searchParams.set("$skiptoken", String(page + 1));
    return answerTo(request, 200, { value, nextLink: page + 1 < pages.length ? url.href : null });
  });
}

type Listing = (client: VaultClient, signal: AbortSignal) => Promise<number>;

const objectsOf =
  (kind: VaultObjectKind): Listing =>
  async (client, signal) => {
    const names = new Set<string>();
    for await (const page of client.listObjects(kind, signal)) for (const { name } of page) names.add(name);
    return names.size;
  };

const OBJECTS: readonly (readonly [string, Listing])[] = [
  ["secrets", objectsOf("secret")],
  ["keys", objectsOf("key")],
  ["certificates", objectsOf("certificate")],
];

const versionsOf =
  (kind: VaultObjectKind): Listing =>
  async (client, signal) =>
    (await Array.fromAsync(client.listVersions(kind, "db", signal))).flat().length;

const VERSIONS: readonly (readonly [string, Listing])[] = [
  ["a secret", versionsOf("secret")],
  ["a key", versionsOf("key")],
  ["a certificate", versionsOf("certificate")],
];

/** Returns the number of listed objects, or "error". */
async function resultOf(list: Listing, vault: ListedVault): Promise<number | "error"> {
  try {
    return await list(clientOf(vault), new AbortController().signal);
  } catch (error) {
    assert.ok(error instanceof VaultError, String(error));
    return "error";
  }
}

const totalOf = ({ pages }: Pick<ListedVault, "pages">): number => pages.reduce((sum, size) => sum + size, 0);

const vaults = fc.record({
  pages: fc.array(fc.integer({ min: 0, max: 25 }), { minLength: 1, maxLength: 6 }),
  resets: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }).map((indices) => new Set(indices)),
});

async function isCompleteOrError(list: Listing): Promise<void> {
  const run = await fc.check(
    fc.asyncProperty(vaults, async (vault) => {
      const found = await resultOf(list, vault);
      return found === "error" || found === totalOf(vault);
    }),
    { numRuns: 60 },
  );
  assert.ok(!run.failed, fc.defaultReportMessage(run));
}

async function bearsOneReset(list: Listing): Promise<void> {
  const pages = [25, 0, 25, 10];
  for (let index = 0; index <= pages.length; index += 1)
    assert.equal(await resultOf(list, { pages, resets: new Set([index]) }), totalOf({ pages }), `request ${index}`);
  // The control: if the vault resets the connection for every attempt, the list fails.
  assert.equal(await resultOf(list, { pages, resets: new Set([2, 3, 4, 5, 6, 7]) }), "error");
}

describe("a list of objects whose connections are reset", () => {
  for (const [what, list] of OBJECTS) {
    test(`C6: is complete or an error, at whatever requests that happens: ${what}`, () => isCompleteOrError(list));
    test(`C6: is complete where one request was reset, whichever it was: ${what}`, () => bearsOneReset(list));
  }
});

describe("a list of versions whose connections are reset", () => {
  for (const [what, list] of VERSIONS) {
    test(`is complete or an error, at whatever requests that happens: ${what}`, () => isCompleteOrError(list));
    test(`is complete where one request was reset, whichever it was: ${what}`, () => bearsOneReset(list));
  }
});
