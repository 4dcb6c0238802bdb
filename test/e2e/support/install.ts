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

/** On the node's address; the emulator itself listens on the machine's loopback. */
const PROXY_PORT = 3128;
/** Of the emulator, as the node's pods see it. */
export const EMULATOR_PROXY = `http://${NODE_ADDRESS}:${PROXY_PORT}`;
/** Where the machines of Azure have it: the provider's SDK knows no other place. */
const METADATA_ADDRESS = "169.254.169.254";
/** What {@link shareEmulatorCa} makes. */
export const CA_CONFIG_MAP = "key-vault-emulator";

export interface EmulatorPlaces {
  readonly proxyUrl: string;
  readonly imdsUrl: string;
  readonly caFile: string;
}

/** Applies a kustomization of the repository with patches on top, as a user's own overlay would. */
export async function applyKustomization(node: RealNode, folder: string, patches: readonly NodePatch[] = []): Promise<void> {
  const overlay = writeOverlay(node, { resources: [folder], patches });
  await node.kubectl(["apply", "--server-side", "--kustomize", overlay]);
}

/** Lets the node's pods reach the emulator, its metadata service where it belongs; returns the proxy as they see it. */
export async function bringInEmulator(node: RealNode, emulator: EmulatorPlaces): Promise<string> {
  await node.bringIn({ from: Number(new URL(emulator.proxyUrl).port), to: PROXY_PORT });
  await node.run("ip", ["address", "add", `${METADATA_ADDRESS}/32`, "dev", "lo"]);
  await node.bringIn({ from: Number(new URL(emulator.imdsUrl).port), to: 80, address: METADATA_ADDRESS });
  return EMULATOR_PROXY;
}

/** The emulator's CA certificate as a ConfigMap, for pods of one namespace. */
export async function shareEmulatorCa(node: RealNode, emulator: EmulatorPlaces, namespace: string): Promise<string> {
  const certificate = readFileSync(emulator.caFile, "utf8");
  const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: CA_CONFIG_MAP, namespace }, data: { "ca.crt": certificate } };
  await node.kubectl(["apply", "--server-side", "--filename=-"], JSON.stringify(configMap));
  return CA_CONFIG_MAP;
}

export interface InstallOptions {
  readonly emulator: EmulatorPlaces;
  /** Of the emulator's proxy as pods see it: what `bringInEmulator` returned. */
  readonly proxyUrl: string;
}

/** CSI driver and Azure provider as `manifests` has them; resolves when the driver is registered with the kubelet. */
export async function installNodeSide(node: RealNode, { emulator, proxyUrl }: InstallOptions): Promise<void> {
  const caConfigMap = await shareEmulatorCa(node, emulator, "kube-system");
  await applyKustomization(node, "components/csi-driver", driverPatches({ pollInterval: "2s" }));
  await applyKustomization(node, "components/azure-provider", providerPatches({ proxyUrl, caConfigMap }));
  await nodeSideReady(node, "60s");
}

/** Driver and provider rolled out, each within `timeout`, and the driver registered with the kubelet. */
export async function nodeSideReady(node: RealNode, timeout: string): Promise<void> {
  for (const name of ["csi-secrets-store", "csi-secrets-store-provider-azure"]) {
    await node.kubectl(["rollout", "status", `daemonset/${name}`, "--namespace=kube-system", `--timeout=${timeout}`]);
  }
  await eventually(async () => (await registeredDrivers(node)).includes("secrets-store.csi.k8s.io"), { what: "the driver's registration" });
}

/** Our own manifests, without the definitions; resolves when all replicas are ready. */
export async function installInjector(node: RealNode, { emulator, proxyUrl }: InstallOptions): Promise<void> {
  // First, because the worker's pod waits for the emulator's CA in it.
  await node.kubectl(["apply", "--server-side", "--filename", path.join(MANIFESTS, "base/namespace.yaml")]);
  const caConfigMap = await shareEmulatorCa(node, emulator, INJECTOR_NAMESPACE);
  await applyKustomization(node, "overlays/default", injectorPatches({ proxyUrl, caConfigMap }));
  await injectorReady(node);
  // Endpoints come to kube-proxy a moment after the pods are ready.
  await injecting(node, 30_000);
}

/** Resolves when the API server reaches a webhook that injects, `within` so many milliseconds. */
export async function injecting(node: RealNode, within: number): Promise<void> {
  await eventually(() => isInjecting(node), { within, every: 250, what: "a webhook that the API server reaches" });
}

async function isInjecting(node: RealNode): Promise<boolean> {
  const probe = JSON.stringify(pod("probe", { containers: [reader()] }));
  const drivers = "--output=jsonpath={.spec.volumes[*].csi.driver}";
  return (await node.kubectl(["create", "--dry-run=server", "--filename=-", drivers], probe)) === "secrets-store.csi.k8s.io";
}

/** All replicas ready, whether or not anything leads to them. */
export async function injectorReady(node: RealNode): Promise<void> {
  for (const name of ["keyvault-injector-webhook", "keyvault-injector-sync"]) {
    await node.kubectl(["rollout", "status", `deployment/${name}`, `--namespace=${INJECTOR_NAMESPACE}`, "--timeout=90s"]);
  }
}

export async function installDefinitions(node: RealNode): Promise<void> {
  await applyKustomization(node, "crds");
  await node.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
}

export async function registeredDrivers(node: RealNode): Promise<readonly string[]> {
  return (await node.kubectl(["get", "csinode", node.name, "--output=jsonpath={.spec.drivers[*].name}"])).split(" ");
}
