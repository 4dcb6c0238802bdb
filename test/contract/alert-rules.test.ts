/** Checks the shipped alerts with promtool, Prometheus's own checker: they are well-formed, and each fires when it should and only then. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { programRefusal } from "../e2e/support/binaries.ts";
import { fencedBlocks } from "../support/docs/markdown.ts";
import { alertGroups, alertRules, dashboardAnnotations, dashboardPanels } from "../support/docs/monitoring.ts";
import { expectedAlerts, openPromtool, type Promtool, testedGroups, type Verdict } from "../support/docs/promtool.ts";
import { ALERT_CASES, type AlertCase } from "./judge/alert-cases.ts";
import { PASSING_TROUBLES } from "./judge/passing-troubles.ts";

const refusal = programRefusal(["promtool"]);
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

describe("the shipped alerts", { skip }, () => {
  let tool: Promtool;

  before(async () => {
    tool = await openPromtool();
  });
  after(() => tool?.close());

  const file = (name: string, content: unknown): string => tool.file(name, content);
  const judge = (...args: readonly string[]): Promise<Verdict> => tool.judge(...args);

  test("are well-formed rules", async () => {
    const { code, text } = await judge("check", "rules", "--lint-fatal", file("rules.json", { groups: alertGroups() }));

    assert.equal(code, 0, text);
    assert.match(text, new RegExp(`SUCCESS: ${alertRules().length} rules found`));
  });

  test("would be refused with an expression that is none", async () => {
    const rules = [{ alert: "A", expr: "sum(keyvault_injector_leader" }];

    assert.match((await judge("check", "rules", file("wrong.json", { groups: [{ name: "g", rules }] }))).text, /unclosed left parenthesis/);
  });

  test("and the dashboard hold expressions that Prometheus can read", async () => {
    const expressions = [...dashboardPanels().flatMap((panel) => panel.expressions), ...dashboardAnnotations()];
    const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr }));
    const { code, text } = await judge("check", "rules", file("panels.json", { groups: [{ name: "panels", rules }] }));

    assert.equal(code, 0, text);
    assert.match(text, new RegExp(`SUCCESS: ${expressions.length} rules found`));
  });

  test("are joined on the page by a scrape job that Prometheus takes, which keeps the labels that they group by", async () => {
    const [job = ""] = fencedBlocks(readRepositoryFile("docs/how-to/monitor.md")).flatMap(({ language, text }) =>
      language === "yaml" ? [text] : [],
    );
    const { code, text } = await judge("check", "config", "--syntax-only", file("prometheus.yaml", job));
    assert.equal(code, 0, text);
    assert.match(job, /honor_labels: true/);
    assert.notEqual((await judge("check", "config", "--syntax-only", file("wrong.yaml", job.replace("role:", "rule:")))).code, 0);
  });

  test("have a case each in which they fire and one in which they do not", () => {
    assert.deepEqual(
      ALERT_CASES.map(({ alert }) => alert).sort(),
      alertRules()
        .map(({ alert }) => alert)
        .sort(),
    );
  });

  test("fire when they should, with the labels and the runbook that they should have, and only then", async () => {
    const { code, text } = await judge("test", "rules", testFile("cases.json", ALERT_CASES));
    assert.equal(code, 0, text);
    console.log(`alerts: ${ALERT_CASES.length} fire and ${ALERT_CASES.length} stay silent as they should`);
  });

  test("would be found to fire where they should not, and not to fire where they should", async () => {
    for (const each of ALERT_CASES) {
      const swapped = { alert: each.alert, fires: { ...each.silent, labels: each.fires.labels }, silent: each.fires };
      const { code, text } = await judge("test", "rules", testFile("swapped.json", [swapped]));

      assert.equal(code, 1, each.alert);
      assert.equal(text.match(/FAILED:\s/g)?.length ?? 0, 1, text);
      assert.equal(text.match(new RegExp(`alertname: ${each.alert}, time`, "g"))?.length, 2, text);
    }
  });

  test("R7: stay silent, all of them and all the time, through what passes by itself", async () => {
    const { code, text } = await judge("test", "rules", passingFile("passing.json", 1));
    assert.equal(code, 0, text);
  });

  test("R7: would be found to fire where what passes does not pass", async () => {
    const { code, text } = await judge("test", "rules", passingFile("lasting.json", 40));
    assert.equal(code, 1);
    for (const { alert } of PASSING_TROUBLES) assert.match(text, new RegExp(`alertname: ${alert}, time`));
  });

  /** Scrapes and evaluates each quarter of a minute, for an hour, and expects no alert at any time. */
  function passingFile(name: string, times: number): string {
    const steps = Array.from({ length: 240 }, (_, index) => `${index * 15}s`);
    return file(name, {
      rule_files: [file("tested.json", { groups: testedGroups() })],
      evaluation_interval: "15s",
      tests: PASSING_TROUBLES.map(({ what, alert, series }) => ({
        name: what,
        interval: "15s",
        input_series: Object.entries(series(times)).map(([each, values]) => ({ series: each, values })),
        alert_rule_test: steps.map((eval_time) => ({ eval_time, alertname: alert, exp_alerts: [] })),
      })),
    });
  }

  function testFile(name: string, cases: readonly AlertCase[]): string {
    return file(name, {
      rule_files: [file("tested.json", { groups: testedGroups() })],
      evaluation_interval: "1m",
      tests: cases.flatMap(testsOf),
    });
  }
});

function testsOf(alertCase: AlertCase): readonly unknown[] {
  const { alert, fires, silent } = alertCase;
  const one = ({ series, at: when }: AlertCase["silent"], exp_alerts: readonly unknown[], name: string) => ({
    name,
    interval: "1m",
    input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
    alert_rule_test: [{ eval_time: when, alertname: alert, exp_alerts }],
  });
  return [one(fires, expectedAlerts(alertCase), `${alert} fires`), one(silent, [], `${alert} stays silent`)];
}
