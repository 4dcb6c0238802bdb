import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { IMAGE } from "../../../tools/image-files.ts";
import { INJECTOR_NAMESPACE } from "../../e2e/support/install.ts";
import { CHART, type HelmVersion, runHelm } from "../../support/cluster/helm.ts";
import { type InstallWorld, NEXT_VERSION } from "../support/install-world.ts";
import { POLL, type Way } from "./way.ts";

/** Name of the release, as the documentation's command names the extension. */
const RELEASE = "akvsecretsprovider";
const WAIT = ["--wait", "--timeout", "3m"];
const DRIVER = "secrets-store-csi-driver";

/** Installs with the chart, with the documentation's settings under their own names. */
export function helm(version: HelmVersion, { node, emulator, proxyUrl }: InstallWorld): Way {
  const run = async (verb: string, args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runHelm(version, [verb, RELEASE, ...args, "-n", INJECTOR_NAMESPACE], {
      KUBECONFIG: node.kubeconfigPath,
    });
    if (code !== 0) throw new Error(`helm ${verb}: ${stderr}`);
    return stdout;
  };
  const settings = [
    `${DRIVER}.enableSecretRotation=true`,
    `${DRIVER}.rotationPollInterval=${POLL.installed}`,
    `${DRIVER}.syncSecret.enabled=true`,
    // The emulator replaces Azure here, behind a proxy that terminates TLS.
    "Azure.proxySettings.isProxyEnabled=true",
    `Azure.proxySettings.httpsProxy=${proxyUrl}`,
  ].flatMap((value) => ["--set", value]);
  const emulatorCa = ["--set-file", `Azure.proxySettings.proxyCert=${emulator.caFile}`];
  return {
    install: async () => {
      await run("install", [CHART, "--create-namespace", ...settings, ...emulatorCa, ...WAIT]);
      await node.kubectl(["label", "namespace", INJECTOR_NAMESPACE, "pod-security.kubernetes.io/enforce=restricted", "--overwrite"]);
    },
    change: async () => {
      await run("upgrade", [CHART, "--reuse-values", "--set", `${DRIVER}.rotationPollInterval=${POLL.changed}`, ...WAIT]);
    },
    upgrade: async () => {
      await run("upgrade", [nextChart(node.directory), "--reuse-values", "--set", `image=${IMAGE.name}:${NEXT_VERSION}`, ...WAIT]);
    },
    uninstall: async () => {
      await run("uninstall", WAIT);
    },
  };
}

/** The chart with the next version. */
function nextChart(directory: string): string {
  const folder = path.join(mkdtempSync(path.join(directory, "chart-")), path.basename(CHART));
  cpSync(CHART, folder, { recursive: true });
  const file = path.join(folder, "Chart.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replaceAll(/^((?:app)?[vV]ersion:).*$/gm, `$1 ${NEXT_VERSION}`));
  return folder;
}
