// `npm run test:live`: the document's walk-through against a real vault, on a control plane of its own, with the sync worker and the
// webhook as they are shipped. Changes nothing in the vault unless LIVE_MAY_WRITE=true.
import { readLiveSettings } from "./settings.ts";

const run = readLiveSettings(process.env);
if (run.kind === "skipped") {
  console.log(run.message);
  // Nothing given is how most machines are; half of it is a mistake that a pipeline should not hide.
  process.exitCode = run.isMistake && process.env["CI"] === "true" ? 1 : 0;
} else {
  const { runLive } = await import("./run.ts");
  process.exitCode = await runLive(run.settings);
}
