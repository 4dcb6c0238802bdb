import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseConfig } from "../../src/runtime/config.ts";
import { SETTINGS } from "../../src/runtime/settings.ts";
import { valueNameOf } from "../../tools/helm-chart/values-settings.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";

const problems = (argument: string): readonly string[] => {
  const config = parseConfig([argument], {});
  return config.ok ? [] : config.error;
};

interface Schema {
  readonly type?: unknown;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly minLength?: number;
  readonly items?: Schema;
}

/** Whether Helm accepts the text: it checks the pattern, the length, and the allowed values. */
const takes = (schema: Schema, text: string): boolean =>
  (schema.enum === undefined || schema.enum.includes(text)) &&
  text.length >= (schema.minLength ?? 0) &&
  (schema.pattern === undefined || new RegExp(schema.pattern, "u").test(text));

describe("NW-M10: a value of the chart that is still the placeholder of a page", () => {
  const { properties } = JSON.parse(readRepositoryFile("manifests/helm/keyvault-injector/values.schema.json"));
  const known = Object.keys(SETTINGS).filter((flag) => properties[valueNameOf(flag)] !== undefined);

  test("is looked for in all that has texts", () => {
    const names = known.map(valueNameOf);
    for (const name of [
      "allowedVaults",
      "eventQueues",
      "credentialsSecretNames",
      "managedIdentityNamespaces",
      "cloudName",
      "gatewayClasses",
    ])
      assert.ok(names.includes(name), `${name} is none of ${names.join(", ")}`);
  });

  for (const flag of known) {
    test(`S20-3: is refused by the schema as by the process: ${flag}`, () => {
      const schema: Schema = properties[valueNameOf(flag)];
      const isText = [schema.type, schema.items?.type].flat().includes("string") || schema.enum !== undefined || schema.items !== undefined;
      for (const unfilled of ["<your-value>", "<YOUR_VALUE_1>", "${YOUR_VALUE}"]) {
        if (isText) assert.ok(!takes(schema.items ?? schema, unfilled), JSON.stringify(schema));
        assert.notDeepEqual(problems(`--${flag}=${unfilled}`), []);
      }
    });
  }

  test("is refused within the address of a queue, which others are not", () => {
    const { items } = properties.eventQueues;
    assert.ok(!takes(items, "https://<account>.queue.core.windows.net/vault-events"));
    assert.ok(takes(items, "https://shop.queue.core.windows.net/vault-events-{shard};identity=managed"));
    assert.ok(takes(properties.allowedVaults.items, "https://shop.vault.azure.net/"));
    assert.ok(takes(properties.managedIdentityNamespaces.items, "*"));
    assert.ok(takes(properties.cloudName, "AzureChinaCloud"));
  });
});

describe("NW-M10: the address of a queue with placeholders", () => {
  for (const [given, said] of [
    ["https://<account>.queue.core.windows.net/events", "write the value in place of <account>"],
    ["https://<account>.queue.core.windows.net/<queue>;identity=managed", "write the value in place of <account> and <queue>"],
    ["https://shop.queue.core.windows.net/events;clientID=<client-id>", "write the value in place of <client-id>"],
    ["https://${ACCOUNT}.queue.core.windows.net/events", "write the value in place of ${ACCOUNT}"],
  ] as const) {
    test(`says which to replace: ${given}`, () => {
      assert.deepEqual(problems(`--event-queues=${given}`), [`--event-queues: ${JSON.stringify(given)}: ${said}`]);
    });
  }
});
