/**
 * Replaces undici's agent, node:http, and node:https by the fabric. Import this after `time/install.ts`, and before any code of the
 * product.
 */
import { createRequire, syncBuiltinESMExports } from "node:module";
import type { Fabric } from "./fabric.ts";
import { simulatedRequest, simulatedServer } from "./https-request.ts";
import { replaceAgent } from "./undici-agent.ts";

const require = createRequire(import.meta.url);
let current: Fabric | undefined;

export function useHttpsFabric(fabric: Fabric): void {
  current = fabric;
}

function active(): Fabric {
  if (current === undefined) throw new Error("simulation: a request was made before a world began");
  return current;
}

replaceAgent();
Object.assign(require("node:https"), { request: simulatedRequest(active) });
Object.assign(require("node:http"), { request: simulatedRequest(active), createServer: simulatedServer });
syncBuiltinESMExports();
