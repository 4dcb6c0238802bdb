import { writeFileSync } from "node:fs";
import path from "node:path";
import { API_HOST } from "./cluster.ts";

/** Writes a kubeconfig for a process that uses this token, and returns the path of the file. */
export function writeKubeconfig(folder: string, name: string, token: string): string {
  const file = path.join(folder, name);
  const context = { name: "simulated", context: { cluster: "simulated", user: "process" } };
  const document = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "simulated", cluster: { server: `https://${API_HOST}` } }],
    users: [{ name: "process", user: { token } }],
    contexts: [context],
    "current-context": "simulated",
  };
  writeFileSync(file, JSON.stringify(document));
  return file;
}
