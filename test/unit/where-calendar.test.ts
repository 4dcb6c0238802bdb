import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { byEnv, CLASS, OLD, SECRET, STATUS, whereIs } from "../support/cli/where.ts";
import { usedClass, usedPod, usedSecret, usedStatus } from "../support/fixtures/used-objects.ts";

describe("where: what is not there, or not seen", () => {
  test("an object that no class names ends with 2, and with the one that may be meant", async () => {
    const { code, report } = await whereIs([CLASS], "secret/db-pas");
    assert.deepEqual([code, report.problems], [2, ["no class lists the object secret/db-pas; did you mean secret/db-pass?"]]);
  });

  test("an API server without the driver's definitions says that files are not seen", async () => {
    const cluster = heldCluster([CLASS, SECRET, STATUS], ["secretproviderclasspodstatuses"]);
    const { code, notes } = await runOffline(["where", "secret/db-pass"], "", { cluster });
    assert.equal(code, 0);
    assert.deepEqual(notes, ["note: the API server serves no secretproviderclasspodstatuses: the answer does not include them"]);
  });

  test("a class that cannot be read is named", async () => {
    const broken = usedClass("broken", { objects: ["wrong/x"] });
    assert.match(
      (await whereIs([CLASS, SECRET, broken], "secret/db-pass")).notes.join(),
      /class shop\/broken cannot be read \(.*explain spc\/broken -n shop/,
    );
  });
});

describe("where: the calendar", () => {
  test("lists what expires by date, with who uses it, and ends with 1 where something has", async () => {
    const later = usedClass("api", { objects: ["key/sign"], secrets: { api: { sign: "sign" } } });
    const dates = usedStatus("api", { api: [{ key: "sign", object: "key/sign", version: OLD, expires: 40 * 365 * 86_400 }] });
    const world = [later, dates, CLASS, SECRET, STATUS, usedPod("web-1", { started: 200, container: byEnv })];
    const { code, report } = await whereIs(world);

    assert.equal(code, 1);
    assert.deepEqual(
      report.expiries.map(({ object, classes, secrets, workloads, pods }: Record<string, unknown>) => ({
        object,
        classes,
        secrets,
        workloads,
        pods,
      })),
      [
        { object: "secret/db-pass", classes: ["shop/web"], secrets: ["shop/db"], workloads: ["shop/pod/web-1"], pods: 1 },
        { object: "key/sign", classes: ["shop/api"], secrets: ["shop/api"], workloads: [], pods: 0 },
      ],
    );
    assert.equal(
      (await whereIs([later, usedSecret("api", { className: "api", objects: `key/sign@${OLD}` }), dates], "--expiring", "30d")).code,
      0,
    );
  });

  test("takes a time in days, and none beside an object", async () => {
    assert.match((await whereIs([CLASS], "--expiring", "soon")).report.problems[0], /"soon" is not a time; write days \(30d\), hours/);
    assert.match((await whereIs([CLASS], "secret/db-pass", "--expiring", "1d")).report.problems[0], /remove secret\/db-pass or --expiring/);
  });
});
