import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openRequest } from "../../src/domain/injection/pod-admission.ts";
import { misplacedAnnotations } from "../../src/domain/preflight/misplaced-annotations.ts";
import { runOffline } from "../support/cli/cli.ts";
import { OPTED_IN, prefixed } from "../support/fixtures/pods.ts";

const P = "keyvault-injector.dev";
const SETTINGS = { version: "9.9.9-test", strictAnnotations: false, isCallerTrusted: true };
const TEMPLATE = ["spec", "template"];

type Texts = Readonly<Record<string, string>>;

function reportedOf(metadata: { readonly annotations?: Texts; readonly labels?: Texts }): readonly string[] {
  const workload = { kind: "Deployment", metadata, spec: { template: {} } };
  return misplacedAnnotations(workload, TEMPLATE).map(({ reason, message }) => `${reason}: ${message}`);
}

function reportedOfPod(annotations: Texts, { namespace = {}, labels = {} }: { readonly namespace?: Texts; readonly labels?: Texts } = {}) {
  const opened = openRequest(
    {
      uid: "1",
      operation: "CREATE",
      resource: { group: "", version: "v1", resource: "pods" },
      subResource: undefined,
      namespace: "shop",
      name: undefined,
      object: { metadata: { annotations: prefixed(annotations), labels: prefixed(labels) }, spec: { containers: [{ name: "app" }] } },
    },
    SETTINGS,
    { kind: "found", annotations: prefixed(namespace) },
  );
  if (opened.kind === "wanted") return opened.request.warnings;
  return opened.decision.kind === "errored" ? [] : opened.decision.warnings;
}

describe("restart annotations that are misspelt, or in the wrong place", () => {
  for (const [written, meant] of [
    ["restart-pause", "restart-paused"],
    ["restart_paused", "restart-paused"],
    ["restart-nov", "restart-now"],
    ["restart-windows", "restart-window"],
  ] as const) {
    test(`P2: ${written} on the workload itself is told with what was meant`, () => {
      const reported = `"${written}" is not a ${P}/ annotation: did you mean "${meant}"?`;

      assert.deepEqual(reportedOf({ annotations: prefixed({ [written]: "true" }) }), [`UnknownAnnotation: ${reported}`]);
    });

    // The check knew the window's name before the fix.
    const id = meant === "restart-window" ? "" : "P2: ";
    test(`${id}${written} on the Namespace is told with what was meant`, () => {
      const reported = `on Namespace "shop", "${written}" is unknown: did you mean "${meant}"?`;

      assert.deepEqual(reportedOfPod(OPTED_IN, { namespace: { [written]: "true" } }), [reported]);
    });
  }

  test("P2: a key on the workload itself that is like none is told, and so is one of classes", () => {
    assert.deepEqual(reportedOf({ annotations: prefixed({ nonsense: "x", refresh: "1" }) }), [
      `UnknownAnnotation: "nonsense" is not a ${P}/ annotation: correct or remove it`,
      'UnknownAnnotation: "refresh" belongs on a SecretProviderClass and does nothing here',
    ]);
  });

  test("what the worker reads and writes on the workload itself is no mistake, nor are keys of others", () => {
    const ours = { "restart-paused": "true", "restart-now": "1", "restart-now-answered": "0a", rotated: "0a", "restart-window": "always" };

    assert.deepEqual(reportedOf({ annotations: { ...prefixed(ours), "example.com/restart-pause": "x" } }), []);
  });

  for (const key of ["restart-paused", "restart-now"]) {
    const reported = `"${key}" belongs on the workload itself, such as a Deployment: move it to metadata.annotations`;

    test(`P2: ${key} on the template is told to belong on the workload itself`, () => {
      assert.deepEqual(reportedOfPod({ [key]: "true" }), [reported]);
      assert.deepEqual(reportedOfPod({}, { labels: { [key]: "true" } }), [reported]);
    });

    test(`P2: ${key} among labels of the workload is told to belong under annotations`, () => {
      assert.deepEqual(reportedOf({ labels: prefixed({ [key]: "true" }) }), [
        `UnknownAnnotation: move ${P}/${key} to metadata.annotations: labels of the Deployment have no effect`,
      ]);
    });
  }
});

describe("windows that cannot be read", () => {
  test("P14: of the workload are told with the value, what is wrong with it, and what follows", () => {
    assert.deepEqual(reportedOf({ annotations: prefixed({ "restart-window": "0 0 30 2 * for 4h" }) }), [
      'InvalidAnnotation: restart-window "0 0 30 2 * for 4h" is invalid, so no restart can begin: "0 0 30 2 *" never occurs',
    ]);
  });

  test("P14: of the Namespace are told likewise, and its name is quoted once", () => {
    const reported = 'Namespace "shop": invalid restart-window "at night" stops restarts: "at night" is not "<cron> for <duration>"';

    assert.deepEqual(reportedOfPod(OPTED_IN, { namespace: { "restart-window": "at night" } }), [reported]);
  });
});

describe("annotations for pods on the workload itself", () => {
  test("P14: are told with their whole keys first, and with where to", () => {
    assert.deepEqual(reportedOf({ annotations: prefixed({ "restart-on-rotation": "true", inject: "true" }) }), [
      `UnknownAnnotation: move ${P}/inject and restart-on-rotation to spec.template.metadata.annotations: the Deployment's own metadata has no effect`,
    ]);
  });
});

describe("metadata that kubectl refuses", () => {
  const spec = "spec: {template: {metadata: {}, spec: {containers: [{name: app, image: web}]}}}";
  const deployment = (field: string) => `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  ${field}\n${spec}\n`;
  const namespace = (field: string) => `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  ${field}\n`;

  for (const [what, text, start] of [
    ["annotation of a workload", deployment(`annotations: {${P}/restart-paused: true}`), "Deployment/web: error: metadata.annotations"],
    ["label of a workload", deployment(`labels: {${P}/restart-paused: true}`), "Deployment/web: error: metadata.labels"],
    ["annotation of a Namespace", namespace(`annotations: {${P}/restart-paused: true}`), "Namespace/shop: error: metadata.annotations"],
    ["label of a Namespace", namespace(`labels: {${P}/restart-paused: true}`), "Namespace/shop: error: metadata.labels"],
  ] as const) {
    test(`P8: a value without quotation marks is an error: ${what}`, async () => {
      const { code, output, notes } = await runOffline(["render", "-f", "-"], text);

      const reported = `${start} must be a map of strings; "${P}/restart-paused" is true; quote it: "true"`;
      assert.ok(notes.join("\n").includes(reported), notes.join("\n"));
      assert.equal(code, 1);
      assert.equal(output, "");
    });
  }

  test("P8: explain names it, too", async () => {
    const { code, output } = await runOffline(["explain", "-f", "-"], deployment(`annotations: {${P}/restart-paused: true}`));

    assert.match(output, /PROBLEM {2}opt-in +metadata\.annotations must be a map of strings; .* quote it: "true"/);
    assert.equal(code, 1);
  });

  test("the same with quotation marks is no error", async () => {
    for (const make of [deployment, namespace]) {
      const { code, notes } = await runOffline(["render", "-f", "-"], make(`annotations: {${P}/restart-paused: "true"}`));

      assert.equal(code, 0);
      assert.doesNotMatch(notes.join("\n"), /error|warning/);
    }
  });
});
