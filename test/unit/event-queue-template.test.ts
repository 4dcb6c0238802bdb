import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseMessage } from "../../src/domain/vault-events/parse-message.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";

interface Resource {
  readonly type: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly scope?: string;
  readonly dependsOn?: readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

interface Template {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly resources: readonly Resource[];
}

const text = readRepositoryFile("manifests/azure/event-queue.json");
const template = JSON.parse(text) as Template; // The tests below check its shape.
const page = readRepositoryFile("docs/how-to/rotate-in-seconds.md");

function only(type: string): Resource {
  const found = template.resources.filter((resource) => resource.type === type);
  assert.equal(found.length, 1, type);
  return found[0] ?? assert.fail();
}

const subscription = only("Microsoft.EventGrid/systemTopics/eventSubscriptions");
const filter = (subscription.properties?.["filter"] ?? {}) as { readonly includedEventTypes: readonly string[] };

describe("the template of queue and subscription", () => {
  test("has each resource once, by a version of its API that is no preview, and two assignments", () => {
    assert.deepEqual(template.resources.map(({ type, apiVersion }) => `${type} ${apiVersion}`).sort(), [
      "Microsoft.Authorization/roleAssignments 2022-04-01",
      "Microsoft.Authorization/roleAssignments 2022-04-01",
      "Microsoft.EventGrid/systemTopics 2025-02-15",
      "Microsoft.EventGrid/systemTopics/eventSubscriptions 2025-02-15",
      "Microsoft.Storage/storageAccounts 2024-01-01",
      "Microsoft.Storage/storageAccounts/queueServices/queues 2024-01-01",
    ]);
  });

  test("uses every parameter and variable that it has, and no other", () => {
    const used = (kind: string): readonly string[] =>
      [...new Set([...text.matchAll(new RegExp(`${kind}\\('(\\w+)'\\)`, "g"))].map(([, name = ""]) => name))].sort();
    assert.deepEqual(used("parameters"), Object.keys(template.parameters).sort());
    assert.deepEqual(used("variables"), Object.keys(template.variables).sort());
  });

  test("has balanced expressions", () => {
    for (const [expression] of text.matchAll(/"\[(?:[^"\\]|\\.)*\]"/g)) {
      let depth = 0;
      for (const character of expression.replaceAll(/'[^']*'/g, "")) {
        if (character === "(") depth += 1;
        if (character === ")") depth -= 1;
        assert.ok(depth >= 0, expression);
      }
      assert.equal(depth, 0, expression);
    }
  });

  test("gives each side its one role, on the queue alone", () => {
    // https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage
    assert.deepEqual(template.variables, {
      senderRole: "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
      processorRole: "8a0f0c08-91a1-4084-bc3d-661d67233fed",
    });
    const assignments = template.resources.filter(({ type }) => type === "Microsoft.Authorization/roleAssignments");
    for (const { scope, properties } of assignments) {
      assert.match(scope ?? "", /queueServices\/default\/queues\/\{1\}/);
      assert.equal(properties?.["principalType"], "ServicePrincipal");
    }
    assert.match(page, /Storage Queue Data Message Sender/);
    assert.match(page, /Storage Queue Data Message Processor/);
  });

  test("keeps keys and old TLS out of the storage account", () => {
    assert.deepEqual(only("Microsoft.Storage/storageAccounts").properties, {
      allowBlobPublicAccess: false,
      allowSharedKeyAccess: false,
      minimumTlsVersion: "TLS1_2",
      supportsHttpsTrafficOnly: true,
    });
  });

  test("delivers as the topic's identity, once that may, and keeps what nobody reads for a day", () => {
    const delivery = JSON.stringify(subscription.properties?.["deliveryWithResourceIdentity"]);
    assert.match(delivery, /"type":"SystemAssigned"/);
    assert.match(delivery, /"endpointType":"StorageQueue"/);
    assert.match(delivery, /"queueMessageTimeToLiveInSeconds":86400/);
    assert.ok(subscription.dependsOn?.some((dependency) => dependency.includes("roleAssignments")));
  });

  test("subscribes to what the worker reads, and to nothing that it would delete unread", () => {
    for (const type of filter.includedEventTypes) {
      const [, object = ""] = /KeyVault\.(Secret|Key|Certificate)/.exec(type) ?? [];
      const collection = { Secret: "secrets", Key: "keys", Certificate: "certificates" }[object] ?? "secrets";
      const data = { Id: `https://shop.vault.azure.net/${collection}/a/1`, VaultName: "shop" };
      const parsed = parseMessage(JSON.stringify({ type, time: "2026-01-01T00:00:00Z", data }));
      assert.ok(parsed.ok, type);
      assert.match(page, new RegExp(type.replace(".", "\\.")), "the page's command has it, too");
    }
    assert.equal(filter.includedEventTypes.length, 10);
  });
});
