import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { Emulator } from "../../../tools/key-vault-emulator/emulator.ts";
import type { RealNode } from "./node.ts";

const EXAMPLES = path.resolve(import.meta.dirname, "../../../manifests/examples");

/** Values of the documentation's placeholders. */
export interface WalkValues {
  readonly "key-vault-name": string;
  readonly "tenant-Id": string;
  readonly "client-id": string;
  readonly "client-secret": string;
}

export const DOCUMENT_POD = "busybox-secrets-store-inline";
export const ANNOTATED_POD = "busybox-secrets-store-annotated";
export const SECRET_FILE = "/mnt/secrets-store/DemoSecret";

/** Commands of the documentation as a reader types them, in a folder with the files of `manifests/examples`. */
export const DOCUMENT = {
  credentials: [
    'kubectl create secret generic secrets-store-creds --from-literal clientid="<client-id>" --from-literal clientsecret="<client-secret>"',
    "kubectl label secret secrets-store-creds secrets-store.csi.k8s.io/used=true",
  ],
  class: "kubectl apply -f secretproviderclass.yaml",
  pod: "kubectl apply -f pod.yaml",
  list: `kubectl exec ${DOCUMENT_POD} -- ls /mnt/secrets-store/`,
  read: `kubectl exec ${DOCUMENT_POD} -- cat ${SECRET_FILE}`,
} as const;

/** Commands that our readers type instead of writing a volume. */
export const ANNOTATED = {
  pod: "kubectl apply -f pod-annotated.yaml",
  read: `kubectl exec ${ANNOTATED_POD} -- cat ${SECRET_FILE}`,
} as const;

/** A terminal in a folder with the examples, with filled-in placeholders. */
export interface Walk {
  readonly values: WalkValues;
  /** Working folder. Its folder `bin` comes first in PATH. */
  readonly folder: string;
  /** Runs a command with filled-in placeholders in the shell. Resolves with its stdout, rejects with its stderr. */
  type(command: string): Promise<string>;
  /** Waits for a pod that was just created. */
  ready(pod: string): Promise<void>;
}

/** Creates the vault with the documentation's secret, and an identity that may read it. */
export async function prepareVault(emulator: Emulator, name: string): Promise<WalkValues> {
  const { tenantId } = await emulator.createVault({ name });
  const { appId, clientSecret } = await emulator.createServicePrincipal({ tenantId });
  await emulator.grant({ vault: name, appId, permissions: ["get"] });
  await emulator.setSecret({ vault: name, name: "DemoSecret", value: "MyExampleSecret" });
  return { "key-vault-name": name, "tenant-Id": tenantId, "client-id": appId, "client-secret": clientSecret };
}

export function openWalk(node: RealNode, values: WalkValues): Walk {
  const folder = mkdtempSync(path.join(node.directory, "walk-"));
  for (const file of readdirSync(EXAMPLES)) {
    writeFileSync(path.join(folder, file), filled(readFileSync(path.join(EXAMPLES, file), "utf8"), values));
  }
  const env = {
    PATH: `${path.join(folder, "bin")}${path.delimiter}${process.env["KUBEBUILDER_ASSETS"] ?? ""}${path.delimiter}${process.env["PATH"] ?? ""}`,
    KUBECONFIG: node.kubeconfigPath,
    HOME: node.directory,
  };
  return {
    values,
    folder,
    type: async (command) => (await promisify(execFile)("sh", ["-ec", filled(command, values)], { cwd: folder, env })).stdout,
    ready: async (pod) => {
      await node.kubectl(["wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=60s"]);
    },
  };
}

/** Throws on an unknown placeholder. */
function filled(text: string, values: WalkValues): string {
  return text.replaceAll(/<([A-Za-z-]+)>/g, (placeholder, name: string) => {
    const value = (values as Readonly<Record<string, string | undefined>> & WalkValues)[name]; // A text can contain any name.
    if (value === undefined) throw new Error(`${placeholder} stands for nothing here`);
    return value;
  });
}
