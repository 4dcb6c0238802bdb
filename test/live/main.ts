// `npm run test:live`: runs the document's walk-through with a real vault, on its own control plane, with the shipped sync worker and
// webhook. Changes nothing in the vault unless LIVE_MAY_WRITE=true.
import { readLiveSettings } from "./settings.ts";

const run = readLiveSettings(process.env);
if (run.kind === "skipped") {
  console.log(run.message);
  // Most machines have none of the variables. An incomplete set is a mistake that a pipeline should report.
  process.exitCode = run.isMistake && process.env["CI"] === "true" ? 1 : 0;
} else {
  const { runLive } = await import("./run.ts");
  process.exitCode = await runLive(run.settings);
}
