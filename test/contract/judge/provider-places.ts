/** Data of one cloud for the written cases: a vault, its reader, and the ids that the emulator made up. */
import type { CloudName } from "../../../tools/key-vault-emulator/network/clouds.ts";
import type { Material } from "./material.ts";
import { seedFixtures } from "./provider-fixtures.ts";
import { EVERYTHING, type JudgeVault, type ProviderWorld } from "./provider-world.ts";
import { issueTokens } from "./service-account-tokens.ts";

export interface Place {
  readonly vault: JudgeVault;
  /** Replaces placeholders in a case's text by the real names. */
  readonly replace: (text: string) => string;
}

type Names = Readonly<Record<string, string>>;

function placeOf(vault: JudgeVault, names: Names, versions: ReadonlyMap<string, readonly string[]>): Place {
  const all = {
    VAULT: vault.name,
    TENANT: vault.tenantId,
    ID: vault.credentials["clientid"],
    SECRET: vault.credentials["clientsecret"],
    ...names,
  };
  const replace = (text: string): string =>
    text
      .replaceAll(/\$V\(([^,]+),(\d+)\)/g, (_, name: string, index: string) => versions.get(name)?.[Number(index)] ?? "")
      .replaceAll(/\$([A-Z_]+)/g, (whole, name: string) => Object.entries(all).find(([key]) => key === name)?.[1] ?? whole);
  return { vault, replace };
}

async function publicPlace(world: ProviderWorld, material: Material): Promise<Place> {
  const { emulator } = world;
  const vault = await world.aVault();
  await emulator.addTenantDomain({ tenantId: vault.tenantId, domain: "contoso.onmicrosoft.com" });
  const versions = await seedFixtures(emulator, vault.name, material);
  const federated = await emulator.createServicePrincipal({});
  const { token, otherSubject } = await issueTokens(emulator, federated.appId);
  const user = await emulator.createManagedIdentity({ kind: "user" });
  const system = await emulator.createManagedIdentity({ kind: "system" });
  for (const { appId } of [federated, user, system]) await emulator.grant({ vault: vault.name, appId, permissions: [...EVERYTHING] });
  return placeOf(vault, { FEDERATED: federated.appId, TOKEN: token, OTHER_SUBJECT: otherSubject, USER: user.appId }, versions);
}

/** Creates a vault whose tokens come from an AD FS instead of a tenant. */
async function adFsNames(world: ProviderWorld, cloud: CloudName): Promise<Names> {
  const { name, credentials } = await world.aVault(cloud, "adfs");
  await world.emulator.setSecret({ vault: name, name: "secret1", value: "from AD FS" });
  return { ADFS_VAULT: name, ADFS_ID: credentials["clientid"] ?? "", ADFS_SECRET: credentials["clientsecret"] ?? "" };
}

async function otherPlace(world: ProviderWorld, cloud: CloudName): Promise<Place> {
  const vault = await world.aVault(cloud);
  await world.emulator.setSecret({ vault: vault.name, name: "secret1", value: cloud });
  return placeOf(vault, cloud === "private" ? await adFsNames(world, cloud) : {}, new Map());
}

export async function makePlaces(world: ProviderWorld, material: Material): Promise<(cloud: CloudName) => Place> {
  const places = new Map<CloudName, Place>([["public", await publicPlace(world, material)]]);
  for (const cloud of ["us-government", "china", "germany", "private"] as const) places.set(cloud, await otherPlace(world, cloud));
  return (cloud) => {
    const place = places.get(cloud);
    if (place === undefined) throw new Error(`no vault in the cloud ${cloud}`);
    return place;
  };
}
