/** The smallest and largest values of settings, which the chart and the processes check alike. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseConfig } from "../../src/runtime/config.ts";
import { boundsOf } from "../../src/runtime/setting.ts";
import { SETTINGS } from "../../src/runtime/settings.ts";
import { SETTING_PLACES } from "../../tools/helm-chart/values-settings.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { at, readManifests } from "../support/cluster/shipped-manifests.ts";
import { boundedSettings } from "../support/setting-bounds.ts";

const accepts = (flag: string, text: string): boolean => parseConfig([`--${flag}=${text}`], {}).ok;
const chart = (file: string): unknown => JSON.parse(readRepositoryFile(`manifests/helm/keyvault-injector/${file}`));
const schema = chart("values.schema.json");
const { bounds = [] } = chart("values-table.json") as { readonly bounds?: readonly Readonly<Record<string, unknown>>[] };

/** Whether the chart's schema, or its own check of durations, has a value's bounds. */
function chartBounds(path: string): unknown {
  const row = bounds.find((each) => each["path"] === path);
  if (row !== undefined) return { least: row["least"], most: row["most"] };
  const node = path.split(".").reduce((here, key) => at(here, "properties", key), schema);
  return { least: at(node, "minimum"), most: at(node, "maximum") };
}

describe("NC-7: a setting with a smallest or largest value", () => {
  const settings = boundedSettings();

  test("is one of several, of each kind", () => {
    assert.ok(settings.length >= 10);
    assert.deepEqual([...new Set(settings.map(({ type }) => type.kind))].sort(), ["count", "duration", "port"]);
  });

  for (const { flag, accepted, refused, path, least, most } of settings) {
    test(`NC-7: is taken at each bound by the process, and refused beyond it: ${flag}`, () => {
      for (const text of accepted) assert.ok(accepts(flag, text), text);
      for (const text of refused) assert.ok(!accepts(flag, text), text);
    });

    test(`NC-7: has the same bounds in the chart: ${flag}`, () => {
      if (path === undefined) assert.equal(SETTING_PLACES[flag].kind, "none");
      else assert.deepEqual(chartBounds(path), { least, most });
    });
  }

  test("NC-7: is, for --drain-delay, what the webhook's grace period has room for", () => {
    const [webhook] = readManifests("base/webhook.yaml").filter(({ kind }) => kind === "Deployment");
    const graceMs = 1_000 * Number(at(webhook, "spec", "template", "spec", "terminationGracePeriodSeconds"));
    const { most = Number.POSITIVE_INFINITY } = boundsOf(SETTINGS["drain-delay"].type);
    assert.ok(most + 20_000 <= graceMs, `${most} ms of drain, and 20 s to end, in ${graceMs} ms`);
  });
});
