/** Token services that hang or fail only for one tenant's identities. */

import type { KubeObject } from "../../../src/domain/kubernetes.ts";
import { listAll } from "../../support/worker/sync-world.ts";
import type { Attack, Strike } from "../attack.ts";
import { classNames, hostileClass, removeClasses } from "../tenant-classes.ts";
import type { HostileWorld, Tenant } from "../world.ts";

const LOGIN = "login.microsoftonline.com";
const SILENT_MS = 10_000_000;

/** Classes whose token requests never end. */
async function silentSignIns(world: HostileWorld, namesVictim: boolean): Promise<Strike> {
  const tenant = await world.tenant();
  const { vault, tenantId } = namesVictim ? world.victim.cell : tenant;
  await world.emulator.injectFault({ host: LOGIN, path: `/${tenantId}`, kind: "slow", milliseconds: SILENT_MS, times: 1_000_000 });
  for (const name of classNames(30)) await hostileClass(world, tenant, { name, vault, tenantId, objects: ["object-0"] });
  return {
    evidence: async () => {
      const tried = await triedOf(world, tenant);
      return tried === 0 ? undefined : `30 classes of a tenant for which the token service is silent, ${tried} of them tried`;
    },
    stop: async () => {
      await removeClasses(world, tenant);
      await world.emulator.clearFaults({ host: LOGIN });
    },
  };
}

/** Number of classes that the worker has begun, because it then creates a class's snapshot. */
async function triedOf({ plane }: HostileWorld, { namespace }: Tenant): Promise<number> {
  return (await listAll<KubeObject>(plane, `/apis/apps/v1/namespaces/${namespace}/controllerrevisions`)).length;
}

type Failure = { readonly kind: "reset" } | { readonly kind: "status"; readonly status: number };

/** The token service fails immediately for applications that have no token yet. */
async function failingSignIns(world: HostileWorld, failure: Failure): Promise<Strike> {
  const tenant = await world.tenant();
  // The victim's own token is valid for longer than the attack lasts.
  const { vault, tenantId } = world.victim.cell;
  await world.emulator.injectFault({ host: LOGIN, path: `/${tenantId}`, ...failure, times: 1_000_000 });
  for (const name of classNames(30)) await hostileClass(world, tenant, { name, vault, tenantId, objects: ["object-0"] });
  return {
    evidence: async () => {
      const asked = (await world.emulator.requests()).filter(({ host, path }) => host === LOGIN && path.includes(tenantId)).length;
      return asked === 0 ? undefined : `30 classes of a tenant for which the token service fails, ${asked} tries`;
    },
    stop: async () => {
      await removeClasses(world, tenant);
      await world.emulator.clearFaults({ host: LOGIN });
    },
  };
}

export const signInAttacks: readonly Attack[] = [
  {
    name: "a token service that resets a tenant which names the victim's vault",
    kind: "failing sign-ins",
    isControl: true,
    start: (world) => failingSignIns(world, { kind: "reset" }),
  },
  {
    name: "a busy token service for a tenant that names the victim's vault",
    kind: "failing sign-ins",
    start: (world) => failingSignIns(world, { kind: "status", status: 503 }),
  },
  {
    name: "silent sign-ins of a tenant that names the victim's vault",
    kind: "failing sign-ins",
    start: (world) => silentSignIns(world, true),
  },
  { name: "silent sign-ins of a tenant with its own vault", kind: "failing sign-ins", start: (world) => silentSignIns(world, false) },
];
