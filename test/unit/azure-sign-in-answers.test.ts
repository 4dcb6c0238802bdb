import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { sdkNetwork } from "../../src/azure/sdk-network.ts";
import { createSignIn, type SignIn } from "../../src/azure/sign-in.ts";
import { SignInError } from "../../src/azure/sign-in-errors.ts";
import type { VaultVerdict } from "../../src/azure/vault-request.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { type HttpsService, startHttpsService } from "./https-service.ts";

const PAGE = "<html>maintenance</html>";
const HTML = { "content-type": "text/html" };
const TENANT = "aaaaaaaa-0000-0000-0000-000000000001";

interface TokenAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

let service: HttpsService | undefined;

afterEach(async () => {
  await service?.close();
  service = undefined;
});

/** Starts an authority that describes itself, and gives this answer to each request for a token. */
async function anAuthority({
  status,
  body,
  headers = {},
}: TokenAnswer): Promise<{ readonly signIn: SignIn; readonly requests: () => number }> {
  let requests = 0;
  const started = await startHttpsService(({ url = "", headers: { host } }, response) => {
    const json = { "content-type": "application/json" };
    const of = `https://${host}/${TENANT}`;
    if (url.includes("openid-configuration")) {
      const issued = { issuer: `${of}/v2.0`, jwks_uri: `${of}/keys` };
      const endpoints = { token_endpoint: `${of}/oauth2/v2.0/token`, authorization_endpoint: `${of}/oauth2/v2.0/authorize` };
      response.writeHead(200, json).end(JSON.stringify({ ...issued, ...endpoints }));
      return;
    }
    requests += 1;
    response.writeHead(status, { ...json, ...headers }).end(body);
  });
  service = started;
  const { url, network } = started;
  const address = { vaultUrl: url, authorityHost: url, tenantId: TENANT, customScope: "https://localhost/.default" };
  const identity = { kind: "servicePrincipal", clientId: "app", clientSecret: Sensitive.ofText("s") } as const;
  return { signIn: createSignIn(address, identity, { network, timeoutMs: 5_000 }), requests: () => requests };
}

async function verdictOf({ credential }: SignIn): Promise<VaultVerdict> {
  try {
    await credential.getToken("https://localhost/.default");
  } catch (error) {
    assert.ok(error instanceof SignInError, String(error));
    return error.verdict;
  }
  return assert.fail("there is a token");
}

const refusal = (error: string, description: string): string => JSON.stringify({ error, error_description: description });

describe("a token service that is busy", () => {
  for (const [status, word, description] of [
    [429, "temporarily_unavailable", "AADSTS90055: There are too many incoming requests."],
    [429, "invalid_request", "AADSTS50196: The server terminated an operation because it encountered a client request loop."],
    [429, "temporarily_unavailable", "Too many requests"],
    [503, "temporarily_unavailable", "AADSTS90024: A transient error has occurred. Please try again."],
    [504, "temporarily_unavailable", "AADSTS90012: The request has timed out."],
    [500, "server_error", "AADSTS50000: There was an error issuing a token."],
    [503, "server_error", "AADSTS7000215: a code of refusals"],
  ] as const) {
    test(`SW-2: is known by its status, whatever its code is, and not asked before Retry-After: ${status} ${description}`, async () => {
      const { signIn, requests } = await anAuthority({ status, body: refusal(word, description), headers: { "retry-after": "60" } });

      const verdict = await verdictOf(signIn);
      const held = await verdictOf(signIn);

      assert.partialDeepStrictEqual(verdict, { code: "Unreachable", origin: "signIn", retry: { kind: "after", milliseconds: 60_000 } });
      assert.match(verdict.words, /no token from https:\/\/localhost:\d+\/ for application app .*\): the service is busy$/);
      assert.equal(verdict.serviceCode, /AADSTS\d+/.exec(description)?.[0]);
      assert.equal(held.words, verdict.words);
      assert.ok(held.retry.kind === "after" && held.retry.milliseconds > 55_000, JSON.stringify(held.retry));
      assert.equal(requests(), 1);
    });
  }

  test("SW-2: without Retry-After is left alone after five answers", async () => {
    const { signIn, requests } = await anAuthority({ status: 500, body: refusal("server_error", "AADSTS50000: x") });

    for (let attempt = 0; attempt < 7; attempt += 1) assert.equal((await verdictOf(signIn)).code, "Unreachable");

    assert.equal(requests(), 5);
  });

  test("SW-2: is left alone until the date that it names, and never for more than an hour", async () => {
    const body = refusal("temporarily_unavailable", "later");
    const dated = await anAuthority({ status: 429, body, headers: { "retry-after": new Date(Date.now() + 120_000).toUTCString() } });
    const { retry } = await verdictOf(dated.signIn);
    assert.ok(retry.kind === "after" && retry.milliseconds > 110_000 && retry.milliseconds <= 120_000, JSON.stringify(retry));
    await service?.close();

    const far = await anAuthority({ status: 503, body, headers: { "retry-after": "999999" } });
    assert.deepEqual((await verdictOf(far.signIn)).retry, { kind: "after", milliseconds: 3_600_000 });
  });

  test("SW-2: is not taken for one because of a page of somebody else, whose Retry-After holds as well", async () => {
    const { signIn, requests } = await anAuthority({ status: 503, body: PAGE, headers: { ...HTML, "retry-after": "60" } });

    const verdict = await verdictOf(signIn);
    await verdictOf(signIn);

    assert.match(verdict.words, /no valid response \(HTTP 503\); check the network path from the cluster$/);
    assert.deepEqual(verdict.retry, { kind: "after", milliseconds: 60_000 });
    assert.equal(requests(), 1);
  });

  test("is none where it refuses: the control", async () => {
    const { signIn, requests } = await anAuthority({
      status: 401,
      body: refusal("invalid_client", "AADSTS7000215: Invalid client secret."),
    });

    assert.partialDeepStrictEqual(await verdictOf(signIn), {
      code: "Unauthorized",
      retry: { kind: "never" },
      serviceCode: "AADSTS7000215",
    });
    await verdictOf(signIn);
    assert.equal(requests(), 2);
  });
});

