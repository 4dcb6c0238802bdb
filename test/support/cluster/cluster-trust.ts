import type { Emulator } from "../../../tools/key-vault-emulator/emulator.ts";
import type { ControlPlane } from "./control-plane.ts";

/** Makes the emulator's Entra accept the tokens that the cluster issues to its ServiceAccounts. Resolves with their issuer. */
export async function trustCluster(emulator: Emulator, cluster: Pick<ControlPlane, "kubectl">): Promise<string> {
  const published = async (path: string): Promise<unknown> => JSON.parse(await cluster.kubectl(["get", "--raw", path]));
  const { issuer } = (await published("/.well-known/openid-configuration")) as { readonly issuer: string }; // As in OpenID Connect Discovery.
  await emulator.trustIssuer({ issuer, jwks: await published("/openid/v1/jwks") });
  return issuer;
}
