import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { misplacedAnnotations } from "../../src/domain/preflight/misplaced-annotations.ts";
import { runOffline } from "../support/cli/cli.ts";
import { aClass, aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";

const PATH = ["spec", "jobTemplate", "spec", "template"];
const P = "keyvault-injector.dev";

/** `metadata` is the Job template's, `template` the pod's. */
function cronJob(metadata: object, template: Readonly<Record<string, string>> = {}) {
  const spec = { template: { metadata: { annotations: template }, spec: { ...Object(aPod({})).spec, restartPolicy: "Never" } } };
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "night" },
    spec: { schedule: "@daily", jobTemplate: { metadata, spec } },
  };
}

const reported = (...given: Parameters<typeof cronJob>): readonly string[] =>
  misplacedAnnotations(cronJob(...given), PATH).map(({ message }) => message);

describe("NC6: annotations for pods on the Job template of a CronJob", () => {
  const move = (names: string): string =>
    `move ${names} to spec.jobTemplate.spec.template.metadata.annotations: spec.jobTemplate.metadata of the CronJob has no effect`;

  test("are told with the place where they belong, also where they are labels", () => {
    assert.deepEqual(reported({ annotations: prefixed({ inject: "true", "mount-path": "/a" }) }), [move(`${P}/inject and mount-path`)]);
    assert.deepEqual(reported({ labels: prefixed({ inject: "true" }) }), [move(`${P}/inject`)]);
  });

  test("are told where they are misspelt, and not where the pod template has them", () => {
    assert.match(reported({ annotations: prefixed({ injekt: "true" }) }).join(), /did you mean/);
    assert.deepEqual(reported({ annotations: prefixed({ inject: "true" }) }, prefixed({ inject: "true" })), []);
  });

  test("are told by render and by explain", async () => {
    const text = [cronJob({ annotations: prefixed(OPTED_IN) }), aClass()].map((each) => JSON.stringify(each)).join("\n---\n");
    const rendered = (await runOffline(["render", "-f", "-"], text)).notes.join("\n");
    const { output } = await runOffline(["explain", "-f", "-"], text);

    for (const said of [rendered, output]) assert.match(said, /move .* to spec\.jobTemplate\.spec\.template\.metadata\.annotations: /);
  });
});
