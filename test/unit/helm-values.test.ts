import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { parseWindow } from "../../src/domain/schedule/restart-window.ts";
import type { Json, JsonMap } from "../../tools/helm-chart/place.ts";
import type { ValueRow } from "../../tools/helm-chart/value-row.ts";
import { DRIVER_ROWS } from "../../tools/helm-chart/values-driver.ts";
import { PROVIDER_ROWS } from "../../tools/helm-chart/values-provider.ts";
import { SETTING_PLACES, SETTING_ROWS } from "../../tools/helm-chart/values-settings.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { codeSpans } from "../support/docs/markdown.ts";
import { assertNotices, assertSame, type Reader, tablesOf } from "../support/docs/reference-page.ts";

const chart = (file: string): string => readFileSync(path.join(MANIFESTS, "helm/keyvault-injector", file), "utf8");
const schema = JSON.parse(chart("values.schema.json")) as JsonMap;
const values = parse(chart("values.yaml")) as JsonMap;
const page = readRepositoryFile("docs/reference/helm-values.md");
const ROWS: readonly ValueRow[] = [...PROVIDER_ROWS, ...DRIVER_ROWS, ...SETTING_ROWS];

const DRIVER = "secrets-store-csi-driver";
const isRefused = (name: string): boolean => ROWS.some((row) => row.path === name && row.refused !== undefined);

/** Paths for which the schema specifies more than the allowed keys. Fields that Kubernetes defines are not values of the chart. */
function schemaPaths(node: JsonMap, at: string): readonly string[] {
  const properties = node["properties"] as JsonMap | undefined;
  if (properties === undefined || at.endsWith("ecurityContext")) return [at];
  return Object.entries(properties).flatMap(([key, inner]) => schemaPaths(inner as JsonMap, at === "" ? key : `${at}.${key}`));
}

function valueAt(here: Json, dotted: string): Json | undefined {
  return dotted.split(".").reduce<Json | undefined>((value, key) => (value as JsonMap | undefined)?.[key], here);
}

