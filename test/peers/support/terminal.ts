import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type ControlPlane, controlPlaneBinary } from "../../support/cluster/control-plane.ts";
import { baseEnvironment } from "../../support/processes/base-environment.ts";

const MAIN = path.resolve(import.meta.dirname, "../../../src/main.ts");

export interface Typed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A shell in its own folder, with kubectl for the control plane and our command line. */
export interface Terminal {
  readonly folder: string;
  /** Types the command. Resolves regardless of the exit code. */
  type(command: string): Promise<Typed>;
  /** Types the command. Throws with the whole output if the exit code is not 0. Resolves with standard output. */
  expect(command: string): Promise<string>;
}

export function openTerminal(plane: ControlPlane): Terminal {
  const folder = path.join(plane.directory, "terminal");
  const programs = path.join(folder, "bin");
  mkdirSync(programs, { recursive: true });
  writeFileSync(path.join(programs, "keyvault-injector"), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, { mode: 0o755 });
  const base = baseEnvironment();
  const env = {
    ...base,
    PATH: [programs, path.dirname(controlPlaneBinary("kubectl")), base["PATH"]].join(path.delimiter),
    KUBECONFIG: plane.kubeconfigPath,
    HOME: folder,
  };
  const type = (command: string): Promise<Typed> =>
    new Promise((resolve, reject) => {
      const child = spawn("sh", ["-ec", command], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
      let [stdout, stderr] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      child.once("error", reject);
      child.once("close", (code) => resolve({ code: code ?? 128, stdout, stderr }));
    });
  const expect = async (command: string): Promise<string> => {
    const { code, stdout, stderr } = await type(command);
    if (code !== 0) throw new Error(`exit code ${code} of ${command}\n${stdout}${stderr}`);
    return stdout;
  };
  return { folder, type, expect };
}
