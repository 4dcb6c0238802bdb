import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { SYNC_REASONS } from "../../src/domain/reasons.ts";
import { environmentNameOf, SETTINGS, type Setting } from "../../src/runtime/settings.ts";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans } from "../support/markdown.ts";
import { assertNotices, assertSame, type Reader, tablesOf } from "../support/reference-page.ts";

const page = (name: string): string => readRepositoryFile(`docs/reference/${name}.md`);

describe("the page of settings", () => {
  const read: Reader = (markdown) =>
    tablesOf(markdown, "Flag").flatMap(({ rows }) =>
      rows.map(([flag = "", environment = "", fallback = "", , usedBy = ""]) =>
        [codeSpans(flag).join(), codeSpans(environment).join(), codeSpans(fallback).join(), usedBy].join(" "),
      ),
    );
  const fromCode = Object.entries(SETTINGS).map(([name, setting]: [string, Setting]) => {
    const variables = [environmentNameOf(name), ...(setting.environment === undefined ? [] : [setting.environment])];
    return [`--${name}`, variables.join(), setting.default, setting.usedBy].join(" ");
  });

  test("has every flag with its environment variables, its default and the process that uses it, and no other", () => {
    assertSame(read(page("settings")), fromCode, "settings.md");
  });

  test("is compared in earnest", () => assertNotices(page("settings"), read, fromCode));

  test("names every choice of a setting that has some", () => {
    const rows = tablesOf(page("settings"), "Flag").flatMap(({ rows: all }) => all);
    for (const [name, { type }] of Object.entries(SETTINGS) as [string, Setting][]) {
      const choices = "choices" in type ? (type.choices ?? []) : [];
      const row = rows.find(([flag]) => flag === `\`--${name}\``)?.join(" ") ?? "";
      for (const choice of choices) assert.match(row, new RegExp(`\\b${choice}\\b`), `--${name}: ${choice}`);
    }
  });
});

describe("the sync reasons", () => {
  test("are each reported by some code", () => {
    const source = sources()
      .filter(({ file }) => file !== "src/domain/reasons.ts" && !file.startsWith("src/tls/"))
      .map(({ text }) => text)
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
    const files = sources().filter(({ text }) =>
      /^import \{[^}]*\b(Counter|Gauge|Histogram|Summary)\b[^}]*\} from "prom-client"/m.test(text),
    );
    // compose.ts is read as text, the others are run. A new file must be one or the other.
    assert.deepEqual(
      files.map(({ file }) => file),
      [
        "src/runtime/event-loop.ts",
        "src/sync/classes/class-metrics.ts",
        "src/sync/healing/component-metrics.ts",
        "src/sync/metrics.ts",
        "src/sync/queue-metrics.ts",
        "src/sync/rollouts/rollout-metrics.ts",
        "src/sync/vault/vault-metrics.ts",
        "src/webhook/compose.ts",
        "src/webhook/metrics.ts",
        "src/webhook/preflight-metrics.ts",
      ],
    );
  });
});

function sources(): readonly { readonly file: string; readonly text: string }[] {
  return globSync("src/**/*.ts", { cwd: REPOSITORY })
    .sort()
    .map((file) => ({ file, text: readFileSync(path.join(REPOSITORY, file), "utf8") }));
}
