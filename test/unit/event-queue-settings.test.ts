import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseQueueSetting, queueLabel } from "../../src/domain/vault-events/queue-setting.ts";

const URL = "https://shop.queue.core.windows.net/events";
const ID = "11111111-2222-3333-4444-555555555555";
const TENANT = "aaaaaaaa-0000-0000-0000-000000000001";
const PUBLIC = {
  url: URL,
  authorityHost: "https://login.microsoftonline.com/",
  scope: "https://storage.azure.com/.default",
  isCustomCloud: false,
};

describe("an item of --event-queues", () => {
  const good: readonly (readonly [text: string, expected: object])[] = [
    [URL, { ...PUBLIC, identity: { kind: "managed", clientId: undefined } }],
    [`${URL};identity=managed`, { ...PUBLIC, identity: { kind: "managed", clientId: undefined } }],
    [` ${URL} ; clientID=${ID} ; `, { ...PUBLIC, identity: { kind: "managed", clientId: ID } }],
    [
      `${URL};identity=workload;clientID=${ID};tenantID=${TENANT};serviceAccount=keyvault-events`,
      {
        ...PUBLIC,
        identity: { kind: "workload", clientId: ID, tenantId: TENANT, account: { namespace: undefined, name: "keyvault-events" } },
      },
    ],
    [
      `${URL};identity=workload;clientID=${ID};tenantID=${TENANT};serviceAccount=platform/events`,
      { ...PUBLIC, identity: { kind: "workload", clientId: ID, tenantId: TENANT, account: { namespace: "platform", name: "events" } } },
    ],
    [
      `${URL};identity=servicePrincipal;tenantID=example.onmicrosoft.com;secret=secrets-store-creds`,
      { ...PUBLIC, identity: { kind: "servicePrincipal", tenantId: "example.onmicrosoft.com", secretName: "secrets-store-creds" } },
    ],
    [
      "https://shop.queue.core.usgovcloudapi.net/events",
      {
        ...PUBLIC,
        url: "https://shop.queue.core.usgovcloudapi.net/events",
        authorityHost: "https://login.microsoftonline.us/",
        identity: { kind: "managed", clientId: undefined },
      },
    ],
    [
      "https://shop.queue.region.stack.example/events;authorityHost=https://login.stack.example;scope=https://storage.stack.example/4f9b/.default",
      {
        url: "https://shop.queue.region.stack.example/events",
        authorityHost: "https://login.stack.example/",
        scope: "https://storage.stack.example/4f9b/.default",
        isCustomCloud: true,
        identity: { kind: "managed", clientId: undefined },
      },
    ],
  ];
  for (const [text, expected] of good) {
    test(`is read: ${text}`, () => {
      assert.deepEqual(parseQueueSetting(text), { ok: true, value: expected });
    });
  }

  const bad: readonly (readonly [text: string, words: RegExp])[] = [
    ["events", /write the address of a queue, such as https:/],
    ["http://shop.queue.core.windows.net/events", /write the address of a queue/],
    [`${URL}?sv=2024&sig=abc`, /without a signature or password/],
    ["https://me:pw@shop.queue.core.windows.net/events", /without a signature or password/],
    ["https://shop.queue.core.windows.net/", /the name of one queue after the host/],
    ["https://shop.queue.core.windows.net/a/b", /the name of one queue after the host/],
    [`${URL};client=${ID}`, /unknown part "client"; write any of identity, clientID/],
    [`${URL};clientID=${ID};clientID=${ID}`, /clientID is given twice/],
    [`${URL};identity=owner`, /identity: write one of managed, workload, servicePrincipal/],
    [`${URL};identity=workload;clientID=${ID}`, /identity=workload needs clientID, tenantID, serviceAccount; add tenantID=…/],
    [`${URL};identity=servicePrincipal;tenantID=${TENANT}`, /add secret=…/],
    [`${URL};tenantID=${TENANT}`, /identity=managed takes no tenantID/],
    [`${URL};clientID=me`, /clientID: write the client id, a GUID/],
    [`${URL};identity=workload;clientID=${ID};tenantID=a b;serviceAccount=x`, /tenantID: write the tenant's id/],
    [`${URL};identity=workload;clientID=${ID};tenantID=${TENANT};serviceAccount=a/b/c`, /serviceAccount: write <name>/],
    [`${URL};identity=servicePrincipal;tenantID=${TENANT};secret=A_B`, /secret: write the name of a Secret/],
    [`${URL};scope=https://x/.default`, /omit authorityHost and scope/],
    ["https://shop.queue.example.com/events", /the host shop.queue.example.com belongs to no known cloud; add authorityHost and scope/],
    ["https://shop.queue.example.com/events;authorityHost=login;scope=https://x/.default", /write authorityHost and scope as/],
  ];
  for (const [text, words] of bad) {
    test(`is refused with what to write instead: ${text}`, () => {
      const parsed = parseQueueSetting(text);
      assert.ok(!parsed.ok);
      assert.match(parsed.error, words);
      assert.doesNotMatch(parsed.error, /sig=abc|:pw@/);
    });
  }

  const named: readonly (readonly [path: string, reported: string])[] = [
    ["KeyVault-Events", "KeyVault-Events"],
    ["my--events", "my--events"],
    ["ab", "ab"],
    ["events_1", "events_1"],
  ];
  for (const [path, reported] of named) {
    test(`P13: is refused for the name of its queue, with the rule for names: ${path}`, () => {
      const parsed = parseQueueSetting(`https://shop.queue.core.windows.net/${path};identity=managed`);

      assert.ok(!parsed.ok);
      assert.equal(
        parsed.error,
        `"${reported}" is not a valid queue name: use 3 to 63 lower-case letters, digits and single dashes, with a letter or digit at both ends`,
      );
    });
  }

  test("is called by host and name", () => {
    assert.equal(queueLabel({ url: URL }), "shop.queue.core.windows.net/events");
  });
});
