import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, describe, test } from "node:test";

import { ListedVersions } from "../../src/azure/answer-size.ts";
import { createSignIn } from "../../src/azure/sign-in.ts";
import { createVaultClient } from "../../src/azure/vault-client.ts";
import type { VaultAddress, VaultClient } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { ListedObject } from "../../src/domain/ports/vault-object.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { VaultListings } from "../../src/sync/vault/vault-listings.ts";
import { eventually } from "../support/time/eventually.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { type HttpsService, jsonOf, startHttpsService, writeEndlessly, writePacked, writePackedEndlessly } from "./https-service.ts";

const MIB = 1_048_576;
/** Bytes of an endless body that its sender and the connection hold before they notice that the client stopped reading. */
const ON_THE_WAY = 8 * MIB;
const TENANT = "aaaaaaaa-0000-0000-0000-000000000001";
const SECRET = { id: "https://kv.vault.azure.net/secrets/a/v1", attributes: { enabled: true } };

let service: HttpsService | undefined;

afterEach(async () => {
  await service?.close();
  service = undefined;
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

function addressOf(url: string): VaultAddress {
  return { vaultUrl: url, authorityHost: url, tenantId: TENANT, customScope: "https://localhost/.default" };
}

function isChallenged(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.headers.authorization !== undefined) return false;
  const challenge = `Bearer authorization="https://login.microsoftonline.com/${TENANT}", resource="https://localhost"`;
  response.writeHead(401, { "www-authenticate": challenge }).end();
  return true;
}

async function startVault(answer: Answer): Promise<VaultClient> {
  service = await startHttpsService(answer);
  const { url, network } = service;
  const credential = { getToken: async () => ({ token: "t", expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const signIn = { credential, assertion: { issuer: undefined }, forget: () => undefined };
  return createVaultClient(addressOf(url), { kind: "managedIdentity", clientId: undefined }, { network, signIn, timeoutMs: 5_000 });
}

/** A vault that gives this answer to requests with a token. */
const vaultThat = (answer: Answer): Promise<VaultClient> =>
  startVault((request, response) => {
    if (!isChallenged(request, response)) answer(request, response.setHeader("content-type", "application/json"));
  });

const unasked = (): never => assert.fail("only lists are asked for");
const unused = {
  getSecret: unasked,
  getKey: unasked,
  getCertificate: unasked,
  listVersions: unasked,
};

const signal = new AbortController().signal;

async function assertTooLarge(call: Promise<unknown>, limit: string): Promise<void> {
  const error = await call.then(
    () => assert.fail("it was read"),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof VaultError, String(error));
  assert.deepEqual([error.code, error.origin, error.retry], ["Unreachable", "vault", { kind: "backoff" }]);
  assert.ok(error.message.includes(`no valid response (more than ${limit})`), error.message);
}

describe("an answer of a vault", () => {
  test("without an end is not read beyond 1 MiB, and its connection ends", async () => {
    const client = await vaultThat((_, response) => writeEndlessly(response, '{"value":"'));

    await assertTooLarge(client.getSecret("a", undefined, signal), "1024 KiB");

    await eventually(() => service?.cut() === 1);
    assert.ok((service?.sent() ?? 0) < ON_THE_WAY, `${service?.sent()} bytes`);
  });

  test("that is small only while it is compressed is not unpacked beyond 1 MiB", async () => {
    const client = await vaultThat((_, response) => writePackedEndlessly(response, '{"value":"'));

    await assertTooLarge(client.getSecret("a", undefined, signal), "1024 KiB");

    await eventually(() => service?.cut() === 1);
    assert.ok((service?.sent() ?? 0) < MIB, `${service?.sent()} bytes`);
  });

  test("to a request without a token is bounded as well", async () => {
    const client = await startVault((_, response) =>
      writeEndlessly(response.writeHead(401, { "content-type": "application/json" }), '{"error":"'),
    );

    await assertTooLarge(client.getSecret("a", undefined, signal), "1024 KiB");
  });

  for (const how of ["plain", "compressed"] as const)
    test(`of half the limit is read whole: ${how}`, async () => {
      const text = jsonOf('{"value":"', MIB / 2, `",${JSON.stringify(SECRET).slice(1)}`);
      const client = await vaultThat((_, response) => (how === "plain" ? response.end(text) : writePacked(response, text)));

      const { value, version } = await client.getSecret("a", undefined, signal);

      assert.deepEqual([value.byteLength, version], [MIB / 2, "v1"]);
    });

  test("that is no gzip though it says so is told as one that cannot be read", async () => {
    const client = await vaultThat((_, response) => response.setHeader("content-encoding", "gzip").end("{}"));

    await assert.rejects(
      client.getSecret("a", undefined, signal),
      (error) => error instanceof VaultError && /PARSE_ERROR/.test(error.message),
    );
  });

  test("whose connection breaks in the middle is told as one that cannot be read, and is not asked for again", async () => {
    let asked = 0;
    const client = await vaultThat((request, response) => {
      asked += 1;
      response.setHeader("content-length", "100").write("{");
      setImmediate(() => request.socket.destroy());
    });

    await assert.rejects(
      client.getSecret("a", undefined, signal),
      (error) => error instanceof VaultError && /PARSE_ERROR/.test(error.message),
    );
    assert.equal(asked, 1);
  });

  test("whose id is longer than an address is refused: it would be kept", async () => {
    const client = await vaultThat((_, response) => {
      response.end(JSON.stringify({ value: "x", ...SECRET, id: `https://kv.vault.azure.net/secrets/${"a".repeat(2_000)}/v1` }));
    });

    await assertTooLarge(client.getSecret("a", undefined, signal), "1024 characters in an id");
  });
});

describe("a list of a vault", () => {
  const pageOf = (count: number, page: number) =>
    Array.from({ length: count }, (_, index) => ({
      id: `https://kv.vault.azure.net/secrets/a/v${page}x${index}`,
      attributes: { enabled: true },
    }));

  test("of versions without an end is left after 25,000, and the class hears why", async () => {
    let pages = 0;
    const client = await vaultThat((_, response) => {
      pages += 1;
      response.end(JSON.stringify({ value: pageOf(5_000, pages), nextLink: `${service?.url}secrets/a/versions?page=${pages}` }));
    });

    const error = await Array.fromAsync(client.listVersions("secret", "a", AbortSignal.timeout(20_000))).then(
      () => undefined,
      (failure: unknown) => failure,
    );

    assert.ok(error instanceof VaultError, String(error));
    assert.deepEqual([error.code, error.origin], ["Invalid", "vault"]);
    assert.match(error.message, /more than 25000 versions/);
    assert.equal(pages, 6);
  });

  test("of 25,000 versions is read whole", async () => {
    const listed = new ListedVersions();

    for (let page = 0; page < 1_000; page += 1) listed.add(25, 100);

    assert.throws(() => listed.add(1, 100), { message: "more than 25000 versions" });
  });

  test("of versions that its vault is slow to list is given up for good, and is no silence of the vault", async () => {
    const listed = new ListedVersions();

    for (let page = 0; page < 12; page += 1) listed.add(25, 10_000);

    assert.throws(() => listed.add(25, 10_000), { name: "TooManyVersions", message: "more versions than its vault lists in 120 s" });
  });

  test("of objects is bounded by the page", async () => {
    const client = await vaultThat((_, response) => writeEndlessly(response, '{"value":["'));

    await assertTooLarge(client.listObjects("secret", signal)[Symbol.asyncIterator]().next(), "1024 KiB");
  });
});

describe("the list of a vault's objects", () => {
  const listingsOf = (perPage: number): { readonly listings: VaultListings; readonly pages: () => number } => {
    let pages = 0;
    async function* listObjects(): AsyncGenerator<readonly ListedObject[]> {
      for (; pages < 20; pages += 1)
        yield Array.from({ length: perPage }, (_, index) => ({ name: `${pages}-${index}`, isEnabled: true, updated: 1 }));
    }
    const client = { stretchFor: () => 1, inLineOf: () => ({ ...unused, listObjects }) };
    const listings = new VaultListings({
      client,
      clock: new ManualClock(),
      wanted: () => 30,
      selectedTags: () => undefined,
      onTaken: () => undefined,
    });
    return { listings, pages: () => pages };
  };
  const poll = { due: 0, interval: 1_000, period: 1_000, namespace: "n" };

  test("is left after 10,000, and not taken again that day", async () => {
    const { listings, pages } = listingsOf(3_000);

    assert.equal(await listings.current("secret", poll, signal), undefined);
    assert.equal(pages(), 3);
    assert.equal(await listings.current("secret", { ...poll, due: 5_000 }, signal), undefined);
    assert.equal(pages(), 3);
  });

  test("of 10,000 is taken", async () => {
    const { listings } = listingsOf(500);

    assert.equal((await listings.current("secret", poll, signal))?.objects.size, 10_000);
  });
});

describe("an answer of a token service", () => {
  async function signInAt(answer: Answer): Promise<unknown> {
    service = await startHttpsService(answer);
    const identity = { kind: "servicePrincipal", clientId: "app", clientSecret: Sensitive.ofText("s") } as const;
    const { credential } = createSignIn(addressOf(service.url), identity, { network: service.network, timeoutMs: 5_000 });
    return credential.getToken("https://localhost/.default").then(
      () => assert.fail("there is a token"),
      (error: unknown) => error,
    );
  }

  test("without an end is not read beyond 64 KiB, and is told as the service's", async () => {
    const error = await signInAt((_, response) => writeEndlessly(response.setHeader("content-type", "application/json"), '{"issuer":"'));

    assert.ok(error instanceof Error);
    assert.match(error.message, /no token from https:\/\/localhost:\d+\/ .*more than 64 KiB/);
    await eventually(() => service?.cut() === 1);
    assert.ok((service?.sent() ?? 0) < ON_THE_WAY, `${service?.sent()} bytes`);
  });
});