describe("the table of the chart's values", () => {
  const paths = schemaPaths(schema, "");

  test("has a row in the schema, in values.yaml and on the reference page for each of its names", () => {
    for (const { path: name, default: fallback } of ROWS) {
      assert.ok(paths.includes(name), `${name} is not in the schema`);
      if (!isRefused(name)) assert.deepEqual(valueAt(values, name), fallback, name);
    }
  });

  test("has ours first in values.yaml, and what is refused apart at the end, as a comment", () => {
    const text = chart("values.yaml");
    const places = ["# ---- The project's own", "\nimage:", "\nsync:", "\nmonitoring:", "\nlinux:", `\n${DRIVER}:`, "# ---- Rejected"].map(
      (part) => text.indexOf(part),
    );
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    assert.ok(!places.includes(-1));
    const refused = text.slice(places.at(-1)).split("\n");
    assert.ok(refused.every((line) => line === "" || line.startsWith("#")));
    for (const { path: name } of ROWS.filter((row) => row.refused !== undefined)) {
      assert.equal(valueAt(values, name), undefined, name);
      assert.ok(
        refused.some((line) => line.startsWith(`# ${name}: `)),
        name,
      );
    }
  });

  test("explains each value in sentences, above it", () => {
    const meanings = tablesOf(page, "Value").flatMap(({ rows }) => rows.map(([name = "", , meaning = ""]) => ({ name, meaning })));
    assert.ok(meanings.length > 200);
    for (const { name, meaning } of meanings) assert.match(meaning, /^(?:[A-Z`].*\.(?: \(`--[a-z-]+`\))?|\*\*rejected\*\*.*)$/, name);
  });

  test("closes each group of ours in the schema, and none in which a name of an upstream chart is to be told its place", () => {
    const groups = (node: JsonMap, at: string): readonly { readonly at: string; readonly isClosed: boolean }[] => {
      const properties = node["properties"] as JsonMap | undefined;
      if (properties === undefined || at.endsWith("ecurityContext")) return [];
      const inner = Object.entries(properties).flatMap(([key, each]) => groups(each as JsonMap, at === "" ? key : `${at}.${key}`));
      return [{ at, isClosed: node["additionalProperties"] === false }, ...inner];
    };
    const [closed, open] = [true, false].map((wanted) =>
      groups(schema, "").flatMap(({ at, isClosed }) => (isClosed === wanted ? [at] : [])),
    );
    for (const name of ["image", "webhook", "sync", "sync.serviceAccount", "monitoring.podMonitor", "networkPolicies", "clientCA"]) {
      assert.ok(closed?.includes(name), name);
    }
    assert.ok(
      open?.every((name) => name === "" || /^(linux|windows|rbac|Azure|secrets-store-csi-driver)/.test(name)),
      open?.join(),
    );
  });

  const read: Reader = (markdown) => tablesOf(markdown, "Value").flatMap(({ rows }) => rows.map(([name = ""]) => codeSpans(name).join()));

  test("is the reference page, row for row", () => assertSame(read(page), paths, "helm-values.md"));

  test("is compared in earnest", () => assertNotices(page, read, paths));

  test("gives every value that is refused its reason, in the schema and on the page", () => {
    const refused = ROWS.filter((row) => row.refused !== undefined);
    assert.ok(refused.length > 15);
    for (const { path: name, refused: reason } of refused) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` |`)) ?? "";
      assert.ok(reason !== undefined && row.includes("**rejected**") && row.includes(reason.because), name);
      assert.ok(chart("values.schema.json").includes(JSON.stringify(reason.because).slice(1, -1)), name);
    }
  });

  test("has its defaults among what it accepts", () => {
    for (const { path: name, default: fallback, refused } of ROWS) {
      const accepted = refused?.unless.map((value) => JSON.stringify(value));
      assert.ok(accepted === undefined || accepted.includes(JSON.stringify(fallback)), name);
    }
  });
});

describe("the pattern of a restart window", () => {
  const { pattern } = (schema["properties"] as JsonMap)["restartWindow"] as { readonly pattern: string };
  const matches = (text: string): boolean => new RegExp(pattern, "u").test(text);

  test("takes whatever the worker takes", () => {
    const crons = ["0 22 * * MON-FRI", "*/5 1,2 L * *", "0 1 * jan-MAR tue#2", "0  0 29 2 *", "30\t2 1-7/2 * 0"];
    const durations = ["4h", "1h30m", "90m", "1.5h", "60000000µs", "60000000\u03bcs"];
    const zones = ["", " in Europe/Berlin", " in UTC", " in america/argentina/Buenos_Aires", "  in Etc/GMT+5"];
    const windows = crons.flatMap((cron) => durations.flatMap((duration) => zones.map((zone) => `${cron} for ${duration}${zone}`)));
    const texts = ["always", " always\n", ...windows, windows.slice(0, 5).join(";"), windows.slice(0, 7).join(" ; ")];
    const taken = texts.filter((text) => parseWindow(text).ok);

    assert.ok(taken.length > 100, `${taken.length} are windows`);
    assert.deepEqual(
      taken.filter((text) => !matches(text)),
      [],
    );
    assert.ok(matches(""), "as where it is not set");
  });

  test("refuses what is surely none", () => {
    const wrong = [
      "night",
      "never",
      "at night",
      "0 22 * * *",
      "0 22 * * * for",
      "4h",
      "22:00-04:00",
      "@daily for 1h",
      "always; 0 1 * * * for 1h",
    ];
    for (const text of [...wrong, "0 22 * * * for 4h;", "0 22 * * * for 4h in", "0 22 * * * for 4h in +02:00", "0 0 22 * * * for 1h"]) {
      assert.ok(!parseWindow(text).ok && !matches(text), text);
    }
  });
});

describe("the names that the chart suggests", () => {
  const table = JSON.parse(chart("values-table.json")) as {
    readonly names: Readonly<Record<string, readonly string[]>>;
    readonly inert: readonly string[];
    readonly elsewhere: Readonly<Record<string, string>>;
  };

  test("are none that the chart refuses, alone or with all that is below", () => {
    for (const name of ["amacoreagent", "telegraf", "Azure.Cluster", `${DRIVER}.filteredWatchSecret`, `${DRIVER}.linux.crds.annotations`])
      assert.ok(table.inert.includes(name), name);
    assert.ok(table.inert.includes(`${DRIVER}.linux.crds`), "a group whose values are all refused");
    for (const name of ["Azure", "linux", `${DRIVER}.rbac`, "image"]) assert.ok(!table.inert.includes(name), name);
  });

  test("are of the chart where it says what it has for names of other charts", () => {
    const paths = schemaPaths(schema, "");
    for (const [name, said] of Object.entries(table.elsewhere)) {
      assert.ok(!table.names[""]?.includes(name), `${name} is a value of the chart`);
      for (const [value] of said.matchAll(/\b[a-z]\w*(?:\.\w+)+/g)) assert.ok(paths.includes(value), `${name}: ${value}`);
    }
  });
});

describe("a setting", () => {
  test("has a reason where the chart has no value for it", () => {
    const without = Object.values(SETTING_PLACES).filter((place) => place.kind === "none");
    assert.ok(without.length > 5 && without.every(({ because }) => because.length > 10));
  });

  test("of upstream's names stands in the table with its flag", () => {
    for (const [flag, place] of Object.entries(SETTING_PLACES)) {
      if (place.kind === "upstream") assert.equal(ROWS.find((row) => row.path === place.path)?.flag, flag);
    }
  });
});
