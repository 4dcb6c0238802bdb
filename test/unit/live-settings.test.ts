import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, test } from "node:test";

import { outboundEnvironment, REQUIRED_VARIABLES, readLiveSettings } from "../live/settings.ts";
import { baseEnvironment } from "../support/processes/base-environment.ts";

const MAIN = path.resolve(import.meta.dirname, "../live/main.ts");
const complete = Object.fromEntries(REQUIRED_VARIABLES.map((name) => [name, `of ${name}`]));

function run(environment: Readonly<Record<string, string>>) {
  const { status, stdout } = spawnSync(process.execPath, [MAIN], {
    env: { ...baseEnvironment(), ...environment },
    encoding: "utf8",
  });
  return { status, stdout };
}

describe("the run against a real vault", () => {
  test("is skipped without its variables, by name, which is no failure even where CI=true", () => {
    for (const environment of [{}, { CI: "true" }]) {
      const { status, stdout } = run(environment);
      assert.match(stdout, /^SKIPPED: needs AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZUREKEYVAULT_NAME /);
      assert.equal(status, 0);
    }
  });

  test("with some of them names the others, and fails where CI=true", () => {
    const { AZURE_CLIENT_SECRET: _, ...others } = complete;
    assert.equal(run(others).status, 0);
    const inPipeline = run({ ...others, CI: "true" });
    assert.match(inPipeline.stdout, /^SKIPPED: needs AZURE_CLIENT_SECRET \(/);
    assert.equal(inPipeline.status, 1);
  });

  test("writes only by permission, and reads the document's secret unless another is named", () => {
    const read = (more: Readonly<Record<string, string>>) => {
      const settings = readLiveSettings({ ...complete, ...more });
      assert.equal(settings.kind, "run");
      return { mayWrite: settings.settings.mayWrite, secretName: settings.settings.secretName };
    };
    assert.deepEqual(read({}), { mayWrite: false, secretName: "DemoSecret" });
    assert.deepEqual(read({ LIVE_MAY_WRITE: "1", LIVE_SECRET_NAME: "other" }), { mayWrite: false, secretName: "other" });
    assert.equal(read({ LIVE_MAY_WRITE: "true" }).mayWrite, true);
  });

  test("hands the way out of the network to the processes, and nothing else", () => {
    const environment = { HTTPS_PROXY: "p", no_proxy: "n", NODE_EXTRA_CA_CERTS: "c", AZURE_CLIENT_SECRET: "s", PATH: "x" };
    assert.deepEqual(outboundEnvironment(environment), { HTTPS_PROXY: "p", no_proxy: "n", NODE_EXTRA_CA_CERTS: "c" });
  });
});
