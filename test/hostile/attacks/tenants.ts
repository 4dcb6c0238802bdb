/** Attacks by a tenant who may write classes, Secrets and pods in a namespace. */
import { setTimeout as pause } from "node:timers/promises";
import { apiRequest } from "../../support/cluster/api-request.ts";
import { aPod } from "../../support/fixtures/pods.ts";
import { mergePatch, mirroredSecrets, secretPath, send } from "../../support/worker/sync-world.ts";
import type { Attack, Strike } from "../attack.ts";
import { pkcs12Bomb } from "../bomb.ts";
import { classNames, hostileClass, removeClasses } from "../tenant-classes.ts";
import type { HostileWorld, Tenant } from "../world.ts";

/** Repeats an action until it is stopped. */
export function repeating(
  everyMs: number,
  act: (turn: number) => Promise<unknown>,
): { readonly turns: () => number; stop(): Promise<void> } {
  const stop = new AbortController();
  let turns = 0;
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await act(turns).catch(() => undefined);
      turns += 1;
      await pause(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    turns: () => turns,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

async function requestsOf({ emulator }: HostileWorld, { vault }: Tenant): Promise<number> {
  return (await emulator.requests()).filter(({ host, status }) => host.startsWith(`${vault}.`) && status !== 401).length;
}

/** Each Secret needs its own decoding of the value, which takes the better part of a second. */
const BOMBED_CLASSES = 3;
const BOMBED_SECRETS = 16;

/** The file contains the decoded value. */
const BOMB = { objectName: "bomb", objectType: "secret", objectEncoding: "base64" };

async function bombs(world: HostileWorld, tenants: number): Promise<Strike> {
  const all = await Promise.all(Array.from({ length: tenants }, () => world.tenant()));
  for (const tenant of all) {
    await world.emulator.setSecret({ vault: tenant.vault, name: "bomb", value: pkcs12Bomb() });
    for (const name of classNames(BOMBED_CLASSES)) {
      const secretObjects = Array.from({ length: BOMBED_SECRETS }, (_, index) => ({
        secretName: `${name}-${index}`,
        type: "kubernetes.io/tls",
        data: [
          { objectName: "bomb", key: "tls.crt" },
          { objectName: "bomb", key: "tls.key" },
        ],
      }));
      await hostileClass(world, tenant, { name, objects: [BOMB], secretObjects });
    }
  }
  const [first] = all;
  return {
    evidence: async () => {
      const asked = first === undefined ? 0 : await requestsOf(world, first);
      return asked === 0
        ? undefined
        : `${tenants * BOMBED_CLASSES * BOMBED_SECRETS} Secrets from a value of ${pkcs12Bomb().length} characters; asked for ${asked} times`;
    },
    stop: async () => {
      for (const tenant of all) await removeClasses(world, tenant);
    },
  };
}

async function churn(world: HostileWorld): Promise<Strike> {
  const tenant = await world.tenant();
  await world.emulator.setSecret({ vault: tenant.vault, name: "object", value: "x" });
  for (const name of classNames(20)) await hostileClass(world, tenant, { name, objects: ["object"] });
  const editing = repeating(5, (turn) =>
    mergePatch(world.plane, `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${tenant.namespace}/secretproviderclasses/class-${turn % 20}`, {
      metadata: { annotations: { "keyvault-injector.dev/refresh": `${turn}` } },
    }),
  );
  return {
    evidence: () => (editing.turns() === 0 ? undefined : `${editing.turns()} edits of 20 classes`),
    stop: async () => {
      await editing.stop();
      await removeClasses(world, tenant);
    },
  };
}

async function fight(world: HostileWorld): Promise<Strike> {
  const tenant = await world.tenant();
  await world.emulator.setSecret({ vault: tenant.vault, name: "object", value: "x" });
  for (const name of classNames(40)) await hostileClass(world, tenant, { name, objects: ["object"] });
  const editing = repeating(5, async (turn) => {
    const secret = secretPath(tenant.namespace, `class-${turn % 40}-object`);
    await (turn % 3 === 0
      ? send(world.plane, { method: "DELETE", path: secret })
      : mergePatch(world.plane, secret, { data: { value: "eQ==" } }));
  });
  return {
    evidence: async () => {
      const mirrored = (await mirroredSecrets(world.plane, tenant.namespace)).length;
      return mirrored === 0 || editing.turns() < 20 ? undefined : `${editing.turns()} edits and deletions of mirrored Secrets`;
    },
    stop: async () => {
      await editing.stop();
      await removeClasses(world, tenant);
    },
  };
}

async function manyPods(world: HostileWorld): Promise<Strike> {
  const tenant = await world.tenant();
  await apiRequest(world.plane, {
    method: "POST",
    path: `/api/v1/namespaces/${tenant.namespace}/serviceaccounts`,
    body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } },
  });
  let answered = 0;
  const pod = aPod({ inject: "true", "secret-provider-class": "absent" });
  const where = `/api/v1/namespaces/${tenant.namespace}/pods?dryRun=All`;
  const creating = Array.from({ length: 16 }, () =>
    repeating(20, async () => {
      await apiRequest(world.plane, { method: "POST", path: where, body: pod });
      answered += 1;
    }),
  );
  return {
    evidence: () => (answered < 50 ? undefined : `${answered} pods at 16 at a time, of a class that is not there`),
    stop: async () => {
      await Promise.all(creating.map((one) => one.stop()));
    },
  };
}

