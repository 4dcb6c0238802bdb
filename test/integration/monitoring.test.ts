/** Checks the monitoring component as kubectl renders it, and the runbooks' commands as kubectl interprets them. */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { at, folderManifests, installShipped, listAt, type Manifest } from "../support/cluster/shipped-manifests.ts";
import { alertRules, DASHBOARD } from "../support/docs/monitoring.ts";
import { commandsOf, type RunbookCommand } from "../support/docs/runbook-commands.ts";

const refusal = controlPlaneRefusal();
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

const alertsIn = (objects: readonly Manifest[]): readonly string[] =>
  objects
    .filter(({ kind }) => kind === "PrometheusRule")
    .flatMap((rule) => listAt(rule, "spec", "groups").flatMap((group) => listAt(group, "rules").map((each) => String(at(each, "alert")))))
    .sort();

describe("the monitoring component", { skip }, () => {
  test("renders to a PodMonitor, the dashboard in a ConfigMap, and every alert", async () => {
    const objects = await folderManifests("components/monitoring");
    const dashboard = objects.find(({ kind }) => kind === "ConfigMap");

    assert.deepEqual([...new Set(objects.map(({ kind }) => kind))].sort(), ["ConfigMap", "PodMonitor", "PrometheusRule"]);
    assert.equal(dashboard?.metadata.name, "keyvault-injector-dashboard");
    assert.deepEqual(JSON.parse(String(at(dashboard, "data", "keyvault-injector.json"))), JSON.parse(readRepositoryFile(DASHBOARD)));
    assert.deepEqual(
      alertsIn(objects),
      alertRules()
        .map(({ alert }) => alert)
        .sort(),
    );
  });

  test("and the alerts alone, as 0.1.0 named them, are the same", async () => {
    const alone = await folderManifests("components/alerts");

    assert.deepEqual([...new Set(alone.map(({ kind }) => kind))], ["PrometheusRule"]);
    assert.deepEqual(alertsIn(alone), alertsIn(await folderManifests("components/monitoring")));
  });
});

/** Errors of kubectl about a command that can never work, regardless of the objects. */
const MISTAKES =
  /unknown (shorthand )?flag|unknown command|before plugin name|across all namespaces|doesn't have a resource type|unable to parse|error: (accepts|arguments|you must|there is no need)|Usage:/i;

describe("the runbooks", { skip }, () => {
  let plane: ControlPlane;

  before(async () => {
    plane = await startControlPlane();
    await installShipped(plane);
  });
  after(async () => {
    await plane?.stop();
  });

  /** Returns kubectl's answer, even if the object does not exist. */
  async function answerTo({ words }: Pick<RunbookCommand, "words">): Promise<string> {
    const inRepository = words.map((word) => (word.startsWith("manifests/") ? path.join(REPOSITORY, word) : word));
    return plane.kubectl(inRepository, "").catch((error: unknown) => String(error));
  }

  test("have commands that kubectl takes as they stand", async () => {
    const pages = globSync("docs/runbooks/*.md", { cwd: REPOSITORY }).sort();
    const commands = pages.flatMap((page) => commandsOf(readRepositoryFile(page))).filter(({ program }) => program === "kubectl");
    const distinct = [...new Map(commands.map((command) => [command.words.join(" "), command])).values()];
    assert.ok(distinct.length > 40);

    for (const command of distinct) assert.doesNotMatch(await answerTo(command), MISTAKES, command.line);
    console.log(`runbooks: kubectl took ${distinct.length} different commands of ${pages.length} pages`);
  });

  test("would be told of a command that kubectl does not take", async () => {
    for (const line of ["get pods --everywhere", "get spcsyncs -A", "examine pods", "get pods a -A"]) {
      assert.match(await answerTo({ words: line.split(" ") }), MISTAKES, line);
    }
  });
});