describe("a page in place of a token service's answer", () => {
  for (const [what, status, body, headers] of [
    ["a page", 200, PAGE, HTML],
    ["a page that calls itself JSON", 200, PAGE, { "content-type": "application/json" }],
    ["nothing", 200, "", HTML],
    ["JSON of somebody else", 200, '{"status":"ok"}', { "content-type": "application/json" }],
    ["a refusal that calls itself JSON", 403, PAGE, { "content-type": "application/json" }],
  ] as const) {
    test(`SW-7: is blamed on the path, and counted: ${what}`, async () => {
      const { signIn, requests } = await anAuthority({ status, body, headers });

      for (let attempt = 0; attempt < 7; attempt += 1) {
        const { code, origin, words } = await verdictOf(signIn);
        assert.deepEqual([code, origin], ["Unreachable", "signIn"]);
        assert.ok(words.endsWith(`no valid response (HTTP ${status}); check the network path from the cluster`), words);
      }
      assert.equal(requests(), 5);
    });
  }

  test("SW-7: is blamed on the path where it breaks off", async () => {
    const { signIn } = await anAuthority({
      status: 200,
      body: "{}",
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
    });

    assert.match((await verdictOf(signIn)).words, /: no valid response \(PARSE_ERROR\); check the network path from the cluster$/);
  });
});

describe("the node's metadata service", () => {
  const HOST_VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
  let answer: TokenAnswer = { status: 200, body: "" };
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });

  // One server for all tests: the SDK keeps the first address for as long as the process lives.
  before(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo; // The server listens on TCP.
    process.env[HOST_VARIABLE] = `http://127.0.0.1:${port}`;
  });

  after(() => {
    delete process.env[HOST_VARIABLE];
    server.close();
  });

  /** Verdicts on this many sign-ins in a row at a metadata service with this answer, and the number of requests that it got. */
  async function verdictsAt(given: TokenAnswer, signIns = 1) {
    answer = given;
    requests = 0;
    const address = { vaultUrl: "https://kv.vault.azure.net/", authorityHost: "https://login.microsoftonline.com/", tenantId: TENANT };
    const signIn = createSignIn(address, { kind: "managedIdentity", clientId: "app" }, { network: sdkNetwork(undefined) });
    const verdicts: VaultVerdict[] = [];
    while (verdicts.length < signIns) verdicts.push(await verdictOf(signIn));
    return { verdicts, requests };
  }

  const JSON_TYPE = { "content-type": "application/json" };

  for (const [status, body, headers] of [
    [429, refusal("too_many_requests", "Too many requests"), JSON_TYPE],
    [410, "", HTML],
    [500, refusal("unknown", "Failed to retrieve token from the Active directory."), JSON_TYPE],
    [503, PAGE, HTML],
    [500, refusal("server_error", "AADSTS50000: There was an error issuing a token."), JSON_TYPE],
  ] as const) {
    test(`SW-4: that answers ${status} ${body} is busy, and is there`, async () => {
      const { verdicts, requests: sent } = await verdictsAt({ status, body, headers }, 7);

      for (const verdict of verdicts) {
        assert.partialDeepStrictEqual(verdict, { code: "Unreachable", origin: "metadataService" });
        assert.match(verdict.words, /^no token from the node's metadata service \(169\.254\.169\.254\) for the managed identity app of /);
        assert.match(verdict.words, /\((?:HTTP \d{3}|AADSTS50000)\): the service is busy$/);
      }
      assert.deepEqual(verdicts[0]?.retry, { kind: "backoff" });
      assert.equal(sent, 5, "it is left alone");
    });
  }

  test("SW-4: that is another cloud's is not one of Azure: the control", async () => {
    const { verdicts } = await verdictsAt({ status: 404, body: PAGE, headers: HTML });

    assert.match(verdicts[0]?.words ?? "", /managed identities work only on Azure nodes/);
  });
});
