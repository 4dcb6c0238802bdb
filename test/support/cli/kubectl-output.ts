import { execFile } from "node:child_process";
import path from "node:path";
import { type ControlPlane, controlPlaneBinary } from "../cluster/control-plane.ts";

/** Output of kubectl, as a user at a terminal sees it. */
export interface KubectlOutput {
  readonly code: number;
  readonly stdout: string;
  /** Errors and warnings. */
  readonly stderr: string;
}

/** Runs kubectl as the administrator. Resolves even if kubectl fails. */
export function kubectlOutput(plane: ControlPlane, args: readonly string[], input = ""): Promise<KubectlOutput> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: path.dirname(plane.kubeconfigPath) };
  return new Promise((resolve) => {
    const child = execFile(
      controlPlaneBinary("kubectl"),
      [`--kubeconfig=${plane.kubeconfigPath}`, ...args],
      { env },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
