import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { aClass, aPod } from "../support/fixtures/pods.ts";

const P = "keyvault-injector.dev";
const renderText = (text: string) => runOffline(["render", "-f", "-"], text);

describe("annotations that stand among the labels", () => {
  const advice = (key: string): string => `"${P}/${key}" is a label, which has no effect: write it under annotations`;
  const labels = { [`${P}/inject`]: "true", [`${P}/secret-provider-class`]: "shop", app: "web" };
  const labelled = { ...aPod({}), metadata: { name: "a", labels } };
  const workload = (own: object, template: object): string =>
    JSON.stringify({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", ...own },
      spec: { template: { metadata: template, spec: { containers: [{ name: "app", image: "web" }] } } },
    });

  for (const [what, text] of [
    ["a pod", JSON.stringify(labelled)],
    ["a pod template", workload({}, { labels })],
  ] as const) {
    test(`D4: are told by render and by explain: of ${what}`, async () => {
      const { notes } = await renderText(text);
      const { output } = await runOffline(["explain", "-f", "-"], text);

      for (const key of ["inject", "secret-provider-class"]) {
        assert.ok(notes.join("\n").includes(`warning: ${advice(key)} (UnknownAnnotation)`), notes.join("\n"));
        assert.ok(output.includes(advice(key)), output);
      }
      assert.match(output, /NotOptedIn \(unchanged\)\n {2}"keyvault-injector\.dev\/inject" is a label, /);
    });
  }

  test("D4: are told of the workload itself, too", async () => {
    const text = workload({ labels }, {});
    const reported = `move ${P}/inject and secret-provider-class to spec.template.metadata.annotations: labels of the Deployment have no effect`;

    assert.ok((await renderText(text)).notes.join("\n").includes(`warning: ${reported} (UnknownAnnotation)`));
    assert.ok((await runOffline(["explain", "-f", "-"], text)).output.includes(reported));
  });

  test("D4: are told of a class", async () => {
    const provider = { ...aClass(), metadata: { name: "a", labels: { [`${P}/sync`]: "never" } } };

    assert.ok((await renderText(JSON.stringify(provider))).notes.join("\n").includes(`warning: ${advice("sync")} (UnknownAnnotation)`));
    assert.ok((await runOffline(["explain", "-f", "-"], JSON.stringify(provider))).output.includes(advice("sync")));
  });

  test("D4: are no mistake where the annotations have them too, nor are labels of others and the webhook's own", async () => {
    const annotations = { [`${P}/inject`]: "false", [`${P}/secret-provider-class`]: "shop" };
    for (const pod of [
      { ...labelled, metadata: { ...labelled.metadata, annotations } },
      { ...labelled, metadata: { name: "a", labels: { app: "web", [`${P}/injected`]: "true" } } },
    ]) {
      assert.doesNotMatch((await renderText(JSON.stringify(pod))).notes.join("\n"), /is a label/);
    }
    assert.doesNotMatch((await renderText(workload({ labels }, { annotations }))).notes.join("\n"), /labels of the Deployment/);
  });
});
