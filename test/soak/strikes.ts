import { setTimeout as pause } from "node:timers/promises";
import { RESOURCES, type Secret } from "../../src/domain/kubernetes.ts";
import type { FaultEffect } from "../../tools/key-vault-emulator/network/fault-plan.ts";
import { INJECTOR_NAMESPACE } from "../e2e/support/install.ts";
import type { Random } from "../support/fixtures/random.ts";
import { MANAGER, NAMESPACE, type SoakWorld } from "./world.ts";

/** One fault. Resolves when its cause is over. The recovery may continue while the next fault strikes. */
export interface Strike {
  readonly name: string;
  readonly run: (world: SoakWorld, target: Targets) => Promise<void>;
}

export interface Targets {
  readonly random: Random;
  /**
   * Names of the measured pods, which live from the beginning to the end, one of each component. Strikes may kill the other pod of each
   * component.
   */
  readonly spared: ReadonlySet<string>;
}

const ENTRA = "login.microsoftonline.com";
const ALWAYS = 1_000_000;
const LASTS_MS = 4_000;

const ofVault = (name: string, effect: FaultEffect): Strike => ({
  name,
  run: async ({ emulator, cell }) => {
    await emulator.injectFault({ vault: cell.vault, ...effect, times: ALWAYS });
    await pause(LASTS_MS);
    await emulator.clearFaults({ vault: cell.vault });
  },
});

/** Returns a few of the synced Secrets of the classes that stay. */
function someSecrets({ cell }: SoakWorld, random: Random): readonly string[] {
  const first = random.integer(0, cell.names.length - 1);
  return [0, 1, 2, 3, 4].map((index) => cell.names[(first + index) % cell.names.length] ?? "");
}

const killed = (component: "webhook" | "sync"): Strike => ({
  name: `one ${component === "sync" ? "worker" : component} killed`,
  run: async (world, { spared }) => {
    const others = (await world.ourPods(component)).filter((name) => !spared.has(name));
    const [other] = others;
    // The successor may not exist yet because the previous pod is still ending.
    if (other === undefined) throw new Error(`no second ${component} to kill yet`);
    await world.node.kubectl(["delete", "pod", other, `--namespace=${INJECTOR_NAMESPACE}`, "--grace-period=0", "--force"]);
  },
});

const deleted = (name: string, ...target: readonly string[]): Strike => ({
  name,
  run: async ({ node }) => void (await node.kubectl(["delete", ...target, "--wait=false"])),
});

const restarted = (component: "kubelet" | "kube-controller-manager"): Strike => ({
  name: `${component} restarted`,
  run: ({ node }) => node.restart(component),
});

const INJECTOR = `--namespace=${INJECTOR_NAMESPACE}`;
const SYSTEM = "--namespace=kube-system";

export const STRIKES: readonly Strike[] = [
  ofVault("Key Vault answers 503", { kind: "status", status: 503 }),
  ofVault("Key Vault answers 429", { kind: "status", status: 429, retryAfterSeconds: 2 }),
  ofVault("Key Vault resets connections", { kind: "reset" }),
  ofVault("Key Vault answers half a body", { kind: "truncated" }),
  ofVault("a proxy's page instead of Key Vault", { kind: "contentType" }),
  {
    name: "Entra answers 503",
    run: async ({ emulator }) => {
      await emulator.injectFault({ host: ENTRA, kind: "status", status: 503, times: ALWAYS });
      await pause(LASTS_MS);
      await emulator.clearFaults({ host: ENTRA });
    },
  },
  {
    name: "the vault's permission taken away and given back",
    run: async ({ cell }) => {
      await cell.revoke();
      await pause(LASTS_MS);
      await cell.grant();
    },
  },
  {
    name: "the client secret replaced, its Secret seconds later",
    run: async (world) => {
      await world.cell.replaceClientSecret();
      await pause(LASTS_MS);
      await world.writeCredentials();
    },
  },
  {
    name: "Secrets deleted by others",
    run: async (world, { random }) => {
      for (const name of someSecrets(world, random)) {
        await world.kube.delete(RESOURCES.secrets, { namespace: NAMESPACE, name }, {}, world.signal);
      }
    },
  },
  {
    name: "Secrets edited by others",
    run: async (world, { random }) => {
      const patch = { data: { value: Buffer.from("edited").toString("base64") } };
      for (const name of someSecrets(world, random)) {
        await world.kube.mergePatch<Secret>(RESOURCES.secrets, { namespace: NAMESPACE, name }, patch, MANAGER, world.signal);
      }
    },
  },
  deleted("the class CRD deleted", "crd", "secretproviderclasses.secrets-store.csi.x-k8s.io"),
  deleted("all CRDs deleted", "crd", "--all"),
  deleted("the webhook's Service deleted", "service", "keyvault-injector-webhook", INJECTOR),
  deleted("the webhook configuration deleted", "mutatingwebhookconfiguration", "keyvault-injector"),
  deleted("the webhook's CA deleted", "secret", "keyvault-injector-ca", INJECTOR),
  deleted("the CSI driver's pod deleted", "pods", "--selector=app=csi-secrets-store", SYSTEM),
  deleted("the provider's pod deleted", "pods", "--selector=app=csi-secrets-store-provider-azure", SYSTEM),
  killed("sync"),
  killed("webhook"),
  {
    name: "kube-apiserver killed and started again",
    // Kill it: an orderly end takes longer than a leader may be without its Lease, and the worker would correctly end as well.
    run: async ({ node }) => {
      await node.run("pkill", ["-KILL", "kube-apiserver"]);
      await node.restart("kube-apiserver");
    },
  },
  restarted("kubelet"),
  restarted("kube-controller-manager"),
];
