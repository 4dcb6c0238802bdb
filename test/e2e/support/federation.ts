import { trustCluster } from "../../support/cluster/cluster-trust.ts";
import { VAULT, type World } from "./world.ts";

export interface FederatedApplication {
  /** Name of the ServiceAccount in the default namespace. */
  readonly serviceAccount: string;
  /** Default: the one in Entra's documentation. */
  readonly audience?: string;
  readonly permissions: readonly ("get" | "keys/get")[];
}

/** Creates an application of the vault that trusts the node's tokens for one ServiceAccount. Returns its application id. */
export async function federatedApplication(world: World, { serviceAccount, audience, permissions }: FederatedApplication): Promise<string> {
  const { node, emulator, walk } = world;
  const issuer = await trustCluster(emulator, node);
  const { appId } = await emulator.createServicePrincipal({ tenantId: walk.values["tenant-Id"] });
  await emulator.grant({ vault: VAULT, appId, permissions: [...permissions] });
  const subject = `system:serviceaccount:default:${serviceAccount}`;
  await emulator.addFederatedCredential({ appId, issuer, subject, ...(audience === undefined ? {} : { audience }) });
  return appId;
}