async function longText(world: HostileWorld): Promise<Strike> {
  const tenant = await world.tenant();
  const nested = `array:\n  - |\n    objectName: a\n${"    x: [".repeat(4_000)}\n`;
  const anchors = `array:\n  - &a |\n    objectName: a\n    objectType: secret\n${"  - *a\n".repeat(25_000)}`;
  for (const [index, objects] of [nested, anchors, anchors, nested].entries())
    await hostileClass(world, tenant, { name: `text-${index}`, objects: ["a"], parameters: { objects: objects.slice(0, 250_000) } });
  const editing = repeating(500, (turn) =>
    mergePatch(world.plane, `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${tenant.namespace}/secretproviderclasses/text-${turn % 4}`, {
      metadata: { annotations: { "keyvault-injector.dev/refresh": `${turn}` } },
    }),
  );
  return {
    evidence: () => (editing.turns() < 4 ? undefined : `4 classes of 250,000 characters, ${editing.turns()} times edited`),
    stop: async () => {
      await editing.stop();
      await removeClasses(world, tenant);
    },
  };
}

async function manyObjects(world: HostileWorld): Promise<Strike> {
  const tenant = await world.tenant();
  // Another tenant's vault that the tenant may read. Both share its budget.
  const { cell } = world.victim;
  await world.emulator.setBudget({ vault: cell.vault, transactions: 300, perSeconds: 10 });
  const names = Array.from({ length: 200 }, (_, index) => `absent-${index}`);
  await send(world.plane, {
    method: "PUT",
    path: secretPath(tenant.namespace, "secrets-store-creds"),
    body: { apiVersion: "v1", kind: "Secret", metadata: { name: "secrets-store-creds" }, stringData: cell.credentials },
  });
  for (const name of classNames(20))
    await hostileClass(world, tenant, { name, vault: cell.vault, tenantId: cell.tenantId, objects: names });
  return {
    evidence: async () => {
      const asked = (await world.emulator.requests()).filter(({ path }) => path.includes("/secrets/absent-")).length;
      return asked < 50 ? undefined : `20 classes of 200 absent objects each in the victim's vault; ${asked} asked for`;
    },
    stop: async () => {
      await removeClasses(world, tenant);
      await world.emulator.clearBudget({ vault: cell.vault });
    },
  };
}

async function manyEntries(world: HostileWorld): Promise<Strike> {
  const tenant = await world.tenant();
  await world.emulator.setSecret({ vault: tenant.vault, name: "object", value: "x".repeat(20_000) });
  for (const name of classNames(4)) {
    const secretObjects = Array.from({ length: 400 }, (_, index) => ({
      secretName: `${name}-${index}`,
      type: "Opaque",
      data: Array.from({ length: 20 }, (__, key) => ({ objectName: "object", key: `key-${key}` })),
    }));
    await hostileClass(world, tenant, { name, objects: ["object"], secretObjects });
  }
  return {
    evidence: () => `4 classes that ask for 400 Secrets of 400 kB each`,
    stop: async () => {
      await removeClasses(world, tenant);
    },
  };
}

export const tenantAttacks: readonly Attack[] = [
  { name: "PKCS#12 values that ask for a million rounds", kind: "work for the CPU", isControl: true, start: (world) => bombs(world, 1) },
  { name: "the same from four namespaces", kind: "work for the CPU", start: (world) => bombs(world, 4) },
  { name: "object lists as long and deep as a class may hold", kind: "work for the CPU", start: longText },
  { name: "classes that ask for a hundred megabytes of Secrets", kind: "work for the CPU", start: manyEntries },
  { name: "two hundred edits of classes a second", kind: "floods", start: churn },
  { name: "somebody who damages each mirrored Secret again", kind: "floods", start: fight },
  { name: "hundreds of opted-in pods a second", kind: "floods", start: manyPods },
  { name: "thousands of objects of the victim's own vault", kind: "a vault's budget", isControl: true, start: manyObjects },
];
