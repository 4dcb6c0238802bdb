/** A tenant that requests more objects than all others together, from a vault that it shares with one of them. */

import { emptyTeam, writeClass, writeCredentials } from "./authors.ts";
import type { WantedClass, WantedEntry } from "./classes.ts";
import type { Cluster } from "./cluster.ts";
import type { Team } from "./team.ts";
import type { Vaults } from "./vaults.ts";

export const GREEDY = "greedy";

/** Together, the classes need more requests than the worker's budget for a vault in ten seconds. */
const CLASSES = 4;
const OBJECTS_OF_A_CLASS = 925;

/** Number of objects in the Secret of each class. The worker requests all objects of the class anyway. */
const MIRRORED = 3;

/** A vault's own limit: https://learn.microsoft.com/azure/key-vault/general/service-limits */
const VAULT_LIMIT = { transactions: 4_000, perSeconds: 10 };

/** The tenant's identity may not list, so the worker requests each object. */
export async function greedyTenant(
  { cluster, vaults }: { readonly cluster: Cluster; readonly vaults: Vaults },
  victim: Team,
): Promise<Team> {
  const { name, tenantId } = victim.vault;
  await vaults.limit(name, VAULT_LIMIT);
  // The same vault, but with objects that no other team's classes name.
  const vault = { name, tenantId, objects: new Map() };
  const application = await vaults.application(tenantId, [name], false);
  const team: Team = {
    namespace: GREEDY,
    vault,
    application,
    ...emptyTeam(),
    mostClasses: CLASSES,
  };
  cluster.request("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: GREEDY } });
  writeCredentials(cluster, GREEDY, application);
  for (let index = 0; index < CLASSES; index += 1) {
    const objects = Array.from({ length: OBJECTS_OF_A_CLASS }, (_, object) => `greedy-${index}-${object}`);
    for (const object of objects) await vaults.rotate(vault, object);
    writeClass(cluster, team, greedyClass(`class-${index}`, name, objects));
  }
  return team;
}

function greedyClass(name: string, vault: string, objects: readonly string[]): WantedClass {
  const entries: readonly WantedEntry[] = objects.map((object) => ({
    object,
    type: "secret",
    pinned: undefined,
    alias: undefined,
    isDecoded: false,
  }));
  const keys = Array.from({ length: MIRRORED }, (_, index) => index);
  return {
    namespace: GREEDY,
    name,
    vault,
    entries,
    secrets: [{ name, keys, label: undefined }],
    sync: undefined,
    intervalMinutes: 60,
  };
}
