import { startControlPlane } from "../support/cluster/control-plane.ts";
import { installProduct } from "../support/cluster/product.ts";
import { type LiveSettings, outboundEnvironment } from "./settings.ts";
import { openLiveVault } from "./vault.ts";
import { liveSteps } from "./walk-through.ts";

const seconds = (from: number): string => `${((performance.now() - from) / 1_000).toFixed(1)} s`;

/** Runs the walk-through. Resolves with the exit code. */
export async function runLive(settings: LiveSettings): Promise<number> {
  const started = performance.now();
  const vault = openLiveVault(settings);
  const plane = await startControlPlane();
  const steps = liveSteps(settings);
  let done = 0;
  try {
    const product = await installProduct(plane, { environment: outboundEnvironment(process.env) });
    try {
      await Promise.all([product.start("webhook"), product.start("sync", { args: ["--rotation-poll-interval=10s"] })]);
      for (const step of steps) {
        const from = performance.now();
        await step.run({ settings, vault, plane });
        done += 1;
        console.log(`${done} ${step.title} (${seconds(from)})`);
      }
    } catch (error) {
      console.log(`${done + 1} FAILED: ${error instanceof Error ? error.message : String(error)}`);
      console.log(await plane.kubectl(["get", "spcsync", "-o", "wide"]).catch(() => "no status to show"));
    } finally {
      await product.stop();
    }
  } finally {
    const left = await vault.cleanUp();
    if (left !== undefined) console.log(`note: ${left}`);
    await plane.stop();
  }
  console.log(`live: ${done}/${steps.length} steps in ${seconds(started)}`);
  return done === steps.length ? 0 : 1;
}
