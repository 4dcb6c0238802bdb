/** Attacks through other webhooks of the API server, and through its answers for one tenant's objects. */
import type { Attack, Strike } from "../attack.ts";
import { type SlowAdmissionOptions, startSlowAdmission } from "../slow-admission.ts";
import { classNames, hostileClass, removeClasses } from "../tenant-classes.ts";
import type { HostileWorld, Tenant } from "../world.ts";
import { repeating } from "./tenants.ts";

function only({ namespace }: Tenant): object {
  return { matchLabels: { "kubernetes.io/metadata.name": namespace } };
}

const SECRETS: Pick<SlowAdmissionOptions, "apiGroups" | "resources" | "operations"> = {
  apiGroups: [""],
  resources: ["secrets"],
  operations: ["CREATE", "UPDATE", "DELETE"],
};

const TENANTS = 4;
const OBJECTS = Array.from({ length: 20 }, (_, index) => `object-${index}`);

/**
 * Hundreds of Secrets in four namespaces with one vault each, whose objects rotate all the time. Each write waits for another user's
 * webhook.
 */
async function slowSecrets(world: HostileWorld, options: { readonly delayMs: number; readonly allowed?: boolean }): Promise<Strike> {
  const tenants = await Promise.all(Array.from({ length: TENANTS }, () => world.tenant()));
  const namespaces = tenants.map(({ namespace }) => namespace);
  const theirs = { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: namespaces }] };
  const slow = await startSlowAdmission(world.plane, { ...options, ...SECRETS, namespaceSelector: theirs });
  for (const { vault } of tenants) for (const name of OBJECTS) await world.emulator.setSecret({ vault, name, value: "0" });
  for (const tenant of tenants) for (const name of classNames(10)) await hostileClass(world, tenant, { name, objects: OBJECTS });
  const rotating = repeating(20, async (turn) => {
    const { vault = "" } = tenants[turn % TENANTS] ?? {};
    await world.emulator.setSecret({ vault, name: OBJECTS[Math.floor(turn / TENANTS) % OBJECTS.length] ?? "", value: `${turn}` });
  });
  return {
    evidence: () =>
      slow.calls < 16 ? undefined : `${slow.calls} writes of 800 Secrets of ${TENANTS} tenants waited ${options.delayMs} ms each`,
    stop: async () => {
      await rotating.stop();
      for (const tenant of tenants) await removeClasses(world, tenant);
      await slow.stop();
    },
  };
}

async function slowResource(
  world: HostileWorld,
  wanted: Pick<SlowAdmissionOptions, "apiGroups" | "resources" | "operations" | "delayMs">,
): Promise<Strike> {
  const tenant = await world.tenant();
  await world.emulator.setSecret({ vault: tenant.vault, name: "object", value: "0" });
  const slow = await startSlowAdmission(world.plane, { ...wanted, namespaceSelector: only(tenant) });
  for (const name of classNames(60)) await hostileClass(world, tenant, { name, objects: ["object"] });
  const rotating = repeating(100, (turn) => world.emulator.setSecret({ vault: tenant.vault, name: "object", value: `${turn}` }));
  return {
    evidence: () =>
      slow.calls === 0 ? undefined : `${slow.calls} writes of ${wanted.resources.join(", ")} waited ${wanted.delayMs} ms each`,
    stop: async () => {
      await rotating.stop();
      await removeClasses(world, tenant);
      await slow.stop();
    },
  };
}

export const apiServerAttacks: readonly Attack[] = [
  {
    name: "a webhook that takes a second for each Secret of a tenant",
    kind: "slow writes",
    isControl: true,
    start: (world) => slowSecrets(world, { delayMs: 1_000 }),
  },
  {
    name: "a webhook that answers no Secret of a tenant in time",
    kind: "slow writes",
    start: (world) => slowSecrets(world, { delayMs: 12_000 }),
  },
  {
    name: "a webhook that refuses each Secret of a tenant after two seconds",
    kind: "slow writes",
    start: (world) => slowSecrets(world, { delayMs: 2_000, allowed: false }),
  },
  {
    name: "a webhook that takes five seconds for each status of a tenant",
    kind: "slow writes",
    start: (world) =>
      slowResource(world, {
        apiGroups: ["keyvault-injector.dev"],
        resources: ["secretproviderclasssyncs", "secretproviderclasssyncs/status"],
        operations: ["CREATE", "UPDATE"],
        delayMs: 5_000,
      }),
  },
  {
    name: "a webhook that takes five seconds for each event and snapshot of a tenant",
    kind: "slow writes",
    start: (world) =>
      slowResource(world, {
        apiGroups: ["", "apps"],
        resources: ["events", "controllerrevisions"],
        operations: ["CREATE", "UPDATE"],
        delayMs: 5_000,
      }),
  },
];
