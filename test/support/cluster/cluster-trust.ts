import type { Emulator } from "../../../tools/key-vault-emulator/emulator.ts";
import type { ControlPlane } from "./control-plane.ts";

/** Has the emulator's Entra believe the tokens that a cluster issues to its ServiceAccounts; resolves with their issuer. */
export async function trustCluster(emulator: Emulator, cluster: Pick<ControlPlane, "kubectl">): Promise<string> {
  const published = async (path: string): Promise<unknown> => JSON.parse(await cluster.kubectl(["get", "--raw", path]));
  const { issuer } = (await published("/.well-known/openid-configuration")) as { readonly issuer: string }; // As OpenID Connect Discovery has it.
  await emulator.trustIssuer({ issuer, jwks: await published("/openid/v1/jwks") });
  return issuer;
}
