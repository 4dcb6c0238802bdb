/** Token services that hang or refuse for one tenant's identities only. */
import type { Attack, Strike } from "../attack.ts";
import { classNames, hostileClass, removeClasses } from "../tenant-classes.ts";
import type { HostileWorld } from "../world.ts";

const LOGIN = "login.microsoftonline.com";
const SILENT_MS = 10_000_000;

/** Classes whose token requests never end; some of them name the victim's vault. */
async function silentSignIns(world: HostileWorld, namesVictim: boolean): Promise<Strike> {
  const tenant = await world.tenant();
  await world.emulator.injectFault({ host: LOGIN, path: `/${tenant.tenantId}`, kind: "slow", milliseconds: SILENT_MS, times: 1_000_000 });
  const vault = namesVictim ? { vault: world.victim.cell.vault } : {};
  for (const name of classNames(30)) await hostileClass(world, tenant, { name, ...vault, objects: ["object-0"] });
  const tunnels = (): number => world.proxy.log.filter(({ host }) => host === LOGIN).length;
  const before = tunnels();
  return {
    evidence: () => (tunnels() === before ? undefined : `30 classes of a tenant for which the token service is silent`),
    stop: async () => {
      await removeClasses(world, tenant);
      await world.emulator.clearFaults({ host: LOGIN });
    },
  };
}

/** Every class with a client secret of its own that is wrong. */
async function refusedSignIns(world: HostileWorld): Promise<Strike> {
  const tenant = await world.tenant();
  const { vault } = world.victim.cell;
  await world.emulator.injectFault({ host: LOGIN, path: `/${tenant.tenantId}`, kind: "status", status: 503, times: 1_000_000 });
  for (const name of classNames(30)) await hostileClass(world, tenant, { name, vault, objects: ["object-0"] });
  return {
    evidence: async () => {
      const asked = (await world.emulator.requests()).filter(({ host, path }) => host === LOGIN && path.includes(tenant.tenantId)).length;
      return asked === 0 ? undefined : `30 classes of a tenant for which the token service is busy, ${asked} tries`;
    },
    stop: async () => {
      await removeClasses(world, tenant);
      await world.emulator.clearFaults({ host: LOGIN });
    },
  };
}

export const signInAttacks: readonly Attack[] = [
  {
    name: "silent sign-ins of a tenant that names the victim's vault",
    kind: "silent sign-ins",
    isControl: true,
    start: (world) => silentSignIns(world, true),
  },
  { name: "silent sign-ins of a tenant with its own vault", kind: "silent sign-ins", start: (world) => silentSignIns(world, false) },
  { name: "a busy token service for a tenant that names the victim's vault", kind: "silent sign-ins", start: refusedSignIns },
];
