import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { misplacedAnnotations } from "../../src/domain/preflight/misplaced-annotations.ts";

const TEMPLATE = ["spec", "template"];

function reported(annotations: Readonly<Record<string, string>>, template: Readonly<Record<string, string>> = {}): readonly string[] {
  const workload = { kind: "Deployment", metadata: { annotations }, spec: { template: { metadata: { annotations: template } } } };
  return misplacedAnnotations(workload, TEMPLATE).map(({ reason, message }) => `${reason}: ${message}`);
}

describe("preflight of what says when a workload is restarted, on the workload itself", () => {
  test("says nothing of a window and a pause that can be read: the worker reads both there", () => {
    assert.deepEqual(
      reported({ "keyvault-injector.dev/restart-window": "0 22 * * * for 4h", "keyvault-injector.dev/restart-paused": "true" }),
      [],
    );
  });

  test("warns of a window that is none, and of a pause that is no flag, in one line each", () => {
    const warnings = reported({
      "keyvault-injector.dev/restart-window": "0 0 30 2 * for 4h",
      "keyvault-injector.dev/restart-paused": "yes",
    });

    assert.deepEqual(warnings, [
      'InvalidAnnotation: restart-window "0 0 30 2 * for 4h" is invalid, so no restart can begin: "0 0 30 2 *" never occurs',
      'InvalidAnnotation: keyvault-injector.dev/restart-paused is "yes" and pauses restarts: write "true" or "false"',
    ]);
  });
});
