import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { describe, test } from "node:test";
import { SYNC_REASONS } from "../../src/domain/reasons.ts";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";

describe("the sync reasons", () => {
  test("are each reported by some code", () => {
    const source = sources()
      .filter(({ file }) => !file.startsWith("src/tls/"))
      // After the list, this file has the reasons that follow from the vault's codes.
      .map(({ file, text }) => (file === "src/domain/reasons.ts" ? text.slice(text.indexOf("] as const;")) : text))
      .join("\n");

    assert.deepEqual(
      SYNC_REASONS.filter((reason) => !source.includes(`"${reason}"`)),
      [],
    );
    assert.ok(!source.includes('"Reserved"'), "a word that no code reports would be found");
  });
});

describe("the page of metrics", () => {
  test("knows every file that registers metrics", () => {
    const naming = (pattern: RegExp): readonly string[] =>
      sources()
        .filter(({ text }) => pattern.test(text))
        .map(({ file }) => file);
    assert.deepEqual(
      naming(/^import \{[^}]*\b(Counter|Gauge|Histogram|Summary)\b[^}]*\} from "prom-client"/m),
      ["src/runtime/metrics.ts"],
      "metrics are made in one place",
    );
    // The reference's `registeredMetrics` must run each new file, too.
    assert.deepEqual(naming(/^import \{[^}]*\bmetricsIn\b[^}]*\} from /m), [
      "src/runtime/event-loop.ts",
      "src/sync/classes/class-metrics.ts",
      "src/sync/gateways/gateway-metrics.ts",
      "src/sync/healing/component-metrics.ts",
      "src/sync/metrics.ts",
      "src/sync/push/push-metrics.ts",
      "src/sync/queue-metrics.ts",
      "src/sync/rollouts/rollout-metrics.ts",
      "src/sync/vault/vault-metrics.ts",
      "src/webhook/metrics.ts",
      "src/webhook/preflight-metrics.ts",
    ]);
  });
});

function sources(): readonly { readonly file: string; readonly text: string }[] {
  return globSync("src/**/*.ts", { cwd: REPOSITORY })
    .sort()
    .map((file) => ({ file, text: readRepositoryFile(file) }));
}
