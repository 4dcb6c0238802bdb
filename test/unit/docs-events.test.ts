import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { describe, test } from "node:test";
import { EVENT_REASONS, SYNC_REASONS } from "../../src/domain/reasons.ts";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans } from "../support/docs/markdown.ts";
import { tablesOf } from "../support/docs/reference-page.ts";
import { absentWords, sourceWords } from "../support/docs/source-words.ts";

describe("the events beside the sync reasons", () => {
  test("are none of the sync reasons, which have a row of their own", () => {
    const reasons = new Set<string>(SYNC_REASONS);
    const both = EVENT_REASONS.filter((event) => reasons.has(event));

    assert.deepEqual(both, []);
  });
});

describe("the page of events", () => {
  const page = readRepositoryFile("docs/reference/events.md");

  test("gives messages word for word as the code does", () => {
    const source = sourceWords();
    for (const row of tablesOf(page, "Event").flatMap(({ rows }) => rows)) {
      const [message = ""] = codeSpans(row[4] ?? "");
      assert.deepEqual(absentWords(message, source), [], row[0]);
    }
    assert.deepEqual(absentWords("Secrets of type <type> are seldom written", source), [" are seldom written"]);
  });

  test("knows every place that posts an event", () => {
    const places = globSync("src/**/*.ts", { cwd: REPOSITORY })
      .sort()
      .flatMap((file) => {
        const calls = [...readRepositoryFile(file).matchAll(/events\.emit\(\{([^;]*)\}\);/g)];
        return calls.map(([, body = ""]) => `${file}: ${body.match(/"(?:Normal|Warning|[A-Z]\w+)"/g)?.join(" ") ?? ""}`);
      });
    // Another one, or another word in one of them, belongs on the page: type by type and object by object.
    assert.deepEqual(places, [
      'src/sync/classes/report.ts: "Warning"',
      'src/sync/gateways/gateway-report.ts: "Warning"',
      'src/sync/guardrails.ts: "Warning" "GuardrailsMissing"',
      'src/sync/healing/component-report.ts: "Warning" "ComponentHealed"',
      'src/sync/healing/component-report.ts: "Warning" "ComponentRestarted"',
      'src/sync/healing/component-report.ts: "Warning"',
      'src/sync/healing/component-report.ts: "Normal" "ComponentTolerated"',
      'src/sync/healing/report-freeze.ts: "Warning" "Frozen"',
      "src/sync/rollouts/rollout-report.ts: ",
    ]);
  });
});
