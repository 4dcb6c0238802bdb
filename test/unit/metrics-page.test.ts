import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as queueReader from "../../src/sync/push/queue-reader.ts";
import { registeredMetrics } from "../../tools/reference/registered-metrics.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans } from "../support/docs/markdown.ts";

const rowOf = (metric: string): string =>
  readRepositoryFile("docs/reference/metrics.md")
    .split("\n")
    .find((line) => line.startsWith(`| \`keyvault_injector_${metric}\` |`)) ?? "";

describe("the page of metrics", () => {
  test("N13b: has the number of messages in hand at which the worker receives no more", () => {
    const most = new Intl.NumberFormat("en-US").format(queueReader.MOST_IN_HAND);

    assert.match(rowOf("event_messages_in_hand"), new RegExp(`At ${most} messages from one queue, the worker stops reading`));
  });

  test("P11: has every cause that keeps a restart back", async () => {
    const held = (await registeredMetrics()).find(({ name }) => name === "keyvault_injector_rollouts_held");
    const causes = [...(held?.labels.get("cause") ?? [])];
    const named = codeSpans(rowOf("rollouts_held"));

    assert.ok(causes.length > 5);
    assert.deepEqual(
      causes.filter((cause) => !named.includes(cause)),
      [],
    );
  });
});
