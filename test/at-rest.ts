// `npm run test:at-rest -- <minutes>`: runs the Flux suite with a longer rest. In `npm test`, the rest lasts half a minute.
import { spawnSync } from "node:child_process";
import path from "node:path";

const [given = "10"] = process.argv.slice(2);
const minutes = Number(given);
if (!Number.isFinite(minutes) || minutes <= 0) {
  console.error(`at-rest: ${JSON.stringify(given)} is no number of minutes; write npm run test:at-rest -- 10`);
  process.exit(2);
}
const { status } = spawnSync(process.execPath, [path.join(import.meta.dirname, "run-tests.ts"), "integration", "/flux.test.ts"], {
  stdio: "inherit",
  env: { ...process.env, KEYVAULT_INJECTOR_REST_MINUTES: String(minutes) },
});
process.exitCode = status ?? 1;
