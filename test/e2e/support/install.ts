import { readFileSync } from "node:fs";
import path from "node:path";
import { MANIFESTS } from "../../support/cluster/shipped-manifests.ts";
import { eventually } from "../../support/time/eventually.ts";
import { driverPatches, injectorPatches, type NodePatch, providerPatches } from "../node-patches.ts";
import type { RealNode } from "./node.ts";
import { NODE_ADDRESS } from "./node-layout.ts";
import { writeOverlay } from "./overlay.ts";
import { pod, reader } from "./workloads.ts";

export const INJECTOR_NAMESPACE = "keyvault-injector";

/** Port at the node's address. The emulator itself listens on the machine's loopback. */
const PROXY_PORT = 3128;
/** Address of the emulator's proxy for the node's pods. */
export const EMULATOR_PROXY = `http://${NODE_ADDRESS}:${PROXY_PORT}`;
/** Address on Azure's machines. The provider's SDK uses no other one. */
const METADATA_ADDRESS = "169.254.169.254";
/** ConfigMap that {@link shareEmulatorCa} creates. */
export const CA_CONFIG_MAP = "key-vault-emulator";

export interface EmulatorPlaces {
  readonly proxyUrl: string;
  readonly imdsUrl: string;
  readonly caFile: string;
}

/** Applies a kustomization of the repository with patches, like a user's own overlay. */
export async function applyKustomization(node: RealNode, folder: string, patches: readonly NodePatch[] = []): Promise<void> {
  const overlay = writeOverlay(node, { resources: [folder], patches });
  await node.kubectl(["apply", "--server-side", "--kustomize", overlay]);
}

/**
 * Makes the emulator reachable for the node's pods, and its metadata service at its usual address. Returns the proxy's address for pods.
 */
export async function bringInEmulator(node: RealNode, emulator: EmulatorPlaces): Promise<string> {
  await node.bringIn({ from: Number(new URL(emulator.proxyUrl).port), to: PROXY_PORT });
  await node.run("ip", ["address", "add", `${METADATA_ADDRESS}/32`, "dev", "lo"]);
  await node.bringIn({ from: Number(new URL(emulator.imdsUrl).port), to: 80, address: METADATA_ADDRESS });
  return EMULATOR_PROXY;
}

/** Creates a ConfigMap with the emulator's CA certificate for the pods of one namespace. */
export async function shareEmulatorCa(node: RealNode, emulator: EmulatorPlaces, namespace: string): Promise<string> {
  const certificate = readFileSync(emulator.caFile, "utf8");
  const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: CA_CONFIG_MAP, namespace }, data: { "ca.crt": certificate } };
  await node.kubectl(["apply", "--server-side", "--filename=-"], JSON.stringify(configMap));
  return CA_CONFIG_MAP;
}

export interface InstallOptions {
  readonly emulator: EmulatorPlaces;
  /** Address of the emulator's proxy for pods, from `bringInEmulator`. */
  readonly proxyUrl: string;
}

/** Installs CSI driver and Azure provider from `manifests`. Resolves when the driver is registered with the kubelet. */
export async function installNodeSide(node: RealNode, { emulator, proxyUrl }: InstallOptions): Promise<void> {
  const caConfigMap = await shareEmulatorCa(node, emulator, "kube-system");
  await applyKustomization(node, "components/csi-driver", driverPatches({ pollInterval: "2s" }));
  await applyKustomization(node, "components/azure-provider", providerPatches({ proxyUrl, caConfigMap }));
  await nodeSideReady(node, "180s");
}

/** Waits until driver and provider are rolled out, each within `timeout`, and the driver is registered with the kubelet. */
export async function nodeSideReady(node: RealNode, timeout: string): Promise<void> {
  for (const name of ["csi-secrets-store", "csi-secrets-store-provider-azure"]) {
    await node.kubectl(["rollout", "status", `daemonset/${name}`, "--namespace=kube-system", `--timeout=${timeout}`]);
  }
  await eventually(async () => (await registeredDrivers(node)).includes("secrets-store.csi.k8s.io"), { what: "the driver's registration" });
}

/** Installs our own manifests without the CRDs. Resolves when all replicas are ready. */
export async function installInjector(node: RealNode, { emulator, proxyUrl }: InstallOptions): Promise<void> {
  // First, because the worker's pod waits for the emulator's CA in this namespace.
  await node.kubectl(["apply", "--server-side", "--filename", path.join(MANIFESTS, "base/namespace.yaml")]);
  const caConfigMap = await shareEmulatorCa(node, emulator, INJECTOR_NAMESPACE);
  await applyKustomization(node, "overlays/default", injectorPatches({ proxyUrl, caConfigMap }));
  await injectorReady(node);
  // kube-proxy gets the endpoints a moment after the pods are ready.
  await injecting(node, 30_000);
}

/** Resolves when the API server reaches a webhook that injects. `within` is the time limit in milliseconds. */
export async function injecting(node: RealNode, within: number): Promise<void> {
  await eventually(() => isInjecting(node), { within, every: 250, what: "a webhook that the API server reaches" });
}

async function isInjecting(node: RealNode): Promise<boolean> {
  const probe = JSON.stringify(pod("probe", { containers: [reader()] }));
  const drivers = "--output=jsonpath={.spec.volumes[*].csi.driver}";
  return (await node.kubectl(["create", "--dry-run=server", "--filename=-", drivers], probe)) === "secrets-store.csi.k8s.io";
}

/** Waits until all replicas are ready, even without endpoints. */
export async function injectorReady(node: RealNode): Promise<void> {
  for (const name of ["keyvault-injector-webhook", "keyvault-injector-sync"]) {
    await node.kubectl(["rollout", "status", `deployment/${name}`, `--namespace=${INJECTOR_NAMESPACE}`, "--timeout=180s"]);
  }
}

export async function installDefinitions(node: RealNode): Promise<void> {
  await applyKustomization(node, "crds");
  await node.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
}

export async function registeredDrivers(node: RealNode): Promise<readonly string[]> {
  return (await node.kubectl(["get", "csinode", node.name, "--output=jsonpath={.spec.drivers[*].name}"])).split(" ");
}
