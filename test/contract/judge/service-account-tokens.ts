/** Tokens as a cluster's API server would issue them. The emulated Entra trusts the issuer. */
import { generateKeyPairSync, sign } from "node:crypto";

import type { SpawnedEmulator } from "../../../tools/key-vault-emulator/spawn.ts";

const ISSUER = "https://issuer.example/";
const AUDIENCE = "api://AzureADTokenExchange";
const SUBJECT = "system:serviceaccount:test:default";
const LIFETIME_SECONDS = 3_600;

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** An application trusts the subject of the first token, but not that of the second one. */
export async function issueTokens(
  emulator: SpawnedEmulator,
  appId: string,
): Promise<{ readonly token: string; readonly otherSubject: string }> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await emulator.trustIssuer({ issuer: ISSUER, publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString() });
  await emulator.addFederatedCredential({ appId, issuer: ISSUER, subject: SUBJECT });
  const now = Math.floor(Date.now() / 1_000);
  const tokenOf = (sub: string): string => {
    const claims = { iss: ISSUER, sub, aud: [AUDIENCE], iat: now, nbf: now, exp: now + LIFETIME_SECONDS };
    const signed = `${encoded({ alg: "RS256", typ: "JWT" })}.${encoded(claims)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
  };
  return { token: tokenOf(SUBJECT), otherSubject: tokenOf("system:serviceaccount:test:other") };
}
