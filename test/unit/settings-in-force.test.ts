import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settingsOf, type WorkloadObject } from "../../src/cli/shared/settings-in-force.ts";
import { SETTINGS } from "../../src/runtime/settings.ts";

function deployment(args: readonly string[], env: readonly { readonly name: string; readonly value?: string }[] = []): WorkloadObject {
  const spec = { template: { spec: { containers: [{ name: "sync", args, env }] } } };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "keyvault-injector-sync" }, spec };
}

describe("the settings in force", () => {
  test("are the flags, the last of equal ones, in both spellings", () => {
    const settings = settingsOf(deployment(["sync", "--sync-mode=never", "--rotation-poll-interval", "5m", "--sync-mode=while-used"]));

    assert.equal(settings["sync-mode"], "while-used");
    assert.equal(settings["rotation-poll-interval"], "5m");
  });

  test("are the variables where there is no flag, and else the defaults", () => {
    const settings = settingsOf(
      deployment(
        ["sync", "--heal=crds"],
        [
          { name: "KEYVAULT_INJECTOR_SYNC_MODE", value: "never" },
          { name: "KEYVAULT_INJECTOR_HEAL", value: "classes" },
        ],
      ),
    );

    assert.deepEqual([settings["sync-mode"], settings.heal, settings["log-level"]], ["never", "crds", SETTINGS["log-level"].default]);
    assert.deepEqual(Object.keys(settings), Object.keys(SETTINGS));
  });

  test("hold no other variable: a proxy's address may have a password in it", () => {
    const settings = settingsOf(deployment(["sync"], [{ name: "HTTPS_PROXY", value: "http://user:hidden@proxy:3128" }]));

    assert.ok(!JSON.stringify(settings).includes("hidden"));
  });
});
